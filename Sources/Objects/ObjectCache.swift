import Synchronization

/// A local directory with objects from elsewhere, each fetched once however many ask for it at a time.
///
/// Everything in it can be fetched again: what is damaged is removed and fetched anew.
package final class ObjectCache: Sendable {
    /// Hands the content of an object to the arriving file; what it throws is thrown to all who wait.
    package typealias Fetch = @Sendable (ArrivingObject) async throws -> Void

    package let store: LocalObjectStore
    private let fetching = Mutex<[Digest: Task<Void, any Error>]>([:])

    package init(directory: String) {
        store = LocalObjectStore(directory: directory)
    }

    /// The content of an object, verified.
    package func get(_ digest: Digest, from origin: String, _ fetch: @escaping Fetch) async throws -> [UInt8] {
        try await verified(digest, from: origin, fetch) { try await $0.get(digest) }
    }

    /// The path of an object, which was verified.
    package func path(_ digest: Digest, from origin: String, _ fetch: @escaping Fetch) async throws -> String {
        try await verified(digest, from: origin, fetch) { store in
            try await store.verify(digest)
            guard let path = try await store.localPath(digest) else {
                throw ObjectError.missing(digest, directory: store.directory)
            }
            return path
        }
    }

    /// Writes an object to a file, verified.
    package func write(
        _ digest: Digest,
        to path: String,
        from origin: String,
        _ fetch: @escaping Fetch
    ) async throws {
        try await verified(digest, from: origin, fetch) { try await $0.write(digest, to: path) }
    }

    /// Reads what is there; fetches it first if it is missing, and again if it is damaged.
    private func verified<Result: Sendable>(
        _ digest: Digest,
        from origin: String,
        _ fetch: @escaping Fetch,
        _ read: (LocalObjectStore) async throws -> Result
    ) async throws -> Result {
        // Twice: another reader may find damage at the same time, and remove what was fetched just now.
        for _ in 0..<2 {
            do {
                return try await read(store)
            } catch let error as ObjectError {
                switch error {
                case .missing(digest, _): break
                case .corrupt(digest, _, _), .damagedFrame(digest, _, _): try await store.delete(digest)
                default: throw error
                }
            }
            try await arrive(digest, from: origin, fetch)
        }
        return try await read(store)
    }

    private func arrive(_ digest: Digest, from origin: String, _ fetch: @escaping Fetch) async throws {
        let task = fetching.withLock { fetching in
            if let task = fetching[digest] { return task }
            let task = Task { [self] in
                defer { self.fetching.withLock { $0[digest] = nil } }
                // It may have arrived since it was missed.
                if try await store.contains(digest) { return }
                try await store.receive(digest, from: origin, fetch)
            }
            fetching[digest] = task
            return task
        }
        try await task.value
    }
}

extension LocalObjectStore {
    /// Stores, raw, an object that arrives in pieces.
    package func receive(_ digest: Digest, from origin: String, _ fetch: ObjectCache.Fetch) async throws {
        let target = path(of: digest, .raw)
        try await queue.run { [self] in
            try Directory.create(directory + "/tmp")
            try createDurably(Directory.parent(of: target))
        }
        try await ArrivingObject.receive(
            digest,
            in: directory + "/tmp",
            prefix: "",
            queue: queue,
            to: target,
            mode: 0o444,
            from: origin,
            fetch
        )
    }
}
