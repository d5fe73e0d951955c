import Columns

/// The version of what expressions mean.
public enum Language {
    /// Counts up with every change that could give another value for the same expression and row.
    public static let version = 3
}

/// A scalar expression over the columns of a schema: parsed, typed and planned.
///
/// Syntax, precedence, null handling and values are PostgreSQL's (compared with it in the tests), with these differences,
/// all of them decided when the expression is read, or visible as an undefined row:
/// - A decimal literal is float64; there is no numeric type. The one integer type is int64.
/// - Timestamps are UTC; `timestamp '…'` without an offset is UTC, with one it honours it. `extract` gives float64.
/// - An interval counts microseconds, a day being 24 hours, and where it is written with months or years these stand
///   beside: they are added to timestamps, to each other and multiplied by an int64, but `greatest`, `least` and fractions
///   of a month are refused.
/// - A time zone is a literal name of the system's database. `t at time zone '…'` gives PostgreSQL's `timestamp without
///   time zone`, which no column holds and which is not compared with a timestamp.
/// - `ln(1 + x)` and `ln(x + 1)` of a float x are computed without rounding the sum (C's `log1p`), so that small x keep
///   their digits; they are undefined for x <= -1.
/// - Counts and positions are int64 where PostgreSQL's are int4. `repeat`, `lpad`, `rpad` and `replace` are undefined
///   where they would make a text of more than 16 MiB.
/// - A bool is cast to int64, and a literal in quotes is a string, never a number or a timestamp.
/// - Strings compare by their bytes (collation "C"), and `lower`/`upper` map ASCII letters only.
/// - What PostgreSQL raises for a whole query (overflow, division by zero, `ln(0)`, a failed cast) makes one row null and
///   marks it in `Evaluation.invalid`. A branch of `case` or `coalesce` that is not taken does not count. `and` and `or`
///   do not depend on the order of their operands: `false and undefined` is false and so is `undefined and false`, where
///   PostgreSQL may raise for the second; `in` and `between` follow them.
///
/// PostgreSQL does not have: `age_seconds(later, earlier)`, which is `extract(epoch from later - earlier)`;
/// `dot(v, w)`, `norm(v)`, `cosine_similarity(v, w)` and `element(v, i)`, the first being 1; `hash_bucket(x, n)`; and the
/// functions the caller brings, as `bin(x, name)` (`ExternalFunction`).
///
/// Nothing depends on the locale, the time zone or the clock of the machine.
public struct Expression: Sendable {
    public let text: String
    public let type: DataType
    /// The names of the columns it reads, sorted, each once; what its windows aggregate is not among them.
    public let inputs: [String]
    /// The aggregates over windows in it, each once; where it is evaluated, each stands in a column of its own name.
    public let windows: [WindowTerm]
    /// The bytes of the typed tree, the same for every spelling of it (spaces, parentheses, case of keywords).
    ///
    /// Type-tagged and length-prefixed, so that different trees have different bytes. Column types are part of it.
    public let canonical: [UInt8]
    private let plan: Plan
    let root: TypedNode

    /// Parses, types and plans an expression.
    ///
    /// - Parameters:
    ///   - functions: What `bin(x, name)` and the like stand for.
    ///   - windows: Whether aggregates such as `sum(x) over 7d` may stand in it.
    ///   - expecting: The declared type. int64 and float32 widen to float64 and a null takes any type; everything else
    ///     needs a cast in the expression.
    /// - Throws: `ExpressionError` with the place of the first thing that is wrong.
    public init(
        _ text: String,
        schema: Schema,
        functions: [ExternalFunction] = [],
        windows: WindowRule = .refused,
        expecting: DataType? = nil
    ) throws(ExpressionError) {
        do {
            let root = try TypeChecker.check(
                try Parser.parse(text),
                schema: schema,
                functions: functions,
                windows: windows,
                expecting: expecting
            )
            self.init(root, text: text)
        } catch {
            throw ExpressionError(message: error.message, position: error.position, text: text)
        }
    }

    init(_ root: TypedNode, text: String) {
        guard case .data(let type) = root.type else { preconditionFailure("a checked root has a column's type") }
        let plan = Plan(root)
        var windows: [WindowTerm] = []
        root.collectWindows(text: text, into: &windows)
        let computed = Set(windows.map(\.column))
        self.text = text
        self.type = type
        self.plan = plan
        self.root = root
        self.windows = windows
        inputs = plan.inputs.map(\.name).filter { !computed.contains($0) }
        canonical = CanonicalWriter.bytes(of: root)
    }

    /// Computes the expression for every row.
    ///
    /// A row's value depends on that row alone, so results do not depend on how rows are cut into batches.
    ///
    /// - Precondition: The batch has each of `inputs` and a column for each of `windows`, with the type it had in the
    ///   schema; other columns are ignored.
    /// - Complexity: O(rows × operations), whichever branches are taken. Batches of 4096 to 8192 rows keep the values in
    ///   cache.
    public func evaluate(_ batch: RecordBatch) -> Evaluation { plan.evaluate(batch) }
}

/// What an expression gave for the rows of a batch.
public struct Evaluation: Hashable, Sendable {
    public let column: Column
    /// Rows whose evaluation is undefined; they are null in `column`.
    ///
    /// `nil` when there are none.
    public let invalid: Bitmap?

    public init(column: Column, invalid: Bitmap?) {
        self.column = column
        self.invalid = invalid
    }
}
