import Synchronization

/// An object that arrives from elsewhere: a temporary file, hashed while it is written, removed unless it is committed.
///
/// One task writes; the work on the disk is done on threads of its own.
package final class ArrivingObject: Sendable {
    private struct State {
        var file: TemporaryFile
        var hasher = Digest.Hasher()
        var size = 0
    }

    package let digest: Digest
    private let queue: BlockingQueue
    private let state: Mutex<State>

    private init(_ digest: Digest, in directory: String, prefix: String, queue: BlockingQueue) throws {
        self.digest = digest
        self.queue = queue
        state = Mutex(State(file: try TemporaryFile(in: directory, prefix: prefix)))
    }

    /// Receives an object and puts it at `path`, durably and in one step; leaves nothing behind if that fails.
    ///
    /// - Parameters:
    ///   - directory: of the temporary file, on the file system of `path`.
    ///   - prefix: of the temporary file's name.
    ///   - mode: of the file at `path`.
    ///   - origin: where the object comes from, for the error.
    ///   - fetch: hands over the content.
    /// - Throws: ``ObjectError/corrupt(_:found:path:)`` if something else arrives.
    package static func receive(
        _ digest: Digest,
        in directory: String,
        prefix: String,
        queue: BlockingQueue,
        to path: String,
        mode: UInt32,
        from origin: String,
        _ fetch: (ArrivingObject) async throws -> Void
    ) async throws {
        let object = try await queue.run { try ArrivingObject(digest, in: directory, prefix: prefix, queue: queue) }
        do {
            try await fetch(object)
            try await queue.run { try object.commit(to: path, mode: mode, from: origin) }
        } catch {
            object.state.withLock { $0.file.discard() }
            throw error
        }
    }

    /// Bytes that have arrived: where a broken transfer goes on.
    package var size: Int { state.withLock { $0.size } }

    package func write(_ bytes: [UInt8]) async throws {
        try await queue.run { [self] in
            try state.withLock { state in
                try bytes.withUnsafeBytes { try state.file.file.write($0) }
                state.hasher.update(bytes)
                state.size += bytes.count
            }
        }
    }

    private func commit(to path: String, mode: UInt32, from origin: String) throws {
        try state.withLock { state in
            let found = state.hasher.finalize()
            guard found == digest else { throw ObjectError.corrupt(digest, found: found, path: origin) }
            try state.file.commit(to: path, mode: mode)
        }
    }
}
