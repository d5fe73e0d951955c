import Columns
import Kernels

/// The keys and vectors of one version of one embedding space.
///
/// Rows stand in ascending order of key bytes whatever order they came in, so that equal content has equal bytes.
public struct EmbeddingTable: Sendable {
    /// The name of the space.
    public let space: String
    /// The identity of the version within the space; vectors of another version are never compared with these.
    public let version: String
    public let metric: EmbeddingMetric
    /// Unique and without nulls, in ascending order of bytes.
    public let keys: BinaryColumn
    /// Finite and without nulls; row r belongs to key r.
    public let vectors: VectorColumn
    /// The number of a key is its row.
    private let dictionary: KeyDictionary
    /// The length of each vector, for the cosine only.
    private let norms: [Double]

    /// Takes one version's keys and vectors, in any order.
    ///
    /// - Parameter keys: UTF-8 text.
    /// - Throws: when keys and vectors do not match in number or dimension, a key is null or repeated, or a vector is
    ///   null or holds a NaN or an infinity.
    /// - Complexity: O(n log n) comparisons, O(n) for keys in order; vectors in order are not copied.
    public init(
        space: String,
        version: String,
        dimension: Int,
        metric: EmbeddingMetric,
        keys: BinaryColumn,
        vectors: VectorColumn
    ) throws(EmbeddingError) {
        guard vectors.dimension == dimension else {
            throw .dimensionMismatch(space: space, expected: dimension, found: vectors.dimension)
        }
        guard keys.count == vectors.count else {
            throw .countMismatch(space: space, keys: keys.count, vectors: vectors.count)
        }
        for row in 0..<keys.count where !keys.isValid(row) { throw .nullKey(space: space, row: row) }
        for row in 0..<keys.count where !vectors.isValid(row) {
            throw .nullVector(space: space, key: keys.string(row) ?? "")
        }
        if let element = vectors.values.firstIndex(where: { !$0.isFinite }) {
            throw .elementNotFinite(
                space: space,
                key: keys.string(element / dimension) ?? "",
                element: element % dimension,
                vectors.values[element]
            )
        }

        let order = keys.rowsInByteOrder()
        let isSorted = order.elementsEqual(order.indices)
        var sortedKeys = BinaryColumn(offsets: keys.offsets, data: keys.data)
        var sortedVectors = VectorColumn(dimension: dimension, values: vectors.values)
        if !isSorted, case .string(let taken) = Column.string(sortedKeys).take(order) { sortedKeys = taken }
        if !isSorted, case .vector(let taken) = Column.vector(sortedVectors).take(order) { sortedVectors = taken }
        let (dictionary, ids) = KeyDictionary.numbering(KeyColumn(strings: sortedKeys))
        if let row = ids.indices.first(where: { ids[$0] != $0 }) {
            throw .duplicateKey(space: space, key: sortedKeys.string(row) ?? "")
        }

        self.space = space
        self.version = version
        self.metric = metric
        self.keys = sortedKeys
        self.vectors = sortedVectors
        self.dictionary = dictionary
        self.norms = metric == .cosine ? EmbeddingTable.norms(sortedVectors) : []
    }

    public var dimension: Int { vectors.dimension }

    /// The number of keys.
    public var count: Int { keys.count }

    /// The row of a key, or `nil` where the table does not have it.
    ///
    /// - Complexity: O(1) expected.
    public func row(of key: String) -> Int? {
        let row = dictionary.ids(of: KeyColumn(strings: BinaryColumn([key])), rows: 0..<1)[0]
        return row >= 0 ? row : nil
    }

    /// The elements of a row.
    public func vector(_ row: Int) -> ArraySlice<Float> {
        vectors.values[row * dimension..<(row + 1) * dimension]
    }

    /// The vector of each key; null where the key is null or not in the table.
    ///
    /// - Throws: when the keys are not a string column.
    /// - Complexity: O(rows · dimension)
    public func lookup(_ keys: Column) throws(EmbeddingError) -> Column {
        guard case .string(let column) = keys else { throw .keyType(space: space, found: keys.type) }
        return Column.vector(vectors).take(dictionary.ids(of: KeyColumn(strings: column), rows: 0..<column.count))
    }

    private static func norms(_ vectors: VectorColumn) -> [Double] {
        vectors.values.withUnsafeBufferPointer { values in
            (0..<vectors.count).map { row in
                let vector = UnsafeBufferPointer(
                    rebasing: values[row * vectors.dimension..<(row + 1) * vectors.dimension]
                )
                return dotProduct(vector, vector).squareRoot()
            }
        }
    }

    /// The score of every row against a query that has been checked.
    func scores(_ query: [Float]) -> [Double] {
        vectors.values.withUnsafeBufferPointer { values in
            query.withUnsafeBufferPointer { query in
                let queryNorm = metric == .cosine ? dotProduct(query, query).squareRoot() : 0
                return (0..<count).map { row in
                    let vector = UnsafeBufferPointer(rebasing: values[row * dimension..<(row + 1) * dimension])
                    switch metric {
                    case .dot: return dotProduct(query, vector)
                    case .euclidean: return squaredDistance(query, vector).squareRoot()
                    case .cosine:
                        let length = queryNorm * norms[row]
                        // Rounding may carry the quotient an ulp past the range of a cosine.
                        return length > 0 ? min(max(dotProduct(query, vector) / length, -1), 1) : 0
                    }
                }
            }
        }
    }
}
