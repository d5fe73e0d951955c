import Dispatch
import Glibc
import Postgres
import Synchronization

/// Tells when a version becomes current, whichever process made it.
///
/// A service keeps plans in memory; another process that works its jobs, or applies definitions, makes them stale.
public final class ChangeFeed: Sendable {
    static let channel = "lockstep_changes"

    private let target: String
    private let changed: @Sendable () -> Void
    private let isStopped = Mutex(false)

    /// - Parameters:
    ///   - target: a libpq connection string or URL.
    ///   - changed: called after each change, and after a lost connection, when changes may have been missed.
    public init(target: String, changed: @escaping @Sendable () -> Void) {
        self.target = target
        self.changed = changed
    }

    /// Listens on a thread of its own until `stop`.
    public func start() {
        DispatchQueue(label: "lockstep.changes").async { self.listen() }
    }

    public func stop() { isStopped.withLock { $0 = true } }

    private func listen() {
        while !isStopped.withLock({ $0 }) {
            do {
                let connection = try Connection(target)
                try connection.listen(to: Self.channel)
                changed()
                while !isStopped.withLock({ $0 }) {
                    if try !connection.notifications(timeout: .milliseconds(500)).isEmpty { changed() }
                }
            } catch {
                // The database is gone for now; requests fail by themselves, and plans are made anew when it is back.
                sleep(1)
            }
        }
    }
}
