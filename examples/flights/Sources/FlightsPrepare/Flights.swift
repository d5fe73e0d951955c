import Columns
import Formats
import Kernels

/// The flights of the file, in its order, with its clocks understood.
///
/// `time_hour` is UTC and truncated to the scheduled hour, so scheduled departure is `time_hour` plus `minute`. The HHMM
/// columns are wall clock, the arrival's at the destination, and are not needed.
struct Flights {
    let count: Int
    let carrier: BinaryColumn
    let origin: BinaryColumn
    let destination: BinaryColumn
    /// 1 to 12, of the scheduled departure in New York.
    let month: [Int64]
    /// Microseconds UTC.
    let scheduledDeparture: [Int64]
    /// One row for each flight: the keys, `event_timestamp`, the label and the flight's number.
    let spine: RecordBatch

    private static let schema = Schema([
        Field("month", .int64), Field("minute", .int64), Field("time_hour", .timestamp), Field("arr_delay", .int64),
        Field("carrier", .string), Field("flight", .int64), Field("tailnum", .string), Field("origin", .string),
        Field("dest", .string),
    ])

    init(path: String) throws {
        var reader = try CSVReader(path: path, schema: Self.schema, options: CSVOptions(nullSpellings: ["NA"]))
        let rows = try reader.readAll()
        guard case .int64(let month) = rows.columns[0], case .int64(let minute) = rows.columns[1],
            case .timestamp(let hour) = rows.columns[2], case .int64(let delay) = rows.columns[3],
            case .string(let carrier) = rows.columns[4], case .string(let origin) = rows.columns[7],
            case .string(let destination) = rows.columns[8]
        else { preconditionFailure("a reader gives columns of its schema's types") }
        for position in [0, 1, 2, 4, 7, 8] where rows.columns[position].nullCount > 0 {
            throw MissingValue(path: path, column: Self.schema[position].name)
        }
        let departure = zip(hour.values, minute.values).map { $0 &+ $1 &* 60_000_000 }
        // Unknown where the flight was cancelled or diverted.
        let isLate = PrimitiveColumn((0..<rows.rowCount).map { row in delay[row].map { $0 > 15 } }, zero: false)
        self.count = rows.rowCount
        self.carrier = carrier
        self.origin = origin
        self.destination = destination
        self.month = month.values
        self.scheduledDeparture = departure
        self.spine = RecordBatch([
            "origin": rows.columns[7], "tailnum": rows.columns[6], "carrier": rows.columns[4], "dest": rows.columns[8],
            "event_timestamp": .timestamp(PrimitiveColumn(departure)), "is_late": .bool(isLate),
            "flight": rows.columns[5],
        ])
    }

    /// The spine of the flights that depart from `from` on and before `to`.
    func spine(from: Int64, to: Int64) -> RecordBatch {
        spine.take((0..<count).filter { scheduledDeparture[$0] >= from && scheduledDeparture[$0] < to })
    }
}

private struct MissingValue: Error, CustomStringConvertible {
    let path: String
    let column: String
    var description: String { "\(path): column '\(column)' has empty cells, expected none; download the data again" }
}
