import Columns

extension TableDescription {
    /// What a file of one format says of itself.
    struct Outline {
        var formatName: String
        var rowCount: Int
        var createdBy: String?
        var columns: [Column]
        var parts: [Part] = []
        var metadata: [(String, String)] = []
        /// The columns that can be read.
        var schema: Schema

        /// The columns that are wanted, with the leaves of those that are nested.
        func columns(_ names: [String]?, in path: String) throws(TableError) -> [Column] {
            guard let names else { return columns }
            var selected: [Column] = []
            var seen: Set<String> = []
            for name in names {
                guard seen.insert(name).inserted else { throw TableError.repeatedColumn(name, in: path) }
                // A top-level column may itself have a point in its name.
                let exact = columns.filter { $0.name == name }
                let leaves = exact.isEmpty ? columns.filter { $0.name.hasPrefix(name + ".") } : exact
                guard !leaves.isEmpty else {
                    throw TableError.missingColumn(name, in: path, present: columns.map(\.name))
                }
                selected += leaves
            }
            return selected
        }
    }
}

extension TableDescription.Outline {
    init(_ file: ParquetFile) {
        let layout = file.layout
        self.init(
            formatName: "Parquet \(layout.formatVersion)",
            rowCount: layout.rowCount,
            createdBy: layout.createdBy,
            columns: layout.columns.map { column in
                TableDescription.Column(
                    name: column.path,
                    type: column.type,
                    fileType: [column.repetition, column.physicalType, column.logicalType].compactMap { $0 }
                        .joined(separator: " "),
                    remark: column.refusal
                )
            },
            parts: layout.rowGroups.map { group in
                TableDescription.Part(
                    rowCount: group.rowCount,
                    byteCount: group.compressedBytes,
                    uncompressedByteCount: group.uncompressedBytes,
                    sortedBy: group.sortedBy.map {
                        $0.path + ($0.isDescending ? " descending" : "") + ($0.nullsFirst ? " nulls first" : "")
                    },
                    codec: nil,
                    chunks: group.chunks
                )
            },
            metadata: layout.metadata.map { ($0.key, $0.value) },
            schema: file.schema
        )
    }

    init(_ file: ArrowFile) {
        let layout = file.layout
        self.init(
            formatName: layout.isStream ? "Arrow stream" : "Arrow file",
            rowCount: file.rowCount,
            createdBy: nil,
            columns: layout.columns.map { column in
                TableDescription.Column(
                    name: column.name,
                    type: file.schema.type(of: column.name),
                    fileType: column.type + (column.isNullable ? "" : " not null"),
                    remark: file.refusedColumns[column.name]
                )
            },
            parts: layout.batches.map { batch in
                TableDescription.Part(
                    rowCount: batch.rowCount,
                    byteCount: batch.bodyBytes,
                    uncompressedByteCount: nil,
                    sortedBy: [],
                    codec: batch.compression.rawValue,
                    chunks: []
                )
            },
            metadata: file.metadata,
            schema: file.schema
        )
    }

    /// Finds the types and counts the rows of a CSV file.
    init(csv bytes: FileBytes, _ options: CSVOptions) throws {
        let schema = try CSVInference.infer(bytes, options, [:])
        // What would be a timestamp, did the file or the user name a zone.
        var lenient = options
        lenient.naiveTimestamps = .utc
        var known: [String: DataType] = [:]
        for field in schema.fields
        where field.type != .string || options.naiveTimestamps.rule(for: field.name) != .refuse {
            known[field.name] = field.type
        }
        let naive = known.count == schema.count ? schema : try CSVInference.infer(bytes, lenient, known)
        var counter = try CSVReader(bytes, Schema([]), options)
        var rowCount = 0
        while let batch = try counter.next(maxRows: 1 << 20) { rowCount += batch.rowCount }
        self.init(
            formatName: "CSV",
            rowCount: rowCount,
            createdBy: nil,
            columns: schema.fields.map { field in
                TableDescription.Column(
                    name: field.name,
                    type: field.type,
                    fileType: "text",
                    remark: naive.type(of: field.name) == field.type
                        ? nil : "its timestamps have no time zone, so they are read as text; name one with --timezone"
                )
            },
            schema: schema
        )
    }
}
