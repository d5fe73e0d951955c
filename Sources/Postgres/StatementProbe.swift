/// Whether a statement is about to be sent, or its result has arrived.
package enum StatementPhase: Sendable {
    case before
    case after
}

/// Watches statements; what it throws is thrown in the statement's place.
package typealias StatementProbe = @Sendable (_ sql: String, _ phase: StatementPhase) throws(PostgresError) -> Void
