import Columns

/// One online row: the features of a view for one entity, packed into bytes.
///
/// Layout, version 1: the byte 1, then for each feature in view order a status byte (`FeatureStatus`) and, where it is
/// `present`, the value: bool one byte; int64, float64 and timestamp eight bytes, float32 four, little endian; string and
/// bytes a four-byte length and the bytes; vectors their floats. Types are not repeated: the view version fixes them.
public enum PackedRow {
    public static let formatVersion: UInt8 = 1

    /// Packs row `row` of the evaluated features.
    public static func encode(_ rows: ViewRows, row: Int) -> [UInt8] {
        var bytes: [UInt8] = [formatVersion]
        bytes.reserveCapacity(1 + rows.features.count * 9)
        for feature in rows.features {
            let status = feature.statuses[row]
            bytes.append(status.rawValue)
            guard status == .present else { continue }
            switch feature.column {
            case .bool(let column): bytes.append(column.values[row] ? 1 : 0)
            case .int64(let column), .timestamp(let column): append(column.values[row], to: &bytes)
            case .float32(let column): append(column.values[row].bitPattern, to: &bytes)
            case .float64(let column): append(column.values[row].bitPattern, to: &bytes)
            case .string(let column), .bytes(let column):
                let range = column.range(row)
                append(UInt32(range.count), to: &bytes)
                bytes.append(contentsOf: column.data[range])
            case .vector(let column):
                for element in column.values[row * column.dimension..<(row + 1) * column.dimension] {
                    append(element.bitPattern, to: &bytes)
                }
            }
        }
        return bytes
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Unpacks one row.
    ///
    /// - Returns: a value and a status for each feature.
    /// - Throws: `DefinitionError` when the bytes do not hold exactly these types.
    public static func decode(
        _ bytes: [UInt8],
        types: [DataType]
    ) throws(DefinitionError) -> [(value: Scalar, status: FeatureStatus)] {
        var reader = Reader(bytes: bytes)
        guard try reader.byte() == formatVersion else { throw reader.fault("its format version is unknown") }
        var cells: [(value: Scalar, status: FeatureStatus)] = []
        cells.reserveCapacity(types.count)
        for type in types {
            guard let status = FeatureStatus(rawValue: try reader.byte()) else {
                throw reader.fault("a status is unknown")
            }
            guard status == .present else {
                cells.append((.null, status))
                continue
            }
            let value: Scalar =
                switch type {
                case .bool: .bool(try reader.flag())
                case .int64: .int64(Int64(bitPattern: try reader.integer()))
                case .timestamp: .timestamp(Int64(bitPattern: try reader.integer()))
                case .float32: .float32(Float(bitPattern: try reader.integer()))
                case .float64: .float64(Double(bitPattern: try reader.integer()))
                case .string: .string(try reader.text())
                case .bytes: .bytes(Array(try reader.run()))
                case .vector(let dimension): .vector(try reader.floats(dimension))
                }
            cells.append((value, status))
        }
        guard reader.offset == bytes.count else { throw reader.fault("bytes are left over") }
        return cells
    }

    private struct Reader {
        let bytes: [UInt8]
        var offset = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        func fault(_ what: String) -> DefinitionError {
            DefinitionError(
                place: "online row",
                message: "it cannot be read at byte \(offset): \(what); materialize the view again"
            )
        }

        mutating func take(_ count: Int) throws(DefinitionError) -> Range<Int> {
            guard count <= bytes.count - offset else { throw fault("it is cut short") }
            offset += count
            return offset - count..<offset
        }

        mutating func byte() throws(DefinitionError) -> UInt8 { bytes[try take(1).lowerBound] }

        mutating func integer<Integer: FixedWidthInteger & UnsignedInteger>() throws(DefinitionError) -> Integer {
            let range = try take(Integer.bitWidth / 8)
            return range.reversed().reduce(0) { $0 << 8 | Integer(bytes[$1]) }
        }

        mutating func flag() throws(DefinitionError) -> Bool {
            switch try byte() {
            case 0: return false
            case 1: return true
            default: throw fault("a bool is neither 0 nor 1")
            }
        }

        mutating func text() throws(DefinitionError) -> String {
            guard let text = String(validating: try run(), as: UTF8.self) else { throw fault("a text is not UTF-8") }
            return text
        }

        mutating func run() throws(DefinitionError) -> ArraySlice<UInt8> {
            let count: UInt32 = try integer()
            return bytes[try take(Int(count))]
        }

        mutating func floats(_ count: Int) throws(DefinitionError) -> [Float] {
            var elements: [Float] = []
            for _ in 0..<count { elements.append(Float(bitPattern: try integer())) }
            return elements
        }
    }
}
