import Catalog
import Datasets
import Features
import Formats
import FoundationEssentials
import Hummingbird
import Objects
import Wire

/// Snapshots and the packs they are made of.
struct SnapshotRoutes {
    let state: ServiceState

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/projects/{project}/snapshots") { request, context in
            try await record(
                try await request.message(SnapshotRequest.self),
                project: try await state.project(context.parameters.require("project"), isMade: true)
            )
        }
        router.get("/v1/projects/{project}/snapshots/{reference}") { _, context in
            let project = try await state.project(context.parameters.require("project"))
            let reference = try VersionReference(request: context.parameters.require("reference"))
            return try Response.message(try await snapshot(reference, project: project))
        }
        router.get("/v1/projects/{project}/datasets/{dataset}/packs") { _, context in
            let name = try context.parameters.require("dataset")
            let project = try await state.project(context.parameters.require("project"), isMade: true)
            let packs = try await state.catalog.packs(ofDataset: name, in: project)
            return try Response.message(
                PackList(
                    packs: packs.map { PackMessage(digest: "\($0.digest)", size: $0.size) },
                    directory: state.localStore?.directory
                )
            )
        }
        router.get("/v1/packs/{digest}/index") { request, context in
            let digest = try digest(context)
            guard let size = request.uri.queryParameters.get("size", as: Int.self) else {
                throw RequestError("the pack's size is missing; ask for index?size=BYTES")
            }
            let index = try await state.packs.index(of: PackReference(digest: digest, size: size))
            return Response.json(index.tail, contentType: "application/octet-stream")
        }
        router.get("/v1/staging/{name}") { _, context in
            let (_, directory) = try staging(context.parameters.require("name"))
            var isDirectory = false
            guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory else {
                throw Problem(
                    type: "no-staging",
                    title: "No such directory",
                    status: 404,
                    detail: "the service's store has no such directory; send packs with PUT /v1/objects"
                )
            }
            return Response(status: .noContent)
        }
        router.post("/v1/packs/{digest}/adopt") { request, context in
            let digest = try digest(context)
            let message = try await request.message(AdoptRequest.self)
            let (store, directory) = try staging(message.staging)
            guard let cataloged = state.objects as? CatalogedObjectStore else {
                throw RequestError("the service's store takes no packs by name; send them with PUT /v1/objects")
            }
            let path = "\(directory)/\(digest.hex).pack"
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            let stored = try await cataloged.storing(digest, byteCount: size) {
                (digest, try await store.adopt(path, as: digest))
            }
            return try Response.message(ObjectStored(digest: "\(digest)", byteCount: stored.size), status: .created)
        }
    }

    private func digest(_ context: BasicRequestContext) throws -> Digest {
        let text = try context.parameters.require("digest")
        guard let digest = Digest(text) else {
            throw RequestError("'\(text)' is not a digest; write sha256: and 64 hexadecimal digits")
        }
        return digest
    }

    /// A directory of the store's `tmp/` in which a client on this machine writes packs.
    private func staging(_ name: String) throws -> (LocalObjectStore, path: String) {
        let digits = name.dropFirst("packs-".count)
        guard name.hasPrefix("packs-"), digits.count == 16,
            digits.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) })
        else {
            throw RequestError("'\(name)' does not name a staging directory; it is packs- and 16 hexadecimal digits")
        }
        guard let store = state.localStore else {
            throw RequestError("the service's store is not a directory; send packs with PUT /v1/objects")
        }
        return (store, "\(store.directory)/tmp/\(name)")
    }

    private func snapshot(_ reference: VersionReference, project: Int64) async throws -> SnapshotMessage {
        let version = try await state.catalog.version(project, .snapshot, reference)
        guard let manifest = version.object else {
            throw CatalogError(.conflict, "snapshot \(version.reference) has no manifest in the catalog")
        }
        let message = VersionMessage(version)
        return SnapshotMessage(
            reference: message.reference,
            digest: message.digest,
            manifest: "\(manifest)",
            createdAt: message.createdAt,
            packs: try await state.catalog.packs(of: version).map {
                PackMessage(digest: "\($0.digest)", size: $0.size)
            }
        )
    }

    /// Records a snapshot whose manifest and packs are stored; every content is looked for in the packs first.
    private func record(_ request: SnapshotRequest, project: Int64) async throws -> Response {
        guard isName(request.dataset) else { throw RequestError("'\(request.dataset)' cannot name a dataset") }
        guard let object = Digest(request.manifest) else { throw RequestError("'\(request.manifest)' is not a digest") }
        let bytes = try await state.objects.get(object)
        let manifest = try SnapshotManifest(json: bytes)
        guard manifest.format == SnapshotManifest.formatVersion else {
            throw RequestError(
                "the manifest has format \(manifest.format), new ones have \(SnapshotManifest.formatVersion); create the "
                    + "snapshot with this version of lockstep"
            )
        }
        let references = manifest.objectReferences
        try await state.catalog.refuseErased(references.map(\.digest))
        var packs: [PackReference] = []
        for pack in request.packs {
            guard let digest = Digest(pack.digest) else { throw RequestError("'\(pack.digest)' is not a digest") }
            guard try await state.objects.contains(digest) else {
                throw RequestError("pack \(digest) is not stored; create the snapshot again")
            }
            packs.append(PackReference(digest: digest, size: pack.size))
        }
        try await state.packs.check(references, of: manifest, areIn: packs)
        let made = try await state.catalog.record(
            NewVersion(
                name: DefinitionName(kind: .snapshot, name: request.dataset),
                digest: manifest.digest,
                object: object,
                document: .object([
                    "format": .int(manifest.format),
                    "assets": .int(manifest.assets.count),
                    "bytes": .int(manifest.assetSize),
                    "parents": .array(manifest.parents.map { .string("\($0)") }),
                ]),
                objects: [(object, bytes.count)] + packs.map { ($0.digest, $0.size) },
                contents: references.map(\.digest)
            ),
            in: project
        )
        return try Response.message(RecordedVersion(made.version, isNew: made.isNew), status: .created)
    }
}
