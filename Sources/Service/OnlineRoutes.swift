import Catalog
import Features
import Formats
import Hummingbird
import Wire

/// Serving: Feast-shaped reads and pushes, replays, and what is online.
struct OnlineRoutes {
    let state: ServiceState

    func add(to router: Router<BasicRequestContext>) {
        router.post("/get-online-features") { request, _ in
            let project = try await state.project(of: request)
            let message = try OnlineRequest(parsing: try await request.bytes(upTo: 64 << 20))
            let serving = try await state.plans.plan(
                message.selection,
                fullNames: message.fullFeatureNames,
                in: project
            )
            if let lock = request.header(WireHeader.lock) {
                try await state.check(serving, against: lock, project: project)
            }
            let place = try await state.place(request, project: project)
            let reader = OnlineReader(catalog: state.catalog)
            let answer = try await reader.read(
                message,
                serving: serving,
                namespace: place.namespace.id,
                at: place.clock
            )
            return Response.json(answer.body)
        }
        router.post("/push") { request, _ in
            let project = try await state.project(of: request)
            let message = try PushRequest(parsing: try await request.bytes(upTo: 64 << 20))
            let place = try await state.place(request, project: project)
            return try Response.message(
                try await state.pushes.push(message, project: project, namespace: place.namespace, clock: place.clock)
            )
        }
        router.get("/v1/projects/{project}/online") { request, context in
            let project = try await state.project(context.parameters.require("project"))
            let place = try await state.place(request, project: project)
            let views = try await state.catalog.materializations(place.namespace.id).map { online in
                OnlineStatus.View(
                    reference: "\(online.view.reference)",
                    digest: "\(online.view.digest)",
                    through: Instant.text(online.through) ?? ""
                )
            }
            return try Response.message(
                OnlineStatus(
                    clockKind: place.namespace.isReplay ? "replay" : "live",
                    now: Instant.text(place.clock) ?? "",
                    replay: place.namespace.isReplay ? place.namespace.id : nil,
                    views: views
                )
            )
        }
        router.post("/v1/projects/{project}/replays") { request, context in
            guard state.configuration.allowsReplay else {
                throw RequestError("this service has no replay clock; start it with: lockstep dev --replay")
            }
            let project = try await state.project(context.parameters.require("project"))
            let text = try await request.message(ReplayRequest.self).at
            guard let clock = Instant.parse(text) else { throw RequestError("'\(text)' is not an instant") }
            let replay = try await state.catalog.startReplay(project, clock: clock)
            return try Response.message(
                ReplayStatus(id: replay.id, clock: Instant.text(clock) ?? text),
                status: .created
            )
        }
        router.delete("/v1/projects/{project}/replays/{id}") { _, context in
            let project = try await state.project(context.parameters.require("project"))
            try await state.catalog.endReplay(project, context.parameters.require("id", as: Int64.self))
            state.invalidate()
            return Response(status: .noContent)
        }
        router.get("/health") { request, _ in
            try await state.catalog.ping()
            let replay = try await state.defaultReplay()
            return try Response.message(
                Health(
                    status: "ok",
                    version: LockstepService.version,
                    clock: replay == nil ? "live" : "replay",
                    allowsReplay: state.configuration.allowsReplay,
                    now: Instant.text(replay ?? serverClock()) ?? "",
                    database: "ok"
                )
            )
        }
    }
}
