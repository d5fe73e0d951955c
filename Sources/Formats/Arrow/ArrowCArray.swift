import CArrow
import Columns

/// What an exported array points to; it lives until the array is released.
///
/// Every array holds the body with all values of its batch, so that a column that is moved out of its batch stays
/// whole.
final class ArrowCArray {
    private let body: ArrowBodyWriter
    private let buffers: UnsafeMutableBufferPointer<UnsafeRawPointer?>
    private let children: UnsafeMutableBufferPointer<UnsafeMutablePointer<ArrowArray>?>

    private init(_ body: ArrowBodyWriter, buffers: [UnsafeRawPointer?], children: [ArrowArray]) {
        self.body = body
        self.buffers = .allocate(capacity: buffers.count)
        _ = self.buffers.initialize(fromContentsOf: buffers)
        self.children = .allocate(capacity: children.count)
        for (place, child) in children.enumerated() {
            let pointer = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
            pointer.initialize(to: child)
            self.children.initializeElement(at: place, to: pointer)
        }
    }

    deinit {
        for child in children {
            // One that was moved away is marked as released, and lives on elsewhere.
            child?.pointee.release?(child)
            child?.deallocate()
        }
        children.deallocate()
        buffers.deallocate()
    }

    private static func array(
        length: Int,
        nullCount: Int,
        _ body: ArrowBodyWriter,
        buffers: [UnsafeRawPointer?],
        children: [ArrowArray] = []
    ) -> ArrowArray {
        let owner = ArrowCArray(body, buffers: buffers, children: children)
        var array = ArrowArray()
        array.length = Int64(length)
        array.null_count = Int64(nullCount)
        array.n_buffers = Int64(buffers.count)
        array.buffers = owner.buffers.baseAddress
        array.n_children = Int64(children.count)
        array.children = children.isEmpty ? nil : owner.children.baseAddress
        array.private_data = Unmanaged.passRetained(owner).toOpaque()
        array.release = { array in
            guard let array, let owner = array.pointee.private_data else { return }
            array.pointee.release = nil
            array.pointee.private_data = nil
            Unmanaged<ArrowCArray>.fromOpaque(owner).release()
        }
        return array
    }

    /// How far the arrays and buffers of a body have been used.
    struct Place {
        fileprivate var node = 0
        fileprivate var buffer = 0
    }

    static func table(_ batch: RecordBatch, _ body: ArrowBodyWriter) -> ArrowArray {
        var place = Place()
        let columns = batch.schema.fields.map { column($0.type, body, &place) }
        return array(length: batch.rowCount, nullCount: 0, body, buffers: [nil], children: columns)
    }

    /// The array of the next column of a body, whose values are complete.
    static func column(_ type: DataType, _ body: ArrowBodyWriter, _ place: inout Place) -> ArrowArray {
        func take(_ count: Int, _ place: inout Place) -> [UnsafeRawPointer?] {
            defer { place.buffer += count }
            return (place.buffer..<place.buffer + count).map { body.address(ofBuffer: $0) }
        }
        let (length, nullCount) = (Int(body.nodes[2 * place.node]), Int(body.nodes[2 * place.node + 1]))
        place.node += 1
        switch type {
        case .bool, .int64, .float32, .float64, .timestamp:
            return array(length: length, nullCount: nullCount, body, buffers: take(2, &place))
        case .string, .bytes:
            return array(length: length, nullCount: nullCount, body, buffers: take(3, &place))
        case .vector:
            let buffers = take(1, &place)
            let elements = column(.float32, body, &place)
            return array(length: length, nullCount: nullCount, body, buffers: buffers, children: [elements])
        }
    }
}

/// What an exported stream points to; it lives until the stream is released.
final class ArrowCStream {
    private let schema: Schema
    private let next: () throws -> RecordBatch?
    private let message = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 1_024)

    private init(_ schema: Schema, _ next: @escaping () throws -> RecordBatch?) {
        self.schema = schema
        self.next = next
        message.initialize(repeating: 0)
    }

    deinit { message.deallocate() }

    /// Keeps an error's text for the consumer to ask for, cut to the room there is.
    private func keep(_ error: any Error) {
        message.update(repeating: 0)
        for (place, byte) in "\(error)".utf8.prefix(message.count - 1).enumerated() {
            message[place] = CChar(bitPattern: byte)
        }
    }

    static func stream(_ schema: Schema, _ next: @escaping () throws -> RecordBatch?) -> ArrowArrayStream {
        var stream = ArrowArrayStream()
        stream.private_data = Unmanaged.passRetained(ArrowCStream(schema, next)).toOpaque()
        stream.get_schema = { stream, target in
            guard let owner = ArrowCStream.owner(stream), let target else { return ArrowCStream.invalidArgument }
            ArrowC.export(owner.schema, target)
            return 0
        }
        stream.get_next = { stream, target in
            guard let owner = ArrowCStream.owner(stream), let target else { return ArrowCStream.invalidArgument }
            do {
                if let batch = try owner.next() {
                    precondition(batch.schema == owner.schema, "a batch of another schema is exported")
                    ArrowC.export(batch, target)
                } else {
                    target.initialize(to: ArrowArray())
                }
                return 0
            } catch {
                owner.keep(error)
                return ArrowCStream.inputOutputError
            }
        }
        stream.get_last_error = { stream in
            ArrowCStream.owner(stream).flatMap { UnsafePointer($0.message.baseAddress) }
        }
        stream.release = { stream in
            guard let stream, let owner = stream.pointee.private_data else { return }
            stream.pointee.release = nil
            stream.pointee.private_data = nil
            Unmanaged<ArrowCStream>.fromOpaque(owner).release()
        }
        return stream
    }

    /// EINVAL and EIO, as the interface wants error codes to be.
    private static let invalidArgument: Int32 = 22
    private static let inputOutputError: Int32 = 5

    private static func owner(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> ArrowCStream? {
        guard let data = stream?.pointee.private_data else { return nil }
        return Unmanaged<ArrowCStream>.fromOpaque(data).takeUnretainedValue()
    }
}
