import CPostgres

/// What a transaction sees of others.
public enum IsolationLevel: String, Sendable {
    case readCommitted = "read committed"
    case repeatableRead = "repeatable read"
    case serializable
}

extension Connection {
    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// With `retries`, a transaction that fails by a conflict with another (serialization failure, deadlock) runs
    /// again, up to so many times more; `body` must then have no other effects. Transactions do not nest.
    public func transaction<R>(
        isolation: IsolationLevel = .readCommitted,
        retries: Int = 0,
        _ body: () throws -> R
    ) throws -> R {
        guard !isInTransaction else {
            throw PostgresError(.usage, "a transaction is already open on this connection; transactions do not nest")
        }
        var remaining = retries
        while true {
            _ = try simple("begin isolation level \(isolation.rawValue)")
            do {
                let value = try body()
                try commit()
                return value
            } catch {
                rollBack()
                guard let conflict = error as? PostgresError, conflict.isTransactionConflict, remaining > 0, isUsable
                else { throw error }
                remaining -= 1
            }
        }
    }

    private func commit() throws(PostgresError) {
        guard isInTransaction else {
            throw PostgresError(
                .usage,
                "the transaction's body ended the transaction itself; leave that to transaction()"
            )
        }
        do throws(PostgresError) {
            // A failed transaction answers COMMIT with ROLLBACK, not with an error.
            guard try simple("commit").commandTag != "ROLLBACK" else {
                throw PostgresError(
                    .query,
                    "the transaction was rolled back: a statement in it failed and its error was not passed on",
                    sqlState: "25P02"
                )
            }
        } catch {
            guard error.code == .connectionFailed else { throw error }
            var unknown = error
            unknown.message =
                "the connection was lost during commit, so the transaction may or may not have happened: "
                + error.message
            throw unknown
        }
    }

    /// Rolls back what is open; a connection where even that fails is not used again.
    func rollBack() {
        guard isInTransaction else { return }
        guard !isUnusable, (try? simple("rollback")) != nil else {
            isUnusable = true
            return
        }
    }
}
