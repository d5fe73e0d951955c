/// SplitMix64: small, seeded, the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// An expression in our language and in PostgreSQL's, where literals have types.
struct Twin {
    var ours: String
    var theirs: String
    /// Whether it holds `and` or `or`, whose undefined operands PostgreSQL treats by order.
    var hasLogic = false
    /// Whether it calls a function of the C library that need not be correctly rounded.
    var hasLibrary = false
    init(_ ours: String, _ theirs: String) {
        self.ours = ours
        self.theirs = theirs
    }

    /// A form whose holes are marked `@`.
    init(_ form: String, theirs: String? = nil, _ parts: [Twin], logic: Bool = false, library: Bool = false) {
        ours = Self.fill(form, parts.map(\.ours))
        self.theirs = Self.fill(theirs ?? form, parts.map(\.theirs))
        hasLogic = logic || parts.contains(where: \.hasLogic)
        hasLibrary = library || parts.contains(where: \.hasLibrary)
    }

    private static func fill(_ form: String, _ parts: [String]) -> String {
        let pieces = form.split(separator: "@", omittingEmptySubsequences: false)
        var result = String(pieces[0])
        for (piece, part) in zip(pieces.dropFirst(), parts) { result += part + piece }
        return result
    }
}

/// Random well-typed expressions over the columns of `Sample`.
struct RandomExpressions {
    enum Kind: String, CaseIterable {
        case bool, int64, float32, float64, string, bytes, timestamp, interval, wall

        /// Kinds a column can hold.
        static let ofColumns = allCases.filter { $0 != .interval && $0 != .wall }

        var theirs: String {
            switch self {
            case .bool: "boolean"
            case .int64: "bigint"
            case .float32: "real"
            case .float64: "double precision"
            case .string: "text"
            case .bytes: "bytea"
            case .wall: "timestamp without time zone"
            case .timestamp: "timestamp with time zone"
            case .interval: "interval"
            }
        }
    }

    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &random) }
    mutating func pick<Item>(_ items: [Item]) -> Item { items[roll(items.count)] }

    /// Now and then without parentheses, so that precedence is compared too where the result still has a type.
    mutating func grouped(_ form: String) -> String { roll(8) == 0 ? form : "(\(form))" }

    mutating func expression(_ kind: Kind, depth: Int) -> Twin {
        if depth == 0 || roll(8) == 0 { return leaf(kind) }
        if kind != .interval, roll(6) == 0 { return conditional(kind, depth - 1) }
        return switch kind {
        case .bool: boolean(depth - 1)
        case .int64: integer(depth - 1)
        case .float32: single(depth - 1)
        case .float64: double(depth - 1)
        case .string: string(depth - 1)
        case .bytes: bytes(depth - 1)
        case .wall: wall(depth - 1)
        case .timestamp: timestamp(depth - 1)
        case .interval: interval(depth - 1)
        }
    }

    // MARK: Leaves

    mutating func leaf(_ kind: Kind) -> Twin {
        if kind == .wall { return zoned(leaf(.timestamp)) }
        if kind != .interval, roll(3) != 0 {
            let columns = Sample.columns.filter { $0.kind == kind }
            let name = pick(columns).name
            return Twin(name, name)
        }
        switch kind {
        case .bool:
            let value = pick(["true", "false", "null"])
            return literal(value == "null" ? "cast(null as bool)" : value, "\(value)::bool")
        case .int64:
            let value = pick(["0", "1", "2", "3", "7", "10", "100", "4294967296", "9223372036854775807"])
            return literal(value, "\(value)::int8")
        case .float32:
            let value = pick(["0", "1", "0.5", "2.5", "0.1", "3.4e38", "1e-40"])
            return literal("cast(\(value) as float32)", "(\(value)::float8)::float4")
        case .float64:
            let value = pick([
                "0.0", "1.0", "0.5", "2.5", "3.5", "0.1", ".25", "1e10", "1e300", "1e-300", "3.", "1.5e2",
            ])
            return literal(value, "\(value)::float8")
        case .string:
            let value = pick([
                "", "a", "B", "abc", "%", "_", "a%", "%é_", "\\%", "a\\", "%\\", " x ", "it''s", "日本", "_日%", "%b%b",
            ])
            return literal("'\(value)'", "'\(value)'::text")
        case .timestamp:
            let value = pick([
                "2013-03-10T07:00:00Z", "2000-02-29 12:34:56.789012Z", "1969-12-31T23:59:59.5+05:30", "2024-01-01",
            ])
            return literal("timestamp '\(value)'", "timestamptz '\(value)'")
        case .interval:
            let value = pick(["1", "1000000", "3600000000", "86400000000", "123456789012", "604800000000"])
            return literal("interval '\(value) microseconds'", "interval '\(value) microseconds'")
        case .bytes:
            let value = pick(["", "\\x00ff7f", "abc", "\\x61"])
            return literal("cast('\(value)' as bytes)", "'\(value)'::bytea")
        case .wall: return zoned(leaf(.timestamp))
        }
    }

    /// PostgreSQL computes operations on literals while planning, in branches that are not taken too; behind a volatile
    /// function they are computed like any other.
    func literal(_ ours: String, _ theirs: String) -> Twin { Twin(ours, "pg_temp.literal(\(theirs))") }

    mutating func number(_ depth: Int) -> Twin { expression(pick([.int64, .float32, .float64]), depth: depth) }

    /// A literal, or an operation on one.
    mutating func constant(_ kind: Kind) -> Twin {
        while true {
            let twin = leaf(kind)
            if !Sample.columns.contains(where: { $0.name == twin.ours }) { return twin }
        }
    }

    // MARK: Forms

    mutating func conditional(_ kind: Kind, _ depth: Int) -> Twin {
        let first = expression(kind, depth: depth)
        let second = expression(kind, depth: depth)
        switch roll(7) {
        case 0: return Twin("case when @ then @ else @ end", [expression(.bool, depth: depth), first, second])
        case 1:
            return Twin(
                "case when @ then @ when @ then @ end",
                [
                    expression(.bool, depth: depth), first, expression(.bool, depth: depth), second,
                ]
            )
        case 2:
            let subject = pick([Kind.int64, .string, .float64])
            return Twin(
                "case @ when @ then @ else @ end",
                [
                    expression(subject, depth: depth), expression(subject, depth: depth), first, second,
                ]
            )
        case 3: return Twin("coalesce(@, @)", [first, second])
        case 4: return Twin("nullif(@, @)", [first, second])
        case 5: return Twin("greatest(@, @, @)", [first, second, expression(kind, depth: 0)])
        default: return Twin("least(@, @)", [first, second])
        }
    }

    mutating func boolean(_ depth: Int) -> Twin {
        let comparison = pick(["=", "<>", "!=", "<", "<=", ">", ">="])
        switch roll(23) {
        case 16:
            let word = pick(["ilike", "not ilike"])
            return Twin(grouped("@ \(word) @"), [expression(.string, depth: depth), expression(.string, depth: depth)])
        case 17:
            let form = "@ \(pick(["like", "ilike"])) @ escape \(pick(["''", "'!'", "'é'", "'\\'", "'b'", "'ab'"]))"
            return Twin(grouped(form), [expression(.string, depth: depth), expression(.string, depth: depth)])
        case 18: return Twin(grouped("@ is \(pick(["", "not "]))unknown"), [expression(.bool, depth: depth)])
        case 19:
            let parts = [number(depth), number(depth), number(depth)]
            return Twin(grouped("@ \(pick(["between", "not between"])) symmetric @ and @"), parts, logic: true)
        case 20, 21:
            // Long enough for a probe.
            let kind = pick([Kind.int64, .float64, .float32, .string, .timestamp, .bytes])
            let items = (0..<12).map { _ in constant(kind) }
            let holes = Array(repeating: "@", count: items.count).joined(separator: ", ")
            return Twin(
                grouped("@ \(pick(["in", "not in"])) (\(holes))"),
                [expression(kind, depth: depth)] + items,
                logic: true
            )
        case 22:
            let kind = pick([Kind.bytes, .wall])
            return Twin(grouped("@ \(comparison) @"), [expression(kind, depth: depth), expression(kind, depth: depth)])
        case 0, 1: return Twin(grouped("@ \(comparison) @"), [number(depth), number(depth)])
        case 2:
            let kind = pick([Kind.bool, .string, .timestamp, .interval])
            return Twin(grouped("@ \(comparison) @"), [expression(kind, depth: depth), expression(kind, depth: depth)])
        case 3, 4:
            let word = pick(["and", "or"])
            return Twin(
                grouped("@ \(word) @"),
                [expression(.bool, depth: depth), expression(.bool, depth: depth)],
                logic: true
            )
        case 5: return Twin(grouped("not @"), [expression(.bool, depth: depth)])
        case 6:
            let test = pick(["is null", "is not null"])
            return Twin(grouped("@ \(test)"), [expression(pick([.int64, .float64, .string, .bool]), depth: depth)])
        case 7:
            let test = pick(["is true", "is not true", "is false", "is not false"])
            return Twin(grouped("@ \(test)"), [expression(.bool, depth: depth)])
        case 8:
            let kind = pick([Kind.int64, .float32, .float64, .string, .bool, .timestamp])
            let word = pick(["is distinct from", "is not distinct from"])
            return Twin(grouped("@ \(word) @"), [expression(kind, depth: depth), expression(kind, depth: depth)])
        case 9, 10:
            let kind = pick([Kind.int64, .float64, .string])
            let parts = [expression(kind, depth: depth), leaf(kind), leaf(kind), expression(kind, depth: depth)]
            return Twin(grouped("@ \(pick(["in", "not in"])) (@, @, @)"), parts, logic: true)
        case 11, 12:
            let parts =
                roll(2) == 0
                ? [number(depth), number(depth), number(depth)]
                : [expression(.string, depth: depth), leaf(.string), leaf(.string)]
            return Twin(grouped("@ \(pick(["between", "not between"])) @ and @"), parts, logic: true)
        case 13:
            return Twin(
                grouped("@ \(pick(["like", "not like"])) @"),
                [expression(.string, depth: depth), expression(.string, depth: depth)]
            )
        case 14:
            return Twin("starts_with(@, @)", [expression(.string, depth: depth), expression(.string, depth: depth)])
        default: return Twin("cast(@ as bool)", [expression(.string, depth: 0)])
        }
    }

    mutating func integer(_ depth: Int) -> Twin {
        switch roll(15) {
        case 12:
            let text = expression(pick([.string, .bytes]), depth: depth)
            return Twin("octet_length(@)", theirs: "octet_length(@)::int8", [text])
        case 13:
            let form = pick(["strpos(@, @)", "position(@ in @)"])
            let parts = [expression(.string, depth: depth), expression(.string, depth: depth)]
            return Twin(form, theirs: form + "::int8", parts)
        case 14:
            let form = pick(["char_length(@)", "character_length(@)"])
            return Twin(form, theirs: form + "::int8", [expression(.string, depth: depth)])
        case 0, 1, 2, 3:
            return Twin(
                grouped("@ \(pick(["+", "-", "*", "/", "%"])) @"),
                [expression(.int64, depth: depth), expression(.int64, depth: depth)]
            )
        case 4: return Twin(grouped("- @"), [expression(.int64, depth: depth)])
        case 5: return Twin("abs(@)", [expression(.int64, depth: depth)])
        case 6: return Twin("mod(@, @)", [expression(.int64, depth: depth), expression(.int64, depth: depth)])
        case 7: return Twin("cast(@ as bigint)", [expression(.float64, depth: depth)])
        case 8: return Twin("(@)::int64", theirs: "(@)::int8", [expression(.float32, depth: depth)])
        case 9: return Twin("(@)::int8", theirs: "(@)::int4::int8", [expression(.bool, depth: depth)])
        case 10: return Twin("length(@)", theirs: "length(@)::int8", [expression(.string, depth: depth)])
        default: return Twin("cast(@ as int8)", [expression(.string, depth: depth)])
        }
    }

    mutating func single(_ depth: Int) -> Twin {
        switch roll(8) {
        case 0, 1, 2:
            return Twin(
                grouped("@ \(pick(["+", "-", "*", "/"])) @"),
                [expression(.float32, depth: depth), expression(.float32, depth: depth)]
            )
        case 3: return Twin(grouped("-@"), [expression(.float32, depth: depth)])
        case 4: return Twin("abs(@)", [expression(.float32, depth: depth)])
        case 5: return Twin("cast(@ as real)", [expression(.float64, depth: depth)])
        case 6: return Twin("coalesce(@, @)", [expression(.float32, depth: depth), expression(.int64, depth: depth)])
        default: return Twin("@::float32", theirs: "@::float4", [expression(pick([.int64, .string]), depth: 0)])
        }
    }

    mutating func double(_ depth: Int) -> Twin {
        switch roll(21) {
        case 16:
            let names = [
                "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "cot", "cbrt", "log10",
            ]
            return Twin("\(pick(names))(@)", [number(depth)], library: true)
        case 17: return Twin("\(pick(["degrees", "radians"]))(@)", [number(depth)])
        case 18: return Twin("atan2(@, @)", [number(depth), number(depth)], library: true)
        case 19: return Twin(grouped("@ ^ @"), [number(depth), number(depth)], library: true)
        case 20:
            let field = pick(Self.fields)
            return Twin("date_part('\(field)', @)", [expression(pick([.timestamp, .wall]), depth: depth)])
        case 0, 1, 2, 3:
            return Twin(
                grouped("@ \(pick(["+", "-", "*", "/"])) @"),
                [expression(.float64, depth: depth), number(depth)]
            )
        case 4:
            return Twin(
                grouped("@ \(pick(["+", "-", "*", "/"])) @"),
                [
                    expression(.int64, depth: depth), expression(.float32, depth: depth),
                ]
            )
        case 5: return Twin(grouped("-@"), [expression(.float64, depth: depth)])
        case 6: return Twin("abs(@)", [expression(.float64, depth: depth)])
        case 7, 8: return Twin("\(pick(["round", "trunc", "floor", "ceil", "sign", "sqrt"]))(@)", [number(depth)])
        case 9:
            let name = pick(["exp", "ln", "log", "sin", "cos", "tan"])
            return Twin("\(name)(@)", [number(depth)], library: true)
        case 10: return Twin("power(@, @)", [number(depth), number(depth)], library: true)
        case 11, 12:
            let field = pick(Self.fields)
            return Twin(
                "extract(\(field) from @)",
                theirs: "extract(\(field) from @)::float8",
                [expression(pick([.timestamp, .timestamp, .wall]), depth: depth)]
            )
        case 13:
            return Twin(
                "extract(epoch from @)",
                theirs: "extract(epoch from @)::float8",
                [roll(3) == 0 ? months(depth) : expression(.interval, depth: depth)]
            )
        case 14: return Twin("cast(@ as float64)", theirs: "cast(@ as float8)", [expression(.string, depth: 0)])
        default: return Twin("@::float64", theirs: "@::float8", [expression(pick([.int64, .float32]), depth: 0)])
        }
    }
}
