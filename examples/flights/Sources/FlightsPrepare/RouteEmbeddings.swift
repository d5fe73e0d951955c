import Columns
import Glibc

/// Destinations as vectors: close together when flown by the same airlines from the same airports in the same months.
///
/// The truncated singular value decomposition of log(1 + flights) by destination and by (airline, origin, month); a row of
/// the embedding is a row of U·Σ.
struct RouteEmbeddings {
    let dimension: Int
    /// In byte order.
    let keys: [String]
    /// Row-major, keys × dimension, to four decimals: the last bits of a BLAS differ between processors, the file may not.
    let values: [Float]

    init(_ flights: Flights, dimension: Int) {
        let destinations = Self.codes(flights.destination)
        let carriers = Self.codes(flights.carrier)
        let origins = Self.codes(flights.origin)
        let width = carriers.names.count * origins.names.count * 12
        var counts = [Double](repeating: 0, count: destinations.names.count * width)
        for row in 0..<flights.count {
            let route = carriers.codes[row] * origins.names.count + origins.codes[row]
            counts[destinations.codes[row] * width + route * 12 + Int(flights.month[row]) - 1] += 1
        }
        var matrix = Matrix(rows: destinations.names.count, columns: width)
        for cell in counts.indices { matrix.values[cell] = log1p(counts[cell]) }
        let scores = TruncatedSVD(matrix, rank: dimension, seed: 2013).scores
        self.dimension = dimension
        self.keys = destinations.names
        self.values = scores.values.map { Float(($0 * 10_000).rounded() / 10_000) }
    }

    /// Columns `key`, `v0`, `v1`, ….
    var table: RecordBatch {
        var fields = [Field("key", .string)]
        var columns: [Column] = [.string(BinaryColumn(keys))]
        for element in 0..<dimension {
            fields.append(Field("v\(element)", .float32))
            // Adding zero gives −0.0 the one spelling of zero.
            let vector = keys.indices.map { values[$0 * dimension + element] + 0 }
            columns.append(.float32(PrimitiveColumn(vector)))
        }
        return RecordBatch(schema: Schema(fields), columns: columns, rowCount: keys.count)
    }

    /// The distinct names in byte order, and each row's place among them.
    private static func codes(_ column: BinaryColumn) -> (names: [String], codes: [Int]) {
        var places: [ArraySlice<UInt8>: Int] = [:]
        for row in 0..<column.count { places[column.data[column.range(row)]] = 0 }
        let names = places.keys.sorted { $0.lexicographicallyPrecedes($1) }
        for (place, name) in names.enumerated() { places[name] = place }
        let codes = (0..<column.count).map { places[column.data[column.range($0)]] ?? 0 }
        return (names.map { String(decoding: $0, as: UTF8.self) }, codes)
    }
}
