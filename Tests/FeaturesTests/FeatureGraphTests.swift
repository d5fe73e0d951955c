import Columns
import Features
import Kernels
import Testing

@Suite struct FeatureGraphTests {
    private let schema = Schema([Field("a", .float64), Field("b", .float64), Field("n", .int64)])

    private func graph(_ features: [Feature]) throws -> FeatureGraph {
        try FeatureGraph(features, of: "v", over: schema)
    }

    private func fault(_ features: [Feature]) -> String? {
        #expect(throws: DefinitionError.self) { try graph(features) }.map { "\($0)" }
    }

    private let rows = RecordBatch([
        "a": .float64(PrimitiveColumn([1, 2, nil, 4], zero: 0)),
        "b": .float64(PrimitiveColumn([0, 5, 6, nil], zero: 0)),
        "n": .int64(PrimitiveColumn([1, 2, 3, 4])),
    ])

    /// Declared in no useful order: each is computed after what it reads.
    @Test func featuresReadFeatures() throws {
        let graph = try graph([
            Feature(name: "is_high", type: .bool, expression: "ratio > 0.3 or scaled = 8"),
            Feature(name: "scaled", type: .float64, expression: "a * 2"),
            Feature(name: "ratio", type: .float64, expression: "scaled / b"),
            Feature(name: "n", type: .int64),
        ])
        let columns = (0..<4).map { graph.evaluate(rows, feature: $0) }
        #expect(columns[1].column == .float64(PrimitiveColumn([2, 4, nil, 8], zero: 0)))
        #expect(columns[2].column == .float64(PrimitiveColumn([nil, 0.8, nil, nil], zero: 0)))
        // Undefined in the first row, where b is 0; null for the feature that reads it.
        #expect(columns[2].statuses == [.invalid, .present, .nullValue, .nullValue])
        #expect(columns[0].column == .bool(PrimitiveColumn([nil, true, nil, true], zero: false)))
        #expect(columns[0].statuses == [.nullValue, .present, .nullValue, .present])
        #expect(graph.columns == [["a", "b"], ["a"], ["a", "b"], ["n"]])
        for feature in 0..<4 {
            let own = try rows.select(columns: graph.columns[feature])
            #expect(graph.evaluate(own, feature: feature) == columns[feature])
        }
    }

    @Test func cyclesAreRefusedByName() {
        let message = fault([
            Feature(name: "x", type: .float64, expression: "y + a"),
            Feature(name: "y", type: .float64, expression: "z * 2"),
            Feature(name: "z", type: .float64, expression: "x - 1"),
        ])
        #expect(
            message == "feature view 'v': features are computed from each other: x <- y <- z <- x; break the cycle"
        )
        let own = fault([Feature(name: "x", type: .float64, expression: "x + 1")])
        #expect(own == "feature view 'v': features are computed from each other: x <- x; break the cycle")
    }

    @Test func namesThatCouldMeanTwoThingsAreRefused() throws {
        let message = fault([
            Feature(name: "a", type: .float64, expression: "a * 2"),
            Feature(name: "big", type: .bool, expression: "a > 5"),
        ])
        #expect(
            message == "feature 'v:big': 'a' is a column of the source, and a feature that computes something else; "
                + "give the feature another name"
        )
        // Of its own expression's name there is no doubt, and a feature that is the column may be read as either.
        _ = try graph([Feature(name: "a", type: .float64, expression: "a * 2")])
        _ = try graph([
            Feature(name: "a", type: .float64), Feature(name: "big", type: .bool, expression: "a > 5"),
        ])
    }

    @Test func aFeatureIsReadWithItsDeclaredType() {
        let message = fault([
            Feature(name: "x", type: .string, expression: "'1'"),
            Feature(name: "y", type: .float64, expression: "x + 1"),
        ])
        #expect(message?.contains("feature 'v:y'") == true)
    }
}
