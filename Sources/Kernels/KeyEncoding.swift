import Columns

/// The types a key part may have, with their tags in the encoding.
enum KeyPartType: UInt8, Sendable {
    case bool = 1
    case int64 = 2
    case string = 3
    case bytes = 4
    case timestamp = 5

    init?(_ type: DataType) {
        switch type {
        case .bool: self = .bool
        case .int64: self = .int64
        case .string: self = .string
        case .bytes: self = .bytes
        case .timestamp: self = .timestamp
        case .float32, .float64, .vector: return nil
        }
    }

    /// Appends a fixed-width part.
    func append(_ value: Int64, to key: inout [UInt8]) {
        key.append(rawValue)
        key.append(1)
        if self == .bool {
            key.append(UInt8(truncatingIfNeeded: value))
        } else {
            appendBigEndian(UInt64(bitPattern: value) ^ (1 << 63), to: &key)
        }
    }

    /// Appends a variable-width part.
    func append(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, to key: inout [UInt8]) {
        key.append(rawValue)
        key.append(1)
        appendBigEndian(UInt64(bytes.count), to: &key)
        key.append(contentsOf: bytes)
    }
}

private func appendBigEndian(_ value: UInt64, to key: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { key.append(contentsOf: $0) }
}

/// Encodes keys of no part or of several parts; null keys stay empty.
func encodeComposite(_ columns: [Column], rowCount: Int, validity: Bitmap?) -> BinaryColumn {
    // First the exact size of each key, then one pass for each column that writes at a row's cursor: the type of a
    // column is decided once, not once for each row.
    var sizes = [Int](repeating: 1, count: rowCount)
    for column in columns {
        switch column {
        case .bool: for row in sizes.indices { sizes[row] &+= 3 }
        case .int64, .timestamp: for row in sizes.indices { sizes[row] &+= 10 }
        case .string(let column), .bytes(let column):
            for row in sizes.indices { sizes[row] &+= 10 &+ column.range(row).count }
        case .float32, .float64, .vector: preconditionFailure("key types are checked before encoding")
        }
    }
    var offsets: [Int] = [0]
    offsets.reserveCapacity(rowCount + 1)
    var total = 0
    for row in 0..<rowCount {
        if validity.map({ $0[row] }) ?? true { total &+= sizes[row] }
        offsets.append(total)
    }
    var cursors = Array(offsets.dropLast())
    let data = [UInt8](unsafeUninitializedCapacity: total) { buffer, written in
        for row in 0..<rowCount where offsets[row + 1] > offsets[row] {
            buffer[cursors[row]] = KeyColumn.encodingVersion
            cursors[row] &+= 1
        }
        for column in columns {
            write(column, into: buffer, rows: offsets, cursors: &cursors)
        }
        written = total
    }
    return BinaryColumn(offsets: offsets, data: data, validity: validity)
}

/// Writes one part of every non-null key at its cursor, and moves the cursors past it.
private func write(
    _ column: Column,
    into buffer: UnsafeMutableBufferPointer<UInt8>,
    rows offsets: [Int],
    cursors: inout [Int]
) {
    guard let type = KeyPartType(column.type) else { return }
    let raw = UnsafeMutableRawBufferPointer(buffer)
    // A key that is not null has at least the version byte, so an empty range marks a null key.
    switch column {
    case .bool(let column):
        for row in cursors.indices where offsets[row + 1] > offsets[row] {
            let cursor = cursors[row]
            buffer[cursor] = type.rawValue
            buffer[cursor + 1] = 1
            buffer[cursor + 2] = column.values[row] ? 1 : 0
            cursors[row] = cursor &+ 3
        }
    case .int64(let column), .timestamp(let column):
        for row in cursors.indices where offsets[row + 1] > offsets[row] {
            let cursor = cursors[row]
            buffer[cursor] = type.rawValue
            buffer[cursor + 1] = 1
            let bits = UInt64(bitPattern: column.values[row]) ^ (1 << 63)
            raw.storeBytes(of: bits.bigEndian, toByteOffset: cursor + 2, as: UInt64.self)
            cursors[row] = cursor &+ 10
        }
    case .string(let column), .bytes(let column):
        column.data.withUnsafeBytes { source in
            for row in cursors.indices where offsets[row + 1] > offsets[row] {
                let cursor = cursors[row]
                let range = column.range(row)
                buffer[cursor] = type.rawValue
                buffer[cursor + 1] = 1
                raw.storeBytes(of: UInt64(range.count).bigEndian, toByteOffset: cursor + 2, as: UInt64.self)
                UnsafeMutableRawBufferPointer(rebasing: raw[(cursor + 10)..<(cursor + 10 + range.count)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
                cursors[row] = cursor &+ 10 &+ range.count
            }
        }
    case .float32, .float64, .vector: break
    }
}
