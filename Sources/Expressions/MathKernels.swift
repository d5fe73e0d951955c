import Columns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Functions of float64: the C library's values on PostgreSQL's domains.
///
/// Rounding and `sqrt` are exact. The others are those of the C library, as PostgreSQL's are.
extension Kernel {
    func mathematical(_ function: Function, _ operand: Vector) -> Vector {
        var validity = operand.validity
        let input = operand.float64
        let result: [Double] =
            switch function {
            case .sign: Elementwise.map(input, rows: rows) { $0 > 0 ? 1 : ($0 < 0 ? -1 : 0) }
            case .round: Elementwise.map(input, rows: rows) { $0.rounded(.toNearestOrEven) }
            case .truncate: Elementwise.map(input, rows: rows) { $0.rounded(.towardZero) }
            case .floor: Elementwise.map(input, rows: rows) { $0.rounded(.down) }
            case .ceiling: Elementwise.map(input, rows: rows) { $0.rounded(.up) }
            case .squareRoot:
                Elementwise.map(input, rows: rows, needed: needed, &validity) {
                    $0.squareRoot()
                } fails: { input, _ in
                    input < 0
                }
            case .exponential:
                Elementwise.map(input, rows: rows, needed: needed, &validity) {
                    exp($0)
                } fails: { input, result in
                    input.magnitude != .infinity && (result == .infinity || result == 0)
                }
            case .naturalLogarithm:
                Elementwise.map(input, rows: rows, needed: needed, &validity) {
                    log($0)
                } fails: { input, _ in
                    input <= 0
                }
            case .decimalLogarithm:
                Elementwise.map(input, rows: rows, needed: needed, &validity) {
                    log10($0)
                } fails: { input, _ in
                    input <= 0
                }
            case .cubeRoot: everywhere(input, &validity) { cbrt($0) }
            default:
                Elementwise.map(input, rows: rows, needed: needed, &validity) {
                    log1p($0)
                } fails: { input, _ in
                    input <= -1
                }
            }
        return Vector(.float64(result), isConstant: false, validity)
    }

    func power(_ base: Vector, _ exponent: Vector) -> Vector {
        var validity = Validity.strict([base, exponent], rows: rows)
        let result = Elementwise.zip(base.float64, exponent.float64, rows: rows, &validity) {
            pow($0, $1)
        } fails: {
            base,
            exponent,
            result in
            // Zero to a negative power, and a negative number to a fractional one.
            if base == 0 && exponent < 0 { return true }
            let isFinite = base.isFinite && exponent.isFinite
            if base < 0 && !exponent.isNaN && exponent.rounded(.down) != exponent { return true }
            return isFinite && (result.magnitude == .infinity || (result == 0 && base != 0))
        }
        return Vector(.float64(result), isConstant: false, validity)
    }
}
