import Columns
import Features
import Parity
import Testing

@Suite struct ParityComparisonTests {
    private func side(
        _ values: [Scalar],
        _ type: DataType = .float64,
        statuses: [FeatureStatus]? = nil,
        event: Int64 = 10,
        known: [Int64] = [],
        view: String? = "v",
        reads: [String] = []
    ) -> ParitySide {
        let statuses = statuses ?? values.map { $0.isNull ? .nullValue : .present }
        let times = statuses.map { $0 == .notFound || $0 == .outsideMaxAge ? 0 : event }
        return ParitySide(features: [
            .init(
                name: "f",
                view: view,
                reads: reads,
                column: Column(type, values),
                statuses: statuses,
                eventTimes: times,
                knownTimes: known
            )
        ])
    }

    private func compare(
        _ offline: ParitySide,
        _ online: ParitySide,
        state: OnlineViewState? = OnlineViewState(through: 100)
    ) -> ParityComparison {
        var comparison = ParityComparison(features: ["f"])
        comparison.add(offline: offline, online: online, states: state.map { ["v": $0] } ?? [:], firstRow: 0)
        return comparison
    }

    private func differ(_ left: Scalar, _ right: Scalar, _ type: DataType) -> Int {
        compare(side([left], type), side([right], type)).features[0].counts.mismatch
    }

    @Test func onlyNaNIsForgiven() {
        let nan = Double(bitPattern: 0xFFF8_0000_0000_0005)
        #expect(differ(.float64(.nan), .float64(nan), .float64) == 0)
        #expect(differ(.float32(.nan), .float32(-.nan), .float32) == 0)
        #expect(differ(.vector([1, .nan]), .vector([1, -.nan]), .vector(dimension: 2)) == 0)
        #expect(differ(.float64(-0.0), .float64(0), .float64) == 1)
        #expect(differ(.float32(-0.0), .float32(0), .float32) == 1)
        #expect(differ(.vector([-0.0]), .vector([0]), .vector(dimension: 1)) == 1)
        #expect(differ(.float64(0.1), .float64(0.1.nextUp), .float64) == 1)
        #expect(differ(.float64(.nan), .float64(.infinity), .float64) == 1)
        #expect(differ(.string("a"), .string("a "), .string) == 1)
        #expect(differ(.bytes([0]), .bytes([0, 0]), .bytes) == 1)
        #expect(differ(.timestamp(1), .timestamp(2), .timestamp) == 1)
        #expect(differ(.bool(true), .bool(true), .bool) == 0)
    }

    /// Canonically equal text of other bytes is another value: a model hashes or embeds the bytes.
    @Test func textIsComparedByteForByte() {
        #expect(differ(.string("\u{E9}"), .string("e\u{301}"), .string) == 1)
    }

    @Test func countsAreThoseOfTFDV() {
        let offline = side(
            [.float64(1), .float64(1), .float64(1), .null, .null, .null],
            statuses: [.present, .present, .present, .nullValue, .notFound, .notFound]
        )
        let online = side(
            [.float64(1), .float64(2), .null, .float64(1), .null, .null],
            statuses: [.present, .present, .nullValue, .present, .notFound, .outsideMaxAge]
        )
        let comparison = compare(offline, online)
        var counts = ParityCounts()
        (counts.match, counts.mismatch, counts.offlineOnly, counts.onlineOnly, counts.present) = (2, 2, 1, 1, 1)
        #expect(comparison.features[0].counts == counts)
        #expect(counts.differences == 4)
        #expect(comparison.rowCount == 6)
        #expect(comparison.rowsByView == ["v": 4])
        #expect(comparison.causes["v"]?.values.reduce(0, +) == 4)
        #expect(!comparison.passed)
    }

    @Test(arguments: FeatureStatus.allCases, FeatureStatus.allCases)
    func aMissingValueMatchesOnlyItsOwnStatus(left: FeatureStatus, right: FeatureStatus) {
        func cell(_ status: FeatureStatus) -> ParitySide {
            side([status == .present ? .float64(1) : .null], statuses: [status])
        }
        let comparison = compare(cell(left), cell(right))
        #expect(comparison.features[0].counts.differences == (left == right ? 0 : 1))
        // Equal reasons for having no value prove nothing by themselves.
        #expect(comparison.passed == (left == .present && right == .present))
        #expect(comparison.unseen == (left == right && left != .present ? ["f"] : []))
    }

    @Test func batchesAddUp() {
        var comparison = ParityComparison(features: ["f"])
        #expect(!comparison.passed, "nothing was compared")
        for first in [0, 2, 4] {
            comparison.add(
                offline: side([.float64(1), .float64(2)]),
                online: side([.float64(1), .float64(first == 4 ? 3 : 2)]),
                states: ["v": OnlineViewState(through: 100)],
                firstRow: first
            )
            #expect(comparison.passed == (first < 4))
        }
        #expect(comparison.rowCount == 6)
        #expect(comparison.features[0].counts.match == 5)
        let example = comparison.examples.first
        #expect(comparison.examples.count == 1)
        #expect((example?.row, example?.feature, example?.cause) == (5, "f", .value))
        #expect((example?.offline, example?.online) == ("2.0", "3.0"))
    }

    @Test func examplesAreFew() {
        let count = 20
        let comparison = compare(
            side((0..<count).map { .int64(Int64($0)) }, .int64),
            side((0..<count).map { .int64(Int64($0) + 1) }, .int64)
        )
        #expect(comparison.features[0].counts.mismatch == count)
        #expect(comparison.examples.map(\.row) == [0, 1, 2])
        let texts = compare(
            side([.string("it's"), .bytes([1, 2])].prefix(1).map { $0 }, .string),
            side([.null], .string, statuses: [.notFound])
        )
        #expect(texts.examples.map(\.offline) == ["'it's'"])
        #expect(texts.examples.map(\.online) == ["NOT_FOUND"])
    }

    // MARK: Causes

    private func cause(_ offline: ParitySide, _ online: ParitySide, _ state: OnlineViewState?) -> [ParityCause] {
        compare(offline, online, state: state).causes["v"].map { Array($0.keys) } ?? []
    }

    private let one: [Scalar] = [.float64(1)]

    @Test func everyCauseIsFound() {
        let offline = side(one, known: [50])
        let missing = side([.null], statuses: [.notFound])
        let old = side([.null], statuses: [.outsideMaxAge])
        let live = OnlineViewState(through: 100)
        let found: [(ParityCause, [ParityCause])] = [
            (.anotherVersion, cause(offline, missing, OnlineViewState(through: 100, otherVersion: "v@2"))),
            (.type, cause(offline, side([.int64(1)], .int64), live)),
            (.rowNotInLock, cause(offline, side([.float64(2)], event: 11), live)),
            (.rowNotInLock, cause(missing, side(one), live)),
            (.missingKey, cause(offline, missing, nil)),
            (.missingKey, cause(offline, missing, live)),
            (.neverMaterialized, cause(offline, missing, OnlineViewState(through: nil))),
            (.missingRow, cause(offline, side([.float64(2)], event: 9), OnlineViewState(through: 100, isPushed: true))),
            (.staleMaterialization, cause(offline, side([.float64(2)], event: 9), OnlineViewState(through: 49))),
            // The newest row is the same, and a row that a window holds is not there.
            (.staleMaterialization, cause(offline, side([.float64(2)]), OnlineViewState(through: 100, isBehind: true))),
            (.timeToLive, cause(offline, old, live)),
            (.rowNotInLock, cause(old, side(one), live)),
            (.timeToLive, cause(old, missing, live)),
            (.value, cause(offline, side([.float64(2)]), live)),
            (.value, cause(offline, side([.null]), live)),
        ]
        for (position, (expected, causes)) in found.enumerated() { #expect(causes == [expected], "case \(position)") }
        #expect(Set(found.map(\.0)) == Set(ParityCause.allCases))
    }

    /// What is computed on demand differs because a view that it reads does.
    @Test func isLaidToTheViewThatFallsShort() {
        let offline = side(one, view: nil, reads: ["u", "v"])
        let online = side([.float64(2)], view: nil, reads: ["u", "v"])
        func causes(_ state: OnlineViewState) -> [String: [ParityCause: Int]] {
            var comparison = ParityComparison(features: ["f"])
            let states = ["u": OnlineViewState(through: 100), "v": state]
            comparison.add(offline: offline, online: online, states: states, firstRow: 0)
            return comparison.causes
        }
        #expect(causes(OnlineViewState(through: 9, isBehind: true)) == ["v": [.staleMaterialization: 1]])
        #expect(causes(OnlineViewState(through: nil)) == ["v": [.neverMaterialized: 1]])
        #expect(causes(OnlineViewState(through: 9, otherVersion: "v@2")) == ["v": [.anotherVersion: 1]])
        #expect(causes(OnlineViewState(through: 9, isPushed: true)) == ["(request)": [.value: 1]])
    }

    @Test func whatNoViewGivesIsOfTheRequest() {
        let comparison = compare(
            side([.vector([1])], .vector(dimension: 1), view: nil),
            side([.vector([2])], .vector(dimension: 1), view: nil),
            state: nil
        )
        #expect(comparison.causes == ["(request)": [.value: 1]])
        #expect(comparison.examples.first?.offline == "[1.0, …]")
    }

    @Test func everyCauseAdvises() {
        let advice = ParityCause.allCases.map { $0.advice(view: "weather") }
        #expect(advice.allSatisfy { !$0.isEmpty })
        #expect(ParityCause.staleMaterialization.advice(view: "weather") == "run: lockstep materialize weather")
        #expect(ParityCause.allCases.sorted().map(\.rawValue) == ParityCause.allCases.map(\.rawValue).sorted())
    }
}
