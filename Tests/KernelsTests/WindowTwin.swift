import Columns
import Kernels

/// History of one or more keys in the plain form that the quadratic twin reads.
struct WindowHistory {
    var keys: [Scalar]
    var eventTimes: [Int64]
    var knownTimes: [Int64]
    var sequences: [Int64]
    var columns: [Column]
    var filters: [Bitmap]

    var count: Int { keys.count }

    func index() throws -> WindowIndex {
        try WindowIndex(
            keys: KeyColumn([Column(.int64, keys)], rowCount: count),
            eventTimes: eventTimes,
            knownTimes: knownTimes,
            sequences: sequences
        )
    }

    func take(_ rows: [Int]) -> WindowHistory {
        WindowHistory(
            keys: rows.map { keys[$0] },
            eventTimes: rows.map { eventTimes[$0] },
            knownTimes: rows.map { knownTimes[$0] },
            sequences: rows.map { sequences[$0] },
            columns: columns.map { $0.take(rows) },
            filters: filters.map { filter in
                var taken = Bitmap()
                for row in rows { taken.append(filter[row]) }
                return taken
            }
        )
    }

    /// The rows of a window in their order, word for word as the rule says.
    func rows(_ key: Scalar, at time: Int64, width: Int64?) -> [Int] {
        (0..<count).filter { row in
            !key.isNull && keys[row] == key && eventTimes[row] <= time && knownTimes[row] <= time
                && (width.map { Int128(time) - Int128($0) < Int128(eventTimes[row]) } ?? true)
        }
        .sorted {
            (eventTimes[$0], knownTimes[$0], sequences[$0], $0) < (eventTimes[$1], knownTimes[$1], sequences[$1], $1)
        }
    }

    func rows(_ key: Scalar, at time: Int64, _ aggregate: WindowAggregate) -> [Int] {
        rows(key, at: time, width: aggregate.width).filter { row in aggregate.filter.map { filters[$0][row] } ?? true }
    }

    /// The aggregate of one window, computed from its rows alone.
    func value(_ aggregate: WindowAggregate, _ key: Scalar, at time: Int64) -> (value: Scalar, isInvalid: Bool) {
        let rows = rows(key, at: time, aggregate)
        guard let position = aggregate.column else { return (.int64(Int64(rows.count)), false) }
        let column = columns[position]
        let values = rows.map { column[$0] }.filter { !$0.isNull }
        let ordered = values.sorted(by: precedes)
        switch aggregate.function {
        case .countRows, .count: return (.int64(Int64(values.count)), false)
        case .first: return (rows.first.map { column[$0] } ?? .null, false)
        case .last: return (rows.last.map { column[$0] } ?? .null, false)
        case .minimum: return (ordered.first.map(plain) ?? .null, false)
        case .maximum: return (ordered.last.map(plain) ?? .null, false)
        case .countDistinct:
            let changes = zip(ordered, ordered.dropFirst()).filter { precedes($0, $1) }
            return (.int64(Int64(ordered.isEmpty ? 0 : changes.count + 1)), false)
        case .quantile(let fraction):
            let wanted = fraction * Double(ordered.count)
            for (position, value) in ordered.enumerated() where Double(position + 1) >= wanted {
                return (plain(value), false)
            }
            return (.null, false)
        case .sum, .average, .standardDeviation: return arithmetic(aggregate.function, values)
        }
    }

    private func arithmetic(_ function: WindowFunction, _ values: [Scalar]) -> (value: Scalar, isInvalid: Bool) {
        var moments = ExactMoments()
        var integers: Int128 = 0
        for value in values {
            switch value {
            case .int64(let value):
                moments.add(value)
                integers += Int128(value)
            case .float32(let value): moments.add(Double(value))
            case .float64(let value): moments.add(value)
            default: break
            }
        }
        if values.isEmpty || (values.count == 1 && function == .standardDeviation) { return (.null, false) }
        if function == .average { return (moments.sum.mean.map(Scalar.float64) ?? .null, false) }
        if function == .standardDeviation {
            return moments.standardDeviation == .infinity
                ? (.null, true) : (moments.standardDeviation.map(Scalar.float64) ?? .null, false)
        }
        if case .int64? = values.first {
            return Int64(exactly: integers).map { (.int64($0), false) } ?? (.null, true)
        }
        return moments.sum.value.map { (.float64($0), false) } ?? (.null, true)
    }
}

/// PostgreSQL's order, NaN being greatest; text by its bytes.
private func precedes(_ left: Scalar, _ right: Scalar) -> Bool {
    switch (left, right) {
    case (.bool(let left), .bool(let right)): !left && right
    case (.int64(let left), .int64(let right)), (.timestamp(let left), .timestamp(let right)): left < right
    case (.float32(let left), .float32(let right)): left < right || (right.isNaN && !left.isNaN)
    case (.float64(let left), .float64(let right)): left < right || (right.isNaN && !left.isNaN)
    case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
    case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
    default: false
    }
}

/// A computed zero has no sign.
private func plain(_ value: Scalar) -> Scalar {
    switch value {
    case .float32(let value) where value == 0: .float32(0)
    case .float64(let value) where value == 0: .float64(0)
    default: value
    }
}

extension WindowHistory {
    enum Lag: CaseIterable { case none, constant, some, long }
    enum Magnitude: CaseIterable { case ordinary, extreme, special }

    static let types: [DataType] = [
        .bool, .int64, .float32, .float64, .string, .bytes, .timestamp, .float64, .vector(dimension: 2),
    ]

    static func random(
        count: Int,
        keyCount: Int,
        times: ClosedRange<Int64>,
        lag: Lag,
        magnitude: Magnitude,
        using generator: inout SeededGenerator
    ) -> WindowHistory {
        let events = (0..<count).map { _ in Int64.random(in: times, using: &generator) }
        let known = events.map { event in
            switch lag {
            case .none: event
            case .constant: event + 3
            case .some: event + (Int.random(in: 0..<4, using: &generator) == 0 ? 6 : 0)
            case .long: event + Int64.random(in: 0...40, using: &generator)
            }
        }
        let columns = types.enumerated().map { position, type in
            Column(
                type,
                (0..<count).map { _ -> Scalar in
                    if position != 7, Int.random(in: 0..<6, using: &generator) == 0 { return .null }
                    guard type == .float64 || type == .float32 else {
                        return randomScalar(type, nullOneIn: 0, using: &generator)
                    }
                    let value = number(magnitude, using: &generator)
                    return type == .float64 ? .float64(value) : .float32(Float(value))
                }
            )
        }
        var filters = [Bitmap(), Bitmap()]
        for _ in 0..<count {
            filters[0].append(Bool.random(using: &generator))
            filters[1].append(Int.random(in: 0..<8, using: &generator) == 0)
        }
        return WindowHistory(
            keys: (0..<count).map { _ in
                // Half the rows belong to one key.
                let key = Int.random(in: -keyCount..<keyCount, using: &generator)
                return key == 1 ? .null : .int64(Int64(max(key, 0)))
            },
            eventTimes: events,
            knownTimes: known,
            sequences: (0..<count).map(Int64.init).shuffled(using: &generator),
            columns: columns,
            filters: filters
        )
    }

    private static func number(_ magnitude: Magnitude, using generator: inout SeededGenerator) -> Double {
        let specials: [Double] = [.nan, .infinity, -.infinity, -0.0, 0, 1e308, -1e308, 0x1p-1074, 0.1]
        switch magnitude {
        case .ordinary: return Double(Int.random(in: -2000...2000, using: &generator)) / 7
        case .extreme:
            return ([1e308, -1e308, 0x1p-1074, 0.1, -0.0, 0, 1e-300, 3].randomElement(using: &generator) ?? 0)
        case .special: return specials.randomElement(using: &generator) ?? 0
        }
    }

    /// Every function on every column it is defined on.
    static let functions: [(WindowFunction, Int?)] = {
        let all: [WindowFunction] = [
            .count, .sum, .average, .minimum, .maximum, .standardDeviation, .first, .last, .countDistinct,
            .quantile(0), .quantile(0.1), .quantile(0.5), .quantile(0.95), .quantile(1),
        ]
        let pairs = types.indices.flatMap { column in
            all.filter { $0.resultType(of: types[column]) != nil }.map { ($0, Optional(column)) }
        }
        return [(.countRows, nil)] + pairs
    }()

    static func randomAggregates(_ count: Int, using generator: inout SeededGenerator) -> [WindowAggregate] {
        let widths: [Int64?] = [1, 2, 3, 7, 20, 1000, .max, nil]
        return (0..<count).map { _ in
            let (function, column) = functions.randomElement(using: &generator) ?? (.countRows, nil)
            return WindowAggregate(
                function,
                column: column,
                width: widths.randomElement(using: &generator) ?? nil,
                filter: [nil, nil, 0, 1].randomElement(using: &generator) ?? nil
            )
        }
    }
}
