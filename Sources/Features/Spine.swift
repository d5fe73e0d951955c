import Columns

/// Checks that a spine can be joined by a service.
public struct Spine: Sendable {
    /// The column that holds each row's instant.
    public static let timestampColumn = "event_timestamp"

    public let rows: RecordBatch
    public let times: [Int64]

    /// - Throws: `DefinitionError` when a join key, a request value or the timestamp is missing, has another type or a null instant, or
    ///   when a column has the name of one of the service's outputs.
    public init(_ rows: RecordBatch, for plan: ServicePlan, full: Bool = false, name: String) throws(DefinitionError) {
        let names = rows.schema.fields.map(\.name)
        func column(_ wanted: String, _ type: DataType) throws(DefinitionError) -> Column {
            guard let column = rows[wanted] else {
                throw DefinitionError(
                    place: "spine \(name)",
                    message:
                        "it has no column '\(wanted)' (\(type))\(suggestion(for: wanted, among: names)); it has \(names.joined(separator: ", "))"
                )
            }
            guard column.type == type else {
                throw DefinitionError(
                    place: "spine \(name)",
                    message:
                        "column '\(wanted)' is \(column.type), expected \(type) for service '\(plan.service.name)'; cast it"
                )
            }
            return column
        }
        for field in plan.requiredFields { _ = try column(field.name, field.type) }
        guard case .timestamp(let times) = try column(Self.timestampColumn, .timestamp) else {
            preconditionFailure("the column's type was checked")
        }
        guard times.nullCount == 0 else {
            throw DefinitionError(
                place: "spine \(name)",
                message: "\(times.nullCount) rows have no \(Self.timestampColumn); every row needs its instant"
            )
        }
        for output in plan.outputs where names.contains(full ? output.fullName : output.name) {
            throw DefinitionError(
                place: "spine \(name)",
                message:
                    "column '\(full ? output.fullName : output.name)' has the name of a feature of service '\(plan.service.name)'; rename it or give the feature an alias"
            )
        }
        self.rows = rows
        self.times = times.values
    }
}
