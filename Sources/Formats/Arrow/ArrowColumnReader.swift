/// Reads one column of a file batch by batch, keeping its dictionary from batch to batch.
struct ArrowColumnReader {
    /// The column's place among the fields.
    let index: Int
    let decoding: ArrowDecoding
    var builder: ArrowColumnBuilder
    private let dictionaries: [ArrowFile.DictionaryPart]
    private let limit: Int
    private var entries: ArrowColumnBuilder
    /// The dictionary messages that `entries` holds.
    private var loaded = 0..<0

    init(index: Int, _ decoding: ArrowDecoding, dictionaries: [ArrowFile.DictionaryPart], limit: Int) {
        self.index = index
        self.decoding = decoding
        self.dictionaries = dictionaries
        self.limit = limit
        builder = ArrowColumnBuilder(decoding, limit: limit)
        entries = ArrowColumnBuilder(decoding.entries, limit: limit)
    }

    /// Reads the columns of one batch.
    static func read(
        _ readers: inout [ArrowColumnReader],
        _ batch: ArrowFile.Batch,
        _ fields: [ArrowField],
        _ file: UnsafeRawBufferPointer,
        _ scratch: ArrowScratch
    ) throws(ArrowFault) {
        let message = batch.message
        let limit = ArrowFile.expansionLimit(file.count)
        let body = try ArrowBody(message, file, scratch, limit: limit)
        var starts: [ArrowCursor] = []
        starts.reserveCapacity(fields.count)
        var cursor = ArrowCursor()
        for field in fields {
            starts.append(cursor)
            try cursor.skip(field, isVersion4: message.isVersion4, body.parts.variadicCounts)
        }
        guard cursor.node == body.parts.nodes.count, cursor.buffer == body.parts.buffers.count else {
            throw ArrowFault(
                "a batch has \(body.parts.nodes.count) arrays and \(body.parts.buffers.count) buffers, "
                    + "its schema \(cursor.node) and \(cursor.buffer)",
                at: message.position
            )
        }
        var taken = 0
        for place in readers.indices {
            do throws(ArrowFault) {
                let before = readers[place].builder.byteCount
                try readers[place].loadEntries(before: batch.order, file, scratch)
                scratch.reuse()
                let field = readers[place].decoding.field
                var cursor = starts[readers[place].index]
                let memory = try body.memory(field, rows: message.rowCount, &cursor)
                let entries = field.dictionary == nil ? nil : readers[place].entries
                try readers[place].builder.append(memory, entries: entries)
                taken += readers[place].builder.byteCount - before
                guard taken <= limit else {
                    throw .unsupported(
                        "with the columns before it, it takes more memory than a file of \(file.count) bytes may"
                    )
                }
            } catch {
                var fault = ArrowFault("column '\(readers[place].decoding.field.name)': \(error.detail)")
                fault.reason = error.reason
                fault.position = error.position ?? message.position
                throw fault
            }
        }
    }

    /// Brings the entries to where they stand before a message.
    private mutating func loadEntries(
        before order: Int,
        _ file: UnsafeRawBufferPointer,
        _ scratch: ArrowScratch
    ) throws(ArrowFault) {
        if dictionaries.isEmpty { return }
        var low = 0
        var high = dictionaries.count
        while low < high {
            let middle = (low + high) / 2
            if dictionaries[middle].order < order { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return }
        let wanted = dictionaries[low - 1].base..<low
        if loaded.lowerBound != wanted.lowerBound || loaded.upperBound > wanted.upperBound || loaded.isEmpty {
            entries = ArrowColumnBuilder(decoding.entries, limit: limit)
            loaded = wanted.lowerBound..<wanted.lowerBound
        }
        for index in loaded.upperBound..<wanted.upperBound {
            scratch.reuse()
            let message = dictionaries[index].message
            let body = try ArrowBody(message, file, scratch, limit: limit)
            var cursor = ArrowCursor()
            let memory = try body.memory(entries.decoding.field, rows: message.rowCount, &cursor)
            try entries.append(memory, entries: nil)
        }
        loaded = wanted
    }
}
