import Hummingbird
import NIOCore
import Objects
import Synchronization

/// The directory in which uploads wait until they are whole, and can be given to the object store.
final class UploadSpool: Sendable {
    /// How many bytes are collected before they are written.
    private static let pieceSize = 1 << 20

    private let directory: String
    private let queue = BlockingQueue(label: "lockstep.uploads", width: 8)

    /// - Parameter directory: made with the first upload.
    init(directory: String) { self.directory = directory }

    /// Writes a request's body to a file, in bounded memory, and runs `use` with its path; then the file is removed.
    ///
    /// - Throws: `ObjectError.system` when the disk refuses; what `use` throws.
    func receive<Result>(_ body: RequestBody, _ use: (String) async throws -> Result) async throws -> Result {
        let upload = try await queue.run { [directory] in
            try Directory.create(directory)
            return try Upload(in: directory)
        }
        defer { upload.discard() }
        var piece: [UInt8] = []
        for try await buffer in body {
            piece.append(contentsOf: buffer.readableBytesView)
            if piece.count >= Self.pieceSize {
                let full = piece
                piece.removeAll(keepingCapacity: true)
                try await queue.run { try upload.write(full) }
            }
        }
        let last = piece
        try await queue.run { try upload.write(last) }
        return try await use(upload.path)
    }

    private final class Upload: Sendable {
        let path: String
        private let file: Mutex<TemporaryFile>

        init(in directory: String) throws {
            let file = try TemporaryFile(in: directory, prefix: "upload-")
            path = file.file.path
            self.file = Mutex(file)
        }

        func write(_ bytes: [UInt8]) throws {
            try file.withLock { file in try bytes.withUnsafeBytes { try file.file.write($0) } }
        }

        func discard() { file.withLock { $0.discard() } }
    }
}
