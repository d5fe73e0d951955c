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
        UnsafeBufferPointer(start: bytes.baseAddress.map { $0 + start }, count: Int(length))
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

    /// How a scanned cell was ended.
    private enum End {
        case delimiter
        case row
    }

    /// Scans the cell at `position` and moves past its delimiter or line ending.
    @inline(__always)
    private func scan(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ specials: inout CSVSpecials,
        field: Int,
        position: inout Int,
        cell: inout CSVCell
    ) throws(CSVLayoutFault) -> End {
        let start = position
        var end = specials.next()
        if end == start, end < bytes.count, bytes[end] == UInt8(ascii: "\"") {
            cell = try quotedCell(bytes, start, field: field)
            specials.skip(to: cell.start &+ Int(cell.length) &+ 1)
            end = specials.next()
            guard end == cell.start &+ Int(cell.length) &+ 1 else {
                throw CSVLayoutFault(problem: .textAfterQuote, position: start, field: field)
            }
        } else {
            guard end &- start <= UInt32.max else {
                throw CSVLayoutFault(problem: .cellTooLong, position: start, field: field)
            }
            cell = CSVCell(start: start, length: UInt32(truncatingIfNeeded: end &- start), form: .plain)
        }
        position = end &+ 1
        guard end < bytes.count else {
            position = bytes.count
            return .row
        }
        let byte = bytes[end]
        if byte == delimiter { return .delimiter }
        if byte == UInt8(ascii: "\n") { return .row }
        if byte == UInt8(ascii: "\r"), position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
            position = specials.next() &+ 1
            return .row
        }
        throw CSVLayoutFault(
            problem: byte == UInt8(ascii: "\"") ? .quoteInUnquotedCell : .carriageReturnWithoutLineFeed,
            position: start,
            field: field
        )
    }

    @inline(never)
    private func quotedCell(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ start: Int,
        field: Int
    ) throws(CSVLayoutFault) -> CSVCell {
        let end = bytes.count
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
        return CSVCell(start: start &+ 1, length: UInt32(truncatingIfNeeded: length), form: form)
    }

    /// Reads one row of any number of cells, such as the header.
    func row(_ bytes: UnsafeBufferPointer<UInt8>, position: inout Int) throws(CSVLayoutFault) -> [CSVCell] {
        var specials = CSVSpecials(bytes, delimiter: delimiter, from: position)
        var cells: [CSVCell] = []
        var cell = CSVCell(start: position, length: 0, form: .plain)
        var end = End.delimiter
        while end == .delimiter {
            end = try scan(bytes, &specials, field: cells.count, position: &position, cell: &cell)
            cells.append(cell)
        }
        return cells
    }

    /// Reads up to `maxRows` rows of `slots.count` cells each and stores them by column.
    ///
    /// - Parameters:
    ///   - slots: for each field of the file, the column of `cells` that takes it.
    ///   - cells: room for `stride` cells of each column.
    ///   - stride: at least `maxRows`.
    /// - Returns: the rows stored, and the fault that ended the block early.
    func block(
        _ bytes: UnsafeBufferPointer<UInt8>,
        position: inout Int,
        maxRows: Int,
        slots: UnsafeBufferPointer<Int>,
        cells: UnsafeMutableBufferPointer<CSVCell>,
        stride: Int
    ) -> (rows: Int, fault: CSVLayoutFault?) {
        var specials = CSVSpecials(bytes, delimiter: delimiter, from: position)
        var cursor = position
        var rows = 0
        let fieldCount = slots.count
        var cell = CSVCell(start: 0, length: 0, form: .plain)
        while rows < maxRows, cursor < bytes.count {
            let rowStart = cursor
            var field = 0
            do throws(CSVLayoutFault) {
                var end = End.delimiter
                while end == .delimiter {
                    end = try scan(bytes, &specials, field: field, position: &cursor, cell: &cell)
                    if field < fieldCount { cells[slots[field] &* stride &+ rows] = cell }
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
            rows &+= 1
            position = cursor
        }
        return (rows, nil)
    }
}
