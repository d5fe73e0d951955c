import Datasets
import Features
import Foundation
import Lockstep
import NIOHTTP1
import Objects
import Wire

/// The service's snapshots and packs, as this machine reaches them.
///
/// Where the service keeps its objects in a directory of this machine, packs are written beside them and adopted, and
/// read in place; whether it is this machine is found out with a directory that both sides must see. Elsewhere packs are
/// sent and fetched.
struct SnapshotService: Sendable {
    let client: Client
    let objects: RemoteObjectStore
    /// What keeps the packs that are sent until a snapshot needs them.
    private let lease: ObjectLease?
    /// Where the repository keeps what it knows of files and packs.
    let state: String

    /// The service's object directory, where it is on this machine, and the directory in its `tmp/` for new packs.
    private let local: (store: LocalObjectStore, staging: LockedDirectory)?
    /// Where files are made that are not kept.
    let scratch: LockedDirectory

    /// - Parameter directory: the object directory that the service names; see `PackList`.
    private init(_ repository: Repository, directory: String?, lease: ObjectLease?) async throws {
        client = repository.client
        self.lease = lease
        objects = lease.map { repository.objects($0) } ?? repository.objects
        state = repository.state + "/snapshots"
        scratch = try LockedDirectory(in: state, prefix: "scratch-")
        local = await Self.local(directory, client)
    }

    /// Connects to the service.
    ///
    /// - Parameter lease: of a writer: the packs are pinned before anything is built upon them, so that none is relied on
    ///   that is collected meanwhile.
    /// - Returns: with it, the packs that the next snapshot of a dataset may use.
    static func open(
        _ repository: Repository,
        dataset: String,
        pinning lease: ObjectLease? = nil
    ) async throws -> (service: SnapshotService, packs: [PackReference]) {
        let client = repository.client
        let list = try await client.get(client.projectPath("datasets/\(dataset)/packs"), as: PackList.self)
        let service = try await SnapshotService(repository, directory: list.directory, lease: lease)
        let offered = try packs(list.packs)
        let gone = try await lease?.pin(offered.map(\.digest)) ?? []
        return (service, offered.filter { !gone.contains($0.digest) })
    }

    /// Removes what ``open(_:dataset:)`` made.
    func close() {
        try? scratch.remove()
        // What stays, a collection removes.
        try? local?.staging.remove()
    }

    static func packs(_ messages: [PackMessage]) throws -> [PackReference] {
        try messages.map { pack in
            guard let digest = Digest(pack.digest) else {
                throw UsageError("the service names a pack '\(pack.digest)'")
            }
            return PackReference(digest: digest, size: pack.size)
        }
    }

    private static func local(_ directory: String?, _ client: Client) async -> (LocalObjectStore, LockedDirectory)? {
        // Below the store's own directory alone: one that is not there is on another machine. The service reads there,
        // as whatever user it is.
        guard let directory, SystemCall.makeDirectory("\(directory)/tmp") == 0 || errno == EEXIST,
            let staging = try? LockedDirectory(sharedIn: "\(directory)/tmp", prefix: "packs-", mode: 0o777)
        else { return nil }
        guard (try? await client.send(.GET, "/v1/staging/\(staging.name)")) != nil else {
            try? staging.remove()
            return nil
        }
        return (LocalObjectStore(directory: directory), staging)
    }
}

extension SnapshotService: PackSource {
    func index(of pack: PackReference) async throws -> PackIndex {
        if local != nil { return try await open(pack).index }
        let path = "\(state)/packs/\(pack.digest.hex).index"
        let url = "/v1/packs/\(pack.digest)/index?size=\(pack.size)"
        func read(_ tail: [UInt8]) throws -> PackIndex {
            let name = "\(pack.digest)"
            let footer = try PackFooter(Array(tail.suffix(PackFooter.size)), packSize: pack.size, pack: name)
            return try PackIndex(tail: tail, footer: footer, pack: name)
        }
        if let known = try? Data(contentsOf: URL(filePath: path)), let index = try? read([UInt8](known)) {
            return index
        }
        let tail = try await client.send(.GET, url)
        let index = try read(tail)
        try AtomicFile.write(tail, to: path, isDurable: false)
        return index
    }

    func open(_ pack: PackReference) async throws -> PackReader {
        try await ObjectPacks(local?.store ?? objects).open(pack)
    }

    func open(_ pack: PackReference, reading entries: [PackEntry]) async throws -> PackReader {
        if local != nil { return try await open(pack) }
        return try await ObjectPacks(objects).open(pack, reading: entries, index: try await index(of: pack))
    }
}

extension SnapshotService: PackDestination {
    var directory: String {
        local?.staging.path ?? scratch.path
    }

    func store(_ pack: SealedPack) async throws {
        if let local {
            _ = try await lease?.pin([pack.digest])
            let body = try WireCoding.encode(AdoptRequest(staging: local.staging.name))
            _ = try await client.send(
                .POST,
                "/v1/packs/\(pack.digest)/adopt",
                headers: [("content-type", "application/json")],
                body: body
            )
        } else {
            _ = try await objects.putFile(at: pack.path, encoding: .raw)
            // What stays is room taken, and goes with the directory.
            _ = SystemCall.remove(pack.path)
        }
    }
}

extension SnapshotService {
    var isLocal: Bool { local != nil }
}

/// A snapshot as the service has it.
struct RecordedSnapshot {
    let reference: String
    /// The manifest object's digest.
    let object: Digest
    let createdAt: String
    let manifest: SnapshotManifest
    let packs: [PackReference]

    var dataset: String { String(reference.prefix { $0 != "@" }) }

    /// Looks a snapshot up for whoever reads its packs: they stay until the lease is closed.
    static func reading(
        _ text: String,
        in repository: Repository
    ) async throws -> (snapshot: RecordedSnapshot, lease: ObjectLease) {
        let version = try await Snapshots.version(text, client: repository.client)
        // The lease first: a collection may have other packs take the place of those that a snapshot has.
        let lease = try await ObjectLease.reading(version.reference, repository.client)
        return (try await find(version.reference, in: repository), lease)
    }

    /// Looks a snapshot up and reads its manifest; its identity is checked.
    static func find(_ text: String, in repository: Repository) async throws -> RecordedSnapshot {
        let client = repository.client
        let version = try await Snapshots.version(text, client: client)
        let path = client.projectPath("snapshots/\(version.reference)")
        let message = try await client.get(path, as: SnapshotMessage.self)
        guard let object = Digest(message.manifest), let digest = Digest(message.digest) else {
            throw UsageError("the service names no manifest for snapshot \(text)")
        }
        return RecordedSnapshot(
            reference: message.reference,
            object: object,
            createdAt: message.createdAt,
            manifest: try SnapshotManifest(json: try await repository.objects.get(object), expecting: digest),
            packs: try SnapshotService.packs(message.packs)
        )
    }
}
