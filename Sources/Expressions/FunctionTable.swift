extension Function {
    /// Functions by the name they are called by.
    static let named: [String: Signature] = [
        "abs": .number(.absolute),
        "sign": .float(.sign), "round": .float(.round), "trunc": .float(.truncate), "floor": .float(.floor),
        "ceil": .float(.ceiling), "ceiling": .float(.ceiling), "sqrt": .float(.squareRoot), "cbrt": .float(.cubeRoot),
        "exp": .float(.exponential), "ln": .special(.logarithm, 1...1),
        "log": .float(.decimalLogarithm), "log10": .float(.decimalLogarithm),
        "sin": .float(.sine), "cos": .float(.cosine), "tan": .float(.tangent), "cot": .float(.cotangent),
        "asin": .float(.arcSine), "acos": .float(.arcCosine), "atan": .float(.arcTangent),
        "atan2": .fixed(.arcTangent2, [.float64, .float64], .float64),
        "sinh": .float(.hyperbolicSine), "cosh": .float(.hyperbolicCosine), "tanh": .float(.hyperbolicTangent),
        "asinh": .float(.areaHyperbolicSine), "acosh": .float(.areaHyperbolicCosine),
        "atanh": .float(.areaHyperbolicTangent),
        "degrees": .special(.degrees, 1...1), "radians": .special(.radians, 1...1), "pi": .special(.pi, 0...0),
        "power": .fixed(.power, [.float64, .float64], .float64), "pow": .fixed(.power, [.float64, .float64], .float64),
        "mod": .fixed(.remainder, [.int64, .int64], .int64),

        "lower": .fixed(.lower, [.string], .string), "upper": .fixed(.upper, [.string], .string),
        "length": .special(.length, 1...1), "octet_length": .special(.byteLength, 1...1),
        "char_length": .fixed(.length, [.string], .int64), "character_length": .fixed(.length, [.string], .int64),
        "substring": .special(.substring, 2...3), "substr": .special(.substring, 2...3),
        "left": .fixed(.left, [.string, .int64], .string), "right": .fixed(.right, [.string, .int64], .string),
        "trim": .special(.trim(.trim), 1...2), "btrim": .special(.trim(.trim), 1...2),
        "ltrim": .special(.trim(.trimStart), 1...2), "rtrim": .special(.trim(.trimEnd), 1...2),
        "replace": .fixed(.replace, [.string, .string, .string], .string),
        "split_part": .fixed(.splitPart, [.string, .string, .int64], .string),
        "strpos": .fixed(.place, [.string, .string], .int64),
        "starts_with": .fixed(.startsWith, [.string, .string], .bool),
        "concat": .special(.concat, 1...Int.max), "concat_ws": .special(.concat, 2...Int.max),
        "repeat": .fixed(.repeat, [.string, .int64], .string), "reverse": .fixed(.reverse, [.string], .string),
        "lpad": .special(.pad(.padStart), 2...3), "rpad": .special(.pad(.padEnd), 2...3),

        "date_trunc": .special(.dateTruncate, 2...3), "date_part": .special(.datePart, 2...2),
        "age_seconds": .special(.ageSeconds, 2...2),

        "dot": .special(.vectors(.dot), 2...2), "cosine_similarity": .special(.vectors(.cosineSimilarity), 2...2),
        "norm": .special(.norm, 1...1), "element": .special(.element, 2...2),
        "hash_bucket": .special(.hashBucket, 2...2),

        "coalesce": .alternatives(.coalesce), "greatest": .alternatives(.greatest), "least": .alternatives(.least),
        "nullif": .special(.nullif, 2...2),
    ]

    /// Names with a grammar of their own.
    static let grammatical = ["extract", "position", "cast"]

    /// How a function takes its arguments.
    enum Signature {
        /// One number, giving one of its type.
        case number(Function)
        /// One float64, giving a float64.
        case float(Function)
        case fixed(Function, [ValueType], ValueType)
        /// Any number of values of one type.
        case alternatives(Function)
        case special(Special, ClosedRange<Int>)

        var arity: ClosedRange<Int> {
            switch self {
            case .number, .float: 1...1
            case .fixed(_, let parameters, _): parameters.count...parameters.count
            case .alternatives: 1...Int.max
            case .special(_, let arity): arity
            }
        }
    }

    /// Functions whose arguments take more than a list of types to check.
    enum Special {
        case logarithm, degrees, radians, pi
        case length, byteLength, substring, concat
        case trim(Function), pad(Function)
        case dateTruncate, datePart, ageSeconds
        case vectors(Function)
        case norm, element, hashBucket, nullif
    }
}
