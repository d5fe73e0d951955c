import Columns

/// The spellings of null, ready for a test of each cell.
struct CSVNulls {
    private let spellings: [[UInt8]]
    /// One bit for each length a spelling has, the last for 63 and more.
    private let lengths: UInt64
    /// One bit for each byte a spelling starts with, modulo 64.
    private let starts: UInt64

    init(_ spellings: [String]) {
        self.spellings = spellings.map { Array($0.utf8) }.filter { !$0.isEmpty }
        lengths = self.spellings.reduce(0) { $0 | 1 << UInt64(min($1.count, 63)) }
        starts = self.spellings.reduce(0) { $0 | 1 << UInt64($1[0] & 63) }
    }

    /// Whether an unquoted cell means null.
    @inline(__always)
    func contains(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if text.isEmpty { return true }
        guard lengths &>> UInt64(truncatingIfNeeded: min(text.count, 63)) & 1 != 0,
            starts &>> UInt64(text[0] & 63) & 1 != 0
        else { return false }
        return isSpelled(text)
    }

    @inline(never)
    private func isSpelled(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        spellings.contains { $0.elementsEqual(text) }
    }
}

/// A run of scanned rows: their cells by column.
struct CSVBlock {
    let bytes: UnsafeBufferPointer<UInt8>
    let cells: UnsafeBufferPointer<CSVCell>
    let rows: Int
    /// The cells of a column begin at its place times this.
    let stride: Int
    let nulls: CSVNulls
    /// For each slot, what timestamps without a time zone mean.
    let naiveTimestamps: [NaiveTimestamps.Rule]

    @inline(__always)
    func cells(_ slot: Int) -> UnsafeBufferPointer<CSVCell> {
        UnsafeBufferPointer(rebasing: cells[slot * stride..<slot * stride + rows])
    }
}

/// Turns one column's cells into typed storage, a block at a time.
protocol CSVColumnParser {
    /// Appends a block's rows. Returns the first row whose cell is not of the type; the column is then unusable.
    mutating func parse(_ block: CSVBlock, slot: Int) -> Int?
    /// Makes room for as many rows in all, of the size of those so far.
    mutating func reserve(rows: Int)
    /// The rows so far; the parser is empty afterwards.
    mutating func finish() -> Column
}

extension CSVColumnParser {
    mutating func reserve(rows: Int) {}
}

/// Fixed-width columns.
struct CSVPrimitiveParser<Rule: CSVCellRule>: CSVColumnParser {
    private var values: [Rule.Value] = []
    private var validity = ValidityBits()

    // The parser is called through an existential, whose table holds the generic code; specialised, it is 10 times faster.
    @specialized(where Rule == CSVBool)
    @specialized(where Rule == CSVInt64)
    @specialized(where Rule == CSVFloat)
    @specialized(where Rule == CSVDouble)
    @specialized(where Rule == CSVTimestamp)
    mutating func parse(_ block: CSVBlock, slot: Int) -> Int? {
        let first = values.count
        values.append(contentsOf: repeatElement(Rule.zero, count: block.rows))
        var validity = self.validity
        self.validity = ValidityBits()
        defer { self.validity = validity }
        let cells = block.cells(slot)
        let nulls = block.nulls
        let naive = block.naiveTimestamps[slot]
        return values.withUnsafeMutableBufferPointer { values in
            var row = 0
            while row < block.rows {
                // Validity goes by words: a bit for each row, and one append for 64.
                let end = min(block.rows, row &+ 64)
                var valid: UInt64 = 0
                var bit: UInt64 = 1
                let start = row
                while row < end {
                    let cell = cells[row]
                    let text = cell.text(in: block.bytes)
                    if cell.form != .plain || !nulls.contains(text) {
                        guard let value = Rule.value(text, in: block.bytes, naive: naive) else { return row }
                        values[first &+ row] = value
                        valid |= bit
                    }
                    bit &<<= 1
                    row &+= 1
                }
                validity.append(bits: valid, count: end &- start)
            }
            return nil
        }
    }

    mutating func reserve(rows: Int) { values.reserveCapacity(rows) }

    mutating func finish() -> Column {
        defer { self = Self() }
        return Rule.column(PrimitiveColumn(values, validity: validity.finish()))
    }
}

/// Text columns.
struct CSVStringParser: CSVColumnParser {
    private var offsets = [0]
    private var data: [UInt8] = []
    private var validity = ValidityBits()

    /// Cells up to this length are copied as one word pair, whatever stands after them.
    private static let pair = 16

    mutating func parse(_ block: CSVBlock, slot: Int) -> Int? {
        let cells = block.cells(slot)
        let firstRow = offsets.count - 1
        let start = data.count
        var room = Self.pair
        for cell in cells { room &+= Int(cell.length) }
        // Room for all of the block's text and the last copy's excess, cut to what was used.
        data.append(contentsOf: repeatElement(0, count: room))
        offsets.append(contentsOf: repeatElement(0, count: block.rows))
        var validity = self.validity
        self.validity = ValidityBits()
        defer { self.validity = validity }
        let end = data.withUnsafeMutableBytes { data in
            offsets.withUnsafeMutableBufferPointer { offsets in
                Self.copy(block, cells, data, at: start, offsets, from: firstRow, &validity)
            }
        }
        data.removeLast(data.count - end)
        return firstRowOfInvalidUTF8(offsets: offsets, data: data, from: firstRow).map { $0 - firstRow }
    }

    /// Copies the cells' text and returns its end.
    @inline(__always)
    private static func copy(
        _ block: CSVBlock,
        _ cells: UnsafeBufferPointer<CSVCell>,
        _ data: UnsafeMutableRawBufferPointer,
        at start: Int,
        _ offsets: UnsafeMutableBufferPointer<Int>,
        from firstRow: Int,
        _ validity: inout ValidityBits
    ) -> Int {
        let bytes = UnsafeRawBufferPointer(block.bytes)
        let nulls = block.nulls
        var position = start
        var row = 0
        while row < cells.count {
            let end = min(cells.count, row &+ 64)
            let first = row
            var valid: UInt64 = 0
            var bit: UInt64 = 1
            while row < end {
                let cell = cells[row]
                let length = Int(cell.length)
                if cell.form != .plain || !nulls.contains(cell.text(in: block.bytes)) {
                    valid |= bit
                    if cell.form == .escaped {
                        let text = cell.unescaped(in: block.bytes)
                        text.withUnsafeBytes {
                            UnsafeMutableRawBufferPointer(rebasing: data[position...]).copyMemory(from: $0)
                        }
                        position &+= text.count
                    } else {
                        if length <= pair, cell.start &+ pair <= bytes.count {
                            let word = bytes.loadUnaligned(fromByteOffset: cell.start, as: SIMD16<UInt8>.self)
                            data.storeBytes(of: word, toByteOffset: position, as: SIMD16<UInt8>.self)
                        } else {
                            let text = UnsafeRawBufferPointer(rebasing: bytes[cell.start..<cell.start &+ length])
                            UnsafeMutableRawBufferPointer(rebasing: data[position...]).copyMemory(from: text)
                        }
                        position &+= length
                    }
                }
                row &+= 1
                offsets[firstRow &+ row] = position
                bit &<<= 1
            }
            validity.append(bits: valid, count: end &- first)
        }
        return position
    }

    mutating func reserve(rows: Int) {
        let known = offsets.count - 1
        offsets.reserveCapacity(rows + 1)
        if known > 0 { data.reserveCapacity(data.count / known * rows + data.count + Self.pair) }
    }

    mutating func finish() -> Column {
        defer { self = Self() }
        return .string(BinaryColumn(offsets: offsets, data: data, validity: validity.finish()))
    }
}

/// Byte-string columns: `\x` and pairs of hexadecimal digits, as PostgreSQL writes `bytea`.
struct CSVBytesParser: CSVColumnParser {
    private var offsets = [0]
    private var data: [UInt8] = []
    private var validity = ValidityBits()

    mutating func parse(_ block: CSVBlock, slot: Int) -> Int? {
        for (row, cell) in block.cells(slot).enumerated() {
            let text = cell.text(in: block.bytes)
            let isNull = cell.form == .plain && block.nulls.contains(text)
            validity.append(!isNull)
            if !isNull, !appendHexadecimal(text) { return row }
            offsets.append(data.count)
        }
        return nil
    }

    private mutating func appendHexadecimal(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count >= 2, text.count % 2 == 0, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") else {
            return false
        }
        var position = 2
        while position < text.count {
            guard let high = hexadecimalDigit(text[position]), let low = hexadecimalDigit(text[position + 1]) else {
                return false
            }
            data.append(high << 4 | low)
            position += 2
        }
        return true
    }

    private func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    mutating func finish() -> Column {
        defer { self = Self() }
        return .bytes(BinaryColumn(offsets: offsets, data: data, validity: validity.finish()))
    }
}

/// Vector columns: `[0.5, 1, -2e3]`.
struct CSVVectorParser: CSVColumnParser {
    let dimension: Int
    private var values: [Float] = []
    private var validity = ValidityBits()

    init(dimension: Int) { self.dimension = dimension }

    mutating func parse(_ block: CSVBlock, slot: Int) -> Int? {
        for (row, cell) in block.cells(slot).enumerated() {
            let text = cell.text(in: block.bytes)
            let isNull = cell.form == .plain && block.nulls.contains(text)
            validity.append(!isNull)
            if isNull {
                values.append(contentsOf: repeatElement(0, count: dimension))
            } else {
                guard let elements = Self.elements(text), elements.count == dimension else { return row }
                values.append(contentsOf: elements)
            }
        }
        return nil
    }

    /// The numbers of a bracketed list, or `nil` where the text is not one.
    static func elements(_ text: UnsafeBufferPointer<UInt8>) -> [Float]? {
        guard text.count >= 2, text[0] == UInt8(ascii: "["), text[text.count - 1] == UInt8(ascii: "]") else {
            return nil
        }
        let inner = text[1..<text.count - 1]
        if inner.allSatisfy({ $0 == UInt8(ascii: " ") }) { return [] }
        var elements: [Float] = []
        for part in inner.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            var part = part.drop { $0 == UInt8(ascii: " ") }
            while part.last == UInt8(ascii: " ") { part.removeLast() }
            guard let value = parseFloat(UnsafeBufferPointer(rebasing: part)) else { return nil }
            elements.append(value)
        }
        return elements
    }

    mutating func finish() -> Column {
        defer { self = Self(dimension: dimension) }
        return .vector(VectorColumn(dimension: dimension, values: values, validity: validity.finish()))
    }
}
