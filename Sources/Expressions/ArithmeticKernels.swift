import Columns

/// `+ - * / %`, sign and absolute value.
extension Kernel {
    func arithmetic(_ function: Function, _ left: Vector, _ right: Vector) -> Vector {
        var validity = Validity.strict([left, right], rows: rows)
        let storage: Vector.Storage =
            switch (type, operandTypes[1]) {
            case (.float64, _): .float64(floating(function, left.float64, right.float64, &validity))
            case (.float32, _): .float32(floating(function, left.float32, right.float32, &validity))
            case (.interval, .float64): .int64(scaled(function, left.int64, by: right.float64, &validity))
            case (.timestamp, _), (.wallTime, _), (.interval, .timestamp), (.interval, .wallTime):
                .int64(moment(function, left.int64, right.int64, &validity))
            default: .int64(integral(function, left.int64, right.int64, &validity))
            }
        return Vector(storage, isConstant: false, validity)
    }

    private func integral(
        _ function: Function,
        _ left: Operand<Int64>,
        _ right: Operand<Int64>,
        _ validity: inout Validity
    ) -> [Int64] {
        switch function {
        case .add:
            Elementwise.zip(left, right, rows: rows, &validity) {
                $0 &+ $1
            } fails: {
                ($0 ^ $2) & ($1 ^ $2) < 0
            }
        case .subtract:
            Elementwise.zip(left, right, rows: rows, &validity) {
                $0 &- $1
            } fails: {
                ($0 ^ $1) & ($0 ^ $2) < 0
            }
        case .multiply:
            Elementwise.zip(left, right, rows: rows, &validity) {
                $0 &* $1
            } fails: { left, right, _ in
                left.multipliedReportingOverflow(by: right).overflow
            }
        case .divide:
            Elementwise.zip(left, right, rows: rows, &validity) { left, right in
                right == 0 ? 0 : left.dividedReportingOverflow(by: right).partialValue
            } fails: { left, right, _ in
                right == 0 || (right == -1 && left == .min)
            }
        default:
            Elementwise.zip(left, right, rows: rows, &validity) { left, right in
                right == 0 ? 0 : left.remainderReportingOverflow(dividingBy: right).partialValue
            } fails: { _, right, _ in
                right == 0
            }
        }
    }

    /// IEEE 754, except that what rounds to infinity or to zero is undefined (PostgreSQL's `float8_pl` and the like).
    @inline(__always)
    private func floating<Float: BinaryFloatingPoint & BitwiseCopyable>(
        _ function: Function,
        _ left: Operand<Float>,
        _ right: Operand<Float>,
        _ validity: inout Validity
    ) -> [Float] {
        switch function {
        case .add:
            Elementwise.zip(left, right, rows: rows, needed: needed, &validity) {
                $0 + $1
            } suspects: {
                $0.magnitude == .infinity
            } fails: { left, right, _ in
                left.magnitude != .infinity && right.magnitude != .infinity
            }
        case .subtract:
            Elementwise.zip(left, right, rows: rows, needed: needed, &validity) {
                $0 - $1
            } suspects: {
                $0.magnitude == .infinity
            } fails: { left, right, _ in
                left.magnitude != .infinity && right.magnitude != .infinity
            }
        case .multiply:
            Elementwise.zip(left, right, rows: rows, needed: needed, &validity) {
                $0 * $1
            } suspects: {
                $0.magnitude == .infinity || $0 == 0
            } fails: { left, right, result in
                result == 0
                    ? left != 0 && right != 0 : left.magnitude != .infinity && right.magnitude != .infinity
            }
        default:
            Elementwise.zip(left, right, rows: rows, needed: needed, &validity) {
                $0 / $1
            } suspects: {
                // Infinite, NaN or zero.
                !($0.magnitude < .infinity) || $0 == 0
            } fails: { left, right, result in
                (right == 0 && left == left)
                    || (result.magnitude == .infinity && left.magnitude != .infinity)
                    || (result == 0 && left != 0 && right.magnitude != .infinity)
            }
        }
    }

    /// Timestamps moved by intervals, and the interval between timestamps.
    private func moment(
        _ function: Function,
        _ left: Operand<Int64>,
        _ right: Operand<Int64>,
        _ validity: inout Validity
    ) -> [Int64] {
        let earliest = type == .interval ? .min : Calendar.earliest
        if function == .add {
            return Elementwise.zip(left, right, rows: rows, &validity) {
                $0 &+ $1
            } fails: {
                ($0 ^ $2) & ($1 ^ $2) < 0 || $2 < earliest
            }
        }
        // PostgreSQL adds the negated interval, and the least one has no negation.
        let refused: Int64? = type == .interval ? nil : .min
        return Elementwise.zip(left, right, rows: rows, &validity) {
            $0 &- $1
        } fails: {
            ($0 ^ $1) & ($0 ^ $2) < 0 || $2 < earliest || $1 == refused
        }
    }

    private func scaled(
        _ function: Function,
        _ left: Operand<Int64>,
        by right: Operand<Double>,
        _ validity: inout Validity
    ) -> [Int64] {
        if function == .multiply {
            return Elementwise.zip(left, right, rows: rows, &validity) { left, right in
                Self.nearest(Double(left) * right)
            } fails: { left, right, _ in
                !Self.fits(Double(left) * right)
            }
        }
        return Elementwise.zip(left, right, rows: rows, &validity) { left, right in
            Self.nearest(Double(left) / right)
        } fails: { left, right, _ in
            right == 0 || !Self.fits(Double(left) / right)
        }
    }

    // MARK: Conversions between numbers

    /// Whether a number, once rounded, is an int64.
    @inline(__always)
    static func fits(_ value: Double) -> Bool {
        let rounded = value.rounded(.toNearestOrEven)
        return rounded >= -0x1p63 && rounded < 0x1p63
    }

    /// The nearest integer, ties to even; zero where it does not fit.
    @inline(__always)
    static func nearest(_ value: Double) -> Int64 { Int64(exactly: value.rounded(.toNearestOrEven)) ?? 0 }

    // MARK: One operand

    func signed(_ function: Function, _ operand: Vector) -> Vector {
        var validity = operand.validity
        let isNegation = function == .negate
        let storage: Vector.Storage
        switch type {
        case .float64:
            storage = .float64(
                isNegation
                    ? Elementwise.map(operand.float64, rows: rows) { -$0 }
                    : Elementwise.map(operand.float64, rows: rows) { $0.magnitude }
            )
        case .float32:
            storage = .float32(
                isNegation
                    ? Elementwise.map(operand.float32, rows: rows) { -$0 }
                    : Elementwise.map(operand.float32, rows: rows) { $0.magnitude }
            )
        default:
            storage = .int64(
                isNegation
                    ? Elementwise.map(operand.int64, rows: rows, &validity) {
                        0 &- $0
                    } fails: { input, _ in
                        input == .min
                    }
                    : Elementwise.map(operand.int64, rows: rows, &validity) {
                        Int64(truncatingIfNeeded: $0.magnitude)
                    } fails: { input, _ in
                        input == .min
                    }
            )
        }
        return Vector(storage, isConstant: false, validity)
    }
}
