/// The text of byte strings as PostgreSQL writes and reads it.
enum BytesText {
    private static let backslash = UInt8(ascii: "\\")

    /// `\x` and two hexadecimal digits for each byte.
    static func written(_ operand: TextOperand, rows: Int) -> Vector.Text {
        let digits = Array("0123456789abcdef".utf8)
        var output = TextWriter(rows: rows)
        for row in 0..<rows {
            output.append("\\x".utf8)
            for byte in operand.slice(row) {
                output.append(digits[Int(byte >> 4)])
                output.append(digits[Int(byte & 15)])
            }
            output.endRow()
        }
        return output.text
    }

    /// Either form PostgreSQL reads: `\x` before hexadecimal digits, or plain text in which `\\` is a backslash and
    /// `\ooo` a byte in octal.
    static func read(_ operand: TextOperand, rows: Int, _ validity: inout Validity) -> Vector.Text {
        var output = TextWriter(rows: rows)
        var failures = Masks.all(false, rows: rows)
        var anyFails = false
        for row in 0..<rows {
            if let bytes = bytes(operand.slice(row)) {
                output.append(bytes)
            } else {
                failures[row >> 6] |= 1 << UInt64(row & 63)
                anyFails = true
            }
            output.endRow()
        }
        if anyFails { validity.fail(failures) }
        return output.text
    }

    private static func bytes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = text
        var result: [UInt8] = []
        if rest.starts(with: "\\x".utf8) {
            rest = rest.dropFirst(2)
            while let first = rest.popFirst() {
                // White space is allowed between pairs.
                if first == 0x20 || first == 0x09 || first == 0x0A || first == 0x0D { continue }
                guard let high = nibble(first), let low = rest.popFirst().flatMap(nibble) else { return nil }
                result.append(high << 4 | low)
            }
            return result
        }
        while let byte = rest.popFirst() {
            guard byte == backslash else {
                result.append(byte)
                continue
            }
            guard let next = rest.popFirst() else { return nil }
            if next == backslash {
                result.append(next)
                continue
            }
            guard (0x30...0x33).contains(next), let middle = rest.popFirst(), let last = rest.popFirst(),
                (0x30...0x37).contains(middle), (0x30...0x37).contains(last)
            else { return nil }
            result.append((next & 7) << 6 | (middle & 7) << 3 | (last & 7))
        }
        return result
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        case 0x41...0x46: byte - 0x41 + 10
        default: nil
        }
    }
}
