import Bins
import Catalog
import Embeddings
import Features
import Objects
import Synchronization
import Wire

/// Everything needed to answer for one service version: planned, with its fitted objects in memory.
struct ServingPlan: Sendable {
    let plan: ServicePlan
    /// The version of each of the plan's views, in its order.
    let views: [VersionRecord]
    let fitted: FittedAssets
    /// Every version that takes part, for comparison with a lock.
    let versions: [VersionRecord]
}

/// Plans by what was asked for, kept until a definition or a fitted object changes.
final class ServingPlans: Sendable {
    private let catalog: Catalog
    private let objects: any ObjectStore
    private let kept = Mutex<[Key: ServingPlan]>([:])

    private struct Key: Hashable {
        let project: Int64
        let selection: OnlineRequest.Selection
    }

    init(catalog: Catalog, objects: any ObjectStore) {
        self.catalog = catalog
        self.objects = objects
    }

    /// Forgets everything: something that plans are made of has a new version.
    func invalidate() { kept.withLock { $0 = [:] } }

    func plan(_ selection: OnlineRequest.Selection, in project: Int64) async throws -> ServingPlan {
        let key = Key(project: project, selection: selection)
        if let known = kept.withLock({ $0[key] }) { return known }
        let made = try await make(selection, in: project)
        kept.withLock { plans in
            if plans.count > 1000 { plans = [:] }
            plans[key] = made
        }
        return made
    }

    private func make(_ selection: OnlineRequest.Selection, in project: Int64) async throws -> ServingPlan {
        switch selection {
        case .service(let text):
            let record = try await catalog.version(project, .service, try VersionReference(request: text))
            guard case .service(let service) = try record.definition() else {
                throw CatalogError(.conflict, "\(record.name) is not a feature service in the catalog")
            }
            let uses = try await catalog.uses(of: record.id).map(\.version)
            return try await assemble(service, from: uses, versions: [record], in: project)
        case .features(let references):
            var views: [VersionRecord] = []
            for name in Set(references.map(\.view)).sorted() {
                views.append(try await catalog.version(project, .view, VersionReference(name: name)))
            }
            let service = FeatureService(name: "(features)", features: references.map { ServiceFeature(.feature($0)) })
            return try await assemble(service, from: views, versions: [], in: project)
        }
    }

    private func assemble(
        _ service: FeatureService,
        from uses: [VersionRecord],
        versions: [VersionRecord],
        in project: Int64
    ) async throws -> ServingPlan {
        var versions = versions + uses
        var views: [String: LoadedView] = [:]
        var discretizers: [String: Discretizer] = [:]
        var spaces: [String: EmbeddingSpace] = [:]
        var fitted = FittedAssets()
        for record in uses {
            switch try record.definition() {
            case .view: views[record.name.name] = try await catalog.load(record)
            case .discretizer(let discretizer):
                discretizers[discretizer.name] = discretizer
                let bins = try await catalog.fitted(.bins, for: record, in: project)
                fitted.bins[discretizer.name] = try FittedBinsFile.decode(
                    try await objects.get(bins.digest),
                    discretizer: record.digest
                ).edges
                versions.append(bins)
            case .space(let space):
                spaces[space.name] = space
                let embeddings = try await catalog.fitted(.embeddings, for: record, in: project)
                fitted.tables[space.name] = try EmbeddingFile.decode(
                    try await objects.get(embeddings.digest),
                    space: space,
                    spaceDigest: record.digest,
                    version: embeddings.digest
                )
                versions.append(embeddings)
            default: break
            }
        }
        let plan = try ServicePlan(service, views: views.mapValues(\.plan), discretizers: discretizers, spaces: spaces)
        return ServingPlan(
            plan: plan,
            views: plan.views.compactMap { views[$0.view.name]?.record },
            fitted: fitted,
            versions: versions
        )
    }
}
