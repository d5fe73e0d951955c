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
        let viewRows = zip(service.plan.views, histories).map { $1.join($0.keys(rows), at: times) }
        let columns = try service.plan.assemble(viewRows, keys: rows, at: times, fitted: service.fitted)
        let none = [Int64](repeating: 0, count: rows.rowCount)
        return ParitySide(
            features: zip(service.plan.outputs, columns).map { output, column in
                ParitySide.Feature(
                    name: output.name,
                    view: output.view.map { service.plan.views[$0].plan.view.name },
                    reads: output.reads.map { service.plan.views[$0].plan.view.name },
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
    /// Views with the same join keys share their entities. Views without a key in common share rows: each runs through its
    /// own entities. Views that share some keys and not all get rows of their own, so that no composite entity is torn.
    ///
    /// - Parameter sample: at most so many rows, evenly spread; all where `nil`.
    func everyEntity(sample: Int?) async throws -> RecordBatch {
        var blocks = try await entityBlocks()
        let fields = service.plan.joinKeys
        for (key, space) in service.plan.embeddedKeys
        where !blocks.contains(where: { $0.schema.position(of: key) != nil }) {
            guard let keys = service.fitted.tables[space]?.keys else { continue }
            blocks.append(RecordBatch([key: .string(keys)]))
        }
        // Layers of blocks without a key in common.
        var layers: [[RecordBatch]] = []
        for block in blocks {
            let names = Set(block.schema.fields.map(\.name))
            let place = layers.firstIndex { layer in
                layer.allSatisfy { names.isDisjoint(with: $0.schema.fields.map(\.name)) }
            }
            if let place { layers[place].append(block) } else { layers.append([block]) }
        }
        let schema = Schema(fields)
        let parts = layers.map { layer in
            let rowCount = layer.map(\.rowCount).max() ?? 0
            let columns = fields.map { field in
                let own = layer.first { $0.schema.position(of: field.name) != nil }
                let block = own ?? blocks.first { $0.schema.position(of: field.name) != nil }
                guard let block, block.rowCount > 0, let column = block[field.name] else {
                    return Column.nulls(field.type, count: rowCount)
                }
                return column.take((0..<rowCount).map { $0 % block.rowCount })
            }
            return RecordBatch(schema: schema, columns: columns, rowCount: rowCount)
        }
        guard !parts.isEmpty else {
            return RecordBatch(schema: schema, columns: fields.map { .nulls($0.type, count: 1) }, rowCount: 1)
        }
        let all = RecordBatch.concatenate(parts)
        guard let sample, sample < all.rowCount else { return all }
        return all.take((0..<sample).map { $0 * all.rowCount / sample })
    }

    /// The distinct entities of each set of join keys, in key order.
    private func entityBlocks() async throws -> [RecordBatch] {
        var parts: [[String]: [RecordBatch]] = [:]
        var order: [[String]] = []
        for use in service.plan.views where !use.keys.isEmpty {
            let pairs = zip(use.keys, use.plan.joinKeys).sorted { $0.0.name < $1.0.name }
            let names = pairs.map(\.0.name)
            let columns = pairs.map(\.1.name)
            let rows = try await service.history(of: use.plan.view.source, columns: columns + ["__sequence"])
            if parts[names] == nil { order.append(names) }
            let entities = try rows.select(columns: columns)
            parts[names, default: []].append(
                RecordBatch(
                    schema: Schema(pairs.map(\.0)),
                    columns: entities.columns,
                    rowCount: entities.rowCount
                )
            )
        }
        return try order.compactMap { names in
            let rows = RecordBatch.concatenate(parts[names] ?? [])
            let keys = try KeyColumn(rows.columns, rowCount: rows.rowCount)
            let (dictionary, _) = KeyDictionary.numbering(keys)
            let distinct = rows.take(dictionary.firstRows)
            return distinct.take(dictionary.keys.sortedRows())
        }
    }
}
