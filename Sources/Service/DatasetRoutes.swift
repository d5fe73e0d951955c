import Catalog
import Expressions
import Features
import Formats
import Hummingbird
import Wire

/// The versions of datasets: log, tags and aliases, forgetting; and the lineage of any version.
struct DatasetRoutes {
    let state: ServiceState
    /// The most versions that a lineage follows in either direction.
    static let lineageLimit = 100_000

    func add(to router: Router<BasicRequestContext>) {
        router.get("/v1/projects/{project}/datasets/{dataset}/log") { _, context in
            let (project, dataset) = try await place(context)
            return try Response.message(try await log(project, dataset))
        }
        router.get("/v1/projects/{project}/datasets/{dataset}/labels") { _, context in
            let (project, dataset) = try await place(context)
            let labels = try await state.catalog.labels(project, of: dataset)
            return try Response.message(LabelList(labels: labels.map { LabelMessage($0) }))
        }
        router.get("/v1/projects/{project}/datasets/{dataset}/labels/history") { _, context in
            let (project, dataset) = try await place(context)
            let changes = try await state.catalog.labelHistory(project, of: dataset)
            return try Response.message(LabelList(labels: changes.map { LabelMessage($0) }))
        }
        router.post("/v1/projects/{project}/datasets/{dataset}/labels") { request, context in
            let (project, dataset) = try await place(context)
            return try await setLabel(try await request.message(LabelRequest.self), project, dataset)
        }
        router.delete("/v1/projects/{project}/datasets/{dataset}/labels/{kind}/{label}") { _, context in
            let (project, dataset) = try await place(context)
            let label = try await state.catalog.deleteLabel(
                try context.parameters.require("label"),
                try kind(try context.parameters.require("kind")),
                of: dataset,
                in: project
            )
            return try Response.message(LabelMessage(label))
        }
        router.post("/v1/projects/{project}/datasets/{dataset}/forget") { request, context in
            let (project, dataset) = try await place(context)
            return try await forget(try await request.message(ForgetRequest.self), project, dataset)
        }
        router.get("/v1/projects/{project}/versions/{kind}/{reference}/lineage") { request, context in
            let project = try await state.project(context.parameters.require("project"))
            let record = try await state.catalog.version(
                project,
                try Kind(request: try context.parameters.require("kind")),
                try LabelledReference(request: try context.parameters.require("reference"))
            )
            let direction = request.uri.queryParameters.get("direction") ?? "both"
            guard ["up", "down", "both"].contains(direction) else {
                throw RequestError("'\(direction)' is not a direction; use up, down or both")
            }
            let lineage = try await state.catalog.lineage(
                of: record.id,
                up: direction != "down",
                down: direction != "up",
                limit: Self.lineageLimit
            )
            return try Response.message(LineageMessage(lineage))
        }
    }

    private func place(_ context: BasicRequestContext) async throws -> (project: Int64, dataset: String) {
        (try await state.project(context.parameters.require("project")), try context.parameters.require("dataset"))
    }

    private func kind(_ word: String) throws -> LabelRecord.Kind {
        guard let kind = LabelRecord.Kind(rawValue: word) else {
            throw RequestError("'\(word)' is not a kind of label; use tag or alias")
        }
        return kind
    }

    private func log(_ project: Int64, _ dataset: String) async throws -> DatasetLog {
        // Forgotten ones first: a version forgotten in between is then named once at the most.
        let forgotten = try await state.catalog.forgotten(project, dataset: dataset)
        let labels = try await state.catalog.labels(project, of: dataset)
        let records = try await state.catalog.remainingVersions(project, .snapshot, dataset)
        var known: [String: String] = [:]
        for record in records { known["\(record.digest)"] = "\(record.reference)" }
        let entries = try records.reversed().map { record in
            let document = try JSON(parsing: record.document)
            let named = labels.filter { $0.version == record.reference }
            let parents = (document["parents"]?.array ?? []).compactMap(\.string)
            return DatasetLog.Entry(
                reference: "\(record.reference)",
                digest: "\(record.digest)",
                createdAt: Instant.text(record.createdAt) ?? "",
                files: (document["files"] ?? document["assets"])?.int ?? 0,
                bytes: document["bytes"]?.int ?? 0,
                parents: parents.map { known[$0] ?? $0 },
                tags: named.filter { $0.kind == .tag }.map(\.name),
                aliases: named.filter { $0.kind == .alias }.map(\.name)
            )
        }
        return DatasetLog(entries: entries, forgotten: forgotten.map { "\(dataset)@\($0.number)" })
    }

    private func setLabel(_ request: LabelRequest, _ project: Int64, _ dataset: String) async throws -> Response {
        let reference = try LabelledReference(request: request.reference)
        guard reference.name == dataset else {
            throw RequestError("'\(request.reference)' is not a version of dataset '\(dataset)'")
        }
        let kind = try kind(request.kind)
        let version = try await state.catalog.version(project, .snapshot, reference)
        let before = try await state.catalog.setLabel(request.name, kind, to: version, in: project)
        guard let label = try await state.catalog.labels(project, of: dataset).first(where: { $0.name == request.name })
        else { throw CatalogError(.notFound, "\(kind.rawValue) '\(request.name)' was deleted meanwhile") }
        var message = LabelMessage(label)
        message.previous = before.map { "\($0.version)" }
        return try Response.message(message, status: before == nil ? .created : .ok)
    }

    private func forget(_ request: ForgetRequest, _ project: Int64, _ dataset: String) async throws -> Response {
        let policy = RetentionPolicy(
            last: request.keepLast,
            within: try request.keepWithin.map { text in
                guard let span = TimeSpan(text) else {
                    throw RequestError("'\(text)' is not a length of time; write for example 30d, 12h or 1d12h")
                }
                return span
            },
            tagged: request.keepTagged
        )
        let decisions: [ForgetDecision]
        if let number = request.number {
            guard policy.isEmpty else {
                throw RequestError("name one version or give rules for all of them, not both")
            }
            decisions = try await state.catalog.forget(
                project,
                VersionReference(name: dataset, number: number),
                isDryRun: request.isDryRun
            )
        } else {
            decisions = try await state.catalog.forget(project, dataset: dataset, policy, isDryRun: request.isDryRun)
        }
        return try Response.message(
            ForgetResponse(
                decisions: decisions.map { decision in
                    ForgetResponse.Decision(
                        reference: "\(decision.version)",
                        digest: "\(decision.digest)",
                        isForgotten: decision.isForgotten,
                        reasons: decision.reasons
                    )
                }
            )
        )
    }
}

extension LabelMessage {
    init(_ label: LabelRecord) {
        self.init(
            name: label.name,
            kind: label.kind.rawValue,
            reference: "\(label.version)",
            digest: "\(label.digest)",
            at: Instant.text(label.setAt) ?? ""
        )
    }

    init(_ change: LabelChange) {
        self.init(
            name: change.name,
            kind: change.kind.rawValue,
            reference: "\(change.version)",
            digest: "\(change.digest)",
            at: Instant.text(change.changedAt) ?? "",
            action: change.action
        )
    }
}

extension LineageMessage {
    init(_ lineage: Lineage) {
        let ids = Dictionary(lineage.nodes.map { ($0.id, Self.id($0)) }) { first, _ in first }
        let reports = lineage.reports.map { report in
            Node(
                id: "report:\(report.digest)",
                kind: report.passed ? "certificate" : "report",
                reference: "\(report.digest)",
                digest: "\(report.digest)",
                createdAt: Instant.text(report.createdAt) ?? ""
            )
        }
        self.init(
            root: ids[lineage.root] ?? "",
            nodes: lineage.nodes.map { node in
                Node(
                    id: Self.id(node),
                    kind: node.name.kind.rawValue,
                    reference: "\(node.reference)",
                    digest: "\(node.digest)",
                    createdAt: Instant.text(node.createdAt) ?? ""
                )
            } + reports,
            uses: lineage.uses.compactMap { use in
                guard let user = ids[use.user], let used = ids[use.used] else { return nil }
                return Use(user: user, used: used, role: use.role)
            }
                + lineage.reports.compactMap { report in
                    ids[report.lock].map { Use(user: "report:\(report.digest)", used: $0, role: "lock") }
                },
            isTruncated: lineage.isTruncated
        )
    }

    private static func id(_ node: Lineage.Node) -> String { "\(node.name.kind.rawValue):\(node.reference)" }
}

extension LabelledReference {
    /// Reads a reference that a request gave.
    init(request text: String) throws {
        guard let reference = LabelledReference(text) else {
            throw RequestError("'\(text)' is not a reference; write name, name@number or name@tag")
        }
        self = reference
    }
}

extension Kind {
    /// Reads a kind that a request gave.
    init(request word: String) throws {
        guard let kind = Kind(word: word) else {
            let kinds = Kind.allCases.map(\.rawValue)
            throw RequestError(
                "there is no kind '\(word)'\(suggestion(for: word, among: kinds)) (kinds are \(kinds.joined(separator: ", ")))"
            )
        }
        self = kind
    }
}
