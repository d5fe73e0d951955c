import Catalog
import Expressions
import Features
import Formats
import Hummingbird
import Objects
import Wire

/// Leases of writers and readers of objects, and what was erased.
struct SessionRoutes {
    let state: ServiceState

    func add(to router: Router<BasicRequestContext>) {
        addTombstones(to: router)
        router.post("/v1/projects/{project}/sessions") { request, context in
            let message = try await request.message(SessionRequest.self)
            let name = try context.parameters.require("project")
            guard let reading = message.reading else {
                // A writer may be the first to come to a project.
                let project = try await state.project(name, isMade: true)
                return try answer(try await state.catalog.openSession(project), status: .created)
            }
            let project = try await state.project(name)
            let version = try await state.catalog.version(project, .snapshot, try LabelledReference(request: reading))
            return try answer(try await state.catalog.openSession(project, reading: version), status: .created)
        }
        router.post("/v1/projects/{project}/sessions/{id}/renew") { _, context in
            let project = try await state.project(context.parameters.require("project"))
            return try answer(
                try await state.catalog.renewSession(project, try context.parameters.require("id", as: Int64.self))
            )
        }
        router.post("/v1/projects/{project}/sessions/{id}/pins") { request, context in
            let project = try await state.project(context.parameters.require("project"))
            let session = try context.parameters.require("id", as: Int64.self)
            let digests = try await request.message(PinRequest.self).digests.map { text in
                guard let digest = Digest(text) else { throw RequestError("'\(text)' is not a digest") }
                return digest
            }
            var missing = try await state.catalog.pin(digests, in: session, of: project)
            // A promise of the catalog that the store cannot keep is mended by sending the object again.
            for digest in Set(digests).subtracting(missing) where try await !state.objects.contains(digest) {
                missing.insert(digest)
            }
            return try Response.message(PinResponse(missing: missing.sorted().map { "\($0)" }))
        }
        router.delete("/v1/projects/{project}/sessions/{id}") { _, context in
            let project = try await state.project(context.parameters.require("project"))
            let id = try context.parameters.require("id", as: Int64.self)
            try await state.catalog.closeSession(project, id)
            return Response(status: .noContent)
        }
    }

    private func addTombstones(to router: Router<BasicRequestContext>) {
        router.get("/v1/tombstones") { _, _ in
            let tombstones = try await state.catalog.tombstones().map { tombstone in
                TombstoneMessage(
                    digest: "\(tombstone.digest)",
                    path: tombstone.path,
                    reason: tombstone.reason,
                    actor: tombstone.actor,
                    erasedAt: Instant.text(tombstone.erasedAt) ?? "",
                    isFinished: tombstone.finishedAt != nil
                )
            }
            return try Response.message(TombstoneList(tombstones: tombstones))
        }
    }

    private func answer(_ session: ObjectSession, status: HTTPResponse.Status = .ok) throws -> Response {
        try Response.message(
            SessionMessage(
                id: session.id,
                expiresAt: Instant.text(session.expiresAt) ?? "",
                seconds: Int(Catalog.sessionLease.microseconds / 1_000_000)
            ),
            status: status
        )
    }
}
