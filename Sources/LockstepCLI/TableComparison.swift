import Columns
import Formats
import Foundation
import Objects

/// What differs between two versions of a table file: columns, rows, what each column holds, and rows by key.
struct TableComparison: Encodable {
    /// A column of one or both versions.
    struct ColumnChange: Encodable {
        let name: String
        let oldType: String?
        let newType: String?
        let old: ColumnStatistics?
        let new: ColumnStatistics?

        var isChanged: Bool { oldType != newType || old != new }
    }

    /// What a column holds.
    struct ColumnStatistics: Encodable, Equatable {
        var nulls = 0
        /// Text for people; `nil` where nothing has an order.
        var minimum: String?
        var maximum: String?
        /// Of finite numbers.
        var mean: Double?
    }

    /// Rows matched by key.
    struct Rows: Encodable {
        var added = 0
        var removed = 0
        var changed = 0
        /// Keys that stand in several rows, of either version; of these only the number of rows is compared.
        var repeated = 0
        /// The first of each, as text.
        var examples: [String] = []
    }

    let path: String
    let columns: [ColumnChange]
    let oldRows: Int
    let newRows: Int
    let rows: Rows?

    static let exampleLimit = 5

    /// Compares two versions of a file.
    ///
    /// Memory: with a key, some hundred bytes for each row of both versions; without, one batch.
    ///
    /// - Parameter key: columns that tell rows apart; none to leave rows alone.
    /// - Throws: what the formats throw; `UsageError` for a key column that a version lacks.
    init(path: String, old: [UInt8], new: [UInt8], format: TableFormat, key: [String]) throws {
        let before = try Version(old, path, format, key)
        let after = try Version(new, path, format, key)
        self.path = path
        let names = after.schema.fields.map(\.name)
        let gone = before.schema.fields.map(\.name).filter { !names.contains($0) }
        columns = (names + gone).map { name in
            ColumnChange(
                name: name,
                oldType: before.schema.type(of: name).map { "\($0)" },
                newType: after.schema.type(of: name).map { "\($0)" },
                old: before.statistics[name],
                new: after.statistics[name]
            )
        }
        oldRows = before.rowCount
        newRows = after.rowCount
        rows = key.isEmpty ? nil : Self.compare(before, after)
    }

    private static func compare(_ before: Version, _ after: Version) -> Rows {
        var rows = Rows()
        var examples: [String: [String]] = [:]
        func example(_ mark: String, _ key: Version.Key) {
            if examples[mark, default: []].count < exampleLimit {
                examples[mark, default: []].append("\(mark) \(key.text)")
            }
        }
        for key in after.order {
            guard let new = after.rows[key] else { continue }
            guard let old = before.rows[key] else {
                rows.added += new.count
                example("+", key)
                continue
            }
            if old.count > 1 || new.count > 1 {
                rows.repeated += 1
                rows.added += max(0, new.count - old.count)
                rows.removed += max(0, old.count - new.count)
            } else if old != new {
                rows.changed += 1
                example("~", key)
            }
        }
        for key in before.order {
            guard let old = before.rows[key], after.rows[key] == nil else { continue }
            rows.removed += old.count
            example("-", key)
        }
        rows.examples = ["+", "-", "~"].flatMap { examples[$0] ?? [] }
        return rows
    }

    func show() {
        print("  rows: \(oldRows)\(oldRows == newRows ? "" : " -> \(newRows)")")
        for column in columns where column.isChanged {
            switch (column.oldType, column.newType) {
            case (nil, let type): print("  + column \(column.name): \(type ?? "")")
            case (_, nil): print("  - column \(column.name)")
            case (let old, let new):
                let type = old == new ? "" : ": \(old ?? "") -> \(new ?? "")"
                print("  ~ column \(column.name)\(type)\(Self.text(column.old, column.new))")
            }
        }
        if let rows {
            print("  by key: \(rows.added) added, \(rows.removed) removed, \(rows.changed) changed", terminator: "")
            print(rows.repeated == 0 ? "" : ", \(rows.repeated) keys stand in several rows")
            for example in rows.examples { print("    \(example)") }
        }
    }

    private static func text(_ old: ColumnStatistics?, _ new: ColumnStatistics?) -> String {
        guard let old, let new, old != new else { return "" }
        var parts: [String] = []
        func part(_ name: String, _ old: String?, _ new: String?) {
            if old != new { parts.append("\(name) \(old ?? "none") -> \(new ?? "none")") }
        }
        part("nulls", "\(old.nulls)", "\(new.nulls)")
        part("min", old.minimum, new.minimum)
        part("max", old.maximum, new.maximum)
        part("mean", old.mean.map { "\($0)" }, new.mean.map { "\($0)" })
        return parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")
    }
}

/// One version of a table, read through once.
private struct Version {
    /// The key columns of a row, as bytes and for people.
    struct Key: Hashable {
        let bytes: [UInt8]
        let text: String

        static func == (left: Key, right: Key) -> Bool { left.bytes == right.bytes }
        func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
    }

    let schema: Schema
    private(set) var rowCount = 0
    private(set) var statistics: [String: TableComparison.ColumnStatistics] = [:]
    /// The digests of the rows of each key, by their values and the columns' names.
    private(set) var rows: [Key: [Digest]] = [:]
    /// Each key once, in the order of its first row.
    private(set) var order: [Key] = []

    init(_ bytes: [UInt8], _ path: String, _ format: TableFormat, _ key: [String]) throws {
        var reader = try TableReader(bytes: bytes, name: path, format: format)
        schema = reader.schema
        let keyPositions = try key.map { name in
            guard let position = reader.schema.position(of: name) else {
                let names = reader.schema.fields.map(\.name).joined(separator: ", ")
                throw UsageError("'\(path)' has no column '\(name)' to be its key; it has \(names)")
            }
            return position
        }
        let sorted = schema.fields.indices.sorted { reader.schema.fields[$0].name < reader.schema.fields[$1].name }
        var collectors = schema.fields.map { _ in Collector() }
        while let batch = try reader.next() {
            rowCount += batch.rowCount
            for (position, column) in batch.columns.enumerated() {
                for row in 0..<batch.rowCount { collectors[position].take(column[row]) }
            }
            guard !key.isEmpty else { continue }
            for row in 0..<batch.rowCount {
                var form = CanonicalEncoder()
                for position in keyPositions { form.scalar(batch.columns[position][row]) }
                let text = keyPositions.map { Self.text(batch.columns[$0][row]) }.joined(separator: ", ")
                let found = Key(bytes: form.encoded, text: text)
                var values = CanonicalEncoder()
                for position in sorted {
                    values.string(schema.fields[position].name)
                    values.scalar(batch.columns[position][row])
                }
                if rows[found] == nil { order.append(found) }
                rows[found, default: []].append(Digest.of(values.encoded))
            }
        }
        for (field, collector) in zip(schema.fields, collectors) { statistics[field.name] = collector.statistics }
    }

    static func text(_ value: Scalar) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int64(let value): "\(value)"
        case .float32(let value): "\(value)"
        case .float64(let value): "\(value)"
        case .string(let value): value
        case .bytes(let value): value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .timestamp(let value): Instant.text(value) ?? "\(value)"
        case .vector(let value): "\(value)"
        }
    }

    /// Gathers what one column holds.
    private struct Collector {
        private var nulls = 0
        private var least: Scalar?
        private var greatest: Scalar?
        private var sum = 0.0
        private var finite = 0

        mutating func take(_ value: Scalar) {
            if value.isNull {
                nulls += 1
                return
            }
            if let number = Self.number(value), number.isFinite {
                sum += number
                finite += 1
            }
            guard Self.isOrdered(value) else { return }
            if least.map({ Self.precedes(value, $0) }) ?? true { least = value }
            if greatest.map({ Self.precedes($0, value) }) ?? true { greatest = value }
        }

        var statistics: TableComparison.ColumnStatistics {
            TableComparison.ColumnStatistics(
                nulls: nulls,
                minimum: least.map(Version.text),
                maximum: greatest.map(Version.text),
                mean: finite > 0 ? sum / Double(finite) : nil
            )
        }

        private static func number(_ value: Scalar) -> Double? {
            switch value {
            case .int64(let value): Double(value)
            case .float32(let value): Double(value)
            case .float64(let value): value
            default: nil
            }
        }

        private static func isOrdered(_ value: Scalar) -> Bool {
            switch value {
            case .float32(let value): !value.isNaN
            case .float64(let value): !value.isNaN
            case .int64, .timestamp, .string: true
            case .null, .bool, .bytes, .vector: false
            }
        }

        private static func precedes(_ left: Scalar, _ right: Scalar) -> Bool {
            switch (left, right) {
            case (.int64(let left), .int64(let right)), (.timestamp(let left), .timestamp(let right)): left < right
            case (.float32(let left), .float32(let right)): left < right
            case (.float64(let left), .float64(let right)): left < right
            case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
            default: false
            }
        }
    }
}

extension CanonicalEncoder {
    fileprivate mutating func scalar(_ value: Scalar) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .int64(let value), .timestamp(let value): int(value)
        case .float32(let value): float(value)
        case .float64(let value): double(value)
        case .string(let value): string(value)
        case .bytes(let value): bytes(value)
        case .vector(let values):
            list(values.count)
            for value in values { float(value) }
        }
    }
}
