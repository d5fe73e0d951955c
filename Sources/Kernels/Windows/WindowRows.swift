import Columns

/// The rows of one key that take part in a pass, in event order, and where the windows of the key's spine rows lie.
///
/// Buffers are kept from key to key. Memory: about 32 bytes for each row of the largest key, and 16 bytes for each of
/// its spine rows and windows.
struct WindowRows {
    /// The history row at each place.
    private(set) var rows: [Int] = []
    private(set) var eventTimes: [Int64] = []
    private(set) var knownTimes: [Int64] = []
    /// Whether some row is known later than a row of a later event.
    private(set) var isLate = false
    /// Places in the order in which they become known; only where `isLate`.
    private(set) var entering: [Int] = []

    private(set) var spineTimes: ArraySlice<Int64> = []
    /// For each spine row, how many rows are known.
    private(set) var known: [Int] = []
    /// For each window and spine row, how many rows are too old: the place where the window starts.
    private var starts: [Int] = []
    /// For each window and spine row, how many rows the window holds.
    private var counts: [Int] = []

    var count: Int { rows.count }
    var spineCount: Int { spineTimes.count }

    @inline(__always)
    func start(_ window: Int, _ spineRow: Int) -> Int { starts[window &* spineTimes.count &+ spineRow] }

    @inline(__always)
    func rowCount(_ window: Int, _ spineRow: Int) -> Int { counts[window &* spineTimes.count &+ spineRow] }

    /// Takes up a range of the index, of which rows outside the mask are left out.
    mutating func load(
        _ index: WindowIndex,
        _ range: Range<Int>,
        mask: Bitmap?,
        spineTimes: ArraySlice<Int64>,
        widths: [Int64?]
    ) {
        rows.removeAll(keepingCapacity: true)
        eventTimes.removeAll(keepingCapacity: true)
        knownTimes.removeAll(keepingCapacity: true)
        if let mask {
            for position in range where mask[index.rows[position]] {
                rows.append(index.rows[position])
                eventTimes.append(index.eventTimes[position])
                knownTimes.append(index.knownTimes[position])
            }
        } else {
            rows.append(contentsOf: index.rows[range])
            eventTimes.append(contentsOf: index.eventTimes[range])
            knownTimes.append(contentsOf: index.knownTimes[range])
        }
        self.spineTimes = spineTimes
        orderByKnownTime()
        locate(widths)
    }

    private mutating func orderByKnownTime() {
        isLate = false
        var latest = Int64.min
        for time in knownTimes {
            if time < latest { isLate = true }
            latest = max(latest, time)
        }
        guard isLate else { return }
        entering.removeAll(keepingCapacity: true)
        entering.append(contentsOf: 0..<count)
        let knownTimes = knownTimes
        entering.sort { (knownTimes[$0], $0) < (knownTimes[$1], $1) }
    }

    /// Finds both ends of every window; each moves forward only, so it is sought from where it was.
    private mutating func locate(_ widths: [Int64?]) {
        known.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
        var end = 0
        for time in spineTimes {
            if isLate {
                while end < entering.count, knownTimes[entering[end]] <= time { end &+= 1 }
            } else {
                end = WindowRows.advance(end, in: knownTimes, while: time)
            }
            known.append(end)
        }
        for width in widths {
            var start = 0
            for (spineRow, time) in spineTimes.enumerated() {
                // A difference below the least time means that no row is too old.
                if let width, case let (oldest, overflow) = time.subtractingReportingOverflow(width), !overflow {
                    start = WindowRows.advance(start, in: eventTimes, while: oldest)
                }
                // A row too old to be seen may not even be known yet.
                starts.append(isLate ? start : min(start, known[spineRow]))
            }
        }
        countRows(windowCount: widths.count)
    }

    private mutating func countRows(windowCount: Int) {
        for window in 0..<windowCount {
            if isLate {
                var count = 0
                var result = counts
                slide(window) { _ in
                    count &+= 1
                } leave: { _ in
                    count &-= 1
                } answer: { _ in
                    result.append(count)
                }
                counts = result
            } else {
                for spineRow in 0..<spineCount { counts.append(known[spineRow] &- start(window, spineRow)) }
            }
        }
    }

    /// The first place from `start` on whose time is past `time`, in ascending times.
    @inline(__always)
    static func advance(_ start: Int, in times: [Int64], while time: Int64) -> Int {
        var lower = start
        var step = 1
        while lower &+ step <= times.count, times[lower &+ step &- 1] <= time {
            lower &+= step
            step &*= 2
        }
        var length = min(step &- 1, times.count &- lower)
        while length > 0 {
            let half = (length &+ 1) &>> 1
            if times[lower &+ half &- 1] <= time { lower &+= half }
            length &-= half
        }
        return lower
    }

    /// Moves one window over all spine rows: each row that is ever in the window of a spine row enters once, before the
    /// first such spine row is answered, and leaves before the first that no longer holds it.
    @inline(__always)
    func slide(_ window: Int, enter: (Int) -> Void, leave: (Int) -> Void, answer: (Int) -> Void) {
        var oldest = 0
        var newest = 0
        if isLate {
            var previous: Int64?
            for spineRow in 0..<spineCount {
                let start = start(window, spineRow)
                if let previous {
                    // What was not known in time never entered.
                    while oldest < start {
                        if knownTimes[oldest] <= previous { leave(oldest) }
                        oldest &+= 1
                    }
                }
                oldest = start
                while newest < known[spineRow] {
                    let place = entering[newest]
                    if place >= start { enter(place) }
                    newest &+= 1
                }
                answer(spineRow)
                previous = spineTimes[spineTimes.startIndex &+ spineRow]
            }
        } else {
            for spineRow in 0..<spineCount {
                let start = start(window, spineRow)
                while oldest < min(start, newest) {
                    leave(oldest)
                    oldest &+= 1
                }
                oldest = start
                newest = max(newest, start)
                while newest < known[spineRow] {
                    enter(newest)
                    newest &+= 1
                }
                answer(spineRow)
            }
        }
    }
}
