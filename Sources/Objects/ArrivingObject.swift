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

    /// - Parameters:
    ///   - directory: of the temporary file; it must be on the file system of the place that it is committed to.
    ///   - prefix: of the temporary file's name.
    package init(_ digest: Digest, in directory: String, prefix: String, queue: BlockingQueue) throws {
        self.digest = digest
        self.queue = queue
        state = Mutex(State(file: try TemporaryFile(in: directory, prefix: prefix)))
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

    /// Puts the object at `path`, durably and in one step.
    ///
    /// - Parameter origin: where it came from, for the error.
    /// - Throws: ``ObjectError/corrupt(_:found:path:)`` if something else arrived.
    package func commit(to path: String, mode: UInt32, from origin: String) async throws {
        try await queue.run { [self] in
            try state.withLock { state in
                let found = state.hasher.finalize()
                guard found == digest else { throw ObjectError.corrupt(digest, found: found, path: origin) }
                try state.file.commit(to: path, mode: mode)
            }
        }
    }
}
