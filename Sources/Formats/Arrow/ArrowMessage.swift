/// One message of an Arrow file or stream: metadata, then a body (format/Message.fbs).
struct ArrowMessage: Sendable {
    enum Header: Sendable {
        case schema(ArrowSchemaMessage)
        case dictionary(id: Int64, isDelta: Bool)
        case batch
    }

    let header: Header
    /// The rows of a batch, or the entries of a dictionary.
    let rowCount: Int
    let codec: ArrowOptions.Compression
    /// Where the message begins in the file.
    let position: Int
    /// Where its FlatBuffers metadata and its body stand in the file.
    let metadata: Range<Int>
    let body: Range<Int>
    /// Whether unions and run-end-encoded arrays have a validity buffer, as in version 4 of the metadata.
    let isVersion4: Bool

    /// Metadata larger than this is taken for damage: 256 MiB, over a million columns.
    private static let maximumMetadataSize: UInt32 = 1 << 28

    /// The message that begins at `position`; `nil` where the stream ends.
    ///
    /// - Parameter end: where the messages' bytes end.
    init?(_ file: UnsafeRawBufferPointer, at position: Int, end: Int) throws(ArrowFault) {
        func word(_ place: Int) throws(ArrowFault) -> UInt32 {
            guard place >= 0, place <= end - 4 else { throw ArrowFault("a message is cut short", at: position) }
            return UInt32(littleEndian: file.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        }
        if position == end { return nil }
        var start = position + 4
        var length = try word(position)
        // Before version 0.15 the length stood without the mark before it.
        if length == 0xFFFF_FFFF {
            length = try word(position + 4)
            start += 4
        }
        if length == 0 { return nil }
        guard length <= Self.maximumMetadataSize, Int(length) <= end - start else {
            throw ArrowFault("a message says that it has \(length) bytes of metadata", at: position)
        }
        self.position = position
        metadata = start..<start + Int(length)
        let table = try FlatTable(root: UnsafeRawBufferPointer(rebasing: file[metadata]), base: start)
        isVersion4 = try Self.isVersion4(table.integer(0, default: Int16(0)), at: table.position)
        let bodyLength = try table.integer(3, default: Int64(0))
        guard bodyLength >= 0, bodyLength <= end - metadata.upperBound else {
            throw ArrowFault("a message says that its body has \(bodyLength) bytes", at: position)
        }
        body = metadata.upperBound..<metadata.upperBound + Int(bodyLength)
        guard let content = try table.table(2) else { throw ArrowFault("a message has no header", at: table.position) }
        var budget = FlatBudget(Int(length))
        for (key, _) in try ArrowSchemaMessage.pairs(table, slot: 4, &budget) where key == Self.oldCompressionKey {
            throw .unsupported("its bodies are compressed as Arrow 0.17 did; write it again", at: table.position)
        }
        switch try table.integer(1, default: UInt8(0)) {
        case 1:
            header = .schema(try ArrowSchemaMessage(content, &budget))
            rowCount = 0
            codec = .none
        case 2:
            guard let batch = try content.table(1) else {
                throw ArrowFault("a dictionary has no values", at: content.position)
            }
            header = .dictionary(id: try content.integer(0, default: Int64(0)), isDelta: try content.bool(2))
            rowCount = try Self.rowCount(batch)
            codec = try Self.codec(batch)
        case 3:
            header = .batch
            rowCount = try Self.rowCount(content)
            codec = try Self.codec(content)
        case let kind: throw .unsupported("a message of kind \(kind) is no table", at: table.position)
        }
    }

    private static let oldCompressionKey = "ARROW:experimental_compression"

    static func isVersion4(_ version: Int16, at position: Int) throws(ArrowFault) -> Bool {
        guard version == 3 || version == 4 else {
            throw .unsupported("metadata version V\(Int(version) + 1) is not read; V4 and V5 are", at: position)
        }
        return version == 3
    }

    private static func rowCount(_ batch: FlatTable) throws(ArrowFault) -> Int {
        let count = try batch.integer(0, default: Int64(0))
        // Far more rows than memory can hold, and small enough for sums and byte counts not to overflow.
        guard count >= 0, count <= 1 << 40 else { throw ArrowFault("a batch of \(count) rows", at: batch.position) }
        return Int(count)
    }

    private static func codec(_ batch: FlatTable) throws(ArrowFault) -> ArrowOptions.Compression {
        guard let compression = try batch.table(3) else { return .none }
        guard try compression.integer(1, default: UInt8(0)) == 0 else {
            throw .unsupported("a body is compressed as a whole", at: compression.position)
        }
        switch try compression.integer(0, default: UInt8(0)) {
        case 0: return .lz4
        case 1: return .zstd
        case let codec: throw .unsupported("a body has codec \(codec), which is not known", at: compression.position)
        }
    }
}

/// The parts of one record batch or dictionary batch, in the order of the fields.
struct ArrowBatchParts {
    struct Node {
        var length: Int
        var nullCount: Int
    }

    let nodes: [Node]
    /// Ranges of the body.
    let buffers: [Range<Int>]
    /// The number of data buffers of each array of views.
    let variadicCounts: [Int]

    init(_ message: ArrowMessage, _ file: UnsafeRawBufferPointer) throws(ArrowFault) {
        let metadata = UnsafeRawBufferPointer(rebasing: file[message.metadata])
        let root = try FlatTable(root: metadata, base: message.metadata.lowerBound)
        var batch = try root.table(2)
        if case .dictionary = message.header { batch = try batch?.table(1) }
        guard let batch else { throw ArrowFault("a message has no batch", at: root.position) }
        func words(_ slot: Int, each count: Int) throws(ArrowFault) -> [Int] {
            let bytes = try batch.structures(slot, width: 8 * count)
            return (0..<bytes.count / 8).map {
                Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)))
            }
        }
        let nodeWords = try words(1, each: 2)
        var nodes: [Node] = []
        nodes.reserveCapacity(nodeWords.count / 2)
        for index in stride(from: 0, to: nodeWords.count, by: 2) {
            let node = Node(length: nodeWords[index], nullCount: nodeWords[index + 1])
            guard node.length >= 0, node.length <= 1 << 44, node.nullCount >= 0, node.nullCount <= node.length else {
                throw ArrowFault("an array of \(node.length) values, \(node.nullCount) null", at: batch.position)
            }
            nodes.append(node)
        }
        let bufferWords = try words(2, each: 2)
        var buffers: [Range<Int>] = []
        buffers.reserveCapacity(bufferWords.count / 2)
        var total = 0
        for index in stride(from: 0, to: bufferWords.count, by: 2) {
            let (start, length) = (bufferWords[index], bufferWords[index + 1])
            guard start >= 0, length >= 0, length <= message.body.count, start <= message.body.count - length else {
                throw ArrowFault(
                    "a buffer of \(length) bytes at \(start) does not fit its body of \(message.body.count)",
                    at: batch.position
                )
            }
            total += length
            buffers.append(start..<start + length)
        }
        guard total <= message.body.count else {
            throw ArrowFault("its buffers overlap", at: batch.position)
        }
        let variadicCounts = try words(4, each: 1)
        for count in variadicCounts where count < 0 || count > buffers.count {
            throw ArrowFault("an array of views has \(count) data buffers", at: batch.position)
        }
        self.nodes = nodes
        self.buffers = buffers
        self.variadicCounts = variadicCounts
    }
}

/// Where a field's arrays stand among the parts of a batch.
struct ArrowCursor {
    var node = 0
    var buffer = 0
    var view = 0

    /// Moves past a field and the fields inside it.
    mutating func skip(
        _ field: ArrowField,
        isVersion4: Bool,
        _ variadicCounts: [Int]
    ) throws(ArrowFault) {
        node += 1
        if field.dictionary != nil {
            buffer += 2
            return
        }
        buffer += field.type.bufferCount
        if isVersion4 {
            switch field.type {
            case .union, .runEndEncoded: buffer += 1
            default: break
            }
        }
        if field.type.isView {
            guard view < variadicCounts.count else { throw ArrowFault("an array of views has no count of its buffers") }
            buffer += variadicCounts[view]
            view += 1
        }
        for child in field.children { try skip(child, isVersion4: isVersion4, variadicCounts) }
    }
}
