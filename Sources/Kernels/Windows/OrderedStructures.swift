/// The least entry of any range of places up to the end, while entries come in one by one.
///
/// A segment tree: O(log n) to set a place and to ask.
struct MinimumTree {
    private var nodes: [Int64] = []
    private var count = 0

    /// Makes room for `count` places without entries.
    mutating func reset(_ count: Int) {
        self.count = count
        nodes.removeAll(keepingCapacity: true)
        nodes.append(contentsOf: repeatElement(.max, count: 2 &* count))
    }

    mutating func set(_ place: Int, _ value: Int64) {
        var node = place &+ count
        while node > 0, value < nodes[node] {
            nodes[node] = value
            node &>>= 1
        }
    }

    /// The least entry at `start` or after; the greatest integer where there is none.
    func minimum(from start: Int) -> Int64 {
        var least = Int64.max
        var lower = start &+ count
        var upper = 2 &* count
        while lower < upper {
            if lower & 1 != 0 {
                least = min(least, nodes[lower])
                lower &+= 1
            }
            if upper & 1 != 0 {
                upper &-= 1
                least = min(least, nodes[upper])
            }
            lower &>>= 1
            upper &>>= 1
        }
        return least
    }
}

/// The least entry of any range that ends at the newest place, while entries come in in order of place.
///
/// A stack of the places that are less than everything after them. Since all windows end at the newest place, one stack
/// serves every width: the answer is the first of its places inside the window.
struct MinimumStack {
    private var places: [Int] = []
    private var values: [Int64] = []

    mutating func removeAll() {
        places.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    mutating func push(_ place: Int, _ value: Int64) {
        while let last = values.last, last >= value {
            values.removeLast()
            places.removeLast()
        }
        places.append(place)
        values.append(value)
    }

    /// - Precondition: a place from `start` on was pushed.
    @inline(__always)
    func minimum(from start: Int) -> Int64 {
        var lower = 0
        var length = places.count
        while length > 0 {
            let half = (length &+ 1) &>> 1
            if places[lower &+ half &- 1] < start { lower &+= half }
            length &-= half
        }
        return values[lower]
    }
}

/// How often each rank occurs, and which rank is the k-th.
///
/// Counts of ranks, of 64 ranks, of 4096 and so on: a change touches one count of each level, and a question reads at
/// most 64 of each.
struct RankCounts {
    private var counts: [Int] = []
    /// Where each level starts, the ranks themselves first.
    private var levels: [Int] = []
    /// The number of different ranks that occur.
    private(set) var distinctCount = 0

    /// Makes room for ranks below `rankCount`, none of which occurs.
    mutating func reset(_ rankCount: Int) {
        levels.removeAll(keepingCapacity: true)
        var size = rankCount
        var total = 0
        while true {
            levels.append(total)
            total += size
            if size <= 64 { break }
            size = (size + 63) / 64
        }
        counts.removeAll(keepingCapacity: true)
        counts.append(contentsOf: repeatElement(0, count: total))
        distinctCount = 0
    }

    @inline(__always)
    mutating func add(_ rank: Int) {
        if counts[rank] == 0 { distinctCount &+= 1 }
        var index = rank
        for level in levels {
            counts[level &+ index] &+= 1
            index &>>= 6
        }
    }

    @inline(__always)
    mutating func remove(_ rank: Int) {
        var index = rank
        for level in levels {
            counts[level &+ index] &-= 1
            index &>>= 6
        }
        if counts[rank] == 0 { distinctCount &-= 1 }
    }

    /// The rank of the k-th entry in ascending order, counted from 1.
    ///
    /// - Precondition: there are at least k entries.
    @inline(__always)
    func rank(ofEntry k: Int) -> Int {
        var remaining = k
        var index = 0
        for level in levels.reversed() {
            index &<<= 6
            while counts[level &+ index] < remaining {
                remaining &-= counts[level &+ index]
                index &+= 1
            }
        }
        return index
    }
}
