import CBLAS

/// A dense row-major matrix.
struct Matrix {
    let rows: Int
    let columns: Int
    var values: [Double]

    init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        self.values = [Double](repeating: 0, count: rows * columns)
    }

    /// The product with `other`, of this matrix or of its transpose.
    func times(_ other: Matrix, transposed: Bool = false) -> Matrix {
        let height = transposed ? columns : rows
        let depth = transposed ? rows : columns
        precondition(depth == other.rows, "\(height)×\(depth) and \(other.rows)×\(other.columns) have no product")
        var product = Matrix(rows: height, columns: other.columns)
        cblas_dgemm(
            CblasRowMajor,
            transposed ? CblasTrans : CblasNoTrans,
            CblasNoTrans,
            blasint(height),
            blasint(other.columns),
            blasint(depth),
            1,
            values,
            blasint(columns),
            other.values,
            blasint(other.columns),
            0,
            &product.values,
            blasint(other.columns)
        )
        return product
    }
}

/// The leading singular directions of a matrix, by subspace iteration from a seeded start.
///
/// The same input gives the same bits on one machine: one thread, a fixed number of steps, and the sign of each direction
/// chosen so that its largest element is positive. G. Golub and C. Van Loan, Matrix Computations, 8.2.4.
struct TruncatedSVD {
    /// Rows × rank: the left singular vectors, each scaled by its singular value, the largest first.
    let scores: Matrix

    /// - Precondition: `rank` is not above the matrix's smaller side.
    init(_ matrix: Matrix, rank: Int, seed: UInt64) {
        let side = min(matrix.rows, matrix.columns)
        precondition(rank <= side, "a \(matrix.rows)×\(matrix.columns) matrix has no rank \(rank)")
        openblas_set_num_threads(1)
        // Twice as many directions as are wanted make the wanted ones converge fast.
        var basis = Matrix(rows: matrix.columns, columns: min(side, rank * 2))
        var state = seed
        for cell in basis.values.indices {
            // Knuth's 64-bit linear congruential generator; the top bits suffice for a starting direction.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            basis.values[cell] = Double(Int64(bitPattern: state) >> 11) / 0x1p52
        }
        basis.orthonormalize()
        for _ in 0..<100 {
            var image = matrix.times(basis)
            image.orthonormalize()
            basis = matrix.times(image, transposed: true)
            basis.orthonormalize()
        }
        // Within the subspace the decomposition is that of a small symmetric matrix.
        let image = matrix.times(basis)
        let rotation = SymmetricEigenvectors(image.times(image, transposed: true))
        let rotated = image.times(rotation.vectors)
        var scores = Matrix(rows: matrix.rows, columns: rank)
        for (column, direction) in rotation.order.prefix(rank).enumerated() {
            let elements = (0..<matrix.rows).map { rotated.values[$0 * rotated.columns + direction] }
            let largest = elements.max { abs($0) < abs($1) } ?? 0
            let sign: Double = largest < 0 ? -1 : 1
            for row in 0..<matrix.rows { scores.values[row * rank + column] = sign * elements[row] }
        }
        self.scores = scores
    }
}

extension Matrix {
    /// Makes the columns orthonormal by modified Gram–Schmidt, twice, which is enough to working precision.
    fileprivate mutating func orthonormalize() {
        for column in 0..<columns {
            for _ in 0..<2 {
                for earlier in 0..<column {
                    let overlap = dot(column, earlier)
                    for row in 0..<rows { values[row * columns + column] -= overlap * values[row * columns + earlier] }
                }
            }
            let length = dot(column, column).squareRoot()
            // A column of nothing but rounding spans no direction.
            let scale = length > 1e-12 ? 1 / length : 0
            for row in 0..<rows { values[row * columns + column] *= scale }
        }
    }

    private func dot(_ left: Int, _ right: Int) -> Double {
        var sum = 0.0
        for row in 0..<rows { sum += values[row * columns + left] * values[row * columns + right] }
        return sum
    }
}

/// The eigenvectors of a small symmetric matrix, by cyclic Jacobi rotations (Golub and Van Loan, 8.5).
private struct SymmetricEigenvectors {
    /// One eigenvector a column.
    var vectors: Matrix
    /// The columns by descending eigenvalue.
    var order: [Int]

    init(_ matrix: Matrix) {
        let size = matrix.rows
        var a = matrix.values
        var vectors = Matrix(rows: size, columns: size)
        for diagonal in 0..<size { vectors.values[diagonal * size + diagonal] = 1 }
        for _ in 0..<30 {
            for p in 0..<size {
                for q in p + 1..<size where a[p * size + q] != 0 {
                    let theta = (a[q * size + q] - a[p * size + p]) / (2 * a[p * size + q])
                    let tangent = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
                    let cosine = 1 / (tangent * tangent + 1).squareRoot()
                    let sine = tangent * cosine
                    for k in 0..<size { Self.rotate(&a, k * size + p, k * size + q, cosine, sine) }
                    for k in 0..<size { Self.rotate(&a, p * size + k, q * size + k, cosine, sine) }
                    for k in 0..<size { Self.rotate(&vectors.values, k * size + p, k * size + q, cosine, sine) }
                }
            }
        }
        self.vectors = vectors
        self.order = (0..<size).sorted { a[$0 * size + $0] > a[$1 * size + $1] }
    }

    private static func rotate(_ values: inout [Double], _ p: Int, _ q: Int, _ cosine: Double, _ sine: Double) {
        let (x, y) = (values[p], values[q])
        values[p] = cosine * x - sine * y
        values[q] = sine * x + cosine * y
    }
}
