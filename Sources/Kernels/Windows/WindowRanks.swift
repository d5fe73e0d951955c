import Columns

/// Numbers of different values, quantiles, and the extrema of text, from the ranks of one key's values.
struct WindowRanks {
    private struct Entry {
        let ordinal: Int64
        let place: Int
    }

    private var ordinals: [Int64] = []
    private var entries: [Entry] = []
    /// For each place the rank of its value among the different values.
    private var ranks: [Int] = []
    /// For each rank a place that has it.
    private var places: [Int] = []
    private var counts = RankCounts()

    mutating func aggregate(
        _ job: WindowPlan.Job,
        _ column: Column,
        _ rows: WindowRows,
        at position: Int,
        _ part: inout WindowPart
    ) {
        var isBinary = false
        switch column {
        case .string(let column), .bytes(let column):
            rank(column, rows.rows)
            isBinary = true
        default: rank(column, rows.rows)
        }
        for items in job.windows {
            let (window, items) = (items.window, items.items)
            counts.reset(places.count)
            var counts = counts
            self.counts = RankCounts()
            rows.slide(window) {
                counts.add(ranks[$0])
            } leave: {
                counts.remove(ranks[$0])
            } answer: { spineRow in
                let count = rows.rowCount(window, spineRow)
                if count == 0 { return }
                for item in items {
                    var entry = 1
                    switch item.function {
                    case .countDistinct:
                        part.set(item.aggregate, position &+ spineRow, Int64(counts.distinctCount))
                        continue
                    case .quantile(let fraction): entry = entryOfQuantile(fraction, count: count)
                    case .maximum: entry = count
                    default: break
                    }
                    let place = places[counts.rank(ofEntry: entry)]
                    part.set(
                        item.aggregate,
                        position &+ spineRow,
                        isBinary ? Int64(rows.rows[place]) : ordinals[place]
                    )
                }
            }
            self.counts = counts
        }
    }

    private mutating func rank(_ column: Column, _ rows: [Int]) {
        ordinals.removeAll(keepingCapacity: true)
        appendOrdinals(of: column, rows, to: &ordinals)
        entries.removeAll(keepingCapacity: true)
        for (place, ordinal) in ordinals.enumerated() { entries.append(Entry(ordinal: ordinal, place: place)) }
        entries.sort { $0.ordinal < $1.ordinal }
        reset(rows.count)
        var previous: Int64?
        for entry in entries {
            if entry.ordinal != previous { places.append(entry.place) }
            ranks[entry.place] = places.count &- 1
            previous = entry.ordinal
        }
    }

    private mutating func rank(_ column: BinaryColumn, _ rows: [Int]) {
        reset(rows.count)
        var order = Array(rows.indices)
        column.data.withUnsafeBytes { data in
            func compare(_ left: Int, _ right: Int) -> Int {
                KeyHash.compare(
                    UnsafeRawBufferPointer(rebasing: data[column.range(rows[left])]),
                    UnsafeRawBufferPointer(rebasing: data[column.range(rows[right])])
                )
            }
            order.sort { compare($0, $1) < 0 }
            for (index, place) in order.enumerated() {
                if index == 0 || compare(order[index &- 1], place) != 0 { places.append(place) }
                ranks[place] = places.count &- 1
            }
        }
    }

    private mutating func reset(_ count: Int) {
        places.removeAll(keepingCapacity: true)
        ranks.removeAll(keepingCapacity: true)
        ranks.append(contentsOf: repeatElement(0, count: count))
    }
}

/// Which entry of `count` values in ascending order, counted from 1, is the quantile.
@inline(__always)
func entryOfQuantile(_ fraction: Double, count: Int) -> Int {
    let product = fraction * Double(count)
    let entry = Int(product)
    return min(count, max(1, Double(entry) < product ? entry &+ 1 : entry))
}
