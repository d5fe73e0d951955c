import Objects
import Postgres
import Synchronization

/// Counts calls and fails one.
final class Trap: Sendable {
    struct Fault: Error {}

    private let state = Mutex<(remaining: Int, hasFired: Bool)>((.max, false))

    func arm(_ n: Int) { state.withLock { $0 = (n, false) } }
    func disarm() { state.withLock { $0.remaining = .max } }
    var hasFired: Bool { state.withLock { $0.hasFired } }

    /// Whether this call is the one.
    func fires() -> Bool {
        state.withLock { state in
            guard state.remaining != .max else { return false }
            state.remaining -= 1
            guard state.remaining == 0 else { return false }
            state = (.max, true)
            return true
        }
    }

    /// A scene whose statements and store calls pass through one trap.
    static func run(_ body: (ObjectScene, FaultyStore, Trap) async throws -> Void) async throws {
        let trap = Trap()
        try await ObjectScene.run(
            connections: 2,
            probe: { sql, phase throws(PostgresError) in
                guard trap.fires() else { return }
                // A lost answer to a commit is what a broken connection gives: it may have happened, and has.
                throw PostgresError(.connectionFailed, "made to fail \(phase) \(sql.prefix(40))")
            }
        ) { scene in
            try await body(scene, FaultyStore(base: scene.local, trap: trap), trap)
        }
    }
}

/// A store whose calls pass a trap, before and after.
struct FaultyStore: ForwardingObjectStore {
    let base: any ManagedObjectStore
    let trap: Trap
    /// Whether reads pass it as well: not where a test's store grows with each call that failed, or it would never end.
    var trapsReads = false

    private func trappedRead<R>(_ call: () async throws -> R) async throws -> R {
        trapsReads ? try await trapped(call) : try await call()
    }

    private func trapped<R>(_ call: () async throws -> R) async throws -> R {
        if trap.fires() { throw Trap.Fault() }
        let result = try await call()
        if trap.fires() { throw Trap.Fault() }
        return result
    }

    func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest {
        try await trapped { try await base.put(bytes, encoding: encoding) }
    }
    func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        try await trapped { try await base.putFile(at: path, encoding: encoding) }
    }
    func read(_ digest: Digest, range: Range<Int>) async throws -> [UInt8] {
        try await trappedRead { try await base.read(digest, range: range) }
    }
    func get(_ digest: Digest) async throws -> [UInt8] { try await trappedRead { try await base.get(digest) } }
    func delete(_ digest: Digest, before deadline: ContinuousClock.Instant?) async throws -> Bool {
        try await trapped { try await base.delete(digest, before: deadline) }
    }
    func list(after: Digest?, limit: Int) async throws -> [StoredObject] {
        try await trapped { try await base.list(after: after, limit: limit) }
    }
}
