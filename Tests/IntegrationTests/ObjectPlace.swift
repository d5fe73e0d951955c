import Foundation
import Objects
import S3Objects
import StoreTesting
import Testing

/// Where a service of a test keeps its objects.
enum ObjectPlace: CaseIterable, Sendable {
    /// A directory, which the client sees too.
    case directory
    /// S3, of which the client sees nothing.
    case s3
}

/// The objects of one test, behind the back of the service.
struct PlacedObjects: Sendable {
    /// As the service is told.
    let location: String
    /// What the service needs in its environment.
    let environment: [String: String]
    let store: any ManagedObjectStore
    /// Of S3.
    let bucket: String?
    /// Where the service keeps what it fetched from elsewhere.
    let cache: String
    private static let prefix = "objects of é"

    init(_ place: ObjectPlace, in directory: String) async throws {
        cache = directory + "/object-cache"
        switch place {
        case .directory:
            location = directory + "/objects"
            environment = [:]
            store = LocalObjectStore(directory: location)
            bucket = nil
        case .s3:
            let server = try S3Server.shared()
            let bucket = try await server.makeBucket()
            location = "s3://\(bucket)/\(Self.prefix)"
            environment = server.environment.merging(["OBJECT_CACHE": cache]) { $1 }
            store = S3ObjectStore(try S3Configuration(location: location, environment: environment))
            self.bucket = bucket
        }
    }

    /// Every object, by digest.
    var digests: [Digest] {
        get async throws { try await store.list(after: nil, limit: 100_000).map(\.digest) }
    }

    /// Every pack, verified.
    var packs: [(digest: Digest, index: PackIndex)] {
        get async throws {
            let scratch = try Scratch()
            var found: [(digest: Digest, index: PackIndex)] = []
            for digest in try await digests {
                let path = scratch.path + "/\(digest.hex)"
                try await store.write(digest, to: path)
                guard let reader = try? PackReader(path: path) else { continue }
                #expect(try reader.verify(name: digest) == [])
                found.append((digest, reader.index))
            }
            return found
        }
    }

    /// Flips a bit of what a pack stores for a content, or of its middle; returns the pack as it was.
    func flipBit(_ pack: Digest, of content: Digest? = nil) async throws -> [UInt8] {
        let original = try await store.get(pack)
        var place = original.count / 2
        if let content {
            let index = try await packs.first { $0.digest == pack }?.index
            let entry = try #require(index?.entry(content))
            place = entry.range.upperBound - (entry.storedSize + 1) / 2
        }
        var changed = original
        changed[place] ^= 1
        try await overwrite(pack, changed)
        return original
    }

    /// Writes the bytes of a raw object, whatever they are.
    func overwrite(_ digest: Digest, _ bytes: [UInt8]) async throws {
        let path = "sha256/\(digest.hex.prefix(2))/\(digest.hex)"
        if let bucket {
            try await S3Server.shared().overwrite(bucket, "\(Self.prefix)/\(path)", with: bytes)
        } else {
            try Data(bytes).write(to: URL(filePath: "\(location)/\(path)"), options: .atomic)
        }
    }
}
