import Columns
import Kernels
import Testing

@Suite("Aggregate states")
struct WindowStateTests {
    private func state(_ aggregate: WindowAggregate, _ history: WindowHistory, rows: [Int]) throws -> WindowState {
        var state = try WindowState(aggregate.function, of: aggregate.column.map { WindowHistory.types[$0] })
        for row in rows {
            state.add(
                aggregate.column.map { history.columns[$0][row] } ?? .null,
                eventTime: history.eventTimes[row],
                knownTime: history.knownTimes[row],
                sequence: history.sequences[row]
            )
        }
        return state
    }

    @Test("Tiles added in any order, encoded, decoded and merged finish to the bits of the batch")
    func tiles() throws {
        var generator = SeededGenerator(seed: 80)
        for magnitude in WindowHistory.Magnitude.allCases {
            let history = WindowHistory.random(
                count: 40,
                keyCount: 1,
                times: 0...30,
                lag: .long,
                magnitude: magnitude,
                using: &generator
            )
            for (function, column) in WindowHistory.functions {
                let aggregate = WindowAggregate(function, column: column, width: 20)
                let time = Int64.random(in: 0...60, using: &generator)
                let rows = history.rows(.int64(0), at: time, aggregate)
                var merged = try WindowState(function, of: column.map { WindowHistory.types[$0] })
                let empty = merged
                let shuffled = rows.shuffled(using: &generator)
                let cut = shuffled.isEmpty ? 0 : Int.random(in: 0...shuffled.count, using: &generator)
                for tile in [shuffled[..<cut], shuffled[cut...]] {
                    let state = try state(aggregate, history, rows: Array(tile))
                    let decoded = try WindowState(decoding: state.encode())
                    #expect(decoded == state && decoded.hashValue == state.hashValue)
                    try merged.merge(decoded)
                }
                let direct = try state(aggregate, history, rows: rows)
                #expect(merged == direct && merged.encode() == direct.encode(), "\(aggregate)")
                if !rows.isEmpty, function == .countRows || function == .first { #expect(merged != empty) }
                let index = try history.index()
                let plan = try WindowPlan([aggregate], columns: WindowHistory.types, filterCount: 2)
                let keys = try KeyColumn([Column(.int64, [.int64(0)])], rowCount: 1)
                let batch = index.aggregate(
                    plan,
                    columns: history.columns,
                    filters: history.filters,
                    keys: keys,
                    at: [time],
                    rows: 0..<1
                )
                let (value, isInvalid) = merged.finish()
                #expect(value.isIdentical(to: batch[0].column[0]), "\(aggregate)")
                #expect(isInvalid == (batch[0].invalid?[0] ?? false), "\(aggregate)")
            }
        }
    }

    @Test("Bytes that no state is encoded as are refused; what is read encodes to the same bytes")
    func damagedBytes() throws {
        var generator = SeededGenerator(seed: 90)
        let history = WindowHistory.random(
            count: 6,
            keyCount: 1,
            times: 0...30,
            lag: .none,
            magnitude: .ordinary,
            using: &generator
        )
        for (function, column) in WindowHistory.functions {
            let aggregate = WindowAggregate(function, column: column, width: nil)
            let bytes = try state(aggregate, history, rows: Array(0..<6)).encode()
            #expect(throws: WindowError.self) { try WindowState(decoding: bytes + [0]) }
            for length in bytes.indices {
                #expect(throws: WindowError.self) { try WindowState(decoding: Array(bytes[..<length])) }
            }
            for position in bytes.indices {
                for _ in 0..<4 {
                    var damaged = bytes
                    damaged[position] ^= UInt8(1) << UInt8.random(in: 0...7, using: &generator)
                    if Bool.random(using: &generator) {
                        damaged[bytes.indices.randomElement(using: &generator) ?? 0] = UInt8.random(
                            in: 0...255,
                            using: &generator
                        )
                    }
                    guard let state = try? WindowState(decoding: damaged) else { continue }
                    #expect(state.encode() == damaged)
                    var doubled = state
                    try doubled.merge(state)
                    _ = doubled.finish()
                }
            }
        }
        #expect(throws: WindowError.self) { try WindowState(decoding: []) }
    }

    @Test("The bytes of a state stay what they are")
    func layout() throws {
        var sum = try WindowState(.sum, of: .float64)
        sum.add(.float64(1.5), eventTime: 0, knownTime: 0, sequence: 0)
        sum.add(.float64(.infinity), eventTime: 0, knownTime: 0, sequence: 1)
        sum.add(.null, eventTime: 0, knownTime: 0, sequence: 2)
        // 1.5 is 3 × 2^1073 units; 1073 = 33 × 32 + 17.
        #expect(
            sum.encode() == [1, 3, 4] + [2, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0]
                + [1, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0] + [0, 33, 0, 1, 0, 0, 0, 6, 0]
        )
        // The same number with a zero digit at its upper or lower end is not how it is written.
        let counts = Array(sum.encode()[..<35])
        for number: [UInt8] in [[0, 33, 0, 2, 0, 0, 0, 6, 0, 0, 0, 0, 0], [0, 32, 0, 2, 0, 0, 0, 0, 0, 0, 0, 6, 0]] {
            #expect(throws: WindowError.self) { try WindowState(decoding: counts + number) }
        }
        var distinct = try WindowState(.countDistinct, of: .string)
        for text in ["b", "", "b"] { distinct.add(.string(text), eventTime: 0, knownTime: 0, sequence: 0) }
        #expect(
            distinct.encode() == [1, 10, 5] + [2, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0]
                + [1, 0, 0, 0, 0, 0, 0, 0, 98]
        )
    }

    @Test("States of different aggregates or types do not merge")
    func mismatches() throws {
        var state = try WindowState(.sum, of: .float64)
        #expect(throws: WindowError.unequalStates("sum of float64", "sum of int64")) {
            try state.merge(WindowState(.sum, of: .int64))
        }
        #expect(throws: WindowError.self) { try state.merge(WindowState(.average, of: .float64)) }
        #expect(throws: WindowError.undefined(.sum, .string)) { try WindowState(.sum, of: .string) }
    }
}
