/// Fixed-dimension vectors, row-major: row `r` occupies `values[r * dimension ..< (r + 1) * dimension]`.
///
/// A null row holds zeros.
public struct VectorColumn: Hashable, Sendable {
    public let dimension: Int
    public let values: [Float]
    /// `nil` when no row is null.
    public let validity: Bitmap?

    /// - Precondition: `dimension` is positive, `values.count` is a multiple of it, validity has one bit for each row.
    public init(dimension: Int, values: [Float], validity: Bitmap? = nil) {
        precondition(dimension > 0 && values.count % dimension == 0, "vector values do not fill whole rows")
        precondition(validity == nil || validity?.count == values.count / dimension, "validity differs in length")
        self.dimension = dimension
        self.values = values
        self.validity = validity
    }

    public var count: Int { values.count / dimension }

    public func isValid(_ row: Int) -> Bool { validity.map { $0[row] } ?? true }

    /// The elements of a row, or `nil` where it is null.
    public subscript(row: Int) -> ArraySlice<Float>? {
        isValid(row) ? values[row * dimension..<(row + 1) * dimension] : nil
    }

    public var nullCount: Int { validity.map { $0.count - $0.setCount } ?? 0 }
}
