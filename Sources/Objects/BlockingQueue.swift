import Dispatch
import Synchronization

/// Threads for calls that block on the disk, which the cooperative pool must not wait for.
///
/// At most `width` pieces of work run at once; the others wait in order of arrival.
package final class BlockingQueue: Sendable {
    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
        // Where the first waiting piece stands; those before it have gone.
        var first = 0
    }

    private let width: Int
    private let queue: DispatchQueue
    private let state = Mutex(State())

    package init(label: String, width: Int) {
        self.width = width
        queue = DispatchQueue(label: label, attributes: .concurrent)
    }

    /// Runs `work` on one of the threads.
    package func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Swift.Result { try work() }) }
        }
    }

    private func submit(_ work: @escaping @Sendable () -> Void) {
        let starts = state.withLock { state in
            guard state.running < width else {
                state.waiting.append(work)
                return false
            }
            state.running += 1
            return true
        }
        if starts { start(work) }
    }

    private func start(_ work: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            var next: (@Sendable () -> Void)? = work
            while let work = next {
                work()
                next = takeNext()
            }
        }
    }

    private func takeNext() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard state.first < state.waiting.count else {
                state.running -= 1
                state.waiting.removeAll(keepingCapacity: true)
                state.first = 0
                return nil
            }
            let next = state.waiting[state.first]
            state.first += 1
            // Drop what has gone before it outweighs what waits.
            if state.first > 64, state.first * 2 > state.waiting.count {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            return next
        }
    }
}
