import Columns

extension SQLRenderer {
    /// One operation over operands already written.
    func apply(_ function: Function, _ node: TypedNode, _ operands: [String]) throws(Unsupported) -> String {
        switch function {
        case .add, .subtract, .multiply, .divide, .remainder, .negate: return try arithmetic(function, node, operands)
        case .equal: return compared(node, operands, "=")
        case .notEqual: return compared(node, operands, "<>")
        case .less: return compared(node, operands, "<")
        case .lessOrEqual: return compared(node, operands, "<=")
        case .greater: return compared(node, operands, ">")
        case .greaterOrEqual: return compared(node, operands, ">=")
        case .distinct:
            return dialect == .spark
                ? "(not (\(operands[0]) <=> \(operands[1])))" : compared(node, operands, "is distinct from")
        case .notDistinct:
            return dialect == .spark
                ? "(\(operands[0]) <=> \(operands[1]))" : compared(node, operands, "is not distinct from")
        case .and: return "(\(operands.joined(separator: " and ")))"
        case .or: return "(\(operands.joined(separator: " or ")))"
        case .not: return "(not \(operands[0]))"
        case .isNull: return "(\(operands[0]) is null)"
        case .isNotNull: return "(\(operands[0]) is not null)"
        case .isTrue: return "(\(operands[0]) is true)"
        case .isNotTrue: return "(\(operands[0]) is not true)"
        case .isFalse: return "(\(operands[0]) is false)"
        case .isNotFalse: return "(\(operands[0]) is not false)"
        case .choose:
            var text = "(case"
            for place in stride(from: 0, to: operands.count - 1, by: 2) {
                text += " when \(operands[place]) then \(operands[place + 1])"
            }
            return text + " else \(operands[operands.count - 1]) end)"
        case .coalesce: return "coalesce(\(operands.joined(separator: ", ")))"
        case .greatest, .least:
            if dialect == .postgres, node.type == .string {
                return "\(function.rawValue)(\(operands.map { "\($0) collate \"C\"" }.joined(separator: ", ")))"
            }
            // Of equal operands, 0.0 and -0.0, DuckDB does not keep the first.
            if dialect == .duckDB, node.type.isFloat, isExact { throw Unsupported("\(function.rawValue) of floats") }
            return "\(function.rawValue)(\(operands.joined(separator: ", ")))"
        case .cast: return try cast(node.operands[0].type, node.type, operands[0])
        case .addMonths: return addedMonths(node.type, operands)
        // What adds them casts them to four bytes.
        case .monthCount: return operands[0]
        default:
            if node.operands.contains(where: { if case .data(.vector) = $0.type { true } else { false } }) {
                throw Unsupported(function == .element ? "element of a vector" : "\(function.rawValue) of vectors")
            }
            if node.type == .float64 { return try mathematical(function, operands) }
            return try textual(function, node, operands)
        }
    }

    private func compared(_ node: TypedNode, _ operands: [String], _ sign: String) -> String {
        // The left operand's collation holds for the comparison.
        let collation = dialect == .postgres && node.operands[0].type == .string ? " collate \"C\"" : ""
        return "(\(operands[0])\(collation) \(sign) \(operands[1]))"
    }

    private func arithmetic(_ function: Function, _ node: TypedNode, _ operands: [String]) throws(Unsupported) -> String
    {
        if function == .negate { return "(- \(operands[0]))" }
        let signs: [Function: String] = [.add: "+", .subtract: "-", .multiply: "*", .divide: "/", .remainder: "%"]
        let types = node.operands.map(\.type)
        let plain = "(\(operands[0]) \(signs[function] ?? "") \(operands[1]))"
        if dialect == .postgres {
            // Months and the like times a constant count of microseconds.
            if node.type == .interval, types == [.int64, .int64] {
                return "(interval '1 microsecond' * cast(\(plain) as double precision))"
            }
            return plain
        }
        switch (node.type, types[0], types[1]) {
        case (.timestamp, .timestamp, _):
            return timestamp("(\(microseconds(operands[0])) \(signs[function] ?? "") \(operands[1]))")
        case (.interval, .timestamp, .timestamp): return "(\(microseconds(operands[0])) - \(microseconds(operands[1])))"
        case (.interval, _, .float64):
            let double = dialect == .spark ? "double" : "double precision"
            return rounded("(cast(\(operands[0]) as \(double)) \(signs[function] ?? "") \(operands[1]))")
        case (.int64, _, _) where function == .divide:
            return dialect == .duckDB ? "(\(operands[0]) // \(operands[1]))" : "(\(operands[0]) div \(operands[1]))"
        // Spark divides floats as doubles; rounded once more that is the same quotient (53 bits are 2 × 24 + 2 and more).
        case (.float32, _, _) where function == .divide && dialect == .spark:
            return try quotient(operands, "cast(\(plain) as float)", "float")
        case (.float64, _, _) where function == .divide && dialect == .spark:
            return try quotient(operands, plain, "double")
        case (.wallTime, _, _), (_, .wallTime, _): throw Unsupported("\(ValueType.wallTime)")
        default: return plain
        }
    }

    /// Spark's quotient by zero is null, also that of NaN, which has a value here.
    private func quotient(_ operands: [String], _ plain: String, _ type: String) throws(Unsupported) -> String {
        // Operands are written twice; many divisions in each other would fill the memory.
        if plain.utf8.count > 1 << 16 { throw Unsupported("a division inside so many others") }
        let isNaN = "isnan(\(operands[0])) and \(operands[1]) is not null"
        return "(case when \(isNaN) then cast('NaN' as \(type)) else \(plain) end)"
    }

    /// A double to the nearest bigint, ties to even.
    private func rounded(_ operand: String) -> String {
        dialect == .duckDB ? "cast(round_even(\(operand), 0) as bigint)" : "cast(rint(\(operand)) as bigint)"
    }

    private func addedMonths(_ type: ValueType, _ operands: [String]) -> String {
        switch dialect {
        case .postgres: "(\(operands[0]) + make_interval(months => cast(\(operands[1]) as integer)))"
        case .duckDB:
            "(((\(operands[0]) at time zone 'UTC') + to_months(cast(\(operands[1]) as integer))) at time zone 'UTC')"
        case .spark: "(\(operands[0]) + make_ym_interval(0, cast(\(operands[1]) as int)))"
        }
    }

    // MARK: Casts

    private func cast(_ from: ValueType, _ to: ValueType, _ operand: String) throws(Unsupported) -> String {
        let names: [ValueType: String] =
            switch dialect {
            case .postgres:
                [
                    .bool: "boolean", .int64: "bigint", .float32: "real", .float64: "double precision", .string: "text",
                    .bytes: "bytea", .timestamp: "timestamptz",
                ]
            case .duckDB: [.int64: "bigint", .float32: "real", .float64: "double", .string: "varchar"]
            case .spark: [.int64: "bigint", .float32: "float", .float64: "double", .string: "string"]
            }
        guard let name = names[to] else { throw Unsupported("a cast from \(from) to \(to)") }
        if dialect == .postgres {
            let operand = from == .bool && to == .int64 ? "cast(\(operand) as integer)" : operand
            return "cast(\(operand) as \(name))"
        }
        switch (from, to) {
        case (.float64, .int64), (.float32, .int64):
            return rounded("cast(\(operand) as double)")
        case (.int64, .float32) where dialect == .spark: return "cast(\(operand) as float)"
        case (.int64, _), (.float32, .float64), (.float64, .float32), (.bool, _): return "cast(\(operand) as \(name))"
        default: throw Unsupported("a cast from \(from) to \(to)")
        }
    }

    // MARK: Functions

    private func mathematical(_ function: Function, _ operands: [String]) throws(Unsupported) -> String {
        let list = operands.joined(separator: ", ")
        switch function {
        case .absolute: return "abs(\(list))"
        case .sign:
            // Spark keeps NaN and the sign of zero.
            if dialect == .spark { throw Unsupported("sign") }
            return "cast(sign(\(list)) as double precision)"
        case .round:
            return dialect == .postgres
                ? "round(\(list))" : (dialect == .duckDB ? "round_even(\(list), 0)" : "rint(\(list))")
        case .truncate where dialect != .spark: return "trunc(\(list))"
        // Spark's floor and ceil give bigints.
        case .floor where dialect != .spark: return "floor(\(list))"
        case .ceiling where dialect != .spark: return "ceil(\(list))"
        case .squareRoot: return "sqrt(\(list))"
        default: break
        }
        let names: [Function: String] = [
            .exponential: "exp", .naturalLogarithm: "ln", .decimalLogarithm: dialect == .postgres ? "log" : "log10",
            .cubeRoot: "cbrt", .power: "power", .sine: "sin", .cosine: "cos", .tangent: "tan", .cotangent: "cot",
            .arcSine: "asin", .arcCosine: "acos", .arcTangent: "atan", .arcTangent2: "atan2", .hyperbolicSine: "sinh",
            .hyperbolicCosine: "cosh", .hyperbolicTangent: "tanh", .areaHyperbolicSine: "asinh",
            .areaHyperbolicCosine: "acosh", .areaHyperbolicTangent: "atanh",
        ]
        if function == .naturalLogarithmOnePlus {
            guard dialect == .spark, !isExact else { throw Unsupported("ln(1 + x), which is computed as log1p,") }
            return "log1p(\(list))"
        }
        guard let name = names[function] else { throw Unsupported(function.rawValue) }
        if dialect == .spark, isExact { throw Unsupported(name) }
        return "\(name)(\(list))"
    }

    private func textual(_ function: Function, _ node: TypedNode, _ operands: [String]) throws(Unsupported) -> String {
        let list = operands.joined(separator: ", ")
        switch function {
        case .absolute: return "abs(\(list))"
        case .lower, .upper: return cased(function, operands[0])
        case .length: return "cast(length(\(list)) as bigint)"
        case .byteLength where dialect == .duckDB && node.operands[0].type == .string:
            return "cast(octet_length(encode(\(list))) as bigint)"
        case .byteLength: return "cast(octet_length(\(list)) as bigint)"
        case .concatenate: return "(\(operands[0]) || \(operands[1]))"
        case .startsWith where dialect == .spark: return "startswith(\(list))"
        case .startsWith: return "starts_with(\(list))"
        case .like: return try like(node, operands)
        case .substring: return try substring(node, operands)
        case .replace where dialect == .postgres, .replace where node.operands[1].isNonEmptyText:
            return "replace(\(list))"
        case .trim where dialect == .duckDB, .trimStart where dialect == .duckDB, .trimEnd where dialect == .duckDB:
            // Without characters it would trim all of Unicode's spaces.
            let name = function == .trim ? "trim" : (function == .trimStart ? "ltrim" : "rtrim")
            return "\(name)(\(operands[0]), \(operands.count == 1 ? "' '" : operands[1]))"
        case .trim where operands.count == 1, .trimStart where operands.count == 1, .trimEnd where operands.count == 1:
            return "\(function == .trim ? "trim" : (function == .trimStart ? "ltrim" : "rtrim"))(\(list))"
        case .place: return dialect == .spark ? "cast(instr(\(list)) as bigint)" : "cast(strpos(\(list)) as bigint)"
        case .join: return "concat_ws(\(list))"
        default: break
        }
        guard dialect == .postgres else { throw Unsupported(Self.names[function] ?? function.rawValue) }
        func counted(_ name: String, _ place: Int) -> String {
            var operands = operands
            operands[place] = "cast(\(operands[place]) as integer)"
            return "\(name)(\(operands.joined(separator: ", ")))"
        }
        switch function {
        case .trim, .trimStart, .trimEnd, .reverse, .likeEscape: return "\(Self.names[function] ?? "")(\(list))"
        case .left, .right, .repeat, .padStart, .padEnd: return counted(Self.names[function] ?? "", 1)
        case .splitPart: return counted("split_part", 2)
        default: throw Unsupported(Self.names[function] ?? function.rawValue)
        }
    }

    /// The names that users know the functions by.
    private static let names: [Function: String] = [
        .trim: "btrim", .trimStart: "ltrim", .trimEnd: "rtrim", .reverse: "reverse", .likeEscape: "like_escape",
        .left: "left", .right: "right", .repeat: "repeat", .padStart: "lpad", .padEnd: "rpad", .splitPart: "split_part",
        .hashBucket: "hash_bucket", .replace: "replace", .substring: "substring", .like: "like",
    ]

    /// ASCII letters only.
    private func cased(_ function: Function, _ operand: String) -> String {
        if dialect == .postgres { return "\(function.rawValue)(\(operand) collate \"C\")" }
        let (capital, small) = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
        let (from, to) = function == .lower ? (capital, small) : (small, capital)
        return "translate(\(operand), '\(from)', '\(to)')"
    }

    private func like(_ node: TypedNode, _ operands: [String]) throws(Unsupported) -> String {
        switch dialect {
        case .postgres: return "(\(operands[0]) like \(operands[1]))"
        case .duckDB: return "(\(operands[0]) like \(operands[1]) escape '\\')"
        case .spark:
            // Spark fails where a backslash stands before an ordinary character.
            guard case .constant(.string(let pattern)) = node.operands[1].operation,
                !pattern.contains(UInt8(ascii: "\\"))
            else { throw Unsupported("like with a pattern that may hold a backslash") }
            return "(\(operands[0]) like \(operands[1]))"
        }
    }

    private func substring(_ node: TypedNode, _ operands: [String]) throws(Unsupported) -> String {
        if dialect == .postgres {
            let counts = operands.dropFirst().map { "cast(\($0) as integer)" }
            return "substring(\(([operands[0]] + counts).joined(separator: ", ")))"
        }
        // Elsewhere a start before the first character counts from the end.
        guard case .constant(.int64(let start)) = node.operands[1].operation, start >= 1,
            start < 1 << 31
        else {
            throw Unsupported("substring from a place that may lie before the first character")
        }
        if node.operands.count == 3 {
            guard case .constant(.int64(let length)) = node.operands[2].operation, length >= 0, length < 1 << 31 else {
                throw Unsupported("substring of a length that is not a literal")
            }
            return "substring(\(operands[0]), \(start), \(length))"
        }
        return "substring(\(operands[0]), \(start))"
    }
}

extension TypedNode {
    fileprivate var isNonEmptyText: Bool {
        if case .constant(.string(let bytes)) = operation { !bytes.isEmpty } else { false }
    }
}
