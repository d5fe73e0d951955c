/// How an Arrow file or stream is laid out.
public struct ArrowOptions: Sendable {
    public enum Layout: Hashable, Sendable {
        /// The IPC file format, also known as Feather V2: a footer gives every batch its place.
        case file
        /// The IPC stream format, which is read from its beginning to its end.
        case stream
    }

    public enum Compression: String, Hashable, Sendable, CaseIterable {
        case none
        /// LZ4 frames.
        case lz4
        case zstd
    }

    public var layout: Layout
    public var compression: Compression
    /// Rows of each record batch but the last.
    public var batchRows: Int
    /// Pairs for the schema's own metadata, in this order.
    public var metadata: [(String, String)]

    public init(
        layout: Layout = .file,
        compression: Compression = .lz4,
        batchRows: Int = 64 * 1_024,
        metadata: [(String, String)] = []
    ) {
        self.layout = layout
        self.compression = compression
        self.batchRows = batchRows
        self.metadata = metadata
    }
}
