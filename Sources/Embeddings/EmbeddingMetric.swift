// For its linker setting alone: an unoptimised square root is a call into libm.
#if canImport(Glibc)
    import Glibc
#endif

/// How near two vectors of a space are.
///
/// Sums are taken in float64 in a fixed order, so a score has the same bits on every machine.
public enum EmbeddingMetric: String, Hashable, Sendable, CaseIterable {
    /// The cosine of the angle, from -1 to 1: greater is nearer. A zero vector has cosine 0 with every vector.
    case cosine
    /// The dot product: greater is nearer.
    case dot
    /// The Euclidean distance: less is nearer.
    case euclidean

    /// Whether a greater score means a nearer vector.
    public var prefersGreater: Bool { self != .euclidean }
}

/// The dot product, accumulated in four float64 sums: elements 0, 4, 8 …, then 1, 5, 9 … and so on.
///
/// A product of two floats is exact in float64. Four sums do not wait for one another.
@inline(__always)
func dotProduct(_ left: UnsafeBufferPointer<Float>, _ right: UnsafeBufferPointer<Float>) -> Double {
    accumulate(left, right) { $0 * $1 }
}

/// The squared Euclidean distance, accumulated as `dotProduct` is.
@inline(__always)
func squaredDistance(_ left: UnsafeBufferPointer<Float>, _ right: UnsafeBufferPointer<Float>) -> Double {
    accumulate(left, right) { ($0 - $1) * ($0 - $1) }
}

@inline(__always)
private func accumulate(
    _ left: UnsafeBufferPointer<Float>,
    _ right: UnsafeBufferPointer<Float>,
    _ term: (Double, Double) -> Double
) -> Double {
    var (sum0, sum1, sum2, sum3) = (0.0, 0.0, 0.0, 0.0)
    var element = 0
    while element &+ 4 <= left.count {
        sum0 += term(Double(left[element]), Double(right[element]))
        sum1 += term(Double(left[element &+ 1]), Double(right[element &+ 1]))
        sum2 += term(Double(left[element &+ 2]), Double(right[element &+ 2]))
        sum3 += term(Double(left[element &+ 3]), Double(right[element &+ 3]))
        element &+= 4
    }
    while element < left.count {
        sum0 += term(Double(left[element]), Double(right[element]))
        element &+= 1
    }
    return (sum0 + sum1) + (sum2 + sum3)
}
