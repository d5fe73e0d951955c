import Columns

extension ParquetFile {
    /// More rows of one row group than this are taken for damage.
    static func rowLimit(_ fileSize: Int) -> Int { 1 << 26 + 64 * fileSize }
    /// The most bytes that one page, or the columns of one row group, may expand to.
    static func expansionLimit(_ fileSize: Int) -> Int { 1 << 30 + 64 * fileSize }
    /// Rows that memory is taken for before their pages are seen.
    private static func reservation(_ fileSize: Int) -> Int { 1 << 16 + 64 * fileSize }

    /// Reads one row group.
    ///
    /// - Parameter columns: the columns wanted, in this order; `nil` for all of the file's.
    /// - Throws: `MalformedFile` for damage, and for columns that are missing or not read.
    /// - Precondition: the row group exists, and no column is named twice.
    public func read(rowGroup: Int, columns: [String]? = nil) throws(MalformedFile) -> RecordBatch {
        precondition(footer.rowGroups.indices.contains(rowGroup), "no row group \(rowGroup) of \(rowGroupCount)")
        return try read(rowGroup..<rowGroup + 1, columns)
    }

    /// Reads all row groups into one batch.
    ///
    /// - Parameter columns: the columns wanted, in this order; `nil` for all of the file's.
    public func read(columns: [String]? = nil) throws(MalformedFile) -> RecordBatch {
        try read(footer.rowGroups.indices, columns)
    }

    private func read(_ groups: Range<Int>, _ names: [String]?) throws(MalformedFile) -> RecordBatch {
        if names == nil, let (name, reason) = refusedColumns.min(by: { $0.key < $1.key }) {
            throw refusal("column '\(name)': \(reason); or name the columns to read")
        }
        let rowCount = footer.rowGroups[groups].reduce(0) { $0 + $1.rowCount }
        var fields: [Field] = []
        var result: [Column] = []
        // What is left of the memory that the row groups may take together.
        var budget = Self.expansionLimit(bytes.count).multipliedReportingOverflow(by: max(1, groups.count)).partialValue
        for name in names ?? schema.fields.map(\.name) {
            if let reason = refusedColumns[name] { throw refusal("column '\(name)': \(reason)") }
            guard let column = columns[name], let type = schema.type(of: name),
                case .decoded(let decoding) = column.reading
            else {
                let present = schema.fields.map { "'\($0.name)'" }.joined(separator: ", ")
                throw refusal("no column '\(name)'; the file has \(present)")
            }
            for group in groups { try check(column, group) }
            fields.append(Field(name, type))
            let read = try read(column, decoding, type, groups, rowCount, limit: budget)
            budget -= read.byteCount
            guard budget >= 0 else {
                throw fault(
                    column,
                    "with the columns before it, it takes more memory than a file of \(bytes.count) bytes may"
                )
            }
            result.append(read)
        }
        return RecordBatch(schema: Schema(fields), columns: result, rowCount: rowCount)
    }

    private func refusal(_ detail: String) -> MalformedFile {
        MalformedFile(.unsupported, file: bytes.name, format: "Parquet", detail)
    }

    private func fault(_ column: ParquetColumn, _ detail: String, _ reason: MalformedFile.Reason = .malformed)
        -> MalformedFile
    {
        MalformedFile(
            reason,
            file: bytes.name,
            format: "Parquet",
            offset: footerOffset,
            "column '\(column.name)': \(detail)"
        )
    }

    /// Where the footer begins: the place of faults in what it says.
    private var footerOffset: Int { max(0, bytes.count - 8 - footer.byteCount) }

    /// Checks what the footer says of a column's chunk.
    private func check(_ column: ParquetColumn, _ number: Int) throws(MalformedFile) {
        let group = footer.rowGroups[number]
        guard column.leaf < group.chunks.count else { throw fault(column, "row group \(number) lacks it") }
        let chunk = group.chunks[column.leaf]
        guard chunk.type == column.element.type, chunk.path.first == column.name else {
            throw fault(column, "its chunk in row group \(number) is of another column or type")
        }
        guard column.maxRepetition > 0 || chunk.valueCount == group.rowCount else {
            throw fault(column, "\(chunk.valueCount) values for the \(group.rowCount) rows of row group \(number)")
        }
        guard chunk.valueCount <= Self.expansionLimit(bytes.count) / 4 else {
            throw fault(column, "\(chunk.valueCount) values in a file of \(bytes.count) bytes")
        }
    }

    /// Chooses how a column is read, once for all of its pages.
    private func read(
        _ column: ParquetColumn,
        _ decoding: ParquetDecoding,
        _ type: DataType,
        _ groups: Range<Int>,
        _ rowCount: Int,
        limit: Int
    ) throws(MalformedFile) -> Column {
        let firstRow = footer.rowGroups[..<groups.lowerBound].reduce(0) { $0 + $1.rowCount }
        let reserved = min(rowCount, Self.reservation(bytes.count))
        func fixed<Conversion: ParquetConversion>(_ conversion: Conversion) throws(MalformedFile) -> Column {
            try read(
                column,
                groups,
                ParquetFixedSink(conversion, column, type, firstRow: firstRow, reserving: reserved)
            )
        }
        func clock<Conversion: ParquetConversion>(
            _ conversion: Conversion,
            _ rule: NaiveTimestamps.Rule
        ) throws(MalformedFile) -> Column where Conversion.Value == Int64 {
            guard case .zone(let rules) = rule else { return try fixed(conversion) }
            return try fixed(ParquetZoned(base: conversion, rules: rules))
        }
        func binary(_ form: ParquetBinarySink.Form) -> ParquetBinarySink {
            let chunks = footer.rowGroups[groups].map { $0.chunks[column.leaf] }
            let claimed = chunks.reduce(0) { $0 + max(0, min($1.uncompressedSize, limit)) }
            let stored = chunks.reduce(0) { $0 + max(0, min($1.compressedSize, bytes.count)) }
            return ParquetBinarySink(
                form,
                column,
                firstRow: firstRow,
                reserving: reserved,
                bytes: min(claimed, 16 * stored),
                limit: limit
            )
        }
        switch decoding {
        case .bool: return try read(column, groups, ParquetBoolSink(reserving: reserved))
        case .int32: return try fixed(ParquetNarrow<Int32>())
        case .uint32: return try fixed(ParquetNarrow<UInt32>())
        case .int64, .time(.microseconds): return try fixed(ParquetSame<Int64>())
        case .uint64: return try fixed(ParquetUnsigned())
        case .float: return try fixed(ParquetSame<Float>())
        case .double: return try fixed(ParquetSame<Double>())
        case .half: return try fixed(ParquetHalf())
        case .wideFloat: return try fixed(ParquetWideFloat())
        case .wideHalf: return try fixed(ParquetWideHalf())
        case .instant(.ticks(.milliseconds), let rule): return try clock(ParquetScaled<Int64>(factor: 1_000), rule)
        case .instant(.ticks(.microseconds), let rule): return try clock(ParquetSame<Int64>(), rule)
        case .instant(.ticks(.nanoseconds), let rule): return try clock(ParquetNanoseconds(), rule)
        case .instant(.days, let rule): return try clock(ParquetScaled<Int32>(factor: 86_400_000_000), rule)
        case .instant(.julian, let rule): return try clock(ParquetJulian(), rule)
        case .time(.milliseconds): return try fixed(ParquetScaled<Int32>(factor: 1_000))
        case .time(.nanoseconds): return try fixed(ParquetNanoseconds())
        case .binary(let isText): return try read(column, groups, binary(isText ? .text : .bytes))
        case .uuid: return try read(column, groups, binary(.uuid))
        case .decimal(let scale, let type):
            let text = binary(.decimal(scale: scale))
            return try read(column, groups, ParquetDecimalSink(text, as: type, firstRow: firstRow))
        case .vector(let emptyLevel, _):
            guard case .vector(let dimension) = type else { throw fault(column, "it has no vectors") }
            let sink = ParquetVectorSink(
                column,
                dimension: dimension,
                emptyLevel: emptyLevel,
                firstRow: firstRow,
                limit: limit / 4
            )
            return try read(column, groups, sink)
        case .nulls(let type): return try read(column, groups, ParquetNullSink(type))
        }
    }

    /// Reads the pages of a column.
    ///
    /// Generic, and not over an existential, so that each sink's loops are compiled for it.
    private func read<Sink: ParquetSink>(
        _ column: ParquetColumn,
        _ groups: Range<Int>,
        _ sink: consuming Sink
    ) throws(MalformedFile) -> Column {
        // The caller gives its reference up: a second one would make the first write copy the whole column.
        var sink = sink
        let scratch = ParquetScratch()
        for number in groups {
            let group = footer.rowGroups[number]
            let rowsBefore = sink.rowCount
            let outcome = bytes.withBytes { raw in
                Result<Void, MalformedFile> { () throws(MalformedFile) in
                    var cursor = try ParquetPageCursor(
                        raw,
                        file: bytes.name,
                        column: column,
                        chunk: group.chunks[column.leaf],
                        limit: Self.expansionLimit(bytes.count),
                        verifiesChecksums: verifiesChecksums
                    )
                    while let page = try cursor.next() {
                        try Self.append(page, cursor, scratch, &sink)
                        guard sink.rowCount - rowsBefore <= group.rowCount else {
                            throw cursor.fault("more than the \(group.rowCount) rows of its row group", at: page.offset)
                        }
                    }
                }
            }
            try outcome.get()
            do throws(ParquetValueFault) {
                try sink.endChunk()
            } catch {
                throw fault(column, error.detail, error.reason)
            }
            guard sink.rowCount - rowsBefore == group.rowCount else {
                throw fault(column, "\(sink.rowCount - rowsBefore) rows in a row group of \(group.rowCount)")
            }
        }
        do throws(ParquetValueFault) {
            return try sink.finish()
        } catch {
            throw fault(column, error.detail, error.reason)
        }
    }

    private static func append<Sink: ParquetSink>(
        _ page: ParquetStoredPage,
        _ cursor: ParquetPageCursor,
        _ scratch: ParquetScratch,
        _ sink: inout Sink
    ) throws(MalformedFile) {
        if try appendVerbatim(page, cursor, &sink) { return }
        if page.header.kind == .dictionary {
            let content = try cursor.dictionary(page, scratch)
            do throws(ParquetValueFault) {
                try sink.setDictionary(content, count: page.header.valueCount)
            } catch {
                throw cursor.fault("dictionary: \(error.detail)", at: page.offset, error.reason)
            }
            return
        }
        let content = try cursor.page(page, scratch)
        do throws(ParquetValueFault) {
            try sink.append(content)
        } catch {
            throw cursor.fault(error.detail, at: page.offset, error.reason)
        }
    }

    /// Decompresses a page of plain values without nulls straight to their place in the column.
    ///
    /// Benefit: one pass less over the column's memory. A page of version 1 begins with its levels; they come to lie over
    /// the values before, which are put back.
    private static func appendVerbatim<Sink: ParquetSink>(
        _ page: ParquetStoredPage,
        _ cursor: ParquetPageCursor,
        _ sink: inout Sink
    ) throws(MalformedFile) -> Bool {
        let header = page.header
        guard let width = Sink.verbatimWidth, header.kind == .data, cursor.codec != .uncompressed,
            header.encoding == ParquetEncoding.plain.rawValue, header.valueCount > 0
        else { return false }
        let prefix = header.uncompressedSize - header.valueCount * width
        guard prefix >= 0 else { return false }
        let isDone = try sink.appendVerbatim(count: header.valueCount, prefix: prefix) { start throws(MalformedFile) in
            let content = UnsafeMutableRawBufferPointer(start: start, count: header.uncompressedSize)
            guard cursor.codec.decompress(page.bytes, into: content) else { return false }
            let values = try cursor.page(page, .plain, UnsafeRawBufferPointer(content))
            guard values.values.count == header.valueCount * width else { return false }
            if case .constant(let level) = values.definition { return level == values.maxDefinition }
            return false
        }
        return isDone ?? false
    }
}
