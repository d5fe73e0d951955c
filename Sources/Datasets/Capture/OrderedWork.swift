import Dispatch
import Synchronization

/// Work done by all cores whose results are consumed one at a time, in the order in which the work was given.
///
/// At most `limit` pieces are between ``submit(_:)`` and their end, which bounds the memory they hold. ``submit(_:)`` and
/// ``finish()`` block: call them from one thread that may wait.
final class OrderedWork<Output: Sendable>: Sendable {
    private struct State {
        var submitted = 0
        var consumed = 0
        var waiting: [Int: Output] = [:]
        var isConsuming = false
        var error: (any Error)?
    }

    /// What becomes of a result.
    private enum Step { case leave, consume, drop }

    private let state = Mutex(State())
    private let places: DispatchSemaphore
    private let running = DispatchGroup()
    private let queue = DispatchQueue(label: "lockstep.capture", attributes: .concurrent)
    private let consume: @Sendable (Output) throws -> Void

    init(limit: Int, consume: @escaping @Sendable (Output) throws -> Void) {
        places = DispatchSemaphore(value: limit)
        self.consume = consume
    }

    /// Has a piece of work done; waits while too many are under way.
    ///
    /// - Throws: the first error of a piece before it.
    func submit(_ work: @escaping @Sendable () throws -> Output) throws {
        places.wait()
        let number: Int
        do {
            number = try state.withLock { state in
                if let error = state.error { throw error }
                defer { state.submitted += 1 }
                return state.submitted
            }
        } catch {
            places.signal()
            throw error
        }
        queue.async(group: running) { [self] in
            do {
                // After an error the rest is not worth doing.
                if state.withLock({ $0.error == nil }) { hand(number, try work()) } else { places.signal() }
            } catch {
                fail(error)
                places.signal()
            }
        }
    }

    /// Waits for everything that was submitted.
    func finish() throws {
        running.wait()
        if let error = state.withLock({ $0.error }) { throw error }
    }

    /// Remembers the first error and lets go of what waits, which nothing will consume.
    private func fail(_ error: any Error) {
        let released = state.withLock { state in
            if state.error == nil { state.error = error }
            defer { state.waiting = [:] }
            return state.waiting.count
        }
        for _ in 0..<released { places.signal() }
    }

    private func hand(_ number: Int, _ output: Output) {
        let step: Step = state.withLock { state in
            guard state.error == nil else { return .drop }
            state.waiting[number] = output
            guard !state.isConsuming else { return .leave }
            state.isConsuming = true
            return .consume
        }
        if step == .drop { places.signal() }
        guard step == .consume else { return }
        while true {
            let next: Output? = state.withLock { state in
                guard state.error == nil, let next = state.waiting.removeValue(forKey: state.consumed) else {
                    state.isConsuming = false
                    return nil
                }
                state.consumed += 1
                return next
            }
            guard let next else { return }
            do { try consume(next) } catch { fail(error) }
            places.signal()
        }
    }
}
