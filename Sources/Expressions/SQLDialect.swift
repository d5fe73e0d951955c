/// A database whose SQL an expression can be written in.
public enum SQLDialect: String, CaseIterable, Hashable, Sendable {
    /// PostgreSQL 14 or later, session time zone UTC.
    case postgres
    /// DuckDB 1.4 or later with its `icu` extension.
    case duckDB
    /// Spark SQL 4.0 or later, `spark.sql.session.timeZone` UTC, `spark.sql.ansi.enabled` either way.
    case spark

    /// The dialect's name in a message.
    public var name: String {
        switch self {
        case .postgres: "PostgreSQL"
        case .duckDB: "DuckDB"
        case .spark: "Spark SQL"
        }
    }
}

/// Why an expression cannot be written in a dialect without giving other values.
public struct SQLRenderingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What has no exact counterpart, for example `reverse`.
    public let construct: String
    public let dialect: SQLDialect
    /// The whole expression.
    public let text: String

    public var description: String {
        "\(construct) cannot be written in \(dialect.name) so that it gives the same values: \(text); "
            + "compute the feature with Lockstep, or leave \(construct) out"
    }
}

extension Expression {
    /// The expression as SQL text over columns of the same names.
    ///
    /// For every row that is defined here the text gives the same value, to the bit; columns are of the types the
    /// dialect has for ours (`boolean`, `bigint`, `real`, `double`, text, bytes, timestamp with time zone). A row that is
    /// undefined here fails in PostgreSQL, and elsewhere fails, is null or is an infinity: `Evaluation.invalid` tells such
    /// rows. Functions of the C library have the values of the one that the database runs on. In DuckDB and Spark timestamps keep to the years 1684 to
    /// 2255, in which their microseconds are exact in float64.
    ///
    /// - Parameter history: The table that windows aggregate; the text is then part of a query over a spine.
    /// - Parameter isExact: Whether to refuse what may differ in the last bit (functions of the C library in Spark, which
    ///   has its own; sums of floats, means and deviations over windows) or in the sign of a zero (`greatest` and `least` of floats in DuckDB).
    /// - Throws: `SQLRenderingError` with the first construct the dialect has no exact counterpart for.
    public func sql(
        _ dialect: SQLDialect,
        history: SQLHistory? = nil,
        isExact: Bool = true
    ) throws(SQLRenderingError) -> String {
        do {
            return try SQLRenderer(dialect: dialect, isExact: isExact, history: history).text(of: root)
        } catch {
            throw SQLRenderingError(construct: error.construct, dialect: dialect, text: text)
        }
    }
}
