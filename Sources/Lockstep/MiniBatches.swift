import Columns
import Kernels

/// Seeded, shuffled mini-batches of a training set.
///
/// The same seed gives the same order on every machine: the generator is SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) and
/// the shuffle Fisher and Yates', whose bounded draws reject rather than fold.
public struct MiniBatches: Sequence, Sendable {
    private let rows: RecordBatch
    private let order: [Int]
    private let size: Int

    /// - Parameters:
    ///   - size: rows of each batch; the last may have fewer.
    ///   - seed: of the order.
    ///   - chosen: the rows that take part, all where `nil`.
    init(_ rows: RecordBatch, size: Int, seed: UInt64, chosen: [Int]?) {
        precondition(size > 0, "a mini-batch has at least one row")
        var generator = SplitMix64(state: seed)
        var order = chosen ?? Array(0..<rows.rowCount)
        for last in stride(from: order.count - 1, to: 0, by: -1) {
            order.swapAt(last, Int(generator.next(below: UInt64(last) + 1)))
        }
        self.rows = rows
        self.order = order
        self.size = size
    }

    public func makeIterator() -> Iterator { Iterator(rows: rows, order: order, size: size) }

    public struct Iterator: IteratorProtocol {
        fileprivate let rows: RecordBatch
        fileprivate let order: [Int]
        fileprivate let size: Int
        private var position = 0

        fileprivate init(rows: RecordBatch, order: [Int], size: Int) {
            self.rows = rows
            self.order = order
            self.size = size
        }

        public mutating func next() -> RecordBatch? {
            guard position < order.count else { return nil }
            let end = Swift.min(position + size, order.count)
            defer { position = end }
            return rows.take(Array(order[position..<end]))
        }
    }
}

struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A draw below `bound`, every value equally likely.
    mutating func next(below bound: UInt64) -> UInt64 {
        let limit = UInt64.max - UInt64.max % bound
        while true {
            let draw = next()
            if draw < limit { return draw % bound }
        }
    }
}

extension TrainingSet {
    /// The rows in a seeded order, in batches.
    public func miniBatches(size: Int, seed: UInt64, rows chosen: [Int]? = nil) -> MiniBatches {
        MiniBatches(rows, size: size, seed: seed, chosen: chosen)
    }
}
