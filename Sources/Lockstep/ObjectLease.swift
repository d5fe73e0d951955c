import NIOHTTP1
import Objects
import Wire

/// A session with the service's objects: while it is open, what it sends, relies on or reads is not collected.
///
/// It is renewed in the background; one that is neither renewed nor closed lapses by the database's clock.
public final class ObjectLease: Sendable {
    private let client: Client
    private let id: Int64
    private let renewing: Task<Void, Never>

    /// Opens a session for whoever sends objects.
    public static func writing(_ client: Client) async throws -> ObjectLease {
        try await ObjectLease(client, SessionRequest())
    }

    /// Opens a session that keeps every object of a snapshot, though it be forgotten meanwhile.
    ///
    /// - Parameter reference: `name@number`.
    public static func reading(_ reference: String, _ client: Client) async throws -> ObjectLease {
        try await ObjectLease(client, SessionRequest(reading: reference))
    }

    private init(_ client: Client, _ request: SessionRequest) async throws {
        let session = try await client.post(client.projectPath("sessions"), request, as: SessionMessage.self)
        self.client = client
        id = session.id
        let path = client.projectPath("sessions/\(session.id)/renew")
        renewing = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(max(1, session.seconds / 4)))
                // One that fails is tried again: what is decided by a lapsed session is noticed where it matters.
                if !Task.isCancelled { _ = try? await client.send(.POST, path) }
            }
        }
    }

    deinit { renewing.cancel() }

    /// Pins objects.
    ///
    /// - Returns: those that have to be sent.
    public func pin(_ digests: [Digest]) async throws -> Set<Digest> {
        let answer = try await client.post(
            client.projectPath("sessions/\(id)/pins"),
            PinRequest(digests: digests.map { "\($0)" }),
            as: PinResponse.self
        )
        return Set(answer.missing.compactMap { Digest($0) })
    }

    /// Runs work that relies on the session and ends it, also where the work fails.
    public func ending<Result>(
        isolation: isolated (any Actor)? = #isolation,
        _ work: () async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await work()
            await close()
            return result
        } catch {
            await close()
            throw error
        }
    }

    /// Ends the session; what it pinned is no longer kept for it.
    public func close() async {
        renewing.cancel()
        // It lapses by itself where this does not arrive.
        _ = try? await client.send(.DELETE, client.projectPath("sessions/\(id)"))
    }
}
