/// PostgreSQL's binary value formats: big-endian integers, IEEE bits, microseconds since 2000-01-01 UTC.
enum BinaryFormat {
    /// Microseconds from 1970-01-01 to 2000-01-01.
    static let epochShift: Int64 = 946_684_800_000_000

    @inline(__always)
    static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    static func append(_ value: Double, to bytes: inout [UInt8]) {
        append(value.bitPattern, to: &bytes)
    }

    /// The server's count for a time since 1970.
    ///
    /// `Int64.max` and `Int64.min` are the infinities on both sides. A time that does not fit becomes the smallest
    /// finite count, which is below the server's range, so that the server refuses it.
    static func serverTimestamp(_ microseconds: Int64) -> Int64 {
        if microseconds == .max || microseconds == .min { return microseconds }
        let (shifted, overflow) = microseconds.subtractingReportingOverflow(epochShift)
        return overflow || shifted == .min ? .min + 1 : shifted
    }

    /// The count since 1970 for the server's timestamp, or nil in its last 29 years (from 294247), which Int64 lacks.
    static func timestamp(server: Int64) -> Int64? {
        if server == .max || server == .min { return server }
        let (shifted, overflow) = server.addingReportingOverflow(epochShift)
        return overflow || shifted == .max ? nil : shifted
    }

    /// Writes a one-dimensional array without nulls: header, then each element with its length.
    static func appendArray<Element>(
        _ elements: [Element],
        of type: UInt32,
        to bytes: inout [UInt8],
        _ appendElement: (Element, inout [UInt8]) -> Void
    ) {
        append(Int32(elements.isEmpty ? 0 : 1), to: &bytes)
        append(Int32(0), to: &bytes)
        append(type, to: &bytes)
        guard !elements.isEmpty else { return }
        append(Int32(truncatingIfNeeded: elements.count), to: &bytes)
        append(Int32(1), to: &bytes)
        for element in elements {
            let start = bytes.count
            append(Int32(0), to: &bytes)
            appendElement(element, &bytes)
            patchLength(at: start, in: &bytes)
        }
    }

    /// Writes the number of bytes that follow the four at `start` into those four.
    static func patchLength(at start: Int, in bytes: inout [UInt8]) {
        let length = UInt32(truncatingIfNeeded: bytes.count - start - 4)
        bytes[start] = UInt8(truncatingIfNeeded: length >> 24)
        bytes[start + 1] = UInt8(truncatingIfNeeded: length >> 16)
        bytes[start + 2] = UInt8(truncatingIfNeeded: length >> 8)
        bytes[start + 3] = UInt8(truncatingIfNeeded: length)
    }

    /// Reads an integer of exactly `bytes.count` bytes, or nil when the size differs.
    @inline(__always)
    static func integer<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, as type: T.Type = T.self) -> T? {
        guard bytes.count == MemoryLayout<T>.size else { return nil }
        return T(bigEndian: bytes.loadUnaligned(as: T.self))
    }

    /// Reads a one-dimensional array, or nil when it has another shape, another element type, or null elements.
    static func array<Element>(
        _ bytes: UnsafeRawBufferPointer,
        of type: UInt32,
        _ element: (UnsafeRawBufferPointer) -> Element?
    ) -> [Element]? {
        var offset = 0
        func next() -> Int32? {
            guard offset + 4 <= bytes.count else { return nil }
            defer { offset += 4 }
            return Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
        }
        guard let dimensions = next(), next() != nil, let found = next(), UInt32(bitPattern: found) == type else {
            return nil
        }
        if dimensions == 0 { return [] }
        guard dimensions == 1, let count = next(), count >= 0, next() != nil else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(min(Int(count), bytes.count / 4))
        for _ in 0..<count {
            guard let length = next(), length >= 0, offset + Int(length) <= bytes.count,
                let value = element(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)]))
            else { return nil }
            elements.append(value)
            offset += Int(length)
        }
        return offset == bytes.count ? elements : nil
    }
}
