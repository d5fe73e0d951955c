/// Byte strings back to back while they are read.
struct ParquetStrings {
    /// Where each string begins, and where the last one ends.
    private(set) var offsets = ParquetBuffer<Int>()
    private(set) var data = ParquetBuffer<UInt8>()
    /// Short strings are copied this many bytes at a time, past their end where there is room.
    private static let slack = 16

    init() { offsets.append(0) }

    var count: Int { offsets.count - 1 }

    mutating func reserve(rows: Int, bytes: Int) {
        offsets.reserve(rows + 1)
        data.reserve(bytes + Self.slack)
    }

    mutating func removeAll() {
        offsets.removeAll()
        offsets.append(0)
        data.removeAll()
    }

    /// Gives `body` the end of each string and the bytes of all.
    func withRows<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Int>, UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try offsets.withElements { offsets throws(Failure) in
            try data.withElements { data throws(Failure) in
                try body(UnsafeBufferPointer(rebasing: offsets[1...]), UnsafeRawBufferPointer(data))
            }
        }
    }

    /// The first string from `start` on that is not well-formed UTF-8.
    ///
    /// Checks them in one pass: if they are well formed together and none begins inside a sequence, each is.
    func firstInvalidUTF8(from start: Int) -> Int? {
        withRows { ends, data in
            let first = offsets[start]
            let text = UnsafeRawBufferPointer(rebasing: data[first...]).assumingMemoryBound(to: UInt8.self)
            var isSuspect = !isUTF8(text)
            for end in ends[start...] where end < data.count {
                isSuspect = isSuspect || data[end] & 0xC0 == 0x80
            }
            guard isSuspect else { return nil }
            return ends.indices[start...].first { row in
                let range = (row == 0 ? 0 : ends[row - 1])..<ends[row]
                return !isUTF8(UnsafeRawBufferPointer(rebasing: data[range]).assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    mutating func finish() -> (offsets: [Int], data: [UInt8]) { (offsets.finish(), data.finish()) }

    private func checkLimit(_ added: Int, _ limit: Int) throws(ParquetValueFault) {
        guard added <= limit - data.count else {
            throw ParquetValueFault(
                reason: .unsupported,
                detail: "the values take more than \(limit) bytes; read fewer row groups at a time"
            )
        }
    }
}

extension ParquetStrings {
    /// Appends strings that each follow their length of four bytes.
    mutating func appendPlain(
        _ values: UnsafeRawBufferPointer,
        count: Int,
        limit: Int
    ) throws(ParquetValueFault) {
        guard count <= values.count / 4 else { throw .cutShort }
        guard count > 0, let base = values.baseAddress else { return }
        try checkLimit(values.count - 4 * count, limit)
        let start = data.count
        let used = try offsets.withRoom(for: count) { ends throws(ParquetValueFault) in
            // A damaged length may take the room of the lengths after it, before these are found missing.
            try data.withRoom(for: values.count + Self.slack) { target throws(ParquetValueFault) in
                let target = UnsafeMutableRawPointer(target)
                var position = 0
                var used = 0
                for index in 0..<count {
                    guard values.count &- position >= 4 else { throw .cutShort }
                    let length = Int(
                        UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
                    )
                    position &+= 4
                    guard length <= values.count &- position else { throw .cutShort }
                    if length <= Self.slack, values.count &- position >= Self.slack {
                        Self.copySlack(from: base + position, to: target + used)
                    } else {
                        (target + used).copyMemory(from: base + position, byteCount: length)
                    }
                    position &+= length
                    used &+= length
                    ends[index] = start &+ used
                }
                return used
            }
        }
        offsets.advance(by: count)
        data.advance(by: used)
    }

    @inline(__always)
    private static func copySlack(from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
        let rest = source.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: rest, toByteOffset: 8, as: UInt64.self)
    }

    /// Appends strings of one width.
    mutating func appendFixed(
        _ bytes: UnsafeRawBufferPointer,
        width: Int,
        count: Int,
        limit: Int
    ) throws(ParquetValueFault) {
        guard count <= bytes.count / width else { throw .cutShort }
        guard count > 0, let base = bytes.baseAddress else { return }
        try checkLimit(count * width, limit)
        let start = data.count
        offsets.withRoom(for: count) { ends in
            for index in 0..<count { ends[index] = start &+ (index &+ 1) &* width }
        }
        data.withRoom(for: count * width) {
            UnsafeMutableRawPointer($0).copyMemory(from: base, byteCount: count * width)
        }
        offsets.advance(by: count)
        data.advance(by: count * width)
    }

    /// Appends DELTA_LENGTH_BYTE_ARRAY strings: all lengths, then all bytes.
    mutating func appendDeltaLengths(
        _ values: UnsafeRawBufferPointer,
        count: Int,
        limit: Int
    ) throws(ParquetValueFault) {
        var position = 0
        let lengths = try Self.lengths(values, &position, count)
        let start = data.count
        let total = values.count - position
        try checkLimit(total, limit)
        let used = try offsets.withRoom(for: count) { ends throws(ParquetValueFault) in
            var used = 0
            for (index, length) in lengths.enumerated() {
                guard length >= 0, Int(length) <= total &- used else { throw .cutShort }
                used &+= Int(length)
                ends[index] = start &+ used
            }
            return used
        }
        data.withRoom(for: used) { target in
            guard let base = values.baseAddress else { return }
            UnsafeMutableRawPointer(target).copyMemory(from: base + position, byteCount: used)
        }
        offsets.advance(by: count)
        data.advance(by: used)
    }

    /// Appends DELTA_BYTE_ARRAY strings: of each, how much it shares with the one before, and the rest.
    mutating func appendDeltaStrings(
        _ values: UnsafeRawBufferPointer,
        count: Int,
        limit: Int
    ) throws(ParquetValueFault) {
        var position = 0
        let prefixes = try Self.lengths(values, &position, count)
        let suffixes = try Self.lengths(values, &position, count)
        var total = 0
        var last = 0
        var rest = values.count - position
        for (prefix, suffix) in zip(prefixes, suffixes) {
            guard prefix >= 0, suffix >= 0, prefix <= last, suffix <= rest else { throw .cutShort }
            rest &-= Int(suffix)
            last = Int(prefix) &+ Int(suffix)
            total &+= last
        }
        try checkLimit(total, limit)
        let start = data.count
        offsets.withRoom(for: count) { ends in
            data.withRoom(for: total) { target in
                guard let base = values.baseAddress else { return }
                let target = UnsafeMutableRawPointer(target)
                var used = 0
                var previous = 0
                for index in 0..<count {
                    let (prefix, suffix) = (Int(prefixes[index]), Int(suffixes[index]))
                    let place = used
                    (target + place).copyMemory(from: target + previous, byteCount: prefix)
                    (target + (place &+ prefix)).copyMemory(from: base + position, byteCount: suffix)
                    position &+= suffix
                    used &+= prefix &+ suffix
                    previous = place
                    ends[index] = start &+ used
                }
            }
        }
        offsets.advance(by: count)
        data.advance(by: total)
    }

    private static func lengths(
        _ values: UnsafeRawBufferPointer,
        _ position: inout Int,
        _ count: Int
    ) throws(ParquetValueFault) -> [Int32] {
        let rest = UnsafeRawBufferPointer(rebasing: values[position...])
        var outcome: Result<Int, ParquetValueFault> = .success(0)
        let lengths = [Int32](unsafeUninitializedCapacity: max(count, 1)) { target, written in
            outcome = Result { () throws(ParquetValueFault) in
                guard let base = target.baseAddress else { return 0 }
                return try DeltaDecoder.decode(rest, count: count, into: base)
            }
            if case .success = outcome { written = count }
        }
        position += try outcome.get()
        return lengths
    }

    /// Appends the entries of a dictionary that a page's indices name.
    mutating func appendEntries(
        _ entries: ParquetStrings,
        _ indices: UnsafeBufferPointer<UInt32>,
        limit: Int
    ) throws(ParquetValueFault) {
        let start = data.count
        let used = try entries.offsets.withElements { entryOffsets throws(ParquetValueFault) in
            var added = 0
            for index in indices { added &+= entryOffsets[Int(index) &+ 1] &- entryOffsets[Int(index)] }
            try checkLimit(added, limit)
            return entries.data.withElements { bytes in
                offsets.withRoom(for: indices.count) { ends in
                    data.withRoom(for: added + Self.slack) { target in
                        guard let base = bytes.baseAddress else { return 0 }
                        let (source, target) = (UnsafeRawPointer(base), UnsafeMutableRawPointer(target))
                        var used = 0
                        for position in 0..<indices.count {
                            let index = Int(indices[position])
                            let first = entryOffsets[index]
                            let length = entryOffsets[index &+ 1] &- first
                            if length <= Self.slack, bytes.count &- first >= Self.slack {
                                Self.copySlack(from: source + first, to: target + used)
                            } else {
                                (target + used).copyMemory(from: source + first, byteCount: length)
                            }
                            used &+= length
                            ends[position] = start &+ used
                        }
                        return used
                    }
                }
            }
        }
        offsets.advance(by: indices.count)
        data.advance(by: used)
    }

    /// Appends one string.
    mutating func append(_ string: [UInt8]) {
        data.withRoom(for: string.count) { target in
            string.withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress else { return }
                target.update(from: base, count: bytes.count)
            }
        }
        data.advance(by: string.count)
        offsets.append(data.count)
    }

    mutating func append(_ others: ParquetStrings, limit: Int) throws(ParquetValueFault) {
        let start = data.count
        try others.withRows { (ends, bytes) throws(ParquetValueFault) in
            try checkLimit(bytes.count, limit)
            offsets.withRoom(for: ends.count) { target in
                for (index, end) in ends.enumerated() { target[index] = start &+ end }
            }
            data.withRoom(for: bytes.count) { target in
                UnsafeMutableRawBufferPointer(start: target, count: bytes.count).copyMemory(from: bytes)
            }
        }
        offsets.advance(by: others.count)
        data.advance(by: others.data.count)
    }

    /// Moves the last `rows.validCount` strings to their rows, with empty ones for nulls.
    mutating func spread(_ rows: ParquetRows) {
        let nulls = rows.count - rows.validCount
        guard nulls > 0 else { return }
        offsets.withRoom(for: nulls) { room in
            // The end before the first of these strings is always there.
            let ends = room - rows.validCount
            var next = rows.validCount
            var row = rows.count
            while row > 0 {
                row &-= 1
                let isValid = rows.isValid(row)
                ends[row] = ends[next &- 1]
                if isValid { next &-= 1 }
            }
        }
        offsets.advance(by: nulls)
    }
}
