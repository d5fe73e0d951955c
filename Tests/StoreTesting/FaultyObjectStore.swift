import Objects
import Synchronization

/// A store whose calls fail where a test wants it.
package final class FaultyObjectStore: ForwardingObjectStore {
    package enum Operation: String, Hashable, Sendable, CaseIterable {
        case put, putFile, get, stream, read, size, contains, verify, localPath, write, list, delete
        case removeUnfinished
    }

    package enum Moment: Sendable, CaseIterable {
        /// Nothing is done.
        case before
        /// All is done, and then reported as failed, as when an answer is lost.
        case afterwards
    }

    package struct Injected: Error, Hashable { package let operation: Operation }

    package let base: any ManagedObjectStore
    private let operations: Set<Operation>
    private let position: Int
    private let moment: Moment
    private let made = Mutex<[Operation]>([])

    /// - Parameters:
    ///   - position: which call fails, counted from 1; 0 for none.
    ///   - operations: those that are counted.
    package init(
        _ base: any ManagedObjectStore,
        at position: Int,
        of operations: Set<Operation> = Set(Operation.allCases),
        _ moment: Moment = .before
    ) {
        (self.base, self.position, self.operations, self.moment) = (base, position, operations, moment)
    }

    /// The calls so far, of those that are counted.
    package var calls: [Operation] { made.withLock { $0 } }

    /// Whether the call came.
    package var hasStruck: Bool { position > 0 && calls.count >= position }

    private func perform<Result>(_ operation: Operation, _ work: () async throws -> Result) async throws -> Result {
        let isDue = made.withLock { made in
            guard operations.contains(operation) else { return false }
            made.append(operation)
            return made.count == position
        }
        if isDue, moment == .before { throw Injected(operation: operation) }
        let result = try await work()
        if isDue { throw Injected(operation: operation) }
        return result
    }

    package func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest {
        try await perform(.put) { try await base.put(bytes, encoding: encoding) }
    }

    package func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        try await perform(.putFile) { try await base.putFile(at: path, encoding: encoding) }
    }

    package func get(_ digest: Digest) async throws -> [UInt8] {
        try await perform(.get) { try await base.get(digest) }
    }

    package func stream(_ digest: Digest, _ body: ([UInt8]) async throws -> Void) async throws {
        try await perform(.stream) { try await base.stream(digest, body) }
    }

    package func stream(_ digest: Digest, range: Range<Int>, _ body: ([UInt8]) async throws -> Void) async throws {
        try await perform(.stream) { try await base.stream(digest, range: range, body) }
    }

    package func read(_ digest: Digest, range: Range<Int>) async throws -> [UInt8] {
        try await perform(.read) { try await base.read(digest, range: range) }
    }

    package func size(_ digest: Digest) async throws -> Int {
        try await perform(.size) { try await base.size(digest) }
    }

    package func contains(_ digest: Digest) async throws -> Bool {
        try await perform(.contains) { try await base.contains(digest) }
    }

    package func verify(_ digest: Digest) async throws {
        try await perform(.verify) { try await base.verify(digest) }
    }

    package func localPath(_ digest: Digest) async throws -> String? {
        try await perform(.localPath) { try await base.localPath(digest) }
    }

    package func write(_ digest: Digest, to path: String) async throws {
        try await perform(.write) { try await base.write(digest, to: path) }
    }

    package func list(after: Digest?, limit: Int) async throws -> [StoredObject] {
        try await perform(.list) { try await base.list(after: after, limit: limit) }
    }

    package func delete(_ digest: Digest, before deadline: ContinuousClock.Instant?) async throws -> Bool {
        try await perform(.delete) { try await base.delete(digest, before: deadline) }
    }

    package func removeUnfinished(before instant: Int64) async throws -> Int {
        try await perform(.removeUnfinished) { try await base.removeUnfinished(before: instant) }
    }
}
