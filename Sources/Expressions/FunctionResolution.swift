import Columns

extension Function {
    /// Functions by the name they are called by.
    static let named: [String: Signature] = [
        "abs": .number(.absolute),
        "sign": .float(.sign), "round": .float(.round), "trunc": .float(.truncate), "floor": .float(.floor),
        "ceil": .float(.ceiling), "ceiling": .float(.ceiling), "sqrt": .float(.squareRoot), "exp": .float(.exponential),
        "ln": .float(.naturalLogarithm), "log": .float(.decimalLogarithm), "log10": .float(.decimalLogarithm),
        "sin": .float(.sine), "cos": .float(.cosine), "tan": .float(.tangent),
        "power": .fixed(.power, [.float64, .float64], .float64), "pow": .fixed(.power, [.float64, .float64], .float64),
        "mod": .fixed(.remainder, [.int64, .int64], .int64),
        "lower": .fixed(.lower, [.string], .string), "upper": .fixed(.upper, [.string], .string),
        "length": .fixed(.length, [.string], .int64), "trim": .fixed(.trim, [.string], .string),
        "replace": .fixed(.replace, [.string, .string, .string], .string),
        "starts_with": .fixed(.startsWith, [.string, .string], .bool),
        "substring": .substring, "substr": .substring,
        "coalesce": .alternatives(.coalesce), "greatest": .alternatives(.greatest), "least": .alternatives(.least),
        "nullif": .nullif, "date_trunc": .dateTruncate,
    ]

    /// How a function takes its arguments.
    enum Signature {
        /// One number, giving one of its type.
        case number(Function)
        /// One float64, giving a float64.
        case float(Function)
        case fixed(Function, [ValueType], ValueType)
        /// Any number of values of one type.
        case alternatives(Function)
        case substring, nullif, dateTruncate

        var arity: ClosedRange<Int> {
            switch self {
            case .number, .float: 1...1
            case .fixed(_, let parameters, _): parameters.count...parameters.count
            case .alternatives: 1...Int.max
            case .substring: 2...3
            case .nullif, .dateTruncate: 2...2
            }
        }
    }
}

extension TypeChecker {
    func call(_ name: String, _ arguments: [Syntax], at position: Int) throws(Problem) -> TypedNode {
        guard let signature = Function.named[name] else {
            let near = Suggestion.nearest(to: name, among: Array(Function.named.keys) + ["extract"])
            throw Problem("unknown function '\(name)'\(near.map { "; did you mean '\($0)'?" } ?? "")", at: position)
        }
        let arity = signature.arity
        guard arity.contains(arguments.count) else {
            let wanted =
                switch (arity.lowerBound, arity.upperBound) {
                case (_, .max): "at least one argument"
                case (1, 1): "one argument"
                case (let low, let high): low == high ? "\(low) arguments" : "\(low) or \(high) arguments"
                }
            throw Problem("\(name) takes \(wanted), found \(arguments.count)", at: position)
        }
        switch signature {
        case .number(let function):
            let node = try check(arguments[0])
            guard node.type.isNumeric || node.type == .null else {
                throw Problem("'\(name)' needs a number, found \(node.type)", at: arguments[0].position)
            }
            let type = node.type == .null ? .float64 : node.type
            return TypedNode(function, type, [node.converted(to: type)])
        case .float(let function):
            return TypedNode(function, .float64, [try argument(arguments[0], .float64, of: name)])
        case .fixed(let function, let parameters, let type):
            var nodes: [TypedNode] = []
            for (syntax, parameter) in zip(arguments, parameters) {
                nodes.append(try argument(syntax, parameter, of: name))
            }
            return TypedNode(function, type, nodes)
        case .alternatives(let function): return try alternatives(function, name, arguments)
        case .nullif: return try nullif(arguments, at: position)
        case .substring:
            var nodes = [try argument(arguments[0], .string, of: name)]
            for syntax in arguments.dropFirst() { nodes.append(try argument(syntax, .int64, of: name)) }
            return TypedNode(.substring, .string, nodes)
        case .dateTruncate: return try dateTruncate(arguments)
        }
    }

    private func dateTruncate(_ arguments: [Syntax]) throws(Problem) -> TypedNode {
        let units = TimeUnit.allCases.map(\.rawValue).joined(separator: ", ")
        guard case .string(let name) = arguments[0].form else {
            throw Problem("the unit of date_trunc is a literal string, one of \(units)", at: arguments[0].position)
        }
        guard let unit = TimeUnit(rawValue: name.lowercased()) else {
            throw Problem("date_trunc has no unit '\(name)', only \(units)", at: arguments[0].position)
        }
        return TypedNode(.truncate(unit), .timestamp, [try argument(arguments[1], .timestamp, of: "date_trunc")])
    }

    func extract(_ field: TimeField, _ operand: Syntax) throws(Problem) -> TypedNode {
        let node = try check(operand)
        if node.type == .interval {
            guard field == .epoch else {
                throw Problem("from an interval extract gives only epoch, its length in seconds", at: operand.position)
            }
            return TypedNode(.extract(.epoch), .float64, [node])
        }
        return TypedNode(.extract(field), .float64, [try argument(operand, .timestamp, of: "extract")])
    }
}
