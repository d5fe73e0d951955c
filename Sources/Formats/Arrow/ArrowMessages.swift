/// All messages of an Arrow file or stream, found without reading their bodies.
struct ArrowMessages {
    var schema: ArrowSchemaMessage
    var isStream: Bool
    var batches: [ArrowFile.Batch] = []
    var dictionaries: [Int64: [ArrowFile.DictionaryPart]] = [:]

    private static let magic = Array("ARROW1".utf8)

    init(_ file: UnsafeRawBufferPointer) throws(ArrowFault) {
        if file.starts(with: Self.magic) {
            self = try Self.file(file)
        } else if file.starts(with: "FEA1".utf8) {
            throw .unsupported("it is Feather version 1; write it as Feather version 2", at: 0)
        } else {
            self = try Self.stream(file)
        }
    }

    private init(_ schema: ArrowSchemaMessage, isStream: Bool) {
        self.schema = schema
        self.isStream = isStream
    }

    private mutating func append(_ message: ArrowMessage, order: Int) throws(ArrowFault) {
        switch message.header {
        case .schema: throw ArrowFault("it has a second schema", at: message.position)
        case .batch: batches.append(ArrowFile.Batch(message: message, order: order))
        case .dictionary(let id, let isDelta):
            let known = dictionaries[id]?.count ?? 0
            guard !isDelta || known > 0 else {
                throw ArrowFault("a dictionary begins with its second part", at: message.position)
            }
            // A stream may replace a dictionary; in a file there is no telling for which batches.
            guard isDelta || known == 0 || isStream else {
                throw ArrowFault("it has two dictionaries with id \(id)", at: message.position)
            }
            let base = isDelta ? dictionaries[id]?.last?.base ?? 0 : known
            dictionaries[id, default: []].append(ArrowFile.DictionaryPart(message: message, order: order, base: base))
        }
    }

    private static func stream(_ file: UnsafeRawBufferPointer) throws(ArrowFault) -> ArrowMessages {
        let expected = "it begins neither with ARROW1 nor with the schema of a stream"
        let first: ArrowMessage?
        do throws(ArrowFault) {
            first = try ArrowMessage(file, at: 0, end: file.count)
        } catch {
            // Without the mark of a message, most likely the bytes are of another format.
            let isMarked = file.starts(with: [0xFF, 0xFF, 0xFF, 0xFF])
            throw isMarked || error.reason == .unsupported ? error : ArrowFault(expected, at: 0)
        }
        guard let first, case .schema(let schema) = first.header else { throw ArrowFault(expected, at: 0) }
        var messages = ArrowMessages(schema, isStream: true)
        var position = first.body.upperBound
        var order = 0
        while let message = try ArrowMessage(file, at: position, end: file.count) {
            try messages.append(message, order: order)
            order += 1
            position = message.body.upperBound
        }
        return messages
    }

    private static func file(_ file: UnsafeRawBufferPointer) throws(ArrowFault) -> ArrowMessages {
        guard file.count >= 18, file[(file.count - 6)...].elementsEqual(magic) else {
            throw ArrowFault("it does not end with ARROW1; it may be cut short", at: max(0, file.count - 6))
        }
        let lengthPosition = file.count - 10
        let length = Int(Int32(littleEndian: file.loadUnaligned(fromByteOffset: lengthPosition, as: Int32.self)))
        guard length > 0, length <= lengthPosition - 8 else {
            throw ArrowFault("a footer of \(length) bytes does not fit", at: lengthPosition)
        }
        let start = lengthPosition - length
        let footer = try FlatTable(
            root: UnsafeRawBufferPointer(rebasing: file[start..<lengthPosition]),
            base: start
        )
        _ = try ArrowMessage.isVersion4(footer.integer(0, default: Int16(0)), at: footer.position)
        guard let schema = try footer.table(1) else { throw ArrowFault("its footer has no schema", at: start) }
        var budget = FlatBudget(length)
        var messages = ArrowMessages(try ArrowSchemaMessage(schema, &budget), isStream: false)
        // Blocks that overlap would make a small file stand for a large one.
        var left = start
        var order = 0
        for slot in [2, 3] {
            let blocks = try footer.structures(slot, width: 24)
            for place in stride(from: 0, to: blocks.count, by: 24) {
                let offset = Int64(littleEndian: blocks.loadUnaligned(fromByteOffset: place, as: Int64.self))
                guard offset >= 0, offset < start,
                    let message = try ArrowMessage(file, at: Int(offset), end: start)
                else { throw ArrowFault("a block of the footer has no message at byte \(offset)", at: start) }
                left -= message.body.upperBound - message.position
                guard left >= 0 else { throw ArrowFault("blocks of the footer overlap", at: start) }
                try check(blocks, place, message)
                switch (slot, message.header) {
                case (2, .dictionary), (3, .batch): try messages.append(message, order: order)
                default: throw ArrowFault("a block of the footer leads to another kind of message", at: Int(offset))
                }
                order += 1
            }
        }
        return messages
    }

    /// Checks that a block agrees with its message about where the body lies.
    private static func check(
        _ blocks: UnsafeRawBufferPointer,
        _ place: Int,
        _ message: ArrowMessage
    ) throws(ArrowFault) {
        let metadata = Int32(littleEndian: blocks.loadUnaligned(fromByteOffset: place + 8, as: Int32.self))
        let body = Int64(littleEndian: blocks.loadUnaligned(fromByteOffset: place + 16, as: Int64.self))
        guard Int(metadata) == message.metadata.upperBound - message.position, body == Int64(message.body.count) else {
            throw ArrowFault(
                "the footer gives the message \(metadata) bytes and its body \(body); it says "
                    + "\(message.metadata.upperBound - message.position) and \(message.body.count)",
                at: message.position
            )
        }
    }
}
