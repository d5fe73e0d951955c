import Expressions
import Features
import Objects
import Testing

@Suite struct DigestTests {
    /// Reckoned from the layout in `docs/formats.md` by a program of its own: these never change under one version.
    @Test func identitiesAreAsDocumented() throws {
        let golden = [
            "entity 'airport'": "sha256:3981b776e3a1bd6a1ebdaaef34fcd1ebca02e2ff7c57559018ce7a6c7078b11e",
            "source 'weather'": "sha256:3d907b9df1beedb77dbb3d4a5f2df335bcc6eaccfb20a5d5fc14d2619d78d5ee",
            "view 'airport_weather'": "sha256:cf6ad4269a987b77bb56f88e924b3c19510409045572db1e63d7614baa41b9a1",
            "discretizer 'wind_bins'": "sha256:69e6e20af957a11e3718a4389748c5e2dc731f2a48ec3e0bd5695f16acfc93e8",
            "space 'routes'": "sha256:853b37c2b71b7562257b0eb821156352c9a6d5c78035ddd1d52df8b126720cac",
            "service 'delay_model'": "sha256:6da50acb895f394afda297772dc1c59c5eb0d31e0614bda155bf30a47909d0ab",
        ]
        #expect(try Sample.digests().mapValues(\.description) == golden)
    }

    private static let view = ["view 'airport_weather'", "discretizer 'wind_bins'", "service 'delay_model'"]
    private static let source = ["source 'weather'"] + view
    private static let entity = ["entity 'airport'"] + view
    private static let discretizer = ["discretizer 'wind_bins'", "service 'delay_model'"]
    private static let space = ["space 'routes'", "service 'delay_model'"]
    private static let service = ["service 'delay_model'"]

    private static let valueBearing: [(part: String, replacement: String, changed: [String])] = [
        ("join_keys: { origin: string }", "join_keys: { origin: string, n: int64 }", entity),
        ("wind: float64, visib", "wind: float64, gust: float64, visib", source),
        ("wind: float64, visib: float64", "visib: float64, wind: float64", source),
        ("n: int64 }", "n: int64, more: int64 }", source),
        ("event_time: { column: time_hour }", "event_time: { expression: \"time_hour + interval '1 us'\" }", source),
        ("available_after: 10m", "available_after: 10m1us", source), ("available_after: 10m\n", "", source),
        ("available_after: 10m", "known_at: { column: time_hour }", source),
        ("event_time: { column: time_hour }", "event_time: { column: time_hour, timezone: UTC }", source),
        (
            "available_after: 10m", "known_at: { column: time_hour, timezone: Asia/Tokyo }", source
        ),
        ("filter: visib is not null", "filter: visib is null", source), ("filter: visib is not null\n", "", source),
        ("null_values: [NA, \"-\"]", "null_values: [NA]", source),
        ("null_values: [NA, \"-\"]", "null_values: [\"NA-\"]", source),
        ("ttl: 3h", "ttl: 3h1us", view), ("ttl: 3h\n", "", view), ("entities: [airport]\n", "", view),
        ("visib < 3 or", "visib <= 3 or", view), ("visib < 3 or", "visib < 3.0 or", view),
        ("wind > 0.5", "wind > 0.50000000000000011", view),
        ("visib < 3 or wind > 0.5", "wind > 0.5 or visib < 3", view),
        ("- { name: n, type: int64 }", "- { name: n, type: float64 }", view),
        ("- { name: n, type: int64 }", "- { name: m, type: int64, expression: n }", view),
        ("  - { name: n, type: int64 }\n", "", view),
        ("bins: 20", "bins: 21", discretizer), ("method: quantile", "method: uniform", discretizer),
        ("method: quantile\nbins: 20", "method: explicit\nedges: [20]", discretizer),
        ("dimension: 2", "dimension: 3", space), ("metric: cosine", "metric: dot", space),
        ("producer: svd 1", "producer: svd 2", space),
        ("as: foul }", "as: foul2 }", service), ("{ feature: is_foul, as: foul }", "is_foul", service),
        ("[wind, { feature: is_foul, as: foul }]", "[{ feature: is_foul, as: foul }, wind]", service),
        (
            "[wind, { feature: is_foul, as: foul }]",
            "{ features: [wind, { feature: is_foul, as: foul }], keys: { origin: dest } }", service
        ),
        // An alias is the full name too.
        ("[wind, {", "[{ feature: wind, as: wind }, {", service),
        (", as: wind_bin }", " }", service), ("key: origin }", "key: n }", service),
        ("  - embedding: { space: routes, key: origin }", "", service),
    ]

    @Test(arguments: valueBearing) func whatCanChangeAValueChangesTheDigest(
        part: String,
        replacement: String,
        changed: [String]
    ) throws {
        let text = try Sample.replacing(part, replacement)
        let (before, after) = (try Sample.digests(), try Sample.digests(text))
        #expect(Set(before.keys.filter { before[$0] != after[$0] }) == Set(changed))
        #expect(Set(after.values).count == after.count)
    }

    private static let wordsOnly: [(part: String, replacement: String)] = [
        ("description: Where planes land", "description: Airports"), ("description: Where planes land\n", ""),
        ("owner: weather-team", "owner: you"), ("tags: { tier: one }", "tags: {}"),
        ("visib < 3 or wind > 0.5", "  visib<3   OR\\n (wind > .5) "), ("visib < 3 or", "\\\"visib\\\" < 3 or"),
        ("filter: visib is not null", "filter: (visib IS NOT NULL)"),
        ("event_time: { column: time_hour }", "event_time: { expression: time_hour }"),
        ("{ name: wind, type: float64 }", "{ name: wind, type: float64, expression: wind }"),
        ("ttl: 3h", "ttl: 180m"), ("available_after: 10m", "available_after: 600s"),
        ("key: origin }", "key: origin, as: routes }"),
    ]

    @Test(arguments: wordsOnly) func whatCannotChangeAValueDoesNot(part: String, replacement: String) throws {
        #expect(try Sample.digests(try Sample.replacing(part, replacement)) == Sample.digests())
    }

    /// Equal fields under two kinds, or under two names, are two identities.
    @Test func kindAndNameAreInTheDigest() throws {
        let renamed = try Sample.digests(
            Sample.replacing("kind: Entity\nname: airport", "kind: Entity\nname: airfield")
                .replacing("entities: [airport]", "entities: [airfield]")
        )
        #expect(renamed["entity 'airfield'"] != (try Sample.digests())["entity 'airport'"])
    }

    @Test func edgesEnterByTheirBits() throws {
        func digest(_ edges: String) throws -> Digest? {
            try Sample.digests(try Sample.replacing("method: quantile\nbins: 20", "method: explicit\nedges: \(edges)"))[
                "discretizer 'wind_bins'"
            ]
        }
        #expect(try digest("[1, 2]") == digest("[1.0, 2e0]"))
        #expect(try digest("[-0.0, 2]") == digest("[0, 2]"))
        #expect(try digest("[1, 2]") != digest("[1, 2.0000000000000004]"))
        #expect(try digest("[1, 2]") != digest("[1]"))
    }
}

extension String {
    fileprivate func replacing(_ part: String, _ replacement: String) -> String {
        firstRange(of: part).map { self[..<$0.lowerBound] + replacement + self[$0.upperBound...] } ?? self
    }
}
