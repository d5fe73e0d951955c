/// Who has which of a pool's connections, and who waits: first come, first served.
///
/// A plain value: each method returns what the caller is to do.
struct PoolState {
    typealias Slot = Int
    typealias Waiter = UInt64

    enum Admission: Equatable {
        case run(Slot)
        case wait
        case refuse
    }

    enum Release: Equatable {
        case handOver(Slot, to: Waiter)
        case park
        /// The pool is shut down and nothing runs any more.
        case finished
    }

    /// The most recently used last, so that warm connections are used first.
    private var idle: [Slot]
    private var running: Set<Slot> = []
    private var waiting: [Waiter] = []
    private(set) var isShutDown = false
    private var lastWaiter: Waiter = 0

    init(size: Int) {
        idle = Array((0..<size).reversed())
    }

    var runningCount: Int { running.count }
    var waitingCount: Int { waiting.count }

    mutating func newWaiter() -> Waiter {
        lastWaiter += 1
        return lastWaiter
    }

    mutating func admit(_ waiter: Waiter) -> Admission {
        if isShutDown { return .refuse }
        guard let slot = idle.popLast() else {
            waiting.append(waiter)
            return .wait
        }
        running.insert(slot)
        return .run(slot)
    }

    mutating func release(_ slot: Slot) -> Release {
        if isShutDown || waiting.isEmpty {
            running.remove(slot)
            idle.append(slot)
            return isShutDown && running.isEmpty ? .finished : .park
        }
        return .handOver(slot, to: waiting.removeFirst())
    }

    /// Takes a waiter out of the queue; false when it is not, or no longer, in it.
    mutating func cancel(_ waiter: Waiter) -> Bool {
        guard let index = waiting.firstIndex(of: waiter) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// Admits nobody from now on and returns the waiters to turn away.
    mutating func shutDown() -> [Waiter] {
        isShutDown = true
        defer { waiting = [] }
        return waiting
    }
}
