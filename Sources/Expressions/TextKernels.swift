import Columns

/// String functions. Positions and lengths count code points; letters are mapped in ASCII only.
extension Kernel {
    func textual(_ function: Function, _ operand: Vector) -> Vector {
        let input = operand.text
        let storage: Vector.Storage =
            switch function {
            case .lower: .text(Vector.Text(offsets: input.text.offsets, data: input.text.data.map(Self.lowered)))
            case .upper: .text(Vector.Text(offsets: input.text.offsets, data: input.text.data.map(Self.raised)))
            case .length: .int64((0..<count(operand)).map { Int64(Self.length(input.slice($0))) })
            case .byteLength: .int64((0..<count(operand)).map { Int64(input.range($0).count) })
            default: .text(texts(count(operand)) { output, row in Self.appendReversed(input.slice(row), to: &output) })
            }
        return Vector(storage, isConstant: false, operand.validity)
    }

    /// `substring(text, start[, length])`: a negative length is undefined.
    func substring(_ operands: [Vector]) -> Vector {
        var validity = Validity.strict(operands, rows: rows)
        let (input, start) = (operands[0].text, operands[1].int64)
        let length = operands.count == 3 ? operands[2].int64 : Operand(values: [.max], isConstant: true)
        let ends = Elementwise.zip(start, length, rows: rows, &validity) { start, length in
            let (end, overflow) = start.addingReportingOverflow(length)
            return overflow && length > 0 ? .max : end
        } fails: { _, length, _ in
            length < 0
        }
        let step = start.isConstant ? 0 : 1
        let result = texts(rows) { output, row in
            let first = max(start.values[row &* step], 1)
            if ends[row] > first { output.append(Self.characters(input.slice(row), first - 1..<ends[row] - 1)) }
        }
        return Vector(.text(result), isConstant: false, validity)
    }

    /// Every occurrence of the second operand in the first, from the left, replaced by the third.
    func replace(_ operands: [Vector]) -> Vector {
        let (input, pattern, substitute) = (operands[0].text, operands[1].text, operands[2].text)
        var validity = Validity.strict(operands, rows: rows)
        let result = texts(rows, &validity) { output, row in
            let wanted = pattern.slice(row)
            var rest = input.slice(row)
            guard let first = wanted.first else {
                output.append(rest)
                return true
            }
            let start = output.text.data.count
            while let place = rest.firstIndex(of: first) {
                output.append(rest[..<place])
                rest = rest[place...]
                if rest.starts(with: wanted) {
                    output.append(substitute.slice(row))
                    if output.text.data.count - start > Self.maximumLength { return false }
                    rest = rest.dropFirst(wanted.count)
                } else {
                    output.append(first)
                    rest = rest.dropFirst()
                }
            }
            output.append(rest)
            return true
        }
        return Vector(.text(result), isConstant: false, validity)
    }

    func concatenate(_ left: Vector, _ right: Vector) -> Vector {
        let (first, second) = (left.text, right.text)
        let result = texts(rows) { output, row in
            output.append(first.slice(row))
            output.append(second.slice(row))
        }
        return Vector(.text(result), isConstant: false, .strict([left, right], rows: rows))
    }

    func match(_ function: Function, _ left: Vector, _ right: Vector) -> Vector {
        var validity = Validity.strict([left, right], rows: rows)
        let (text, pattern) = (left.text, right.text)
        if function == .startsWith {
            let bits = Masks.pack(rows) { text.slice($0).starts(with: pattern.slice($0)) }
            return Vector(.bool(bits), isConstant: false, validity)
        }
        var failures = Masks.all(false, rows: rows)
        var anyFails = false
        let bits = Masks.pack(rows) { row in
            if let matches = LikePattern.matches(text.slice(row), pattern.slice(row)) { return matches }
            failures[row >> 6] |= 1 << UInt64(row & 63)
            anyFails = true
            return false
        }
        if anyFails { validity.fail(failures) }
        return Vector(.bool(bits), isConstant: false, validity)
    }

    // MARK: Rows

    func count(_ operand: Vector) -> Int { operand.isConstant ? 1 : rows }

    /// A longer text that `repeat`, `lpad`, `rpad` or `replace` would make is undefined; PostgreSQL's limit is 1 GiB.
    ///
    /// One row cannot take a machine's memory.
    static let maximumLength = 1 << 24

    @inline(__always)
    func texts(_ rows: Int, _ write: (inout TextWriter, Int) -> Void) -> Vector.Text {
        var output = TextWriter(rows: rows)
        for row in 0..<rows {
            write(&output, row)
            output.endRow()
        }
        return output.text
    }

    /// As above; where `write` returns false the row is undefined.
    @inline(__always)
    func texts(
        _ rows: Int,
        _ validity: inout Validity,
        _ write: (inout TextWriter, Int) -> Bool
    ) -> Vector.Text {
        var failures = Masks.all(false, rows: rows)
        var anyFails = false
        let result = texts(rows) { output, row in
            if write(&output, row) { return }
            failures[row >> 6] |= 1 << UInt64(row & 63)
            anyFails = true
        }
        if anyFails { validity.fail(failures) }
        return result
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
    private static func raised(_ byte: UInt8) -> UInt8 { (0x61...0x7A).contains(byte) ? byte & ~0x20 : byte }

    /// Whether a byte begins a code point.
    @inline(__always)
    static func isLeading(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }

    static func length(_ text: ArraySlice<UInt8>) -> Int {
        var count = 0
        for byte in text where isLeading(byte) { count &+= 1 }
        return count
    }

    private static func appendReversed(_ text: ArraySlice<UInt8>, to output: inout TextWriter) {
        var end = text.endIndex
        for index in text.indices.reversed() where isLeading(text[index]) {
            output.append(text[index..<end])
            end = index
        }
    }

    /// The code points at the given places, those that exist.
    static func characters(_ text: ArraySlice<UInt8>, _ range: Range<Int64>) -> ArraySlice<UInt8> {
        var place: Int64 = -1
        var start = text.endIndex
        for index in text.indices where isLeading(text[index]) {
            place += 1
            if place == range.lowerBound { start = index }
            if place == range.upperBound { return text[start..<index] }
        }
        return text[start...]
    }
}
