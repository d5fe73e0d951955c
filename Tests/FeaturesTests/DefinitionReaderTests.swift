import Columns
import Expressions
import Features
import Testing

@Suite struct DefinitionReaderTests {
    /// Every fault with the whole of what the user sees.
    private static let faults: [(text: String, error: String)] = [
        (
            "kind: Entitty\nname: a\njoin_keys: { b: int64 }",
            "f.yaml:1:7: there is no kind 'Entitty'; did you mean 'Entity'? "
                + "(kinds are Entity, Source, FeatureView, OnDemandFeatureView, Discretizer, EmbeddingSpace, FeatureService)"
        ),
        (
            "name: a",
            "f.yaml:1:1: the document has no 'kind'; give one of "
                + "Entity, Source, FeatureView, OnDemandFeatureView, Discretizer, EmbeddingSpace, FeatureService"
        ),
        ("kind: Entity\njoin_keys: { b: int64 }", "f.yaml:1:1: the Entity has no 'name'"),
        (
            "kind: Entity\nname: 9a\njoin_keys: { b: int64 }",
            "f.yaml:2:7: name of the document is '9a', which is not a name; "
                + "use letters, digits, '_', '-' and '.', beginning with a letter or '_'"
        ),
        (
            "kind: Entity\nname: a\njoin_key: { b: int64 }",
            "f.yaml:3:1: Entity 'a' has no member 'join_key'; did you mean 'join_keys'? "
                + "(it may have kind, name, description, owner, tags, join_keys)"
        ),
        ("kind: Entity\nname: a", "f.yaml:1:1: Entity 'a' has no 'join_keys'"),
        (
            "kind: Entity\nname: a\njoin_keys: [b]",
            "f.yaml:3:12: join_keys of Entity 'a' must be a mapping, found a list"
        ),
        (
            "kind: Entity\nname: a\njoin_keys:\n  b: integer",
            "f.yaml:4:6: b of join_keys of Entity 'a' is 'integer', which is not a type; "
                + "types are bool, int64, float32, float64, string, bytes, timestamp, vector<float32, N>"
        ),
        (
            "kind: Source\nname: s\ncolumns: { t: timestamp }\nevent_time: { column: t, expression: t }",
            "f.yaml:4:13: event_time of Source 's' needs either a column or an expression"
        ),
        (
            "kind: Source\nname: s\ncolumns: { t: timestamp }\nevent_time: { column: t, timezone: America/Nowhere }",
            "f.yaml:4:36: timezone of event_time of Source 's': time zone 'America/Nowhere' is not in this system's "
                + "time zone database; use a name such as America/New_York or UTC"
        ),
        (
            "kind: Source\nname: s\ncolumns: { t: timestamp }\nevent_time: { expression: t, timezone: UTC }",
            "f.yaml:4:40: timezone of event_time of Source 's' goes with a column; "
                + "in an expression, write: <column> at time zone '<zone>'"
        ),
        (
            "kind: Source\nname: s\ncolumns: { t: timestamp }\nevent_time: { column: t, timezone: UTC }\n"
                + "known_at: { column: t, timezone: Asia/Tokyo }",
            "f.yaml:5:11: column 't' is given two time zones, UTC and Asia/Tokyo"
        ),
        (
            "kind: Source\nname: s\ncolumns: { t: timestamp }\nevent_time: { column: t }\nknown_at: { column: t }\n"
                + "available_after: 1h",
            "f.yaml:6:18: source 's' declares both known_at and available_after; keep the one that is true"
        ),
        (
            "kind: Source\nname: s\ncolumns: { t: timestamp }\nevent_time: { column: t }\navailable_after: 10",
            "f.yaml:5:18: available_after of Source 's' must be a length of time such as 90s, 10m, 3h or 7d, found '10'"
        ),
        (
            "kind: FeatureView\nname: v\nsource: s\nttl: 0h\nfeatures: [{ name: f, type: int64 }]",
            "f.yaml:4:6: ttl of feature view 'v' is zero; leave it out for no limit, or give a positive time"
        ),
        (
            "kind: FeatureView\nname: v\nsource: s\nfeatures:\n  - { name: f, type: int64 }\n  - { name: f, type: bool }",
            "f.yaml:6:5: feature view 'v' has the feature 'f' twice"
        ),
        (
            "kind: FeatureView\nname: bins\nsource: s\nfeatures: [{ name: f, type: int64 }]",
            "f.yaml:1:1: a feature view cannot be called 'bins': feature services use the word"
        ),
        ("kind: FeatureView\nname: v\nsource: s\nfeatures: []", "f.yaml:1:1: feature view 'v' has no features"),
        (
            "kind: Discretizer\nname: d\ninput: a\nmethod: quantile\nbins: 4",
            "f.yaml:3:8: input of Discretizer 'd' must be view:feature, found 'a'"
        ),
        (
            "kind: Discretizer\nname: d\ninput: a:b\nmethod: quantil\nbins: 4",
            "f.yaml:4:9: there is no method 'quantil'; did you mean 'quantile'? "
                + "(methods are quantile, uniform, explicit)"
        ),
        (
            "kind: Discretizer\nname: d\ninput: a:b\nmethod: uniform\nbins: 1",
            "f.yaml:5:7: bins of Discretizer 'd' must be a whole number from 2 to 65536, found '1'"
        ),
        (
            "kind: Discretizer\nname: d\ninput: a:b\nmethod: uniform\nbins: 3\nedges: [1]",
            "f.yaml:6:8: discretizer 'd' has the method uniform, which takes no 'edges'"
        ),
        (
            "kind: Discretizer\nname: d\ninput: a:b\nmethod: explicit\nedges: [0, -0.0]",
            "f.yaml:5:12: edges of discretizer 'd' must be finite and strictly increasing; -0.0 is not"
        ),
        (
            "kind: EmbeddingSpace\nname: e\ndimension: 65537\nmetric: dot\nproducer: p",
            "f.yaml:3:12: dimension of EmbeddingSpace 'e' must be a whole number from 1 to 65536, found '65537'"
        ),
        (
            "kind: EmbeddingSpace\nname: e\ndimension: 2\nmetric: l2\nproducer: p",
            "f.yaml:4:9: metric of embedding space 'e' is 'l2'; it may be cosine, dot or euclidean"
        ),
        (
            "kind: FeatureService\nname: s\nfeatures:\n  - v: [f]\n    w: [g]",
            "f.yaml:4:5: each item of features of FeatureService 's' has one member: a view's name, 'bins' or 'embedding'"
        ),
        (
            "kind: FeatureService\nname: s\nfeatures:\n  - v: [{ feature: f, alias: g }]",
            "f.yaml:4:23: v of features of FeatureService 's' has no member 'alias' (it may have feature, as)"
        ),
        (
            "kind: Entity\nname: a\njoin_keys: { b: int64 }\n---\n[]",
            "f.yaml:5:1: the document must be a mapping, found a list"
        ),
    ]

    @Test(arguments: faults) func saysWhatIsWrongAndWhere(text: String, error: String) {
        let found = #expect(throws: DefinitionError.self) { try DefinitionReader.read(text, file: "f.yaml") }
        #expect(found?.description == error)
    }

    @Test(arguments: [
        "a: [", "kind: Entity\n name: a", "a: &x [*x]", "a: *b", "\u{1}", "kind: Entity\nkind: Entity\nname: a",
    ])
    func whatIsNotYAMLIsRefused(text: String) {
        #expect(throws: DefinitionError.self) { try DefinitionReader.read(text, file: "f.yaml") }
    }

    /// A fault in a later document is a fault of the file.
    @Test func everyDocumentCounts() {
        let good = "kind: Entity\nname: a\njoin_keys: { b: int64 }\n---\n"
        #expect(throws: DefinitionError.self) { try DefinitionReader.read(good + "a: [", file: "f.yaml") }
        #expect(throws: DefinitionError.self) { try DefinitionReader.read(good + good + "x: 1", file: "f.yaml") }
    }

    @Test func readsEveryKindWithItsPlace() throws {
        let documents = try DefinitionReader.read(Sample.yaml, file: "f.yaml")
        #expect(documents.map(\.definition.kind) == [.entity, .source, .view, .discretizer, .space, .service])
        #expect(documents[0].place == "f.yaml:1")
        #expect(documents[1].place == "f.yaml:8")
        #expect(
            documents[0].annotations
                == Annotations(description: "Where planes land", owner: "weather-team", tags: ["tier": "one"])
        )
        #expect(documents[0].definition == .entity(Entity(name: "airport", joinKeys: [Field("origin", .string)])))
        let service = FeatureService(
            name: "delay_model",
            features: [
                ServiceFeature(.feature(FeatureReference(view: "airport_weather", feature: "wind"))),
                ServiceFeature(.feature(FeatureReference(view: "airport_weather", feature: "is_foul")), alias: "foul"),
                ServiceFeature(
                    .bins(
                        input: FeatureReference(view: "airport_weather", feature: "wind"),
                        discretizer: "wind_bins"
                    ),
                    alias: "wind_bin"
                ),
                ServiceFeature(
                    .embedding(
                        space: "routes",
                        key: .feature(FeatureReference(view: "airport_weather", feature: "code"))
                    ),
                    alias: "code_vector"
                ),
                ServiceFeature(.embedding(space: "routes", key: .joinKey("origin"))),
            ]
        )
        #expect(documents[5].definition == .service(service))
        #expect(service.features.map { $0.outputName() } == ["wind", "foul", "wind_bin", "code_vector", "routes"])
        #expect(service.features[0].outputName(full: true) == "airport_weather__wind")
        #expect(
            documents[5].definition.uses.map(\.description)
                == ["view 'airport_weather'", "discretizer 'wind_bins'", "space 'routes'"]
        )
    }

    @Test func emptyFilesAndDocumentsHoldNothing() throws {
        for text in ["", "---\n---\n", "# nothing\n", "~", "null"] {
            #expect(try DefinitionReader.read(text, file: "f.yaml").isEmpty)
        }
    }

    @Test func minusZeroEdgesAreZero() throws {
        let text = "kind: Discretizer\nname: d\ninput: a:b\nmethod: explicit\nedges: [-0.0, 1e3]"
        guard case .discretizer(let discretizer)? = try DefinitionReader.read(text, file: "f").first?.definition,
            case .explicit(let edges) = discretizer.method
        else {
            Issue.record("not read as explicit edges")
            return
        }
        #expect(edges.map(\.bitPattern) == [0, (1e3).bitPattern])
    }

    /// One null of such a column would ask for more memory than there is.
    @Test func vectorsAreBoundedAsEmbeddingsAre() {
        let text =
            "kind: Source\nname: s\nevent_time: { column: t }\n"
            + "columns: { t: timestamp, v: 'vector<float32, 9223372036854775807>' }"
        #expect(throws: DefinitionError.self) { try DefinitionReader.read(text, file: "f.yaml") }
    }
}
