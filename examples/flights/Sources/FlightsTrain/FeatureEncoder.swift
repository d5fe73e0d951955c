import Columns

/// Turns a training set's rows into numbers: standardised values, an indicator where some are missing, one-hot categories.
///
/// Means, deviations and categories are those of the training rows; nothing is learned from the rows to be predicted.
struct FeatureEncoder {
    /// What one column becomes.
    private enum Input {
        /// A number, standardised; null is the mean, marked by an indicator.
        case number(column: Int, center: Float, scale: Float)
        /// Hours between another instant and the prediction's.
        case age(column: Int, center: Float, scale: Float)
        case vector(column: Int, centers: [Float], scales: [Float])
        /// Integers 0..<count, one input each.
        case category(column: Int, count: Int)
        case text(column: Int, places: [String: Int])
        /// The hour of the day, one input each.
        case hour

        var width: Int {
            switch self {
            case .number, .age: 2
            case .vector(_, let centers, _): centers.count
            case .category(_, let count): count
            case .text(_, let places): places.count
            case .hour: 24
            }
        }
    }

    private let inputs: [Input]
    private let time: Int
    /// Inputs of the model, the constant included.
    let width: Int

    /// Keys and the label are no features, and `last_dest` has too many values to be one by itself.
    private static let excluded = ["is_late", "flight", "tailnum", "dest", "event_timestamp", "last_dest"]
    /// Categories by name; other integers are quantities.
    private static let categories = ["wind_bin", "gust_bin", "local_hour"]

    init(_ table: RecordBatch, rows: [Int]) {
        let time = table.schema.position(of: "event_timestamp") ?? 0
        var inputs: [Input] = [.hour]
        for (position, field) in table.schema.fields.enumerated() where !Self.excluded.contains(field.name) {
            let column = table.columns[position]
            switch field.type {
            case .int64 where Self.categories.contains(field.name):
                guard case .int64(let column) = column else { continue }
                let last = rows.lazy.compactMap { column[$0] }.max() ?? 0
                inputs.append(.category(column: position, count: Int(last) + 1))
            case .bool, .int64, .float32, .float64:
                let (center, scale) = Self.moments(rows.lazy.compactMap { Self.number(column, $0) })
                inputs.append(.number(column: position, center: center, scale: scale))
            case .timestamp:
                let (center, scale) = Self.moments(rows.lazy.compactMap { Self.age(table, position, time, $0) })
                inputs.append(.age(column: position, center: center, scale: scale))
            case .vector(let dimension):
                guard case .vector(let column) = column else { continue }
                let moments = (0..<dimension).map { element in
                    Self.moments(
                        rows.lazy.filter(column.isValid).map { Double(column.values[$0 * dimension + element]) }
                    )
                }
                let (centers, scales) = (moments.map(\.center), moments.map(\.scale))
                inputs.append(.vector(column: position, centers: centers, scales: scales))
            case .string:
                guard case .string(let column) = column else { continue }
                let names = Set(rows.lazy.compactMap { column.string($0) }).sorted()
                let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
                inputs.append(.text(column: position, places: places))
            case .bytes: continue
            }
        }
        self.inputs = inputs
        self.time = time
        self.width = 1 + inputs.reduce(0) { $0 + $1.width }
    }

    /// The inputs of a batch, rows × `width`, row-major; the first is the constant one.
    func encode(_ batch: RecordBatch) -> [Float] {
        var matrix = [Float](repeating: 0, count: batch.rowCount * width)
        for row in 0..<batch.rowCount { matrix[row * width] = 1 }
        var first = 1
        for input in inputs {
            fill(input, of: batch, at: first, in: &matrix)
            first += input.width
        }
        return matrix
    }

    private func fill(_ input: Input, of batch: RecordBatch, at first: Int, in matrix: inout [Float]) {
        for row in 0..<batch.rowCount {
            let cell = row * width + first
            switch input {
            case .number(let column, let center, let scale):
                if let value = Self.number(batch.columns[column], row) {
                    matrix[cell] = (Float(value) - center) * scale
                } else {
                    matrix[cell + 1] = 1
                }
            case .age(let column, let center, let scale):
                if let value = Self.age(batch, column, time, row) {
                    matrix[cell] = (Float(value) - center) * scale
                } else {
                    matrix[cell + 1] = 1
                }
            case .vector(let column, let centers, let scales):
                guard case .vector(let vectors) = batch.columns[column], let vector = vectors[row] else { continue }
                for (element, value) in vector.enumerated() {
                    matrix[cell + element] = (value - centers[element]) * scales[element]
                }
            case .category(let column, let count):
                if case .int64(let codes) = batch.columns[column], let code = codes[row], code < count {
                    matrix[cell + Int(code)] = 1
                }
            case .text(let column, let places):
                guard case .string(let names) = batch.columns[column], let name = names.string(row) else { continue }
                if let place = places[name] { matrix[cell + place] = 1 }
            case .hour:
                guard case .timestamp(let times) = batch.columns[time] else { continue }
                matrix[cell + Int(times.values[row] / 3_600_000_000 % 24)] = 1
            }
        }
    }

    private static func number(_ column: Column, _ row: Int) -> Double? {
        switch column {
        case .bool(let column): column[row].map { $0 ? 1 : 0 }
        case .int64(let column): column[row].map { Double($0) }
        case .float32(let column): column[row].map { Double($0) }
        case .float64(let column): column[row]
        case .string, .bytes, .timestamp, .vector: nil
        }
    }

    private static func age(_ batch: RecordBatch, _ column: Int, _ time: Int, _ row: Int) -> Double? {
        guard case .timestamp(let times) = batch.columns[time], case .timestamp(let earlier) = batch.columns[column],
            let instant = earlier[row]
        else { return nil }
        return Double(times.values[row] - instant) / 3_600_000_000
    }

    private static func moments(_ values: some Sequence<Double>) -> (center: Float, scale: Float) {
        var count = 0.0
        var sum = 0.0
        var squares = 0.0
        for value in values {
            count += 1
            sum += value
            squares += value * value
        }
        guard count > 0 else { return (0, 0) }
        let mean = sum / count
        let variance = max(0, squares / count - mean * mean)
        return (Float(mean), variance > 0 ? Float(1 / variance.squareRoot()) : 0)
    }
}
