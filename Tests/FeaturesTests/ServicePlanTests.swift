import Bins
import Columns
import Embeddings
import Features
import Testing

@Suite struct ServicePlanTests {
    private func error(_ part: String, _ replacement: String) throws -> String {
        let text = try Sample.replacing(part, replacement)
        return (#expect(throws: DefinitionError.self) { try Sample.servicePlan(text) })?.description ?? ""
    }

    @Test func planNamesItsOutputsAndKeys() throws {
        let plan = try Sample.servicePlan()
        #expect(plan.outputs.map(\.name) == ["wind", "foul", "wind_bin", "code_vector", "routes"])
        #expect(plan.outputs.map(\.fullName) == ["airport_weather__wind", "foul", "wind_bin", "code_vector", "routes"])
        #expect(
            plan.outputs.map(\.type)
                == [.float64, .bool, .int64, .vector(dimension: 2), .vector(dimension: 2)]
        )
        #expect(plan.outputs.map(\.view) == [0, 0, 0, 0, nil])
        #expect(plan.joinKeys == [Field("origin", .string)])
        #expect(plan.views.map(\.plan.view.name) == ["airport_weather"])
    }

    @Test func faultsAreNamed() throws {
        let service = "feature service 'delay_model': "
        #expect(
            try error("as: foul }", "as: wind }")
                == service + "two columns would be called 'wind'; give one an alias with 'as'"
        )
        #expect(
            try error("as: foul }", "as: origin }")
                == service + "two columns would be called 'origin'; give one an alias with 'as'"
        )
        #expect(
            try error("bins: { input: airport_weather:wind,", "bins: { input: airport_weather:n,")
                == service + "discretizer 'wind_bins' is fitted on airport_weather:wind, not on airport_weather:n; "
                + "declare one for airport_weather:n"
        )
        #expect(
            try error("discretizer: wind_bins", "discretizer: wind_bin")
                == service + "there is no discretizer 'wind_bin'; did you mean 'wind_bins'?"
        )
        #expect(
            try error("space: routes, key: origin", "space: route, key: origin")
                == service + "there is no embedding space 'route'; did you mean 'routes'?"
        )
        #expect(
            try error("key: airport_weather:code", "key: airport_weather:n")
                == service
                + "feature airport_weather:n is int64, expected string for the key of embedding space 'routes'"
        )
        #expect(
            try error("- airport_weather: [wind,", "- airport_wether: [wind,")
                == service + "there is no feature view 'airport_wether'; did you mean 'airport_weather'?"
        )
    }

    @Test func oneViewMayBeReadByOtherKeys() throws {
        let text = try Sample.replacing(
            "- airport_weather: [wind,",
            """
            - airport_weather: { keys: { origin: dest }, prefix: dest_, features: [wind, { feature: n, as: far }] }
              - bins: { input: airport_weather:wind, discretizer: wind_bins, keys: { origin: dest }, as: far_bin }
              - airport_weather: [wind,
            """
        )
        let plan = try Sample.servicePlan(text)
        #expect(plan.outputs.prefix(4).map(\.name) == ["dest_wind", "far", "far_bin", "wind"])
        #expect(plan.outputs.prefix(4).map(\.view) == [0, 0, 0, 1])
        #expect(plan.views.map { $0.keys.map(\.name) } == [["dest"], ["origin"]])
        #expect(plan.joinKeys == [Field("origin", .string), Field("dest", .string)])
        #expect(
            try error(
                "- airport_weather: [wind,",
                "- airport_weather: { keys: { orign: dest }, features: [n] }\n  - airport_weather: [wind,"
            )
                == "feature service 'delay_model': feature view 'airport_weather': it has no join key 'orign'; "
                + "did you mean 'origin'? (it has origin)"
        )
    }

    @Test func embeddedKeysAreText() throws {
        let text = try Sample.replacing("join_keys: { origin: string }", "join_keys: { n: int64 }")
        #expect(try Sample.servicePlan(text).joinKeys == [Field("origin", .string), Field("n", .int64)])
        let clash = text.split(separator: "key: origin }", omittingEmptySubsequences: false).joined(
            separator: "key: n }"
        )
        let found = #expect(throws: DefinitionError.self) { try Sample.servicePlan(clash) }
        #expect(
            found?.description == "feature service 'delay_model': join key 'n' is int64 for "
                + "feature view 'airport_weather' and string elsewhere; make them equal"
        )
    }

    /// Full names must be as distinct as short ones: `a__b` of `c` and `b__c` of `a` would be one column.
    @Test func fullNamesAreDistinctToo() throws {
        let text = try Sample.replacing("as: foul }", "as: airport_weather__wind }")
        #expect(throws: DefinitionError.self) {
            let plan = try Sample.servicePlan(text)
            let spine = RecordBatch([
                "origin": .string(BinaryColumn(["a"])), "event_timestamp": .timestamp(PrimitiveColumn([0])),
            ])
            _ = try Spine(spine, for: plan, full: true, name: "spine.csv")
        }
    }

    // MARK: Assembling

    private func rows() -> ViewRows {
        let wind = Column(.float64, [.float64(1), .float64(2), .float64(.nan), .null, .null])
        let statuses: [FeatureStatus] = [.present, .present, .present, .nullValue, .outsideMaxAge]
        return ViewRows(
            features: [
                FeatureColumn(wind, statuses: statuses),
                FeatureColumn(
                    Column(.bool, [.bool(true), .bool(false), .null, .null, .null]),
                    statuses: [.present, .present, .invalid, .nullValue, .outsideMaxAge]
                ),
                FeatureColumn(
                    .string(BinaryColumn(["a", "zz", "b", nil, nil])),
                    statuses: [.present, .present, .present, .nullValue, .outsideMaxAge]
                ),
                FeatureColumn(
                    Column.nulls(.int64, count: 5),
                    statuses: [FeatureStatus](repeating: .nullValue, count: 5)
                ),
            ],
            rowCount: 5
        )
    }

    private func assets() throws -> FittedAssets {
        let table = try EmbeddingTable(
            space: "routes",
            version: "1",
            dimension: 2,
            metric: .cosine,
            keys: BinaryColumn(["b", "a"]),
            vectors: VectorColumn(dimension: 2, values: [3, 4, 1, 2])
        )
        return FittedAssets(bins: ["wind_bins": try BinEdges([1.5])], tables: ["routes": table])
    }

    private let keys = RecordBatch(["origin": .string(BinaryColumn(["b", "none", nil, "a", "a"]))])

    @Test func assemblesFeaturesBinsAndEmbeddings() throws {
        let plan = try Sample.servicePlan()
        let outputs = try plan.assemble(
            [rows()],
            keys: keys,
            at: [Int64](repeating: 0, count: keys.rowCount),
            fitted: assets()
        )
        #expect(outputs.count == 5)
        #expect(outputs[0].statuses == rows().features[0].statuses)
        #expect(outputs[0].column[2].isIdentical(to: .float64(.nan)))
        #expect(outputs[1] == rows().features[1])
        // NaN has the bin after the two of the values; a null has none.
        #expect(
            outputs[2]
                == FeatureColumn(
                    Column(.int64, [.int64(0), .int64(1), .int64(2), .null, .null]),
                    statuses: rows().features[0].statuses
                )
        )
        #expect(
            outputs[3]
                == FeatureColumn(
                    Column(.vector(dimension: 2), [.vector([1, 2]), .null, .vector([3, 4]), .null, .null]),
                    statuses: [.present, .notFound, .present, .nullValue, .outsideMaxAge]
                )
        )
        #expect(
            outputs[4]
                == FeatureColumn(
                    Column(
                        .vector(dimension: 2),
                        [.vector([3, 4]), .null, .null, .vector([1, 2]), .vector([1, 2])]
                    ),
                    statuses: [.present, .notFound, .nullValue, .present, .present]
                )
        )
    }

    @Test func whatIsNotFittedIsNamed() throws {
        let plan = try Sample.servicePlan()
        let bins = #expect(throws: DefinitionError.self) {
            try plan.assemble(
                [rows()],
                keys: keys,
                at: [Int64](repeating: 0, count: keys.rowCount),
                fitted: FittedAssets()
            )
        }
        #expect(bins?.description == "discretizer 'wind_bins': it has no fitted bins; run: lockstep fit wind_bins")
        let table = #expect(throws: DefinitionError.self) {
            try plan.assemble(
                [rows()],
                keys: keys,
                at: [Int64](repeating: 0, count: keys.rowCount),
                fitted: FittedAssets(bins: ["wind_bins": try BinEdges([1.5])])
            )
        }
        #expect(
            table?.description
                == "embedding space 'routes': it has no embeddings; run: lockstep embeddings import routes FILE"
        )
    }

    // MARK: Spines

    private static let origin = Column.string(BinaryColumn(["a", nil]))
    private static let times = Column.timestamp(PrimitiveColumn([5, 6]))

    private func refusal(_ columns: KeyValuePairs<String, Column>, full: Bool = false) throws -> String {
        let plan = try Sample.servicePlan()
        let found = #expect(throws: DefinitionError.self) {
            try Spine(RecordBatch(columns), for: plan, full: full, name: "spine.csv")
        }
        return found?.description ?? ""
    }

    @Test func spinesCarryTheirColumns() throws {
        let label = Column(.bool, [.bool(true), .null])
        let batch = RecordBatch(["label": label, "event_timestamp": Self.times, "origin": Self.origin])
        let spine = try Spine(batch, for: try Sample.servicePlan(), name: "spine.csv")
        #expect(spine.rows == batch)
        #expect(spine.times == [5, 6])
    }

    @Test func spinesThatCannotBeJoinedAreRefused() throws {
        #expect(
            try refusal(["orign": Self.origin, "event_timestamp": Self.times])
                == "spine spine.csv: it has no column 'origin' (string); did you mean 'orign'?; it has orign, event_timestamp"
        )
        #expect(
            try refusal(["origin": Column.nulls(.int64, count: 2), "event_timestamp": Self.times])
                == "spine spine.csv: column 'origin' is int64, expected string for service 'delay_model'; cast it"
        )
        #expect(
            try refusal(["origin": Self.origin])
                == "spine spine.csv: it has no column 'event_timestamp' (timestamp); it has origin"
        )
        #expect(
            try refusal(["origin": Self.origin, "event_timestamp": Column.nulls(.timestamp, count: 2)])
                == "spine spine.csv: 2 rows have no event_timestamp; every row needs its instant"
        )
        let foul = Column.nulls(.bool, count: 2)
        #expect(
            try refusal(["origin": Self.origin, "event_timestamp": Self.times, "foul": foul])
                == "spine spine.csv: column 'foul' has the name of a feature of service 'delay_model'; "
                + "rename it or give the feature an alias"
        )
        #expect(
            try refusal(
                ["origin": Self.origin, "event_timestamp": Self.times, "airport_weather__wind": foul],
                full: true
            )
            .contains("'airport_weather__wind' has the name of a feature")
        )
    }
}
