import Catalog
import Features
import Formats
import Hummingbird
import Objects
import Wire

/// Definitions and versions: plan, apply, list, show, history.
struct DefinitionRoutes {
    let state: ServiceState

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/projects/{project}/plan") { request, context in
            try await apply(request, project: context.parameters.require("project"), isPlan: true)
        }
        router.post("/v1/projects/{project}/apply") { request, context in
            try await apply(request, project: context.parameters.require("project"), isPlan: false)
        }
        router.get("/v1/projects/{project}/versions/{kind}") { _, context in
            let project = try await state.project(context.parameters.require("project"))
            let records = try await state.catalog.currentVersions(project, try kind(context))
            var messages: [VersionMessage] = []
            for record in records {
                let annotations = try await state.catalog.annotations(project, record.name)
                messages.append(VersionMessage(record, annotations: annotations))
            }
            return try Response.message(VersionList(versions: messages))
        }
        router.get("/v1/projects/{project}/versions/{kind}/{reference}") { _, context in
            let project = try await state.project(context.parameters.require("project"))
            let reference = try LabelledReference(request: try context.parameters.require("reference"))
            let record = try await state.catalog.version(project, try kind(context), reference)
            let uses = try await state.catalog.uses(of: record.id).map { use in
                VersionMessage.Use(
                    role: use.role,
                    kind: use.version.name.kind.rawValue,
                    reference: "\(use.version.reference)",
                    digest: "\(use.version.digest)"
                )
            }
            let annotations = try await state.catalog.annotations(project, record.name)
            return try Response.message(VersionMessage(record, annotations: annotations, uses: uses))
        }
        router.get("/v1/projects/{project}/versions/{kind}/{reference}/history") { _, context in
            let project = try await state.project(context.parameters.require("project"))
            let name = try context.parameters.require("reference")
            let records = try await state.catalog.versions(project, try kind(context), name)
            return try Response.message(VersionList(versions: records.map { VersionMessage($0) }))
        }
    }

    private func kind(_ context: BasicRequestContext) throws -> Kind {
        try Kind(request: try context.parameters.require("kind"))
    }

    private func apply(_ request: Request, project name: String, isPlan: Bool) async throws -> Response {
        let message = try await request.message(ApplyRequest.self)
        var documents: [DefinitionDocument] = []
        for file in message.files { documents += try DefinitionReader.read(file.text, file: file.path) }
        guard !documents.isEmpty else { throw RequestError("there is no definition in the files given") }
        let project = try await state.project(name, isMade: true)
        var objects: [DefinitionName: (digest: Digest, byteCount: Int)] = [:]
        if !isPlan {
            for document in documents {
                let bytes = document.definition.json.encoded()
                let name = DefinitionName(kind: document.definition.kind, name: document.definition.name)
                objects[name] = (try await state.objects.put(bytes, encoding: .raw), bytes.count)
            }
        }
        let changes = try await state.catalog.apply(documents, objects: objects, in: project, isPlan: isPlan)
        if !isPlan { state.invalidate() }
        return try Response.message(
            ApplyResponse(
                changes: changes.map { change in
                    ApplyResponse.Change(
                        kind: change.name.kind.rawValue,
                        name: change.name.name,
                        action: change.action.rawValue,
                        number: change.number,
                        digest: "\(change.digest)",
                        differences: change.differences
                    )
                }
            )
        )
    }
}

extension VersionMessage {
    init(_ record: VersionRecord, annotations: Annotations? = nil, uses: [Use]? = nil) {
        self.init(
            kind: record.name.kind.rawValue,
            reference: "\(record.reference)",
            digest: "\(record.digest)",
            object: record.object.map { "\($0)" },
            document: record.document,
            createdAt: Instant.text(record.createdAt) ?? "",
            description: annotations?.description,
            owner: annotations?.owner,
            uses: uses
        )
    }
}

extension RecordedVersion {
    init(_ record: VersionRecord, isNew: Bool) {
        self.init(reference: "\(record.reference)", digest: "\(record.digest)", isNew: isNew)
    }
}
