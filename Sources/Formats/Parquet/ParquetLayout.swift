import Columns

/// How a Parquet file is laid out, as its footer says: the writer's word, not checked against the data.
public struct ParquetLayout: Hashable, Sendable {
    /// A pair of the file's metadata.
    public struct Pair: Hashable, Sendable {
        public let key: String
        public let value: String
    }

    /// A leaf of the schema: what a column chunk holds.
    public struct Column: Hashable, Sendable {
        /// The names from the top-level field down, joined by points, for example `v.list.element`.
        public let path: String
        /// For example `INT64`, or `FIXED_LEN_BYTE_ARRAY(16)`.
        public let physicalType: String
        /// For example `TIMESTAMP(MICROS, UTC)` or `DECIMAL(9, 2)`.
        public let logicalType: String?
        /// `required`, `optional` or `repeated`: the leaf's own, not that of the groups around it.
        public let repetition: String
        /// What the top-level column is read as, or `nil` where it is refused.
        public let type: DataType?
        /// Why the top-level column is not read.
        public let refusal: String?
    }

    /// A column that a row group is sorted by.
    public struct Sorting: Hashable, Sendable {
        public let path: String
        public let isDescending: Bool
        public let nullsFirst: Bool
    }

    /// One column of one row group.
    public struct Chunk: Hashable, Sendable {
        public let path: String
        public let physicalType: String
        public let logicalType: String?
        /// For example `SNAPPY`.
        public let codec: String
        /// For example `PLAIN`, in file order.
        public let encodings: [String]
        /// Values, nulls among them; elements where the column holds lists.
        public let valueCount: Int
        /// Where its first page begins in the file.
        public let offset: Int
        public let compressedBytes: Int
        public let uncompressedBytes: Int
        public let hasDictionary: Bool
        public let nullCount: Int?
        /// Bounds as `ParquetFile.statistics` gives them.
        public let minimum: Scalar?
        public let maximum: Scalar?
    }

    public struct RowGroup: Hashable, Sendable {
        public let rowCount: Int
        /// Bytes of its pages in the file.
        public let compressedBytes: Int
        /// Bytes of its pages before compression.
        public let uncompressedBytes: Int
        public let sortedBy: [Sorting]
        public let chunks: [Chunk]
    }

    public let fileBytes: Int
    public let footerBytes: Int
    public let rowCount: Int
    /// 1 or 2.
    public let formatVersion: Int
    public let createdBy: String?
    /// All pairs, in file order.
    public let metadata: [Pair]
    public let columns: [Column]
    public let rowGroups: [RowGroup]
}

extension ParquetFile {
    /// How the file is laid out.
    ///
    /// - Complexity: O(row groups × columns); no page is read.
    public var layout: ParquetLayout {
        let leaves = leaves()
        return ParquetLayout(
            fileBytes: bytes.count,
            footerBytes: footer.byteCount,
            rowCount: rowCount,
            formatVersion: footer.version,
            createdBy: footer.createdBy,
            metadata: footer.metadata.map { .init(key: $0.key, value: $0.value) },
            columns: leaves,
            rowGroups: footer.rowGroups.indices.map { layout(rowGroup: $0, leaves) }
        )
    }

    private func layout(rowGroup: Int, _ leaves: [ParquetLayout.Column]) -> ParquetLayout.RowGroup {
        let group = footer.rowGroups[rowGroup]
        let byLeaf = [Int: String](uniqueKeysWithValues: columns.values.map { ($0.leaf, $0.name) })
        let sorting = group.sorting.filter { leaves.indices.contains($0.column) }.map { sorting in
            ParquetLayout.Sorting(
                path: leaves[sorting.column].path,
                isDescending: sorting.isDescending,
                nullsFirst: sorting.nullsFirst
            )
        }
        return ParquetLayout.RowGroup(
            rowCount: group.rowCount,
            compressedBytes: group.chunks.reduce(0) { $0 &+ $1.compressedSize },
            uncompressedBytes: group.chunks.reduce(0) { $0 &+ $1.uncompressedSize },
            sortedBy: sorting,
            chunks: group.chunks.indices.map { leaf in
                let known = byLeaf[leaf].flatMap { statistics(rowGroup: rowGroup, column: $0) }
                return layout(group.chunks[leaf], leaf < leaves.count ? leaves[leaf] : nil, known)
            }
        )
    }

    private func layout(
        _ chunk: ParquetChunk,
        _ leaf: ParquetLayout.Column?,
        _ statistics: ParquetStatistics?
    ) -> ParquetLayout.Chunk {
        ParquetLayout.Chunk(
            path: chunk.path.joined(separator: "."),
            physicalType: leaf?.physicalType ?? "unknown",
            logicalType: leaf?.logicalType,
            codec: ParquetCodec.name(chunk.codec),
            encodings: chunk.encodings.map(ParquetEncoding.name),
            valueCount: chunk.valueCount,
            offset: chunk.start,
            compressedBytes: chunk.compressedSize,
            uncompressedBytes: chunk.uncompressedSize,
            hasDictionary: chunk.hasDictionary,
            nullCount: chunk.statistics.nullCount,
            minimum: statistics?.minimum,
            maximum: statistics?.maximum
        )
    }

    private func leaves() -> [ParquetLayout.Column] {
        var leaves: [ParquetLayout.Column] = []
        // The groups around a node, each with the number of its children still to come.
        var groups: [(name: String, left: Int)] = []
        var top = ""
        for node in footer.schema.dropFirst() {
            while let last = groups.last, last.left == 0 { groups.removeLast() }
            if groups.isEmpty { top = node.name } else { groups[groups.count - 1].left -= 1 }
            guard node.childCount == 0 else {
                groups.append((node.name, node.childCount))
                continue
            }
            let name = node.type.map { "\($0)" } ?? "unknown"
            leaves.append(
                ParquetLayout.Column(
                    path: (groups.map(\.name) + [node.name]).joined(separator: "."),
                    physicalType: node.type == .fixedLengthByteArray ? "\(name)(\(node.length))" : name,
                    logicalType: node.logicalType.map { "\($0)" },
                    repetition: "\(node.repetition ?? .required)",
                    type: schema.type(of: top),
                    refusal: refusedColumns[top]
                )
            )
        }
        return leaves
    }
}

extension ParquetChunk {
    /// Where its first page begins.
    var start: Int {
        guard let dictionaryPageOffset, dictionaryPageOffset > 0 else { return dataPageOffset }
        return min(dictionaryPageOffset, dataPageOffset)
    }

    /// Writers may leave the page's offset out; the encodings then tell.
    var hasDictionary: Bool {
        dictionaryPageOffset.map { $0 > 0 } ?? false
            || encodings.contains {
                $0 == ParquetEncoding.rleDictionary.rawValue || $0 == ParquetEncoding.plainDictionary.rawValue
            }
    }
}
