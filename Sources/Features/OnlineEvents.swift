import Columns
import Expressions
import Kernels

/// What a row of history leaves for its view's windows, as it is kept online.
public struct OnlineEvent: Hashable, Sendable {
    public let eventTime: Int64
    public let knownAt: Int64
    public let sequence: Int64
    /// The windows' inputs, as `PackedRow` packs them.
    public let inputs: [UInt8]

    public init(eventTime: Int64, knownAt: Int64, sequence: Int64, inputs: [UInt8]) {
        self.eventTime = eventTime
        self.knownAt = knownAt
        self.sequence = sequence
        self.inputs = inputs
    }
}

extension ViewWindows {
    /// What is kept online of rows of history, packed.
    ///
    /// - Parameter inputs: of each row, in the order of `inputFields`.
    public static func pack(_ inputs: [Evaluation], rowCount: Int) -> [[UInt8]] {
        let rows = ViewRows(
            features: inputs.map { FeatureColumn($0.column, invalid: $0.invalid) },
            rowCount: rowCount
        )
        return (0..<rowCount).map { PackedRow.encode(rows, row: $0) }
    }

    /// The windows of some entities at one time, from what is kept online of each.
    ///
    /// The kernel of training sets on the rows of these entities, so that both give the same bits.
    ///
    /// - Parameter events: of each entity, in any order.
    /// - Returns: for each window a column with one row for each entity, and the rows for which it is undefined.
    /// - Throws: `DefinitionError` when an event does not hold exactly the windows' inputs.
    public func aggregate(_ events: [[OnlineEvent]], at time: Int64) throws(DefinitionError) -> [Evaluation] {
        let types = inputFields.map(\.type)
        let all = events.joined()
        var builders = types.map { ColumnBuilder($0) }
        var invalid = [Bitmap](repeating: Bitmap(), count: types.count)
        for event in all {
            for (input, cell) in try PackedRow.decode(event.inputs, types: types).enumerated() {
                builders[input].append(cell.value)
                invalid[input].append(cell.status == .invalid)
            }
        }
        let inputs = zip(builders, invalid).map { Evaluation(column: $0.finish(), invalid: $1) }
        let owners = events.enumerated().flatMap { [Int64](repeating: Int64($0), count: $1.count) }
        let history = History(
            self,
            inputs: inputs,
            index: WindowIndex(
                keys: Self.numbers(owners),
                eventTimes: all.map(\.eventTime),
                knownTimes: all.map(\.knownAt),
                sequences: all.map(\.sequence)
            )
        )
        return history.windows(
            Self.numbers(events.indices.map(Int64.init)),
            at: [Int64](repeating: time, count: events.count)
        )
    }

    private static func numbers(_ values: [Int64]) -> KeyColumn {
        do {
            return try KeyColumn([.int64(PrimitiveColumn(values))], rowCount: values.count)
        } catch {
            preconditionFailure("numbers are keys: \(error)")
        }
    }
}
