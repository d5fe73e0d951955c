import Columns
import TimeZones

/// Calls of functions: what their arguments are checked against, and what they stand for.
extension TypeChecker {
    func call(_ name: String, _ arguments: [Syntax], at position: Int) throws(Problem) -> TypedNode {
        guard let signature = Function.named[name] else {
            if functions.contains(where: { $0.name == name }) || name == "bin" {
                return try external(name, arguments, at: position)
            }
            if WindowNode.names.contains(name) {
                throw Problem(
                    "'\(name)' aggregates rows of history; say over which time, as in \(name)(x) over 7d",
                    at: position
                )
            }
            let names = Array(Function.named.keys) + Function.grammatical + functions.map(\.name) + ["bin"]
            let near = Suggestion.nearest(to: name, among: names)
            throw Problem("unknown function '\(name)'\(near.map { "; did you mean '\($0)'?" } ?? "")", at: position)
        }
        let arity = signature.arity
        guard arity.contains(arguments.count) else {
            throw Problem("\(name) takes \(Self.wanted(arity)), found \(arguments.count)", at: position)
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
        case .special(let special, _): return try self.special(special, name, arguments, at: position)
        }
    }

    static func wanted(_ arity: ClosedRange<Int>) -> String {
        switch (arity.lowerBound, arity.upperBound) {
        case (0, 0): "no arguments"
        case (let low, .max): low == 1 ? "at least one argument" : "at least \(low) arguments"
        case (1, 1): "one argument"
        case (let low, let high): low == high ? "\(low) arguments" : "\(low) or \(high) arguments"
        }
    }

    private func special(
        _ special: Function.Special,
        _ name: String,
        _ arguments: [Syntax],
        at position: Int
    ) throws(Problem) -> TypedNode {
        switch special {
        case .logarithm: return logarithm(try argument(arguments[0], .float64, of: name))
        // PostgreSQL's own constant and operations.
        case .degrees:
            let node = try argument(arguments[0], .float64, of: name)
            return TypedNode(.divide, .float64, [node, .float64(Self.radiansPerDegree)])
        case .radians:
            let node = try argument(arguments[0], .float64, of: name)
            return TypedNode(.multiply, .float64, [node, .float64(Self.radiansPerDegree)])
        case .pi: return .float64(.pi)
        case .length: return try length(name, arguments[0], ofText: .length)
        case .byteLength: return try length(name, arguments[0], ofText: .byteLength)
        case .substring:
            var nodes = [try argument(arguments[0], .string, of: name)]
            for syntax in arguments.dropFirst() { nodes.append(try argument(syntax, .int64, of: name)) }
            return TypedNode(.substring, .string, nodes)
        case .trim(let function):
            var nodes: [TypedNode] = []
            for syntax in arguments { nodes.append(try argument(syntax, .string, of: name)) }
            return TypedNode(function, .string, nodes)
        case .pad(let function):
            var nodes = [try argument(arguments[0], .string, of: name), try argument(arguments[1], .int64, of: name)]
            nodes.append(arguments.count == 3 ? try argument(arguments[2], .string, of: name) : .string(" "))
            return TypedNode(function, .string, nodes)
        case .concat: return try concat(name, arguments)
        case .dateTruncate: return try dateTruncate(arguments)
        case .datePart: return try datePart(arguments)
        case .ageSeconds:
            let later = try argument(arguments[0], .timestamp, of: name)
            let earlier = try argument(arguments[1], .timestamp, of: name)
            let age = TypedNode(.subtract, .interval, [later, earlier])
            return TypedNode(.extract(.epoch), .float64, [age])
        case .vectors(let function):
            let (left, right) = (try vector(arguments[0], of: name), try vector(arguments[1], of: name))
            guard left.type == right.type else {
                throw Problem(
                    "'\(name)' needs two vectors of one dimension, found \(left.type) and \(right.type)",
                    at: arguments[1].position
                )
            }
            return TypedNode(function, .float64, [left, right])
        case .norm: return TypedNode(.norm, .float64, [try vector(arguments[0], of: name)])
        case .element: return try element(arguments)
        case .hashBucket: return try hashBucket(arguments)
        case .nullif: return try nullif(arguments, at: position)
        }
    }

    private static let radiansPerDegree = 0.0174532925199432957692

    /// `ln`, and the accurate form for `ln(1 + x)` and `ln(x + 1)` with a float x.
    private func logarithm(_ node: TypedNode) -> TypedNode {
        if case .apply(.add) = node.operation, node.type == .float64 {
            let (left, right) = (node.operands[0], node.operands[1])
            if left.isOne, !right.isOne { return TypedNode(.naturalLogarithmOnePlus, .float64, [right]) }
            if right.isOne { return TypedNode(.naturalLogarithmOnePlus, .float64, [left]) }
        }
        return TypedNode(.naturalLogarithm, .float64, [node])
    }

    // MARK: Strings

    /// Code points of text, or bytes.
    private func length(_ name: String, _ syntax: Syntax, ofText function: Function) throws(Problem) -> TypedNode {
        let node = try check(syntax)
        if node.type == .bytes { return TypedNode(.byteLength, .int64, [node]) }
        return TypedNode(function, .int64, [try argument(syntax, .string, of: name)])
    }

    /// `concat` leaves nulls out; `concat_ws` puts its first argument between the others.
    private func concat(_ name: String, _ arguments: [Syntax]) throws(Problem) -> TypedNode {
        let isSeparated = name == "concat_ws"
        var nodes = [isSeparated ? try argument(arguments[0], .string, of: name) : .string("")]
        for syntax in arguments.dropFirst(isSeparated ? 1 : 0) {
            let node = try check(syntax)
            guard Self.canCast(node.type, to: .string) else {
                throw Problem("'\(name)' needs values with a text form, found \(node.type)", at: syntax.position)
            }
            if node.type == .bool {
                // As PostgreSQL's output function writes them, where a cast writes true and false.
                let operands = [node, .string("t"), TypedNode(.not, .bool, [node]), .string("f"), .null(.string)]
                nodes.append(TypedNode(.choose, .string, operands))
            } else {
                nodes.append(node.converted(to: .string))
            }
        }
        return TypedNode(.join, .string, nodes)
    }

    // MARK: Time

    private func unit<Unit: RawRepresentable<String> & CaseIterable>(
        _ syntax: Syntax,
        _ noun: String,
        _ name: String
    ) throws(Problem) -> Unit {
        let units = Unit.allCases.map(\.rawValue)
        let list = units.joined(separator: ", ")
        guard case .string(let word) = syntax.form else {
            throw Problem("the \(noun) of \(name) is a literal string, one of \(list)", at: syntax.position)
        }
        guard let unit = Unit(rawValue: word.lowercased()) else {
            let near = Suggestion.nearest(to: word, among: units).map { "; did you mean '\($0)'?" }
            throw Problem("\(name) has no \(noun) '\(word)'" + (near ?? ", only \(list)"), at: syntax.position)
        }
        return unit
    }

    private func dateTruncate(_ arguments: [Syntax]) throws(Problem) -> TypedNode {
        let unit: TimeUnit = try unit(arguments[0], "unit", "date_trunc")
        let node = try moment(arguments[1], of: "date_trunc")
        guard arguments.count == 3 else { return TypedNode(.truncate(unit), node.type, [node]) }
        guard node.type == .timestamp else {
            throw Problem(
                "'date_trunc' with a time zone needs timestamp, found \(node.type)",
                at: arguments[1].position
            )
        }
        return TypedNode(.truncateInZone(unit, try zone(arguments[2])), .timestamp, [node])
    }

    private func datePart(_ arguments: [Syntax]) throws(Problem) -> TypedNode {
        let field: TimeField = try unit(arguments[0], "field", "date_part")
        return try extract(field, arguments[1], "date_part") { field in
            switch field {
            case .epoch, .second, .milliseconds, .julian: .part(field)
            default: .extract(field)
            }
        }
    }

    func extract(
        _ field: TimeField,
        _ operand: Syntax,
        _ name: String,
        _ operation: (TimeField) -> Operation
    ) throws(Problem) -> TypedNode {
        var node = try check(operand)
        if node.type.isInterval {
            guard field == .epoch else {
                throw Problem("from an interval \(name) gives only epoch, its length in seconds", at: operand.position)
            }
            if node.type == .calendarInterval { node = Self.elapsed(node) }
            return TypedNode(.extract(.epoch), .float64, [node])
        }
        return TypedNode(operation(field), .float64, [try moment(operand, of: name)])
    }

    /// The microseconds of an interval with months as `extract(epoch …)` counts them: a year has 365.25 days, a month
    /// that is left over 30.
    private static func elapsed(_ node: TypedNode) -> TypedNode {
        let quarterDays = TypedNode(
            .add,
            .int64,
            [
                TypedNode(
                    .multiply,
                    .int64,
                    [TypedNode(.divide, .int64, [node.operands[0], .int64(12)]), .int64(1461)]
                ),
                TypedNode(
                    .multiply,
                    .int64,
                    [TypedNode(.remainder, .int64, [node.operands[0], .int64(12)]), .int64(120)]
                ),
            ]
        )
        let months = TypedNode(.multiply, .interval, [quarterDays, .int64(Calendar.day / 4)])
        return TypedNode(.add, .interval, [months, node.operands[1]])
    }

    /// A timestamp, or what a time zone's clocks show at one.
    private func moment(_ syntax: Syntax, of name: String) throws(Problem) -> TypedNode {
        let node = try check(syntax)
        return node.type == .wallTime ? node : try argument(syntax, .timestamp, of: name)
    }

    func atTimeZone(_ operand: Syntax, _ zoneName: Syntax, at position: Int) throws(Problem) -> TypedNode {
        let node = try check(operand)
        let rules = try zone(zoneName)
        switch node.type {
        case .timestamp, .null: return TypedNode(.atTimeZone(rules), .wallTime, [node.converted(to: .timestamp)])
        case .wallTime: return TypedNode(.atTimeZone(rules), .timestamp, [node])
        default: throw Problem("'at time zone' needs timestamp, found \(node.type)", at: position)
        }
    }

    private func zone(_ syntax: Syntax) throws(Problem) -> TimeZoneRules {
        guard case .string(let name) = syntax.form else {
            throw Problem("a time zone is a literal string, as in 'America/New_York'", at: syntax.position)
        }
        do {
            return try TimeZoneRules.named(name)
        } catch {
            throw Problem("\(error)", at: syntax.position)
        }
    }

    // MARK: Vectors, buckets, external functions

    private func vector(_ syntax: Syntax, of name: String) throws(Problem) -> TypedNode {
        let node = try check(syntax)
        guard case .data(.vector) = node.type else {
            throw Problem("'\(name)' needs a vector, found \(node.type)", at: syntax.position)
        }
        return node
    }

    private func element(_ arguments: [Syntax]) throws(Problem) -> TypedNode {
        let node = try vector(arguments[0], of: "element")
        let index = try argument(arguments[1], .int64, of: "element")
        if case .data(.vector(let dimension)) = node.type, case .constant(.int64(let place)) = index.operation,
            place < 1 || place > dimension
        {
            throw Problem(
                "\(node.type) has no element \(place); the first is 1, the last \(dimension)",
                at: arguments[1].position
            )
        }
        return TypedNode(.element, .float32, [node, index])
    }

    private func hashBucket(_ arguments: [Syntax]) throws(Problem) -> TypedNode {
        var value = try check(arguments[0])
        switch value.type {
        case .data(.vector), .interval, .calendarInterval, .wallTime:
            throw Problem("'hash_bucket' has no bytes for \(value.type)", at: arguments[0].position)
        case .null: value = .null(.string)
        default: break
        }
        let count = try argument(arguments[1], .int64, of: "hash_bucket")
        if case .constant(.int64(let count)) = count.operation, count < 1 {
            throw Problem("'hash_bucket' needs at least 1 bucket, found \(count)", at: arguments[1].position)
        }
        return TypedNode(.hashBucket, .int64, [value, count])
    }

    /// A function the caller brought, picked by its name and its second argument.
    private func external(_ name: String, _ arguments: [Syntax], at position: Int) throws(Problem) -> TypedNode {
        guard arguments.count == 2 else {
            throw Problem("\(name) takes 2 arguments, found \(arguments.count)", at: position)
        }
        let wanted: String
        switch arguments[1].form {
        case .column(let word, _): wanted = word
        case .string(let text): wanted = text
        default:
            throw Problem(
                "the second argument of \(name) is a name, as in \(name)(x, wind_bins)",
                at: arguments[1].position
            )
        }
        let known = functions.filter { $0.name == name }
        guard let function = known.first(where: { $0.argument == wanted }) else {
            let near = Suggestion.nearest(to: wanted, among: known.map(\.argument)).map { "; did you mean '\($0)'?" }
            throw Problem(
                "\(name) knows no '\(wanted)'" + (near ?? (known.isEmpty ? "; none is declared here" : "")),
                at: arguments[1].position
            )
        }
        let operand = try argument(arguments[0], .data(function.input), of: name)
        return TypedNode(.external(function), .int64, [operand])
    }
}

extension TypedNode {
    /// Whether it is the literal 1 or 1.0, converted or not.
    fileprivate var isOne: Bool {
        switch operation {
        case .constant(.int64(1)), .constant(.float64(1)): true
        case .apply(.cast): operands[0].isOne
        default: false
        }
    }
}
