import Columns

/// Least, greatest, first and last values of one key's windows.
struct WindowExtrema {
    private var ordinals: [Int64] = []
    private var stack = MinimumStack()
    private var tree = MinimumTree()

    mutating func aggregate(
        _ items: [WindowPlan.Item],
        _ column: Column,
        _ rows: WindowRows,
        at position: Int,
        _ part: inout WindowPart
    ) {
        ordinals.removeAll(keepingCapacity: true)
        appendOrdinals(of: column, rows.rows, to: &ordinals)
        // The greatest is the least of the complements.
        for (function, complement) in [(WindowFunction.minimum, Int64(0)), (.maximum, -1)] {
            let wanted = items.filter { $0.function == function }
            if wanted.isEmpty { continue }
            if rows.isLate {
                tree.reset(rows.count)
                var entered = 0
                for spineRow in 0..<rows.spineCount {
                    while entered < rows.known[spineRow] {
                        let place = rows.entering[entered]
                        tree.set(place, ordinals[place] ^ complement)
                        entered &+= 1
                    }
                    for item in wanted where rows.rowCount(item.window, spineRow) > 0 {
                        let least = tree.minimum(from: rows.start(item.window, spineRow))
                        part.set(item.aggregate, position &+ spineRow, least ^ complement)
                    }
                }
            } else {
                stack.removeAll()
                var entered = 0
                for spineRow in 0..<rows.spineCount {
                    while entered < rows.known[spineRow] {
                        stack.push(entered, ordinals[entered] ^ complement)
                        entered &+= 1
                    }
                    for item in wanted where rows.rowCount(item.window, spineRow) > 0 {
                        let least = stack.minimum(from: rows.start(item.window, spineRow))
                        part.set(item.aggregate, position &+ spineRow, least ^ complement)
                    }
                }
            }
        }
    }

    /// The first and the last row of each window.
    mutating func ends(_ items: [WindowPlan.Item], _ rows: WindowRows, at position: Int, _ part: inout WindowPart) {
        if !rows.isLate {
            for item in items {
                for spineRow in 0..<rows.spineCount where rows.rowCount(item.window, spineRow) > 0 {
                    let place =
                        item.function == .first ? rows.start(item.window, spineRow) : rows.known[spineRow] &- 1
                    part.set(item.aggregate, position &+ spineRow, Int64(rows.rows[place]))
                }
            }
            return
        }
        // The first row is the least place that has entered. The last is the greatest, whatever the window.
        tree.reset(rows.count)
        var entered = 0
        var last = -1
        for spineRow in 0..<rows.spineCount {
            while entered < rows.known[spineRow] {
                let place = rows.entering[entered]
                tree.set(place, Int64(place))
                last = max(last, place)
                entered &+= 1
            }
            for item in items where rows.rowCount(item.window, spineRow) > 0 {
                let place =
                    item.function == .first ? Int(tree.minimum(from: rows.start(item.window, spineRow))) : last
                part.set(item.aggregate, position &+ spineRow, Int64(rows.rows[place]))
            }
        }
    }
}

/// A number whose integer order is the order of doubles, NaN being greatest and −0.0 the same as 0.0.
@inline(__always)
func ordinal(_ value: Double) -> Int64 {
    if value.isNaN { return .max }
    let bits = Int64(bitPattern: (value + 0).bitPattern)
    return bits ^ (bits &>> 63 & .max)
}

/// The double that has an ordinal.
@inline(__always)
func double(ofOrdinal ordinal: Int64) -> Double {
    if ordinal == .max { return .nan }
    return Double(bitPattern: UInt64(bitPattern: ordinal ^ (ordinal &>> 63 & .max)))
}

/// Appends, for each row, a number that orders as the values do; nulls give any number.
///
/// - Precondition: the column is neither text, bytes nor vectors.
func appendOrdinals(of column: Column, _ rows: [Int], to ordinals: inout [Int64]) {
    ordinals.reserveCapacity(rows.count)
    switch column {
    case .int64(let column), .timestamp(let column): for row in rows { ordinals.append(column.values[row]) }
    case .float64(let column): for row in rows { ordinals.append(ordinal(column.values[row])) }
    case .float32(let column): for row in rows { ordinals.append(ordinal(Double(column.values[row]))) }
    case .bool(let column): for row in rows { ordinals.append(column.values[row] ? 1 : 0) }
    case .string, .bytes, .vector: preconditionFailure("values of type \(column.type) have no ordinals")
    }
}
