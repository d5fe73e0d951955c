import Columns

/// Operators and conditional forms: which types they take, and what those give.
extension TypeChecker {
    // MARK: Common types

    /// The type two numbers are computed in: their own where equal, else float64 (as PostgreSQL resolves operators).
    private static func arithmeticType(_ left: ValueType, _ right: ValueType) -> ValueType {
        left == right ? left : .float64
    }

    /// The one type of several alternatives, as in `case` and `coalesce`; `nil` when they have none.
    ///
    /// int64 with float32 gives float32, as in PostgreSQL: alternatives are unified, not computed with.
    private static func unified(_ types: [ValueType]) -> ValueType? {
        var result = ValueType.null
        for type in types where type != .null && type != result {
            if result == .null {
                result = type
            } else if result.isNumeric, type.isNumeric {
                result = result == .float64 || type == .float64 ? .float64 : .float32
            } else if result.isInterval, type.isInterval {
                result = .calendarInterval
            } else {
                return nil
            }
        }
        return result == .null ? .string : result
    }

    private func unify(_ nodes: [TypedNode], at positions: [Int], _ context: String) throws(Problem) -> [TypedNode] {
        guard let type = Self.unified(nodes.map(\.type)) else {
            let first = nodes.first { $0.type != .null }?.type ?? .null
            let odd = nodes.indices.first { Self.unified([first, nodes[$0].type]) == nil } ?? 0
            throw Problem(
                "the results of \(context) must agree, found \(first) and \(nodes[odd].type)",
                at: positions[odd]
            )
        }
        return nodes.map { $0.converted(to: type) }
    }

    // MARK: Operators

    func negation(_ operand: Syntax, at position: Int) throws(Problem) -> TypedNode {
        // The least int64 has no positive counterpart, so its literal is read together with its sign.
        if case .integer(let digits) = operand.form, let value = Int64("-" + digits) {
            if value == .min { return TypedNode(.constant(.int64(value)), .int64) }
        }
        let node = try check(operand)
        guard node.type.isNumeric || node.type.isInterval else {
            throw Problem("unary '-' needs a number or an interval, found \(node.type)", at: position)
        }
        return negated(node)
    }

    private func negated(_ node: TypedNode) -> TypedNode {
        if node.type == .calendarInterval {
            return .calendar(.monthCount(.negate, [node.operands[0]]), negated(node.operands[1]))
        }
        return TypedNode(.negate, node.type, [node])
    }

    func binary(
        _ operation: BinaryOperator,
        _ left: TypedNode,
        _ right: TypedNode,
        at position: Int
    ) throws(Problem) -> TypedNode {
        switch operation {
        case .equal: return try comparison(.equal, left, right, "=", at: position)
        case .notEqual: return try comparison(.notEqual, left, right, "<>", at: position)
        case .less: return try comparison(.less, left, right, "<", at: position)
        case .lessOrEqual: return try comparison(.lessOrEqual, left, right, "<=", at: position)
        case .greater: return try comparison(.greater, left, right, ">", at: position)
        case .greaterOrEqual: return try comparison(.greaterOrEqual, left, right, ">=", at: position)
        case .concatenate: return try concatenation(left, right, at: position)
        case .power:
            for node in [left, right] where !node.type.isNumeric && node.type != .null {
                throw Problem("'^' is not defined for \(left.type) and \(right.type)", at: position)
            }
            return TypedNode(.power, .float64, [left.converted(to: .float64), right.converted(to: .float64)])
        default: return try arithmetic(operation, left, right, at: position)
        }
    }

    /// Strings, or a string with the text of anything that has one, or bytes.
    private func concatenation(_ left: TypedNode, _ right: TypedNode, at position: Int) throws(Problem) -> TypedNode {
        let types = [left.type, right.type]
        let isText = types.contains(.string) || types == [.null, .null]
        if isText, types.allSatisfy({ Self.canCast($0, to: .string) }) {
            return TypedNode(.concatenate, .string, [left.converted(to: .string), right.converted(to: .string)])
        }
        if types.contains(.bytes), types.allSatisfy({ $0 == .bytes || $0 == .null }) {
            return TypedNode(.concatenate, .bytes, [left.converted(to: .bytes), right.converted(to: .bytes)])
        }
        let isPlain = types.allSatisfy { Self.canCast($0, to: .string) }
        throw Problem(
            "'||' joins strings, found \(left.type) and \(right.type)" + (isPlain ? "; write cast(… as string)" : ""),
            at: position
        )
    }

    private func arithmetic(
        _ operation: BinaryOperator,
        _ left: TypedNode,
        _ right: TypedNode,
        at position: Int
    ) throws(Problem) -> TypedNode {
        let function: Function =
            switch operation {
            case .add: .add
            case .subtract: .subtract
            case .multiply: .multiply
            case .divide: .divide
            default: .remainder
            }
        let left = left.type == .null ? left.converted(to: Self.partner(of: right.type, function)) : left
        let right = right.type == .null ? right.converted(to: Self.partner(of: left.type, function)) : right
        let result: (ValueType, ValueType, ValueType)? =
            switch (function, left.type, right.type) {
            case (.remainder, .int64, .int64): (.int64, .int64, .int64)
            case (.remainder, _, _): nil
            case (_, let a, let b) where a.isNumeric && b.isNumeric:
                (Self.arithmeticType(a, b), Self.arithmeticType(a, b), Self.arithmeticType(a, b))
            case (.add, .timestamp, .interval), (.subtract, .timestamp, .interval): (.timestamp, .timestamp, .interval)
            case (.subtract, .timestamp, .timestamp): (.interval, .timestamp, .timestamp)
            case (.add, .wallTime, .interval), (.subtract, .wallTime, .interval): (.wallTime, .wallTime, .interval)
            case (.subtract, .wallTime, .wallTime): (.interval, .wallTime, .wallTime)
            case (.add, .interval, .interval), (.subtract, .interval, .interval): (.interval, .interval, .interval)
            case (.multiply, .interval, let b) where b.isNumeric: (.interval, .interval, .float64)
            case (.divide, .interval, let b) where b.isNumeric: (.interval, .interval, .float64)
            default: nil
            }
        if let (type, first, second) = result {
            return TypedNode(function, type, [left.converted(to: first), right.converted(to: second)])
        }
        // The commuted forms are the same operation.
        switch (function, left.type, right.type) {
        case (.add, .interval, .timestamp), (.add, .interval, .wallTime):
            return TypedNode(.add, right.type, [right, left])
        case (.multiply, let a, .interval) where a.isNumeric:
            return TypedNode(.multiply, .interval, [right, left.converted(to: .float64)])
        default: break
        }
        if let node = try calendarArithmetic(function, left, right, at: position) { return node }
        var hint = ""
        switch (function, left.type, right.type) {
        case (.add, .string, _), (.add, _, .string): hint = "; strings are joined with ||"
        case (.remainder, let a, let b) where a.isNumeric && b.isNumeric: hint = "; cast both sides to int64"
        case (_, .timestamp, let b) where b.isNumeric: hint = "; add an interval, as in … + interval '10 minutes'"
        case (_, .null, .null): hint = "; cast one of them"
        case (_, .bool, _), (_, _, .bool): hint = "; cast the bool to int64"
        default: break
        }
        throw Problem("'\(operation.rawValue)' is not defined for \(left.type) and \(right.type)\(hint)", at: position)
    }

    /// Intervals with months, part by part; `nil` where neither operand is one.
    private func calendarArithmetic(
        _ function: Function,
        _ left: TypedNode,
        _ right: TypedNode,
        at position: Int
    ) throws(Problem) -> TypedNode? {
        switch (function, left.type, right.type) {
        case (.add, .timestamp, .calendarInterval), (.add, .wallTime, .calendarInterval),
            (.subtract, .timestamp, .calendarInterval), (.subtract, .wallTime, .calendarInterval):
            // Months first, then the rest.
            let months = function == .add ? right.operands[0] : .monthCount(.negate, [right.operands[0]])
            return TypedNode(
                function,
                left.type,
                [TypedNode(.addMonths, left.type, [left, months]), right.operands[1]]
            )
        case (.add, .calendarInterval, .timestamp), (.add, .calendarInterval, .wallTime):
            return try calendarArithmetic(function, right, left, at: position)
        case (.add, let a, let b) where a.isInterval && b.isInterval,
            (.subtract, let a, let b) where a.isInterval && b.isInterval:
            let (left, right) = (left.converted(to: .calendarInterval), right.converted(to: .calendarInterval))
            return .calendar(
                .monthCount(function, [left.operands[0], right.operands[0]]),
                TypedNode(function, .interval, [left.operands[1], right.operands[1]])
            )
        case (.multiply, .int64, .calendarInterval):
            return try calendarArithmetic(function, right, left, at: position)
        case (.multiply, .calendarInterval, .int64):
            return .calendar(
                .monthCount(.multiply, [left.operands[0], right]),
                TypedNode(.multiply, .interval, [left.operands[1], right.converted(to: .float64)])
            )
        case (.multiply, .calendarInterval, _), (.multiply, _, .calendarInterval), (.divide, .calendarInterval, _):
            throw Problem(
                "'\(function == .multiply ? "*" : "/")' is not defined for \(left.type) and \(right.type); "
                    + "months are only multiplied, and by an int64",
                at: position
            )
        default: return nil
        }
    }

    /// The type of a bare null beside an operand: the same, except that a timestamp is moved by an interval and an
    /// interval is scaled by a number.
    private static func partner(of type: ValueType, _ function: Function) -> ValueType {
        switch (type, function) {
        case (.timestamp, .add), (.wallTime, .add): .interval
        case (.calendarInterval, .multiply): .int64
        case (.interval, .multiply), (.interval, .divide): .float64
        default: type
        }
    }

    func comparison(
        _ function: Function,
        _ left: TypedNode,
        _ right: TypedNode,
        _ name: String,
        at position: Int
    ) throws(Problem) -> TypedNode {
        let type: ValueType? =
            switch (left.type, right.type) {
            case (.null, .null): .string
            case (.null, let other), (let other, .null): other
            case (let a, let b) where a.isNumeric && b.isNumeric: Self.arithmeticType(a, b)
            case (let a, let b) where a.isInterval && b.isInterval: .interval
            case (let a, let b): a == b ? a : nil
            }
        let (left, right) = (left.spanned(), right.spanned())
        guard let type, type.isComparable else {
            var hint = ""
            switch (left.type, right.type) {
            case (.wallTime, .timestamp), (.timestamp, .wallTime):
                hint = "; end the first with at time zone '…' to compare two timestamps"
            case (.timestamp, .string), (.string, .timestamp): hint = "; write the literal as timestamp '…'"
            case (let a, .string) where a.isNumeric || a == .bool: hint = "; cast one side"
            case (.string, let b) where b.isNumeric || b == .bool: hint = "; cast one side"
            default: break
            }
            throw Problem("'\(name)' cannot compare \(left.type) with \(right.type)\(hint)", at: position)
        }
        return TypedNode(function, .bool, [left.converted(to: type), right.converted(to: type)])
    }

    // MARK: Conditional forms

    func choice(
        _ operand: Syntax?,
        _ branches: [Syntax.Branch],
        _ otherwise: Syntax?,
        at position: Int
    ) throws(Problem) -> TypedNode {
        let subject: TypedNode?
        if let operand { subject = try check(operand) } else { subject = nil }
        var conditions: [TypedNode] = []
        var results: [TypedNode] = []
        var positions: [Int] = []
        for branch in branches {
            if let subject {
                let value = try check(branch.condition)
                conditions.append(try comparison(.equal, subject, value, "case", at: branch.condition.position))
            } else {
                conditions.append(try condition(branch.condition, of: "when"))
            }
            results.append(try check(branch.result))
            positions.append(branch.result.position)
        }
        if let otherwise { results.append(try check(otherwise)) } else { results.append(.null(.null)) }
        positions.append(otherwise?.position ?? position)
        results = try unify(results, at: positions, "case")
        return chosen(conditions, results)
    }

    private func chosen(_ conditions: [TypedNode], _ results: [TypedNode]) -> TypedNode {
        if results[0].type == .calendarInterval {
            return .calendar(
                chosen(conditions, results.map { $0.operands[0] }),
                chosen(conditions, results.map { $0.operands[1] })
            )
        }
        var operands: [TypedNode] = []
        for (condition, result) in zip(conditions, results) { operands += [condition, result] }
        return TypedNode(.choose, results[0].type, operands + [results[results.count - 1]])
    }

    func alternatives(_ function: Function, _ name: String, _ arguments: [Syntax]) throws(Problem) -> TypedNode {
        var nodes: [TypedNode] = []
        for argument in arguments {
            let node = try check(argument)
            if function != .coalesce, node.type != .null, !node.type.isComparable {
                throw Problem("\(name) cannot compare \(node.type)", at: argument.position)
            }
            nodes.append(node)
        }
        nodes = try unify(nodes, at: arguments.map(\.position), name)
        if nodes.count == 1 { return nodes[0] }
        if nodes[0].type == .calendarInterval {
            if function != .coalesce {
                throw Problem("\(name) cannot compare \(nodes[0].type)", at: arguments[0].position)
            }
            return .calendar(
                TypedNode(.coalesce, .int64, nodes.map { $0.operands[0] }),
                TypedNode(.coalesce, .interval, nodes.map { $0.operands[1] })
            )
        }
        return TypedNode(function, nodes[0].type, nodes)
    }

    /// `nullif(a, b)`: null where `a = b`, else `a`, in the type PostgreSQL's `=` takes its left side in.
    func nullif(_ arguments: [Syntax], at position: Int) throws(Problem) -> TypedNode {
        var left = try check(arguments[0])
        let right = try check(arguments[1])
        if left.type == .null { left = left.converted(to: .string) }
        let equality = try comparison(.equal, left, right, "nullif", at: position)
        if left.type == .int64, right.type.isFloat { left = left.converted(to: .float64) }
        return chosen([equality], [TypedNode.null(.null).converted(to: left.type), left])
    }
}
