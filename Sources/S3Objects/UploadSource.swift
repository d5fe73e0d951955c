import Objects
import Synchronization

/// The bytes of one upload, read, compressed and hashed part by part.
final class UploadSource: Sendable {
    enum Content: Sendable {
        case bytes([UInt8])
        case file(String)
    }

    struct Part: Sendable {
        /// From 1.
        let number: Int
        let bytes: [UInt8]
        let isLast: Bool
    }

    private struct State {
        let input: Input
        let sink: Sink
        let encoder: LZ4FrameEncoder?
        var hasher = Digest.Hasher()
        var remaining: Int
        var number = 0
        var isFinished = false
    }

    private enum Input {
        case bytes([UInt8])
        case file(OpenFile, buffer: Buffer)
    }

    /// What was read and not yet handed out.
    private final class Sink {
        var bytes: [UInt8] = []
    }

    private final class Buffer {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: OpenFile.bufferSize, alignment: 16)
        deinit { bytes.deallocate() }
    }

    private let digest: Digest
    private let size: Int
    private let name: String
    private let partSize: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - digest: what the content is expected to be.
    ///   - size: of the content, in bytes.
    init(_ content: Content, digest: Digest, size: Int, encoding: ObjectEncoding, partSize: Int) throws {
        self.digest = digest
        self.size = size
        self.partSize = partSize
        let input: Input
        switch content {
        case .bytes(let bytes): (input, name) = (.bytes(bytes), "\(digest)")
        case .file(let path): (input, name) = (.file(try .reading(path), buffer: Buffer()), path)
        }
        let sink = Sink()
        let encoder =
            encoding == .lz4
            ? try LZ4FrameEncoder(contentSize: size) { sink.bytes.append(contentsOf: $0) } : nil
        state = Mutex(State(input: input, sink: sink, encoder: encoder, remaining: size))
    }

    /// Reads up to the next part; blocks on the disk.
    ///
    /// - Returns: `nil` after the last part; an empty content has one empty part.
    /// - Throws: ``ObjectError/changedWhileRead(path:)`` before the last part if the content is not the one expected.
    func next() throws -> Part? {
        try state.withLock { state in
            // One byte more than a part shows that it is not the last.
            while !state.isFinished, state.sink.bytes.count <= partSize { try read(&state) }
            let bytes = state.sink.bytes
            guard state.number == 0 || !bytes.isEmpty else { return nil }
            state.number += 1
            let isLast = bytes.count <= partSize
            state.sink.bytes = isLast ? [] : Array(bytes[partSize...])
            return Part(number: state.number, bytes: isLast ? bytes : Array(bytes[..<partSize]), isLast: isLast)
        }
    }

    private func read(_ state: inout State) throws {
        func take(_ piece: UnsafeRawBufferPointer) throws {
            state.hasher.update(piece)
            if let encoder = state.encoder {
                try encoder.append(piece)
            } else {
                state.sink.bytes.append(contentsOf: piece)
            }
            state.remaining -= piece.count
        }
        let wanted = min(state.remaining, OpenFile.bufferSize)
        if wanted > 0 {
            switch state.input {
            case .bytes(let bytes):
                let start = size - state.remaining
                try bytes.withUnsafeBytes { try take(UnsafeRawBufferPointer(rebasing: $0[start..<start + wanted])) }
            case .file(let file, let buffer):
                let space = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<wanted])
                let count = try file.read(into: space)
                guard count > 0 else { throw ObjectError.changedWhileRead(path: name) }
                try take(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
            }
        }
        guard state.remaining == 0 else { return }
        guard state.hasher.finalize() == digest else { throw ObjectError.changedWhileRead(path: name) }
        try state.encoder?.finish()
        state.isFinished = true
    }

    /// Hashes a file in bounded memory.
    static func digest(ofFile path: String) throws -> (digest: Digest, size: Int) {
        let file = try OpenFile.reading(path)
        let buffer = Buffer()
        var hasher = Digest.Hasher()
        var size = 0
        while true {
            let count = try file.read(into: buffer.bytes)
            if count == 0 { return (hasher.finalize(), size) }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
            size += count
        }
    }
}
