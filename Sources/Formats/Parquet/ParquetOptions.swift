/// How a Parquet file is laid out.
public struct ParquetOptions: Sendable {
    public enum Compression: Hashable, Sendable, CaseIterable {
        case none
        /// Raw LZ4 blocks, Parquet's LZ4_RAW.
        case lz4
        /// Zstandard frames, Parquet's ZSTD: smaller files that take longer to write.
        case zstd
    }

    public var compression: Compression
    /// Whether each page carries a CRC-32, which readers verify.
    public var pageChecksums: Bool
    /// Rows of each row group but the last.
    public var rowGroupRows: Int
    /// Columns the rows are sorted by, ascending with nulls last; recorded in the file, not checked.
    public var sortedBy: [String]
    /// Pairs for the file's own metadata, in this order.
    ///
    /// Keys that begin with `lockstep.` are reserved.
    public var metadata: [(String, String)]

    public init(
        compression: Compression = .lz4,
        pageChecksums: Bool = true,
        rowGroupRows: Int = 128 * 1_024,
        sortedBy: [String] = [],
        metadata: [(String, String)] = []
    ) {
        self.compression = compression
        self.pageChecksums = pageChecksums
        self.rowGroupRows = rowGroupRows
        self.sortedBy = sortedBy
        self.metadata = metadata
    }
}

extension ParquetOptions.Compression {
    var codec: ParquetCodec {
        switch self {
        case .none: .uncompressed
        case .lz4: .lz4Raw
        case .zstd: .zstd
        }
    }
}
