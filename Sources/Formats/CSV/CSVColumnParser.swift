import Columns

/// The spellings of null, ready for a test of each cell.
struct CSVNulls {
    private let spellings: [[UInt8]]
    private let mayStart: [Bool]

    init(_ spellings: [String]) {
        self.spellings = spellings.map { Array($0.utf8) }.filter { !$0.isEmpty }
        var table: [Bool] = []
        if !self.spellings.isEmpty {
            table = [Bool](repeating: false, count: 256)
            for spelling in self.spellings { table[Int(spelling[0])] = true }
        }
        mayStart = table
    }

    /// Whether an unquoted cell means null.
    @inline(__always)
    func contains(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if text.isEmpty { return true }
        guard !mayStart.isEmpty, mayStart[Int(text[0])] else { return false }
        return isSpelled(text)
    }

    private func isSpelled(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        spellings.contains { $0.elementsEqual(text) }
    }
}

/// A run of scanned rows: cells of all wanted columns, row-major.
struct CSVBlock {
    let bytes: UnsafeBufferPointer<UInt8>
    let cells: UnsafeBufferPointer<CSVCell>
    let rows: Int
    let width: Int
    let nulls: CSVNulls
    /// For each slot, what timestamps without a time zone mean.
    let naiveTimestamps: [NaiveTimestamps.Rule]
}

/// Turns one column's cells into typed storage, a block at a time.
protocol CSVColumnParser {
    /// Appends a block's rows. Returns the first row whose cell is not of the type; the column is then unusable.
    mutating func parse(_ block: CSVBlock, slot: Int) -> Int?
    /// The rows so far; the parser is empty afterwards.
    mutating func finish() -> Column
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
        if values.capacity < first + block.rows { values.reserveCapacity(2 * (first + block.rows)) }
        values.append(contentsOf: repeatElement(Rule.zero, count: block.rows))
        var validity = self.validity
        self.validity = ValidityBits()
        defer { self.validity = validity }
        let nulls = block.nulls
        let naive = block.naiveTimestamps[slot]
        return values.withUnsafeMutableBufferPointer { values in
            for row in 0..<block.rows {
                let cell = block.cells[row &* block.width &+ slot]
                let text = cell.text(in: block.bytes)
                if cell.form == .plain, nulls.contains(text) {
                    validity.append(false)
                    continue
                }
                guard let value = Rule.value(text, naive: naive) else { return row }
                values[first &+ row] = value
                validity.append(true)
            }
            return nil
        }
    }

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

    mutating func parse(_ block: CSVBlock, slot: Int) -> Int? {
        let firstRow = offsets.count - 1
        for row in 0..<block.rows {
            let cell = block.cells[row &* block.width &+ slot]
            let text = cell.text(in: block.bytes)
            if cell.form == .plain {
                let isNull = block.nulls.contains(text)
                validity.append(!isNull)
                if !isNull { data.append(contentsOf: text) }
            } else {
                validity.append(true)
                if cell.form == .quoted {
                    data.append(contentsOf: text)
                } else {
                    data.append(contentsOf: cell.unescaped(in: block.bytes))
                }
            }
            offsets.append(data.count)
        }
        return firstRowOfInvalidUTF8(offsets: offsets, data: data, from: firstRow).map { $0 - firstRow }
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
        for row in 0..<block.rows {
            let cell = block.cells[row &* block.width &+ slot]
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
        for row in 0..<block.rows {
            let cell = block.cells[row &* block.width &+ slot]
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
