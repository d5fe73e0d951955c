import CPostgres
import Glibc

/// A message sent with NOTIFY.
public struct Notification: Sendable, Equatable {
    public var channel: String
    public var payload: String
    /// The backend that sent it.
    public var process: Int32
}

extension Connection {
    /// Subscribes to a channel; takes effect when the transaction, if any, commits.
    public func listen(to channel: String) throws(PostgresError) {
        isListening = true
        _ = try simple("listen \(Self.quotedIdentifier(channel))")
    }

    /// Sends a message to a channel's listeners, with the transaction if one is open.
    public func notify(_ channel: String, payload: String = "") throws(PostgresError) {
        try execute("select pg_notify($1, $2)", [.text(channel), .text(payload)])
    }

    /// Waits until a notification arrives, or the timeout passes, and returns all that have arrived.
    public func notifications(timeout: Duration) throws(PostgresError) -> [Notification] {
        let deadline = ContinuousClock.now + timeout
        while true {
            try checkCanRun("")
            guard PQconsumeInput(pointer) == 1 else { throw localFailure("listen") }
            var received: [Notification] = []
            while let notification = PQnotifies(pointer) {
                received.append(
                    Notification(
                        channel: String(cString: notification.pointee.relname),
                        payload: String(cString: notification.pointee.extra),
                        process: notification.pointee.be_pid
                    )
                )
                PQfreemem(notification)
            }
            let left = ContinuousClock.now.duration(to: deadline)
            if !received.isEmpty || left <= .zero { return received }
            waitForInput(milliseconds: min(left / .milliseconds(1), 60_000))
        }
    }

    /// Drops all subscriptions and what has arrived on them.
    func stopListening() throws(PostgresError) {
        guard isListening else { return }
        _ = try simple("unlisten *")
        while let notification = PQnotifies(pointer) { PQfreemem(notification) }
        isListening = false
    }

    /// Whether the server closed the connection while it was idle.
    ///
    /// Costs one `poll` when it did not. A server says why before it closes, so all that has arrived is read, up to the end if it is there.
    func hasBeenClosed() -> Bool {
        while isUsable, waitForInput(milliseconds: 0) {
            if PQconsumeInput(pointer) != 1 { return true }
        }
        return !isUsable
    }

    @discardableResult
    private func waitForInput(milliseconds: Double) -> Bool {
        var descriptor = pollfd(fd: PQsocket(pointer), events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, Int32(milliseconds.rounded(.up))) > 0
    }
}
