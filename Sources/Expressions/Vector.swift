import Columns

/// A column of values while an expression is being evaluated.
///
/// Values under a null are unspecified. A constant holds one row that stands for all.
struct Vector: Sendable {
    enum Storage: Sendable {
        case bool(Mask)
        /// Integers, and the microseconds of timestamps and intervals.
        case int64([Int64])
        case float32([Float])
        case float64([Double])
        case text(Text)
        case vector(VectorColumn)
    }

    /// Byte strings back to back, as in `BinaryColumn`.
    struct Text: Sendable {
        var offsets: [Int]
        var data: [UInt8]
    }

    var storage: Storage
    var isConstant: Bool
    var validity: Validity

    init(_ storage: Storage, isConstant: Bool, _ validity: Validity) {
        self.storage = storage
        self.isConstant = isConstant
        self.validity = validity
    }

    func validMask(_ rows: Int) -> Mask? { spread(validity.valid, rows) }
    func invalidMask(_ rows: Int) -> Mask? { spread(validity.invalid, rows) }

    /// The mask over `rows` rows; for a constant `nil` stands for the bit that changes nothing.
    private func spread(_ mask: Mask?, _ rows: Int) -> Mask? {
        guard isConstant, let mask else { return mask }
        return Masks.all(mask[0] & 1 != 0, rows: rows)
    }

    var isNullConstant: Bool { isConstant && (validity.valid.map { $0[0] & 1 == 0 } ?? false) }

    /// The value bits of a bool vector over `rows` rows.
    func bits(_ rows: Int) -> Mask {
        guard case .bool(let mask) = storage else { preconditionFailure("the operand is not bool") }
        return isConstant ? Masks.all(mask[0] & 1 != 0, rows: rows) : mask
    }

    var int64: Operand<Int64> {
        guard case .int64(let values) = storage else { preconditionFailure("the operand is not int64") }
        return Operand(values: values, isConstant: isConstant)
    }

    var float32: Operand<Float> {
        guard case .float32(let values) = storage else { preconditionFailure("the operand is not float32") }
        return Operand(values: values, isConstant: isConstant)
    }

    var float64: Operand<Double> {
        guard case .float64(let values) = storage else { preconditionFailure("the operand is not float64") }
        return Operand(values: values, isConstant: isConstant)
    }

    var text: TextOperand {
        guard case .text(let text) = storage else { preconditionFailure("the operand is not text") }
        return TextOperand(text: text, isConstant: isConstant)
    }
}

/// The values of one operand, typed.
struct Operand<Value: BitwiseCopyable> {
    let values: [Value]
    let isConstant: Bool

    @inline(__always)
    subscript(row: Int) -> Value { values[isConstant ? 0 : row] }
}

/// The byte strings of one operand.
struct TextOperand {
    let text: Vector.Text
    let isConstant: Bool

    /// The byte range of a row.
    @inline(__always)
    func range(_ row: Int) -> Range<Int> {
        let row = isConstant ? 0 : row
        return text.offsets[row]..<text.offsets[row &+ 1]
    }

    @inline(__always)
    func slice(_ row: Int) -> ArraySlice<UInt8> { text.data[range(row)] }
}

// MARK: Columns in and out

extension Vector {
    init(_ column: Column) {
        let storage: Storage =
            switch column {
            case .bool(let column): .bool(Masks.pack(column.count) { column.values[$0] })
            case .int64(let column), .timestamp(let column): .int64(column.values)
            case .float32(let column): .float32(column.values)
            case .float64(let column): .float64(column.values)
            case .string(let column), .bytes(let column): .text(Text(offsets: column.offsets, data: column.data))
            case .vector(let column): .vector(column)
            }
        self.init(storage, isConstant: false, Validity(valid: column.validity?.words))
    }

    init(_ constant: Constant, _ type: ValueType) {
        var isNull = false
        let storage: Storage
        switch constant {
        case .bool(let value): storage = .bool([value ? ~0 : 0])
        case .int64(let value): storage = .int64([value])
        case .float64(let value): storage = .float64([value])
        case .string(let bytes): storage = .text(Text(offsets: [0, bytes.count], data: bytes))
        case .null:
            isNull = true
            storage =
                switch type {
                case .bool: .bool([0])
                case .float32: .float32([0])
                case .float64: .float64([0])
                case .string, .bytes: .text(Text(offsets: [0, 0], data: []))
                case .data(.vector(let dimension)):
                    .vector(VectorColumn(dimension: dimension, values: [Float](repeating: 0, count: dimension)))
                default: .int64([0])
                }
        }
        self.init(storage, isConstant: true, Validity(valid: isNull ? [0] : nil))
    }

    /// The column, with zero under every null; a constant is repeated.
    func column(_ type: DataType, rows: Int) -> Column {
        var valid: Bitmap?
        if let mask = validMask(rows), Masks.count(mask, rows: rows) < rows { valid = Bitmap(words: mask, count: rows) }
        switch (storage, type) {
        case (.bool(let mask), _):
            let mask = isConstant ? Masks.all(mask[0] & 1 != 0, rows: rows) : mask
            return .bool(
                PrimitiveColumn(Self.unpacked(valid.map { Masks.and(mask, $0.words) } ?? mask, rows), validity: valid)
            )
        case (.int64(let values), .timestamp):
            return .timestamp(PrimitiveColumn(cleared(values, zero: 0, valid, rows), validity: valid))
        case (.int64(let values), _):
            return .int64(PrimitiveColumn(cleared(values, zero: 0, valid, rows), validity: valid))
        case (.float32(let values), _):
            return .float32(PrimitiveColumn(cleared(values, zero: 0, valid, rows), validity: valid))
        case (.float64(let values), _):
            return .float64(PrimitiveColumn(cleared(values, zero: 0, valid, rows), validity: valid))
        case (.text(let text), _):
            let column = cleared(text, valid, rows)
            return type == .bytes ? .bytes(column) : .string(column)
        case (.vector(let column), _):
            // A constant vector is a null one; others were taken row by row, zeros where nothing was.
            if isConstant { return .nulls(type, count: rows) }
            return .vector(VectorColumn(dimension: column.dimension, values: column.values, validity: valid))
        }
    }

    private static func unpacked(_ mask: Mask, _ rows: Int) -> [Bool] {
        [Bool](unsafeUninitializedCapacity: rows) { output, count in
            for row in 0..<rows { output[row] = Masks.bit(mask, row) }
            count = rows
        }
    }

    private func cleared<Value>(_ values: [Value], zero: Value, _ valid: Bitmap?, _ rows: Int) -> [Value] {
        var values = isConstant ? [Value](repeating: values[0], count: rows) : values
        guard let valid else { return values }
        for word in valid.words.indices {
            let start = word << 6
            var nulls = ~valid.words[word]
            if rows - start < 64 { nulls &= (1 << UInt64(rows - start)) - 1 }
            while nulls != 0 {
                values[start + nulls.trailingZeroBitCount] = zero
                nulls &= nulls - 1
            }
        }
        return values
    }

    private func cleared(_ text: Text, _ valid: Bitmap?, _ rows: Int) -> BinaryColumn {
        if !isConstant {
            var hasHiddenBytes = false
            if let valid {
                for row in 0..<rows where !valid[row] && text.offsets[row] != text.offsets[row + 1] {
                    hasHiddenBytes = true
                }
            }
            if !hasHiddenBytes { return BinaryColumn(offsets: text.offsets, data: text.data, validity: valid) }
        }
        var output = TextWriter(rows: rows)
        let operand = TextOperand(text: text, isConstant: isConstant)
        for row in 0..<rows {
            if valid.map({ $0[row] }) ?? true { output.append(operand.slice(row)) }
            output.endRow()
        }
        return BinaryColumn(offsets: output.text.offsets, data: output.text.data, validity: valid)
    }
}

/// Collects the rows of a text vector.
struct TextWriter {
    private(set) var text: Vector.Text

    init(rows: Int) {
        text = Vector.Text(offsets: [0], data: [])
        text.offsets.reserveCapacity(rows + 1)
    }

    @inline(__always)
    mutating func append(_ bytes: some Sequence<UInt8>) { text.data.append(contentsOf: bytes) }

    @inline(__always)
    mutating func append(_ byte: UInt8) { text.data.append(byte) }

    @inline(__always)
    mutating func endRow() { text.offsets.append(text.data.count) }
}
