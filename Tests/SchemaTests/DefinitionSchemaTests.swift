import Features
import Formats
import Testing

/// `definitions.schema.json` and `DefinitionReader` agree about form: an editor says what `apply` will say.
@Suite struct DefinitionSchemaTests {
    private let schema: JSONSchema

    init() throws { schema = try JSONSchema(SchemaFile.json("definitions.schema.json")) }

    static let valid = [
        "{ kind: Entity, name: airport, join_keys: { origin: string } }",
        """
        kind: Entity
        name: _seat.row-2
        description: A place in a plane
        owner: seats-team
        tags: { tier: 1, pii: false, team: "" }
        join_keys: { plane: int64, row: bytes, sold: bool, at: timestamp }
        """,
        "{ kind: Source, name: weather, columns: { origin: string, at: timestamp }, event_time: { column: at } }",
        """
        kind: Source
        name: weather
        columns: { origin: string, hour: timestamp, temp: float64, small: float32, v: "vector<float32, 8>", w: "vector<float32,3>" }
        event_time: { expression: "hour + interval '1 minute'" }
        available_after: 1h30m
        filter: temp is not null
        null_values: [NA, "", -999]
        """,
        """
        kind: Source
        name: flights
        columns: { landed: timestamp, seen: timestamp }
        event_time: { column: landed, timezone: America/New_York }
        known_at: { column: seen, timezone: UTC }
        """,
        "{ kind: FeatureView, name: all, source: weather, features: [{ name: temp, type: float64 }] }",
        """
        kind: FeatureView
        name: airport_weather
        entities: [airport]
        source: weather
        ttl: 3h
        features:
          - { name: wind_speed, type: float64 }
          - { name: is_foul, type: bool, expression: "visib < 3 or precip > 0.1" }
          - { name: one, type: int64, expression: 1 }
        """,
        "{ kind: FeatureView, name: v, source: s, ttl: 0d1us, features: [{ name: f, type: int64 }], entities: [] }",
        """
        kind: FeatureView
        name: spending
        source: payments
        features: [{ name: week, type: float64, expression: "sum(amount) filter (where paid) over 7d" }]
        """,
        """
        kind: OnDemandFeatureView
        name: trip
        request: { distance: float64, express: bool }
        inputs:
          - airport_weather: [wind_speed, { feature: is_foul, as: foul }]
          - airport_weather: { features: [wind_speed], keys: { origin: dest }, prefix: dest_ }
        features:
          - { name: wind_bin, type: int64, expression: "bin(wind_speed, wind_bins)" }
          - { name: distance, type: float64 }
        owner: trips
        """,
        "{ kind: OnDemandFeatureView, name: a, inputs: [{ v: [f] }], features: [{ name: f, type: int64 }] }",
        "{ kind: OnDemandFeatureView, name: a, request: { b: int64 }, features: [{ name: f, type: int64 }] }",
        "{ kind: Discretizer, name: wind_bins, input: airport_weather:wind_speed, method: quantile, bins: 20 }",
        "{ kind: Discretizer, name: b, input: a:b, method: uniform, bins: 2 }",
        "{ kind: Discretizer, name: b, input: a:b, method: explicit, edges: [-1.5, 1e3] }",
        "{ kind: EmbeddingSpace, name: routes, dimension: 8, metric: cosine, producer: svd 1 }",
        "{ kind: EmbeddingSpace, name: routes, dimension: 1, metric: euclidean, producer: 3 }",
        """
        kind: FeatureService
        name: delay_model
        features:
          - airport_weather: [wind_speed, { feature: is_foul, as: foul }]
          - airport_weather: { features: [wind_speed], keys: { origin: dest }, prefix: dest_ }
          - bins: { input: airport_weather:wind_speed, discretizer: wind_bins, keys: { origin: dest }, as: b }
          - bins: { input: airport_weather:wind_speed, discretizer: wind_bins, as: wind_bin }
          - bins: { input: a:b, discretizer: c }
          - embedding: { space: routes, key: origin, as: origin_vector }
          - embedding: { space: routes, key: flights:dest }
        """,
    ]

    static let invalid = [
        "{ kind: OnDemandFeatureView, name: a, features: [{ name: f, type: int64 }] }",
        "{ kind: OnDemandFeatureView, name: a, request: { event_timestamp: timestamp }, features: [{ name: f, type: int64 }] }",
        "{ kind: OnDemandFeatureView, name: a, inputs: [{ bins: [f] }], features: [{ name: f, type: int64 }] }",
        "{ kind: OnDemandFeatureView, name: bins, request: { b: int64 }, features: [{ name: f, type: int64 }] }",
        "[]", "text", "{}", "{ name: a }", "{ kind: Entity }", "{ kind: Entitty, name: a, join_keys: { b: int64 } }",
        "{ kind: Entity, name: 1a, join_keys: { b: int64 } }", "{ kind: Entity, name: a@1, join_keys: { b: int64 } }",
        "{ kind: Entity, name: a b, join_keys: { b: int64 } }", #"{ kind: Entity, name: "", join_keys: { b: int64 } }"#,
        "{ kind: Entity, name: é, join_keys: { b: int64 } }", "{ kind: Entity, name: a, join_keys: {} }",
        "{ kind: Entity, name: a, join_keys: { b: integer } }", "{ kind: Entity, name: a, join_keys: [b] }",
        "{ kind: Entity, name: a, join_keys: { 'b:c': int64 } }",
        "{ kind: Entity, name: a, join_keys: { b: int64 }, ttl: 3h }",
        "{ kind: Entity, name: a, join_keys: { b: int64 }, owner: [me] }",
        "{ kind: Entity, name: a, join_keys: { b: 'vector<float32, 0>' } }",
        "{ kind: Entity, name: a, join_keys: { b: 'vector<float64, 3>' } }",
        "{ kind: Entity, name: a, join_keys: { b: 'vector<float32, 3> ' } }",
        "{ kind: Source, name: a, columns: { t: timestamp } }", "{ kind: Source, name: a, event_time: { column: t } }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: {} }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: t }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: { column: t, expression: t } }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: { column: t }, known_at: t }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: { column: t }, known_at: { expression: t } }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: { column: t }, known_at: { column: t }, available_after: 1h }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: { column: t }, available_after: 10 }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: { column: t }, available_after: -1h }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: { column: t }, null_values: NA }",
        "{ kind: Source, name: a, columns: { t: timestamp }, event_time: { expression: t, timezone: UTC } }",
        "{ kind: FeatureView, name: v, source: s }", "{ kind: FeatureView, name: v, source: s, features: [] }",
        "{ kind: FeatureView, name: v, features: [{ name: f, type: int64 }] }",
        "{ kind: FeatureView, name: v, source: s, features: [f] }",
        "{ kind: FeatureView, name: v, source: s, features: [{ name: f }] }",
        "{ kind: FeatureView, name: v, source: s, features: [{ name: f, type: int64, default: 0 }] }",
        "{ kind: FeatureView, name: v, source: s, ttl: 0s, features: [{ name: f, type: int64 }] }",
        "{ kind: FeatureView, name: v, source: s, ttl: 0h0m, features: [{ name: f, type: int64 }] }",
        "{ kind: FeatureView, name: v, source: s, ttl: 3, features: [{ name: f, type: int64 }] }",
        "{ kind: FeatureView, name: v, source: s, ttl: 3 h, features: [{ name: f, type: int64 }] }",
        "{ kind: FeatureView, name: v, source: s, ttl: 3w, features: [{ name: f, type: int64 }] }",
        "{ kind: FeatureView, name: bins, source: s, features: [{ name: f, type: int64 }] }",
        "{ kind: FeatureView, name: embedding, source: s, features: [{ name: f, type: int64 }] }",
        "{ kind: FeatureView, name: v, source: s, entities: airport, features: [{ name: f, type: int64 }] }",
        "{ kind: Discretizer, name: b, input: a, method: quantile, bins: 20 }",
        "{ kind: Discretizer, name: b, input: 'a:b:c', method: quantile, bins: 20 }",
        "{ kind: Discretizer, name: b, input: a:b, method: quantile }",
        "{ kind: Discretizer, name: b, input: a:b, method: quantile, bins: 1 }",
        "{ kind: Discretizer, name: b, input: a:b, method: quantile, bins: 2.5 }",
        "{ kind: Discretizer, name: b, input: a:b, method: uniform }",
        "{ kind: Discretizer, name: b, input: a:b, method: explicit }",
        "{ kind: Discretizer, name: b, input: a:b, method: explicit, edges: 1 }",
        "{ kind: Discretizer, name: b, input: a:b, method: explicit, edges: [one] }",
        "{ kind: Discretizer, name: b, input: a:b, method: mdlp, bins: 4 }",
        "{ kind: EmbeddingSpace, name: e, dimension: 0, metric: dot, producer: p }",
        "{ kind: EmbeddingSpace, name: e, dimension: 8, metric: manhattan, producer: p }",
        "{ kind: EmbeddingSpace, name: e, dimension: 8, metric: dot }",
        "{ kind: FeatureService, name: s }", "{ kind: FeatureService, name: s, features: [] }",
        "{ kind: FeatureService, name: s, features: [v] }", "{ kind: FeatureService, name: s, features: [{ v: f }] }",
        "{ kind: FeatureService, name: s, features: [{ v: [] }] }", "{ kind: FeatureService, name: s, features: [{}] }",
        "{ kind: FeatureService, name: s, features: [{ v: [f], w: [g] }] }",
        "{ kind: FeatureService, name: s, features: [{ v: [{ feature: f, alias: g }] }] }",
        "{ kind: FeatureService, name: s, features: [{ v: [{ as: g }] }] }",
        "{ kind: FeatureService, name: s, features: [{ v@1: [f] }] }",
        "{ kind: FeatureService, name: s, features: [{ bins: [f] }] }",
        "{ kind: FeatureService, name: s, features: [{ bins: { input: a:b } }] }",
        "{ kind: FeatureService, name: s, features: [{ embedding: { space: e } }] }",
        "{ kind: FeatureService, name: s, features: [{ embedding: { space: e, key: 'a:b:c' } }] }",
    ]

    private func readerAccepts(_ text: String) -> Bool {
        do {
            return try !DefinitionReader.read(text, file: "test.yaml").isEmpty
        } catch {
            return false
        }
    }

    @Test(arguments: valid) func bothAccept(_ text: String) throws {
        for document in try SchemaFile.documents(text) { #expect(schema.faults(document) == []) }
        #expect(throws: Never.self) { try DefinitionReader.read(text, file: "test.yaml") }
    }

    @Test(arguments: invalid) func bothRefuse(_ text: String) throws {
        #expect(try SchemaFile.documents(text).contains { !schema.faults($0).isEmpty })
        #expect(!readerAccepts(text))
    }

    /// Every document that is one change away from a valid one: a member less, a member more, a value of another type.
    @Test(arguments: valid) func theyAgreeOneChangeAway(_ text: String) throws {
        for document in try SchemaFile.documents(text) {
            let variants = document.variants { value in
                value.withoutEachMember + value.adding("unknown", .int(12))
                    + [.int(12), .string("§"), .array([.array([])]), .object(["x y": .object([:])])]
            }
            #expect(variants.count > 20)
            for variant in variants {
                let faults = schema.faults(variant)
                #expect(faults.isEmpty == readerAccepts(variant.text), "\(variant.text): \(faults)")
            }
        }
    }

    /// What the catalog stores is what the schema describes.
    @Test(arguments: valid) func writtenDefinitionsAreValid(_ text: String) throws {
        for document in try DefinitionReader.read(text, file: "test.yaml") {
            let written = document.definition.json
            #expect(schema.faults(written) == [])
            let read = try DefinitionReader.read(written.text, file: "written.json")
            #expect(read.map(\.definition) == [document.definition])
        }
    }

    @Test func exampleDefinitionsAreValid() throws {
        let files = try SchemaFile.exampleDefinitions()
        #expect(!files.isEmpty)
        for file in files {
            for document in try SchemaFile.documents(file.text) {
                #expect(schema.faults(document) == [], "\(file.path)")
            }
            #expect(throws: Never.self, "\(file.path)") { try DefinitionReader.read(file.text, file: file.path) }
        }
    }

    /// The kinds that the schema offers are those that the reader knows.
    @Test func kindsAreTheSame() throws {
        let kinds = try SchemaFile.json("definitions.schema.json")["properties"]?["kind"]?["enum"]?.array
        #expect(kinds?.compactMap(\.string) == DefinitionReader.kinds)
    }
}
