import Columns

/// Sums, means and standard deviations of one key's windows.
struct WindowSums {
    private var doubles: [Double] = []
    private var integers: [Int64] = []
    private var running = RunningSums()

    mutating func aggregate(
        _ job: WindowPlan.Job,
        _ column: Column,
        _ rows: WindowRows,
        at position: Int,
        _ part: inout WindowPart
    ) {
        let withSquares = job.hasStandardDeviation
        doubles.removeAll(keepingCapacity: true)
        var fits = false
        var isInteger = false
        switch column {
        case .float64(let column):
            for row in rows.rows { doubles.append(column.values[row]) }
            fits = running.load(doubles, withSquares: withSquares)
        case .float32(let column):
            for row in rows.rows { doubles.append(Double(column.values[row])) }
            fits = running.load(doubles, withSquares: withSquares)
        case .int64(let column):
            integers.removeAll(keepingCapacity: true)
            for row in rows.rows { integers.append(column.values[row]) }
            fits = running.load(integers, withSquares: withSquares)
            isInteger = true
        default: preconditionFailure("a sum of \(column.type) passed the plan's checks")
        }
        precondition(fits || !isInteger, "a key has more than 2^62 history rows")
        for items in job.windows {
            let (window, items) = (items.window, items.items)
            switch (fits, rows.isLate) {
            case (true, false): aggregate(window, items, withSquares, isInteger, rows, at: position, &part)
            case (true, true): aggregateLate(window, items, withSquares, isInteger, rows, at: position, &part)
            case (false, _) where withSquares: aggregateMoments(window, items, rows, at: position, &part)
            case (false, _): aggregateExactly(window, items, rows, at: position, &part)
            }
        }
    }

    private func aggregate(
        _ window: Int,
        _ items: [WindowPlan.Item],
        _ withSquares: Bool,
        _ isInteger: Bool,
        _ rows: WindowRows,
        at position: Int,
        _ part: inout WindowPart
    ) {
        for spineRow in 0..<rows.spineCount {
            let count = rows.rowCount(window, spineRow)
            let start = rows.start(window, spineRow)
            set(
                items,
                count,
                running.sum(start, start &+ count),
                withSquares ? running.square(start, start &+ count) : .zero,
                isInteger,
                position &+ spineRow,
                &part
            )
        }
    }

    private func aggregateLate(
        _ window: Int,
        _ items: [WindowPlan.Item],
        _ withSquares: Bool,
        _ isInteger: Bool,
        _ rows: WindowRows,
        at position: Int,
        _ part: inout WindowPart
    ) {
        var sum: Int128 = 0
        var square = UInt256.zero
        rows.slide(window) { place in
            sum &+= running.sum(place, place &+ 1)
            if withSquares { square &+= running.square(place, place &+ 1) }
        } leave: { place in
            sum &-= running.sum(place, place &+ 1)
            if withSquares { square = square &- running.square(place, place &+ 1) }
        } answer: { spineRow in
            set(items, rows.rowCount(window, spineRow), sum, square, isInteger, position &+ spineRow, &part)
        }
    }

    /// Rounds what is asked for; this is the only place where a result is inexact.
    @inline(__always)
    private func set(
        _ items: [WindowPlan.Item],
        _ count: Int,
        _ sum: Int128,
        _ square: UInt256,
        _ isInteger: Bool,
        _ position: Int,
        _ part: inout WindowPart
    ) {
        if count == 0 { return }
        let leading = LeadingBits(sum, exponent: running.exponent)
        for item in items {
            switch item.function {
            case .sum where isInteger:
                if let value = Int64(exactly: sum) {
                    part.set(item.aggregate, position, value)
                } else {
                    part.setInvalid(item.aggregate, position)
                }
            case .sum: part.set(item.aggregate, position, finite: leading.rounded())
            case .average: part.set(item.aggregate, position, finite: leading.divided(by: count).rounded())
            default:
                if count < 2 { continue }
                let numerator =
                    square.multiplied(by: UInt64(truncatingIfNeeded: count)) &- UInt256(square: sum.magnitude)
                let deviation = standardDeviation(
                    numerator: numerator.leadingBits(exponent: 2 &* running.exponent),
                    count: count
                )
                part.set(item.aggregate, position, finite: deviation)
            }
        }
    }

    /// Values that are not finite, or lie too far apart for running sums.
    private func aggregateExactly(
        _ window: Int,
        _ items: [WindowPlan.Item],
        _ rows: WindowRows,
        at position: Int,
        _ part: inout WindowPart
    ) {
        var sum = ExactSum()
        rows.slide(window) {
            sum.add(doubles[$0])
        } leave: {
            sum.remove(doubles[$0])
        } answer: { spineRow in
            if sum.count == 0 { return }
            for item in items {
                set(item, item.function == .sum ? sum.value : sum.mean, position &+ spineRow, &part)
            }
        }
    }

    private func aggregateMoments(
        _ window: Int,
        _ items: [WindowPlan.Item],
        _ rows: WindowRows,
        at position: Int,
        _ part: inout WindowPart
    ) {
        var moments = ExactMoments()
        rows.slide(window) {
            moments.add(doubles[$0])
        } leave: {
            moments.remove(doubles[$0])
        } answer: { spineRow in
            if moments.sum.count == 0 { return }
            for item in items {
                switch item.function {
                case .sum: set(item, moments.sum.value, position &+ spineRow, &part)
                case .average: set(item, moments.sum.mean, position &+ spineRow, &part)
                default:
                    if let deviation = moments.standardDeviation {
                        set(item, deviation == .infinity ? nil : deviation, position &+ spineRow, &part)
                    }
                }
            }
        }
    }

    private func set(_ item: WindowPlan.Item, _ value: Double?, _ position: Int, _ part: inout WindowPart) {
        if let value { part.set(item.aggregate, position, value) } else { part.setInvalid(item.aggregate, position) }
    }
}
