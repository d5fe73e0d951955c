import Columns

/// `cast`, explicit and implied.
extension Kernel {
    func cast(_ operand: Vector) -> Vector {
        var validity = operand.validity
        let storage: Vector.Storage =
            switch (operandTypes[0], type) {
            case (.int64, .float64): .float64(Elementwise.map(operand.int64, rows: rows) { Double($0) })
            case (.int64, .float32): .float32(Elementwise.map(operand.int64, rows: rows) { Float($0) })
            case (.float32, .float64): .float64(Elementwise.map(operand.float32, rows: rows) { Double($0) })
            case (.float64, .float32):
                .float32(
                    Elementwise.map(operand.float64, rows: rows, &validity) {
                        Float($0)
                    } fails: { input, result in
                        (result.magnitude == .infinity && input.magnitude != .infinity) || (result == 0 && input != 0)
                    }
                )
            case (.float64, .int64):
                .int64(
                    Elementwise.map(operand.float64, rows: rows, &validity, Self.nearest) { input, _ in
                        !Self.fits(input)
                    }
                )
            case (.float32, .int64):
                .int64(
                    Elementwise.map(operand.float32, rows: rows, &validity) {
                        Self.nearest(Double($0))
                    } fails: { input, _ in
                        !Self.fits(Double(input))
                    }
                )
            case (.bool, .int64): .int64(numbers(operand.bits(rows)))
            case (.bool, .string): .text(words(operand.bits(rows)))
            case (.int64, .string): .text(written(operand.int64) { $0.append(String($1).utf8) })
            case (.float64, .string): .text(written(operand.float64) { NumberText.append($1, to: &$0) })
            case (.float32, .string): .text(written(operand.float32) { NumberText.append($1, to: &$0) })
            case (.timestamp, .string):
                .text(written(operand.int64) { TimestampText.append($1, isWall: false, to: &$0) })
            case (.wallTime, .string): .text(written(operand.int64) { TimestampText.append($1, isWall: true, to: &$0) })
            case (.bytes, .string): .text(BytesText.written(operand.text, rows: operand.isConstant ? 1 : rows))
            case (.string, .bytes):
                .text(BytesText.read(operand.text, rows: operand.isConstant ? 1 : rows, &validity))
            case (.string, .int64): .int64(read(operand.text, zero: 0, &validity, NumberText.int64))
            case (.string, .float64): .float64(read(operand.text, zero: 0, &validity, NumberText.float64))
            case (.string, .float32): .float32(read(operand.text, zero: 0, &validity, NumberText.float32))
            case (.string, .timestamp): .int64(read(operand.text, zero: 0, &validity, TimestampText.microseconds))
            case (.string, .bool):
                .bool(packed(read(operand.text, zero: false, &validity, NumberText.bool)))
            default: preconditionFailure("\(operandTypes[0]) is not cast to \(type)")
            }
        return Vector(storage, isConstant: false, validity)
    }

    private func packed(_ values: [Bool]) -> Mask { Masks.pack(values.count) { values[$0] } }

    private func numbers(_ bits: Mask) -> [Int64] { (0..<rows).map { Masks.bit(bits, $0) ? 1 : 0 } }

    private func words(_ bits: Mask) -> Vector.Text {
        var output = TextWriter(rows: rows)
        for row in 0..<rows {
            output.append(Masks.bit(bits, row) ? "true".utf8 : "false".utf8)
            output.endRow()
        }
        return output.text
    }

    private func written<Value>(
        _ operand: Operand<Value>,
        _ write: (inout TextWriter, Value) -> Void
    ) -> Vector.Text {
        let rows = operand.isConstant ? 1 : rows
        var output = TextWriter(rows: rows)
        for row in 0..<rows {
            write(&output, operand.values[row])
            output.endRow()
        }
        return output.text
    }

    /// Parses each row, an unreadable one being undefined.
    private func read<Value>(
        _ operand: TextOperand,
        zero: Value,
        _ validity: inout Validity,
        _ parse: (ArraySlice<UInt8>) -> Value?
    ) -> [Value] {
        let rows = operand.isConstant ? 1 : rows
        var failures = Masks.all(false, rows: rows)
        var anyFails = false
        var values: [Value] = []
        values.reserveCapacity(rows)
        for row in 0..<rows {
            if let value = parse(operand.slice(row)) {
                values.append(value)
            } else {
                values.append(zero)
                failures[row >> 6] |= 1 << UInt64(row & 63)
                anyFails = true
            }
        }
        if anyFails { validity.fail(failures) }
        return values
    }
}
