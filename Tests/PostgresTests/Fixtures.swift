import Postgres
import Synchronization
import Testing

/// A connection to an empty database of its own in the process's temporary cluster.
func connect() throws -> Connection {
    try Connection(TemporaryCluster.shared().makeDatabase())
}

/// The error that `body` throws; a failed expectation when it throws none.
func failure(_ body: () throws -> Void) throws -> PostgresError {
    try #require(throws: PostgresError.self, performing: body)
}

/// A value that several threads of a test write.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) {
        state = Mutex(value)
    }

    var value: Value { state.withLock { $0 } }

    func update(_ body: @Sendable (inout Value) -> Void) {
        state.withLock { value in body(&value) }
    }
}
