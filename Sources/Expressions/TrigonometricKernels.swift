import Columns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Trigonometric and hyperbolic functions of float64: the C library's values on PostgreSQL's domains.
extension Kernel {
    func trigonometric(_ function: Function, _ operand: Vector) -> Vector {
        var validity = operand.validity
        let input = operand.float64
        let result: [Double] =
            switch function {
            case .sine: finite(input, &validity) { sin($0) }
            case .cosine: finite(input, &validity) { cos($0) }
            case .tangent: finite(input, &validity) { tan($0) }
            case .cotangent: finite(input, &validity) { 1 / tan($0) }
            case .arcSine: bounded(input, &validity) { asin($0) }
            case .arcCosine: bounded(input, &validity) { acos($0) }
            case .arcTangent: everywhere(input, &validity) { atan($0) }
            case .hyperbolicSine: everywhere(input, &validity) { sinh($0) }
            case .hyperbolicCosine: everywhere(input, &validity) { cosh($0) }
            case .hyperbolicTangent: everywhere(input, &validity) { tanh($0) }
            case .areaHyperbolicSine: everywhere(input, &validity) { asinh($0) }
            case .areaHyperbolicCosine:
                Elementwise.map(input, rows: rows, needed: needed, &validity) {
                    acosh($0)
                } fails: { input, _ in
                    input < 1
                }
            default: bounded(input, &validity) { atanh($0) }
            }
        return Vector(.float64(result), isConstant: false, validity)
    }

    /// Of all numbers.
    @inline(__always)
    func everywhere(
        _ input: Operand<Double>,
        _ validity: inout Validity,
        _ transform: (Double) -> Double
    ) -> [Double] {
        Elementwise.map(input, rows: rows, needed: needed, &validity, transform) { _, _ in false }
    }

    /// Of numbers that are not infinite.
    @inline(__always)
    private func finite(
        _ input: Operand<Double>,
        _ validity: inout Validity,
        _ transform: (Double) -> Double
    ) -> [Double] {
        Elementwise.map(input, rows: rows, needed: needed, &validity, transform) { input, _ in
            input.magnitude == .infinity
        }
    }

    /// Of numbers from -1 to 1.
    @inline(__always)
    private func bounded(
        _ input: Operand<Double>,
        _ validity: inout Validity,
        _ transform: (Double) -> Double
    ) -> [Double] {
        Elementwise.map(input, rows: rows, needed: needed, &validity, transform) { input, _ in input.magnitude > 1 }
    }

    func arcTangent(_ ordinate: Vector, _ abscissa: Vector) -> Vector {
        var validity = Validity.strict([ordinate, abscissa], rows: rows)
        let result = Elementwise.zip(ordinate.float64, abscissa.float64, rows: rows, &validity) {
            atan2($0, $1)
        } fails: { _, _, _ in
            false
        }
        return Vector(.float64(result), isConstant: false, validity)
    }
}
