import Columns
import Features
import Formats
import Testing
import Wire

@Suite struct OnlineFeaturesTests {
    // MARK: Requests

    @Test func requestsReadBack() throws {
        let entities = [
            JSON.Member("origin", .array([.string("EWR"), .null])),
            JSON.Member("n", .array([.int(Int64.max), .int(1)])),
        ]
        let references = [FeatureReference(view: "a", feature: "b"), FeatureReference(view: "c", feature: "d")]
        for request in [
            OnlineRequest(selection: .service("delay_model"), entities: entities),
            OnlineRequest(selection: .features(references), entities: entities, fullFeatureNames: true),
            OnlineRequest(selection: .service("s"), entities: []),
        ] {
            #expect(try OnlineRequest(parsing: request.body) == request)
        }
    }

    @Test func requestsAreInFeastsShape() throws {
        let body = #"{"features":["v:f"],"entities":{"k":[1]},"full_feature_names":true,"unknown":1}"#
        let request = try OnlineRequest(parsing: Array(body.utf8))
        #expect(request.selection == .features([FeatureReference(view: "v", feature: "f")]))
        #expect(request.fullFeatureNames)
    }

    @Test(arguments: [
        ("{", "not valid JSON at byte 1: expected a name in quotes"),
        (#"{"feature_service":"s"}"#, "the request has no 'entities': give each join key a list of values"),
        (
            #"{"feature_service":"s","entities":[]}"#,
            "the request has no 'entities': give each join key a list of values"
        ),
        (#"{"entities":{}}"#, "the request names neither 'feature_service' nor 'features'"),
        (#"{"feature_service":1,"entities":{}}"#, "the request names neither 'feature_service' nor 'features'"),
        (#"{"features":[],"entities":{}}"#, "'features' is empty; name at least one"),
        (#"{"features":["f"],"entities":{}}"#, #"a feature is "f", expected "view:feature""#),
        (#"{"features":[1],"entities":{}}"#, #"a feature is 1, expected "view:feature""#),
        (
            #"{"feature_service":"s","entities":{"k":[1],"k":[2]}}"#,
            "not valid JSON at byte 46: the name 'k' stands twice in one object"
        ),
    ]) func malformedRequestsAreRefused(body: String, message: String) {
        let found = #expect(throws: (any Error).self) { try OnlineRequest(parsing: Array(body.utf8)) }
        #expect(found.map { "\($0)" } == message)
    }

    private func keys(_ entities: String, _ fields: [Field]) throws -> RecordBatch {
        let body = #"{"feature_service":"s","entities":"# + entities + "}"
        return try OnlineRequest(parsing: Array(body.utf8)).rows(joinKeys: fields)
    }

    private let fields = [Field("origin", .string), Field("n", .int64)]

    @Test func keysHaveTheirDeclaredTypesAndOrder() throws {
        let batch = try keys(#"{"n":[9223372036854775807,null],"origin":["EWR","JFK"]}"#, fields)
        #expect(
            batch
                == RecordBatch([
                    "origin": .string(BinaryColumn(["EWR", "JFK"])), "n": Column(.int64, [.int64(.max), .null]),
                ])
        )
        #expect(try keys(#"{"n":[],"origin":[]}"#, fields).rowCount == 0)
        // A service without keys answers with one row.
        #expect(try keys("{}", []).rowCount == 1)
    }

    @Test(arguments: [
        (#"{"origin":["a"]}"#, "the request has no list for join key 'n' (int64); it has origin"),
        ("{}", "the request has no list for join key 'origin' (string); it has none"),
        (#"{"origin":"a","n":[1]}"#, "the request has no list for join key 'origin' (string); it has origin, n"),
        (#"{"origin":["a","b"],"n":[1]}"#, "join key 'n' has 1 values, another has 2"),
        (#"{"origin":["a"],"n":["1"]}"#, "join key 'n', row 1, is \"1\", expected int64"),
        (
            #"{"origin":["a"],"n":[1],"orgin":["a"]}"#,
            "'orgin' is not a join key of what is asked for; did you mean 'origin'?"
        ),
    ]) func wrongKeysAreRefused(entities: String, message: String) {
        let found = #expect(throws: ValueError.self) { try keys(entities, fields) }
        #expect(found?.description == message)
    }

    // MARK: Responses

    @Test func responsesReadBack() throws {
        let response = OnlineResponse(
            names: ["wind", "routes"],
            results: [
                .init(
                    values: [.double(0.1), .null, .string("NaN")],
                    statuses: [.present, .outsideMaxAge, .present],
                    eventTimes: [1_357_034_400_000_000, 0, .min]
                ),
                .init(
                    values: [.array([.float(1)]), .null, .null],
                    statuses: [.present, .notFound, .invalid],
                    eventTimes: [-1, 0, .max]
                ),
            ]
        )
        #expect(try OnlineResponse(parsing: response.body) == response)
        #expect(try OnlineResponse(parsing: OnlineResponse(names: [], results: []).body).names == [])
    }

    @Test(arguments: [
        "[]", "{}", #"{"metadata":{"feature_names":["a"]},"results":[]}"#,
        #"{"metadata":{"feature_names":[1]},"results":[{}]}"#,
        #"{"metadata":{"feature_names":["a"]},"results":[{"values":[1],"statuses":["PRESENT"],"event_timestamps":[]}]}"#,
        #"{"metadata":{"feature_names":["a"]},"results":[{"values":[1],"statuses":["GOOD"],"event_timestamps":[0]}]}"#,
        #"{"metadata":{"feature_names":["a"]},"results":[{"values":[1],"statuses":["PRESENT"],"event_timestamps":["now"]}]}"#,
        #"{"metadata":{"feature_names":["a"]},"results":[{"values":[],"statuses":["PRESENT"],"event_timestamps":[0]}]}"#,
    ]) func otherAnswersAreRefused(body: String) {
        #expect(throws: ValueError.self) { try OnlineResponse(parsing: Array(body.utf8)) }
    }

    // MARK: Pushes

    private let rows = RecordBatch([
        "origin": .string(BinaryColumn(["EWR", nil])), "temp": Column(.float64, [.float64(-0.0), .float64(.nan)]),
        "at": .timestamp(PrimitiveColumn([0, .max])), "raw": Column(.bytes, [.bytes([0, 255]), .bytes([])]),
        "v": Column(.vector(dimension: 2), [.vector([0.1, .leastNonzeroMagnitude]), .null]),
    ])

    @Test func pushedRowsKeepTheirBits() throws {
        let request = PushRequest(source: "weather", rows: rows)
        let read = try PushRequest(parsing: request.body)
        #expect(read == request)
        let batch = try read.rows(rows.schema)
        #expect(batch.schema == rows.schema)
        for (left, right) in zip(batch.columns, rows.columns) {
            for row in 0..<2 { #expect(left[row].isIdentical(to: right[row])) }
        }
    }

    @Test(arguments: [
        (#"{"df":{}}"#, "the request has no 'push_source_name'"),
        (#"{"push_source_name":"s"}"#, "the request has no 'df' with a list for each column"),
        (#"{"push_source_name":"s","df":[]}"#, "the request has no 'df' with a list for each column"),
    ]) func malformedPushesAreRefused(body: String, message: String) {
        let found = #expect(throws: ValueError.self) { try PushRequest(parsing: Array(body.utf8)) }
        #expect(found?.description == message)
    }

    @Test(arguments: [
        (#"{"a":[1]}"#, "the pushed rows have no column 'b' (string) of source 's'"),
        (#"{"a":[1],"b":"x"}"#, "the pushed rows have no column 'b' (string) of source 's'"),
        (#"{"a":[1,2],"b":["x"]}"#, "column 'b' has 1 rows, another has 2"),
        (#"{"a":["1"],"b":["x"]}"#, "column 'a', row 1, is \"1\", expected int64"),
        (#"{"a":[1],"b":["x"],"bb":[1]}"#, "source 's' has no column 'bb'; did you mean 'b'?"),
    ]) func rowsOfAnotherShapeAreRefused(columns: String, message: String) throws {
        let body = #"{"push_source_name":"s","df":"# + columns + "}"
        let request = try PushRequest(parsing: Array(body.utf8))
        let found = #expect(throws: ValueError.self) {
            try request.rows(Schema([Field("a", .int64), Field("b", .string)]))
        }
        #expect(found?.description == message)
    }

    /// Whatever is sent, the answer is a message.
    @Test(arguments: 0..<20 as Range<UInt64>) func damagedMessagesNeverTrap(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bodies = [
            PushRequest(source: "weather", rows: rows).body,
            OnlineRequest(selection: .service("s"), entities: [JSON.Member("origin", .array([.string("a")]))]).body,
            OnlineResponse(names: ["a"], results: [.init(values: [.int(1)], statuses: [.present], eventTimes: [5])])
                .body,
        ]
        for body in bodies {
            for _ in 0..<50 {
                var damaged = body
                for _ in 0...1 {
                    damaged[Int.random(in: 0..<damaged.count, using: &random)] =
                        Array("{}[]\",:019aE-".utf8)
                        .randomElement(using: &random) ?? 0
                }
                _ = try? PushRequest(parsing: damaged).rows(rows.schema)
                _ = try? OnlineRequest(parsing: damaged).rows(joinKeys: [Field("origin", .string)])
                _ = try? OnlineResponse(parsing: damaged)
            }
        }
    }
}
