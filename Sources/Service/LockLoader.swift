import Catalog
import Features
import Objects

/// Finds locks by the digest that requests carry.
struct LockLoader {
    let catalog: Catalog
    let objects: any ObjectStore

    /// The lock with a digest, or `nil` if it was not made by this service in this project.
    func lock(_ text: String, in project: Int64) async throws -> Lock? {
        guard let digest = Digest(text) else { throw RequestError("'\(text)' is not the digest of a lock") }
        guard let object = try await catalog.lockObject(project, digest: digest) else { return nil }
        let bytes = try await objects.get(object)
        return try Lock(text: String(decoding: bytes, as: UTF8.self), name: "lock \(text)")
    }
}
