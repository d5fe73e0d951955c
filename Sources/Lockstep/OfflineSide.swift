import Columns
import Embeddings
import Features
import Kernels
import Parity

/// The offline side of a comparison: recomputed from the pinned objects, at each row's own instant.
struct OfflineSide: Sendable {
    let service: LockedService
    let histories: [ViewHistory]

    init(_ service: LockedService) async throws {
        self.service = service
        self.histories = try await service.viewHistories()
    }

    func side(_ rows: RecordBatch, at times: [Int64]) throws -> ParitySide {
        let viewRows = histories.map { $0.join(rows, at: times) }
        let columns = try service.plan.assemble(viewRows, keys: rows, fitted: service.fitted)
        let none = [Int64](repeating: 0, count: rows.rowCount)
        return ParitySide(
            features: zip(service.plan.outputs, columns).map { output, column in
                ParitySide.Feature(
                    name: output.name,
                    view: output.view.map { service.plan.views[$0].view.name },
                    column: column.column,
                    statuses: column.statuses,
                    eventTimes: output.view.map { viewRows[$0].eventTimes } ?? none,
                    knownTimes: output.view.map { viewRows[$0].knownTimes } ?? none
                )
            }
        )
    }

    /// Rows that between them hold every entity of every view.
    ///
    /// Each join key runs through its own distinct values, so the number of rows is that of the largest view.
    ///
    /// - Parameter sample: at most so many rows, evenly spread; all where `nil`.
    func everyEntity(sample: Int?) async throws -> RecordBatch {
        var columns: [String: Column] = [:]
        var rowCount = 0
        for view in service.plan.views {
            let rows = try await service.history(
                of: view.view.source,
                columns: view.joinKeys.map(\.name) + ["__sequence"]
            )
            let keys = view.keys(rows)
            let (dictionary, _) = KeyDictionary.numbering(keys)
            let distinct = rows.take(dictionary.firstRows)
            rowCount = max(rowCount, distinct.rowCount)
            for key in view.joinKeys where (columns[key.name]?.count ?? 0) < distinct.rowCount {
                columns[key.name] = distinct[key.name]
            }
        }
        for key in service.plan.joinKeys where columns[key.name] == nil {
            let known = service.fitted.tables.values.first?.keys
            columns[key.name] = known.map { Column.string($0) } ?? .nulls(key.type, count: 1)
        }
        let chosen = sample.map { min($0, rowCount) } ?? rowCount
        let positions = (0..<chosen).map { chosen == rowCount ? $0 : $0 * rowCount / chosen }
        let fields = service.plan.joinKeys
        return RecordBatch(
            schema: Schema(fields),
            columns: fields.map { field in
                let values = columns[field.name] ?? .nulls(field.type, count: 1)
                return values.take(positions.map { values.count == 0 ? -1 : $0 % values.count })
            },
            rowCount: chosen
        )
    }
}
