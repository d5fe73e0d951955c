import Bins
import Columns
import Features
import Kernels
import Testing

@Suite struct OnDemandTests {
    static let base = """
        kind: Entity
        name: airport
        join_keys: { origin: string }
        ---
        kind: Source
        name: weather
        columns: { origin: string, at: timestamp, wind: float64, visib: float64 }
        event_time: { column: at }
        ---
        kind: FeatureView
        name: airport_weather
        entities: [airport]
        source: weather
        features: [{ name: wind, type: float64 }, { name: visib, type: float64 }]
        ---
        kind: Discretizer
        name: wind_bins
        input: airport_weather:wind
        method: explicit
        edges: [10, 20]

        """

    static let trip = """
        ---
        kind: OnDemandFeatureView
        name: trip
        request: { distance: float64, express: bool }
        inputs:
          - airport_weather: [wind]
          - airport_weather: { features: [wind], keys: { origin: dest }, prefix: dest_ }
        features:
          - { name: headwind, type: float64, expression: "coalesce(wind, 0) * distance" }
          - { name: wind_bin, type: int64, expression: "case when express then -1 else bin(dest_wind, wind_bins) end" }
          - { name: is_night, type: bool, expression: "extract(hour from event_timestamp) < 6" }
          - { name: per_bin, type: float64, expression: "distance / wind_bin" }
        ---
        kind: FeatureService
        name: model
        features:
          - airport_weather: [visib]
          - trip: [headwind, wind_bin, is_night, { feature: per_bin, as: ratio }]

        """

    private func plan(_ text: String = base + trip) throws -> ServicePlan { try Sample.servicePlan(text) }

    private func fault(_ text: String) -> String? {
        #expect(throws: DefinitionError.self) { try Sample.resolve(text) }.map { "\($0)" }
    }

    @Test func asksForWhatItNeeds() throws {
        let plan = try plan()
        #expect(plan.joinKeys == [Field("origin", .string), Field("dest", .string)])
        #expect(plan.requestFields == [Field("distance", .float64), Field("express", .bool)])
        #expect(plan.outputs.map(\.name) == ["visib", "headwind", "wind_bin", "is_night", "ratio"])
        #expect(
            plan.outputs.map(\.fullName) == [
                "airport_weather__visib", "trip__headwind", "trip__wind_bin", "trip__is_night", "ratio",
            ]
        )
        // Read once by each of its keys, whoever asks.
        #expect(plan.views.map { $0.keys.map(\.name) } == [["origin"], ["dest"]])
        #expect(plan.outputs.map(\.reads) == [[0], [0, 1], [0, 1], [0, 1], [0, 1]])
    }

    @Test func computesFromTheRequestAndOtherViews() throws {
        let fitted = FittedAssets(bins: ["wind_bins": try BinEdges([10, 20])])
        let plan = try plan().bound(to: fitted)
        let hour: Int64 = 3_600_000_000
        let request = RecordBatch([
            "origin": Column(.string, [.string("EWR"), .string("XXX"), .string("EWR"), .null]),
            "dest": Column(.string, [.string("LAX"), .string("LAX"), .null, .string("LAX")]),
            "distance": .float64(PrimitiveColumn([2, 3, nil, 5], zero: 0)),
            "express": .bool(PrimitiveColumn([false, true, false, nil], zero: false)),
        ])
        func found(_ winds: [Double?]) -> ViewRows {
            let wind = FeatureColumn(
                .float64(PrimitiveColumn(winds, zero: 0)),
                statuses: winds.map { $0 == nil ? .notFound : .present }
            )
            return ViewRows(features: [wind, wind], rowCount: 4)
        }
        let columns = try plan.assemble(
            [found([7, nil, 7, nil]), found([5, 5, nil, 25])],
            keys: request,
            at: [0, 5 * hour, 6 * hour, 30 * hour],
            fitted: fitted
        )
        #expect(columns[1].column == .float64(PrimitiveColumn([14, 0, nil, 0], zero: 0)))
        #expect(columns[1].statuses == [.present, .present, .nullValue, .present])
        #expect(columns[2].column == .int64(PrimitiveColumn([0, -1, nil, 2], zero: 0)))
        #expect(columns[3].column == .bool(PrimitiveColumn([true, true, false, false])))
        // 2 / 0 is undefined; a feature computed from another reads what that gave.
        #expect(columns[4].column == .float64(PrimitiveColumn([nil, -3, nil, 2.5], zero: 0)))
        #expect(columns[4].statuses == [.invalid, .present, .nullValue, .present])
    }

    @Test func needsItsBins() throws {
        let error = #expect(throws: DefinitionError.self) { try plan().bound(to: FittedAssets()) }
        #expect(error.map { "\($0)" } == "discretizer 'wind_bins': it has no fitted bins; run: lockstep fit wind_bins")
    }

    /// What it reads makes its version: other edges are another discretizer, and so another view and service.
    @Test func isVersionedByWhatItReads() throws {
        let before = try Sample.digests(Self.base + Self.trip)
        let after = try Sample.digests((Self.base + Self.trip).replacing("[10, 20]", with: "[10, 21]"))
        for name in ["discretizer 'wind_bins'", "view 'trip'", "service 'model'"] {
            #expect(before[name] != nil && before[name] != after[name], "\(name)")
        }
        #expect(before["view 'airport_weather'"] == after["view 'airport_weather'"])
        let spaced = try Sample.digests(
            (Self.base + Self.trip).replacing("coalesce(wind, 0) * distance", with: "COALESCE( wind,0)*distance")
        )
        #expect(before == spaced)
    }

    @Test(arguments: [
        ("distance / wind_bin", "distance / wind_bim", "unknown column 'wind_bim'; did you mean 'wind_bin'?"),
        (
            "bin(dest_wind, wind_bins)", "bin(dest_wind, wind_bin)",
            "refers to discretizer 'wind_bin', which is not defined; did you mean 'wind_bins'?"
        ),
        ("bin(dest_wind, wind_bins)", "bin(express, wind_bins)", "'bin' needs float64, found bool"),
        ("coalesce(wind, 0) * distance", "sum(wind) over 7d", "there is no history to aggregate here"),
        (
            "request: { distance: float64, express: bool }",
            "request: { wind: float64, express: bool, distance: float64 }",
            "two of its inputs are called 'wind'; give one an alias with 'as'"
        ),
        (
            "request: { distance: float64, express: bool }",
            "request: { distance: float64, express: bool, origin: int64 }",
            "request value 'origin' is int64 for on-demand feature view 'trip' and string elsewhere; make them equal"
        ),
        (
            "- airport_weather: [wind]\n", "- airport_weather: [wint]\n",
            "feature view 'airport_weather' has no feature 'wint'; did you mean 'wind'?"
        ),
        (
            "- trip: [headwind,", "- trip: [headwint,",
            "on-demand feature view 'trip' has no feature 'headwint'; did you mean 'headwind'?"
        ),
        (
            "- trip: [headwind, wind_bin, is_night, { feature: per_bin, as: ratio }]",
            "- trip: { features: [headwind], keys: { a: b } }",
            "'trip' is computed on demand and has no join keys of its own"
        ),
        ("input: airport_weather:wind", "input: trip:headwind", "refer to each other"),
        (
            "{ name: visib, type: float64 }]", #"{ name: visib, type: int64, expression: "bin(wind, wind_bins)" }]"#,
            "feature 'airport_weather:visib': bins are found when they are asked for, under the edges that are pinned then;"
                + " use bin(x, wind_bins) in an OnDemandFeatureView"
        ),
    ])
    func saysWhatIsWrong(_ part: String, _ replacement: String, _ message: String) throws {
        let text = Self.base + Self.trip
        try #require(text.contains(part))
        let found = fault(text.replacing(part, with: replacement))
        #expect(found?.contains(message) == true, "\(found ?? "nothing")")
    }

    @Test func isNoInputOfBinsOrOfAnother() {
        let bins = """
            ---
            kind: Discretizer
            name: late_bins
            input: trip:headwind
            method: quantile
            bins: 4

            """
        #expect(
            fault(Self.base + Self.trip + bins)?.contains("is computed on demand and has no history to fit on") == true
        )
        let other = """
            ---
            kind: OnDemandFeatureView
            name: second
            inputs: [{ trip: [headwind] }]
            features: [{ name: f, type: float64, expression: headwind }]

            """
        #expect(
            fault(Self.base + Self.trip + other)?.contains("here a feature of a view with a source is needed") == true
        )
    }
}
