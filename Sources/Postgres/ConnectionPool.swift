import Dispatch
import Synchronization

/// A bounded number of connections for asynchronous code.
///
/// Each connection has a thread of its own while it works, so nothing here blocks Swift's cooperative threads. Callers
/// wait in the order they came. Connections open when first needed; one that broke is replaced at its next use.
public final class ConnectionPool: Sendable {
    private struct Shared {
        var state: PoolState
        var waiting: [PoolState.Waiter: CheckedContinuation<PoolState.Slot, any Error>] = [:]
        var shutdown: [CheckedContinuation<Void, Never>] = []
    }

    private let shared: Mutex<Shared>
    private let workers: [PoolWorker]

    /// Makes a pool of at most `size` connections; none is opened yet.
    public convenience init(target: String, size: Int) {
        self.init(target: target, size: size, probe: nil)
    }

    /// As the other, with a probe of every statement.
    package init(target: String, size: Int, probe: StatementProbe?) {
        precondition(size > 0, "a pool holds at least one connection")
        shared = Mutex(Shared(state: PoolState(size: size)))
        workers = (0..<size).map { PoolWorker(target: target, index: $0, probe: probe) }
    }

    /// The number of callers that wait for a connection now.
    public var waitingCount: Int { shared.withLock { $0.state.waitingCount } }

    /// Runs `body` with a connection, on that connection's thread.
    ///
    /// A task that is cancelled while it waits leaves the queue with `CancellationError`; once `body` runs it runs to
    /// its end. A transaction that `body` leaves open is rolled back, its subscriptions are dropped; other session state
    /// (`set`, temporary tables, advisory locks) is for `body` to undo.
    public func withConnection<R: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> R
    ) async throws -> R {
        let slot = try await acquire()
        let worker = workers[slot]
        return try await withCheckedThrowingContinuation { continuation in
            worker.queue.async {
                let outcome = Result { try worker.run(body) }
                self.release(slot)
                continuation.resume(with: outcome)
            }
        }
    }

    /// Turns waiting callers away, waits for running ones, and closes the connections.
    public func shutdown() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let (turnedAway, isIdle) = shared.withLock { shared in
                let turnedAway = shared.state.shutDown().compactMap { shared.waiting.removeValue(forKey: $0) }
                let isIdle = shared.state.runningCount == 0
                if !isIdle { shared.shutdown.append(continuation) }
                return (turnedAway, isIdle)
            }
            for waiter in turnedAway { waiter.resume(throwing: Self.closed) }
            if isIdle { continuation.resume() }
        }
        for worker in workers {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                worker.queue.async {
                    worker.close()
                    continuation.resume()
                }
            }
        }
    }

    private static var closed: PostgresError {
        PostgresError(.poolClosed, "the connection pool is shut down; the program is stopping")
    }

    private func acquire() async throws -> PoolState.Slot {
        let waiter = shared.withLock { $0.state.newWaiter() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<PoolState.Slot, any Error>? = shared.withLock { shared in
                    // Looked at under the lock: `onCancel` either comes later and finds the waiter, or is seen here.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    switch shared.state.admit(waiter) {
                    case .run(let slot): return .success(slot)
                    case .refuse: return .failure(Self.closed)
                    case .wait:
                        shared.waiting[waiter] = continuation
                        return nil
                    }
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let continuation = shared.withLock { shared in
                shared.state.cancel(waiter) ? shared.waiting.removeValue(forKey: waiter) : nil
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    private func release(_ slot: PoolState.Slot) {
        let (next, shutdown) = shared.withLock { shared in
            switch shared.state.release(slot) {
            case .park:
                return (CheckedContinuation<PoolState.Slot, any Error>?.none, [CheckedContinuation<Void, Never>]())
            case .handOver(_, let waiter): return (shared.waiting.removeValue(forKey: waiter), [])
            case .finished:
                defer { shared.shutdown = [] }
                return (nil, shared.shutdown)
            }
        }
        next?.resume(returning: slot)
        for continuation in shutdown { continuation.resume() }
    }
}

/// One connection of a pool and the queue it is used on.
///
/// Unchecked: `connection` is touched only on `queue`, which is serial.
private final class PoolWorker: @unchecked Sendable {
    let queue: DispatchQueue
    private let target: String
    private let probe: StatementProbe?
    private var connection: Connection?

    init(target: String, index: Int, probe: StatementProbe?) {
        self.target = target
        self.probe = probe
        queue = DispatchQueue(label: "postgres.connection.\(index)")
    }

    func run<R>(_ body: (Connection) throws -> R) throws -> R {
        let connection = try openConnection()
        defer { tidy(connection) }
        return try body(connection)
    }

    func close() {
        connection = nil
    }

    private func openConnection() throws(PostgresError) -> Connection {
        if let connection, !connection.hasBeenClosed() { return connection }
        connection = nil
        let opened = try Connection(target)
        opened.probe = probe
        connection = opened
        return opened
    }

    /// Leaves the connection as the next caller expects it, or drops it.
    private func tidy(_ used: Connection) {
        used.rollBack()
        do throws(PostgresError) {
            if used.isUsable { try used.stopListening() }
        } catch {
            connection = nil
        }
        if !used.isUsable { connection = nil }
    }
}
