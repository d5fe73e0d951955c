/// The CRC-32 of gzip and of Parquet pages (polynomial 0x04C11DB7, reflected), eight bytes a step.
enum CRC32 {
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var remainder = UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 1 ? 0xEDB8_8320 ^ remainder >> 1 : remainder >> 1 }
            tables[byte] = remainder
        }
        for table in 1..<8 {
            for byte in 0..<256 {
                let previous = tables[(table - 1) * 256 + byte]
                tables[table * 256 + byte] = previous >> 8 ^ tables[Int(previous & 0xFF)]
            }
        }
        return tables
    }()

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = bytes.baseAddress else { return 0 }
        return tables.withUnsafeBufferPointer { tables in
            var crc: UInt32 = ~0
            var position = 0
            let end = bytes.count
            while position &+ 8 <= end {
                let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                let mixed = word ^ UInt64(crc)
                crc =
                    tables[7 &* 256 &+ Int(mixed & 0xFF)]
                    ^ tables[6 &* 256 &+ Int(mixed &>> 8 & 0xFF)]
                    ^ tables[5 &* 256 &+ Int(mixed &>> 16 & 0xFF)]
                    ^ tables[4 &* 256 &+ Int(mixed &>> 24 & 0xFF)]
                    ^ tables[3 &* 256 &+ Int(mixed &>> 32 & 0xFF)]
                    ^ tables[2 &* 256 &+ Int(mixed &>> 40 & 0xFF)]
                    ^ tables[256 &+ Int(mixed &>> 48 & 0xFF)]
                    ^ tables[Int(mixed &>> 56)]
                position &+= 8
            }
            while position < end {
                crc = tables[Int((crc ^ UInt32(bytes[position])) & 0xFF)] ^ crc &>> 8
                position &+= 1
            }
            return ~crc
        }
    }
}
