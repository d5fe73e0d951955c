import Bins
import Columns
import Embeddings
import Features
import Formats
import Foundation
import Kernels
import Lockstep
import Objects

/// A directory with an object store that holds everything a lock pins, as a service would have stored it.
final class Workspace: Sendable {
    let directory: String
    let store: LocalObjectStore

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/lockstep-training-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        store = LocalObjectStore(directory: directory + "/objects")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    static let definitions = """
        kind: Entity
        name: airport
        join_keys: { origin: string }
        ---
        kind: Source
        name: weather
        columns: { origin: string, at: timestamp, wind: float64 }
        event_time: { column: at }
        ---
        kind: FeatureView
        name: weather_now
        entities: [airport]
        source: weather
        ttl: 10us
        features:
          - { name: wind, type: float64 }
          - { name: inverse, type: float64, expression: 1 / wind }
        ---
        kind: Discretizer
        name: wind_bins
        input: weather_now:wind
        method: explicit
        edges: [2]
        ---
        kind: EmbeddingSpace
        name: airports
        dimension: 2
        metric: dot
        producer: test
        ---
        kind: FeatureService
        name: delay
        features:
          - weather_now: [wind, inverse]
          - bins: { input: weather_now:wind, discretizer: wind_bins, as: wind_bin }
          - embedding: { space: airports, key: origin, as: airport_vector }
        """

    static func history(_ rows: [(origin: String, time: Int64, wind: Double?)], firstSequence: Int64) throws
        -> RecordBatch
    {
        let source = Source(
            name: "weather",
            columns: [Field("origin", .string), Field("at", .timestamp), Field("wind", .float64)],
            eventTime: .column("at")
        )
        let batch = RecordBatch([
            "origin": .string(BinaryColumn(rows.map(\.origin))), "at": .timestamp(PrimitiveColumn(rows.map(\.time))),
            "wind": .float64(PrimitiveColumn(rows.map(\.wind), zero: 0)),
        ])
        return try SourcePlan(source).timed(batch, arrival: nil).history(firstSequence: firstSequence)
    }

    static let segments: [[(origin: String, time: Int64, wind: Double?)]] = [
        [("EWR", 10, 1), ("EWR", 20, 4), ("JFK", 10, 0)], [("EWR", 25, nil), ("LGA", 5, 3)],
    ]

    /// Stores everything and pins it.
    ///
    /// - Parameters:
    ///   - definitions: what is stored of each definition, where that is not what it was.
    ///   - change: alters the pins.
    func lock(
        replacing replaced: [DefinitionName: Definition] = [:],
        change: (inout [Lock.Pin]) -> Void = { _ in }
    ) async throws -> Lock {
        let resolved = try Resolver.resolve(try DefinitionReader.read(Self.definitions, file: "features.yaml"))
        var pins: [Lock.Pin] = []
        var digests: [DefinitionName: Digest] = [:]
        for definition in resolved {
            let document = (replaced[definition.name] ?? definition.definition).json.encoded()
            digests[definition.name] = definition.digest
            pins.append(
                Lock.Pin(
                    kind: definition.name.kind,
                    reference: VersionReference(name: definition.name.name, number: 1),
                    digest: definition.digest,
                    object: try await store.put(document, encoding: .raw)
                )
            )
        }
        let discretizer = digests[DefinitionName(kind: .discretizer, name: "wind_bins")] ?? Digest.of([])
        let fitted = try BinMethod.explicit([2]).fit([Column(.float64, [.float64(1)])])
        let bins = FittedBinsFile.encode(fitted, discretizer: discretizer)
        pins.append(try await pin(.bins, "wind_bins", bins))
        let table = try EmbeddingTable(
            space: "airports",
            version: "",
            dimension: 2,
            metric: .dot,
            keys: BinaryColumn(["EWR", "JFK"]),
            vectors: VectorColumn(dimension: 2, values: [1, 2, 3, 4])
        )
        let space = digests[DefinitionName(kind: .space, name: "airports")] ?? Digest.of([])
        pins.append(try await pin(.embeddings, "airports", EmbeddingFile.encode(table, space: space)))
        var sequence: Int64 = 0
        for (position, rows) in Self.segments.enumerated() {
            let batch = try Self.history(rows, firstSequence: sequence)
            var pin = try await pin(.segment, "weather", Parquet.encode([batch]), number: position + 1)
            pin.source = VersionReference(name: "weather", number: 1)
            pin.sequences = sequence...(sequence + Int64(rows.count) - 1)
            pins.append(pin)
            sequence += Int64(rows.count)
        }
        change(&pins)
        return Lock(project: "flights", service: VersionReference(name: "delay", number: 1), pins: pins)
    }

    private func pin(_ kind: Kind, _ name: String, _ bytes: [UInt8], number: Int = 1) async throws -> Lock.Pin {
        let digest = try await store.put(bytes, encoding: .raw)
        return Lock.Pin(kind: kind, reference: VersionReference(name: name, number: number), digest: digest)
    }

    /// Replaces what stands in the store under a digest, as a fault of the disk or of a person would.
    func overwrite(_ digest: Digest, with bytes: [UInt8]) throws {
        let hex = digest.hex
        let path = "\(store.directory)/sha256/\(hex.prefix(2))/\(hex)"
        try FileManager.default.removeItem(atPath: path)
        try Data(bytes).write(to: URL(filePath: path))
    }
}
