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
    private let kept = Mutex<Kept>(Kept())

    private struct Kept {
        var plans: [Key: ServingPlan] = [:]
        /// Counts invalidations, so that a plan that was made from older versions meanwhile is not kept.
        var generation = 0
    }

    private struct Key: Hashable {
        let project: Int64
        let selection: OnlineRequest.Selection
        let fullNames: Bool
    }

    init(catalog: Catalog, objects: any ObjectStore) {
        self.catalog = catalog
        self.objects = objects
    }

    /// Forgets everything: something that plans are made of has a new version.
    func invalidate() {
        kept.withLock { kept in
            kept.plans = [:]
            kept.generation += 1
        }
    }

    /// - Parameter fullNames: whether outputs are asked for as `view__feature`.
    func plan(
        _ selection: OnlineRequest.Selection,
        fullNames: Bool,
        in project: Int64
    ) async throws -> ServingPlan {
        let key = Key(project: project, selection: selection, fullNames: fullNames)
        let (known, generation) = kept.withLock { ($0.plans[key], $0.generation) }
        if let known { return known }
        let made = try await make(selection, fullNames: fullNames, in: project)
        kept.withLock { kept in
            guard kept.generation == generation else { return }
            if kept.plans.count > 1000 { kept.plans = [:] }
            kept.plans[key] = made
        }
        return made
    }

    private func make(
        _ selection: OnlineRequest.Selection,
        fullNames: Bool,
        in project: Int64
    ) async throws -> ServingPlan {
        switch selection {
        case .service(let text):
            let record = try await catalog.version(project, .service, try VersionReference(request: text))
            guard case .service(let service) = try record.definition() else {
                throw CatalogError(.conflict, "\(record.name) is not a feature service in the catalog")
            }
            let uses = try await withInputs(try await catalog.uses(of: record.id).map(\.version))
            return try await assemble(service, from: uses, versions: [record], fullNames: nil, in: project)
        case .features(let references):
            var views: [VersionRecord] = []
            for name in Set(references.map(\.view)).sorted() {
                views.append(try await catalog.version(project, .view, VersionReference(name: name)))
            }
            let service = FeatureService(name: "(features)", features: references.map { ServiceFeature(.feature($0)) })
            let uses = try await withInputs(views)
            return try await assemble(service, from: uses, versions: [], fullNames: fullNames, in: project)
        }
    }

    /// The versions, and those that on-demand views among them use.
    private func withInputs(_ versions: [VersionRecord]) async throws -> [VersionRecord] {
        var all = versions
        for record in versions {
            guard case .onDemand = try record.definition() else { continue }
            for use in try await catalog.uses(of: record.id) {
                guard let known = all.first(where: { $0.name == use.version.name }) else {
                    all.append(use.version)
                    continue
                }
                guard known.id == use.version.id else {
                    throw CatalogError(
                        .conflict,
                        "\(record.reference) uses \(use.version.reference), what is asked for uses \(known.reference);"
                            + " apply all definitions again"
                    )
                }
            }
        }
        return all
    }

    private func assemble(
        _ service: FeatureService,
        from uses: [VersionRecord],
        versions: [VersionRecord],
        fullNames: Bool?,
        in project: Int64
    ) async throws -> ServingPlan {
        var versions = versions + uses
        var views: [String: LoadedView] = [:]
        var onDemand: [String: OnDemandFeatureView] = [:]
        var discretizers: [String: Discretizer] = [:]
        var spaces: [String: EmbeddingSpace] = [:]
        var fitted = FittedAssets()
        for record in uses {
            switch try record.definition() {
            case .view: views[record.name.name] = try await catalog.load(record)
            case .onDemand(let view): onDemand[view.name] = view
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
        let plan = try ServicePlan(
            service,
            views: views.mapValues(\.plan),
            onDemand: onDemand,
            discretizers: discretizers,
            spaces: spaces,
            fullNames: fullNames
        ).bound(to: fitted)
        return ServingPlan(
            plan: plan,
            views: plan.views.compactMap { views[$0.plan.view.name]?.record },
            fitted: fitted,
            versions: versions
        )
    }
}
