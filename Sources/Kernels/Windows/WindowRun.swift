import Columns

extension WindowIndex {
    /// Computes the aggregates of a plan for a range of spine positions.
    ///
    /// A pure function: threads may call it on ranges of one spine, and the parts, put together by `WindowPlan.results`,
    /// give the same bytes however the spine is split.
    ///
    /// - Parameter columns: the history's columns, of the types the plan was made for.
    /// - Parameter filters: for each history row whether it counts, for each of the plan's filters.
    /// - Precondition: columns and filters have one entry for each history row; the spine was arranged for this index.
    /// - Complexity: O(h + s) for h history and s spine rows of the keys in question, for each window; O((h + s) log h)
    ///   for keys with late rows, and for `countDistinct` and `quantile`. Memory: 9 bytes for each spine row and
    ///   aggregate, and at most about 200 bytes for each row of the largest key.
    public func aggregate(
        _ plan: WindowPlan,
        columns: [Column],
        filters: [Bitmap] = [],
        spine: WindowSpine,
        positions: Range<Int>
    ) -> WindowPart {
        precondition(columns.map(\.type) == plan.columnTypes, "the columns are not of the types that were planned")
        for column in columns {
            precondition(column.count == rowCount, "a column has \(column.count) of \(rowCount) history rows")
        }
        for filter in filters {
            precondition(filter.count == rowCount, "a filter has \(filter.count) of \(rowCount) history rows")
        }
        precondition(
            positions.lowerBound >= 0 && positions.upperBound <= spine.count,
            "positions \(positions) lie outside a spine of \(spine.count)"
        )
        var run = WindowRun(plan: plan, columns: columns, filters: filters, positions: positions)
        run.aggregate(self, spine)
        return run.part
    }

    /// Computes the aggregates of a plan for a range of spine rows; the first result is that of the range's first row.
    public func aggregate(
        _ plan: WindowPlan,
        columns: [Column],
        filters: [Bitmap] = [],
        keys: KeyColumn,
        at times: [Int64],
        rows: Range<Int>
    ) -> [WindowResult] {
        let spine = WindowSpine(keys: keys, at: times, rows: rows, index: self)
        let part = aggregate(plan, columns: columns, filters: filters, spine: spine, positions: 0..<spine.count)
        return plan.results(of: [part], spine: spine, columns: columns)
    }

    /// Computes the aggregates of a plan over all rows of the index, taken as one key's, at one time.
    ///
    /// The online read: the same code as for a training set, on the history of the key that was asked for.
    ///
    /// - Precondition: the index was built without keys, or holds one key.
    public func aggregate(
        _ plan: WindowPlan,
        columns: [Column],
        filters: [Bitmap] = [],
        at time: Int64
    ) -> [WindowResult] {
        precondition(keyCount <= 1, "history of \(keyCount) keys is read without a key")
        let keys = keyCount == 1 ? dictionary.keys : KeyColumn(strings: BinaryColumn([""]))
        return aggregate(plan, columns: columns, filters: filters, keys: keys, at: [time], rows: 0..<1)
    }
}

/// The computation over one range of spine positions, with the buffers it keeps from key to key.
struct WindowRun {
    /// The jobs that read the same rows.
    private struct Pass {
        let mask: Bitmap?
        var jobs: [WindowPlan.Job] = []
    }

    private let plan: WindowPlan
    private let columns: [Column]
    private var passes = [Pass(mask: nil)]
    private var rows = WindowRows()
    private var sums = WindowSums()
    private var extrema = WindowExtrema()
    private var ranks = WindowRanks()
    private(set) var part: WindowPart

    init(plan: WindowPlan, columns: [Column], filters: [Bitmap], positions: Range<Int>) {
        self.plan = plan
        self.columns = columns
        self.part = WindowPart(plan: plan, positions: positions)
        for job in plan.jobs {
            let column = job.column.map { columns[$0] }
            let nonNull = job.ignoresNulls && (column?.nullCount ?? 0) > 0 ? column?.validity : nil
            let mask = job.filter.map { filters[$0] }.intersection(nonNull)
            // Nearly always there is one pass: rows are loaded and windows located once for all columns.
            if let pass = passes.firstIndex(where: { $0.mask == mask }) {
                passes[pass].jobs.append(job)
            } else {
                passes.append(Pass(mask: mask, jobs: [job]))
            }
        }
    }

    mutating func aggregate(_ index: WindowIndex, _ spine: WindowSpine) {
        var group = firstGroup(spine)
        while group < spine.groups.count, spine.starts[group] < part.positions.upperBound {
            let positions = (spine.starts[group]..<spine.starts[group + 1]).clamped(to: part.positions)
            let key = spine.groups[group]
            group += 1
            guard let first = positions.first, let last = positions.last else { continue }
            // Rows that no window of these spine rows can hold are not even loaded.
            let all = index.eventTimes[index.starts[key]..<index.starts[key + 1]]
            let end = firstPlace(in: all, past: spine.times[last])
            var start = all.startIndex
            if let widest = plan.widest,
                case let (oldest, overflow) = spine.times[first].subtractingReportingOverflow(widest), !overflow
            {
                start = firstPlace(in: all, past: oldest)
            }
            guard start < end else { continue }
            aggregate(index, start..<end, spine.times[positions], at: positions.lowerBound)
        }
    }

    private mutating func aggregate(
        _ index: WindowIndex,
        _ range: Range<Int>,
        _ times: ArraySlice<Int64>,
        at position: Int
    ) {
        for (number, pass) in passes.enumerated() {
            rows.load(index, range, mask: pass.mask, spineTimes: times, widths: plan.widths)
            if number == 0 { part.setRowCounts(rows, windowCount: plan.widths.count, at: position) }
            if rows.count == 0 { continue }
            for job in pass.jobs {
                switch (job.method, job.column.map { columns[$0] }) {
                case (.counts, _): countRows(job.items, at: position)
                case (.ends, _): extrema.ends(job.items, rows, at: position, &part)
                case (.sums, let column?): sums.aggregate(job, column, rows, at: position, &part)
                case (.extrema, let column?): extrema.aggregate(job.items, column, rows, at: position, &part)
                case (.ranks, let column?): ranks.aggregate(job, column, rows, at: position, &part)
                case (_, nil): preconditionFailure("a plan without a column passed its checks")
                }
            }
        }
    }

    private mutating func countRows(_ items: [WindowPlan.Item], at position: Int) {
        for item in items {
            for spineRow in 0..<rows.spineCount {
                part.set(item.aggregate, position &+ spineRow, Int64(rows.rowCount(item.window, spineRow)))
            }
        }
    }

    private func firstGroup(_ spine: WindowSpine) -> Int {
        var lower = 0
        var upper = spine.groups.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if spine.starts[middle + 1] <= part.positions.lowerBound { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }

    private func firstPlace(in times: ArraySlice<Int64>, past time: Int64) -> Int {
        var lower = times.startIndex
        var upper = times.endIndex
        while lower < upper {
            let middle = (lower &+ upper) / 2
            if times[middle] <= time { lower = middle &+ 1 } else { upper = middle }
        }
        return lower
    }
}
