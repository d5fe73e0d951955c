/// Where a cell's text lies in the file.
struct CSVCell {
    enum Form: UInt8 {
        case plain
        case quoted
        /// Quoted, and holding doubled quotes that stand for one.
        case escaped
    }

    var start: Int
    var length: UInt32
    var form: Form

    @inline(__always)
    func text(in bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[start..<start &+ Int(length)])
    }

    /// The cell's bytes with doubled quotes made single.
    func unescaped(in bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        let text = text(in: bytes)
        guard form == .escaped else { return Array(text) }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            result.append(text[position])
            position += text[position] == UInt8(ascii: "\"") ? 2 : 1
        }
        return result
    }
}

/// A fault in the layout of rows, before any cell is given a type.
struct CSVLayoutFault: Error {
    let problem: CSVError.Problem
    /// The byte where the faulty cell or row begins.
    let position: Int
    /// The zero-based field, or `nil` when the whole row is at fault.
    let field: Int?
}

/// Splits RFC 4180 text into cells.
struct CSVTokenizer {
    let delimiter: UInt8
    /// One for a byte that ends the plain part of an unquoted cell.
    private let isSpecial: [UInt8]

    init(delimiter: UInt8) {
        self.delimiter = delimiter
        var table = [UInt8](repeating: 0, count: 256)
        for byte in [delimiter, UInt8(ascii: "\""), UInt8(ascii: "\r"), UInt8(ascii: "\n")] { table[Int(byte)] = 1 }
        isSpecial = table
    }

    /// How a scanned cell was ended.
    private enum End {
        case delimiter
        case row
    }

    /// Scans the cell at `position` and moves past its delimiter or line ending.
    @inline(__always)
    private func scan(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ special: UnsafeBufferPointer<UInt8>,
        field: Int,
        position: inout Int,
        cell: inout CSVCell
    ) throws(CSVLayoutFault) -> End {
        let end = bytes.count
        let start = position
        if position < end, bytes[position] == UInt8(ascii: "\"") {
            var next = start &+ 1
            var form = CSVCell.Form.quoted
            while true {
                while next < end, bytes[next] != UInt8(ascii: "\"") { next &+= 1 }
                guard next < end else {
                    throw CSVLayoutFault(problem: .unterminatedQuote, position: start, field: field)
                }
                guard next &+ 1 < end, bytes[next &+ 1] == UInt8(ascii: "\"") else { break }
                form = .escaped
                next &+= 2
            }
            let length = next &- start &- 1
            guard length <= UInt32.max else {
                throw CSVLayoutFault(problem: .cellTooLong, position: start, field: field)
            }
            cell = CSVCell(start: start &+ 1, length: UInt32(truncatingIfNeeded: length), form: form)
            position = next &+ 1
            if position < end, special[Int(bytes[position])] == 0 {
                throw CSVLayoutFault(problem: .textAfterQuote, position: start, field: field)
            }
        } else {
            var next = start
            while next < end, special[Int(bytes[next])] == 0 { next &+= 1 }
            let length = next &- start
            guard length <= UInt32.max else {
                throw CSVLayoutFault(problem: .cellTooLong, position: start, field: field)
            }
            cell = CSVCell(start: start, length: UInt32(truncatingIfNeeded: length), form: .plain)
            position = next
        }
        guard position < end else { return .row }
        let byte = bytes[position]
        if byte == delimiter {
            position &+= 1
            return .delimiter
        }
        if byte == UInt8(ascii: "\n") {
            position &+= 1
            return .row
        }
        if byte == UInt8(ascii: "\r"), position &+ 1 < end, bytes[position &+ 1] == UInt8(ascii: "\n") {
            position &+= 2
            return .row
        }
        throw CSVLayoutFault(
            problem: byte == UInt8(ascii: "\"") ? .quoteInUnquotedCell : .carriageReturnWithoutLineFeed,
            position: start,
            field: field
        )
    }

    /// Reads one row of any number of cells, such as the header.
    func row(
        _ bytes: UnsafeBufferPointer<UInt8>,
        position: inout Int
    ) throws(CSVLayoutFault) -> [CSVCell] {
        var cursor = position
        let result = isSpecial.withUnsafeBufferPointer { special in
            Result<[CSVCell], CSVLayoutFault> { () throws(CSVLayoutFault) -> [CSVCell] in
                var cells: [CSVCell] = []
                var cell = CSVCell(start: cursor, length: 0, form: .plain)
                var end = End.delimiter
                while end == .delimiter {
                    end = try scan(bytes, special, field: cells.count, position: &cursor, cell: &cell)
                    cells.append(cell)
                }
                return cells
            }
        }
        position = cursor
        return try result.get()
    }

    /// Reads up to `maxRows` rows of `slots.count` cells each and stores the wanted ones, row-major.
    ///
    /// - Parameters:
    ///   - slots: for each field of the file, its place among the `width` stored cells, or -1 to skip it.
    ///   - cells: room for `maxRows * width` cells.
    /// - Returns: the rows stored, and the fault that ended the block early.
    func block(
        _ bytes: UnsafeBufferPointer<UInt8>,
        position: inout Int,
        maxRows: Int,
        slots: UnsafeBufferPointer<Int>,
        width: Int,
        cells: UnsafeMutableBufferPointer<CSVCell>
    ) -> (rows: Int, fault: CSVLayoutFault?) {
        isSpecial.withUnsafeBufferPointer { special in
            var cursor = position
            var rows = 0
            var first = 0
            let fieldCount = slots.count
            var cell = CSVCell(start: 0, length: 0, form: .plain)
            while rows < maxRows, cursor < bytes.count {
                let rowStart = cursor
                var field = 0
                do throws(CSVLayoutFault) {
                    var end = End.delimiter
                    while end == .delimiter {
                        end = try scan(bytes, special, field: field, position: &cursor, cell: &cell)
                        if field < fieldCount {
                            let slot = slots[field]
                            if slot >= 0 { cells[first &+ slot] = cell }
                        }
                        field &+= 1
                    }
                    guard field == fieldCount else {
                        throw CSVLayoutFault(
                            problem: .fieldCount(expected: fieldCount, found: field),
                            position: rowStart,
                            field: nil
                        )
                    }
                } catch {
                    return (rows, error)
                }
                first &+= width
                rows &+= 1
                position = cursor
            }
            return (rows, nil)
        }
    }
}
