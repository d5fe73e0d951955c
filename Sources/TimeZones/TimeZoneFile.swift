/// Reading of TZif files (RFC 8536), versions 2 and later, whose times have 64 bits.
enum TimeZoneFile {
    /// The rules in a file; `nil` where it does not follow the format.
    static func rules(_ bytes: [UInt8], name: String) -> TimeZoneRules? {
        var position = 0
        guard let first = Header(bytes, at: &position), first.version >= 2 else { return nil }
        // The block of 32-bit times is there for readers that know no other.
        position += first.size(timeSize: 4)
        guard let header = Header(bytes, at: &position), header.size(timeSize: 8) <= bytes.count - position else {
            return nil
        }
        let end = position + header.size(timeSize: 8)
        let times = (0..<header.timeCount).map { integer(bytes, position + 8 * $0, count: 8) }
        let types = (0..<header.timeCount).map { Int(bytes[position + 8 * header.timeCount + $0]) }
        let typeStart = position + 9 * header.timeCount
        let offsets = (0..<header.typeCount).map { integer(bytes, typeStart + 6 * $0, count: 4) }
        guard let firstOffset = offsets.first, types.allSatisfy({ $0 < offsets.count }),
            zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }), offsets.allSatisfy({ abs($0) < 7 * 86_400 })
        else { return nil }

        var instants: [Int] = []
        var after: [Int] = [firstOffset]
        func append(_ instant: Int, _ offset: Int) {
            // Changes of the name alone move no clock.
            guard offset != after.last else { return }
            instants.append(instant)
            after.append(offset)
        }
        // A file may begin with the creation of the universe, which is far before all timestamps.
        for (time, type) in zip(times, types) { append(max(time, -1 << 55), offsets[type]) }
        guard let footer = footer(bytes, from: end) else { return nil }
        var isCyclic = false
        if !footer.isEmpty {
            guard let rule = RecurringRule(footer) else { return nil }
            if let daylight = rule.daylight {
                // 400 years after the last listed change, which then repeat for ever.
                let start = times.last ?? 0
                let firstYear = RecurringRule.year(of: start)
                for year in firstYear...(firstYear + 401) {
                    for (instant, offset) in daylight.changes(in: year, standard: rule.offset) where instant > start {
                        append(instant, offset)
                    }
                }
                isCyclic = true
            } else if times.isEmpty {
                after = [rule.offset]
            }
        }
        return TimeZoneRules(name: name, instants: instants, offsets: after, isCyclic: isCyclic)
    }

    private struct Header {
        let version: Int
        let timeCount: Int
        let typeCount: Int
        private let counts: [Int]

        init?(_ bytes: [UInt8], at position: inout Int) {
            guard position + 44 <= bytes.count, bytes[position..<(position + 4)].elementsEqual("TZif".utf8) else {
                return nil
            }
            version = Int(bytes[position + 4]) - 48
            let start = position + 20
            counts = (0..<6).map { integer(bytes, start + 4 * $0, count: 4) }
            guard counts.allSatisfy({ $0 >= 0 && $0 <= bytes.count }) else { return nil }
            (timeCount, typeCount) = (counts[3], counts[4])
            position += 44
        }

        /// The bytes of the data block: times, their types, the types, their names, leap seconds, two kinds of flags.
        func size(timeSize: Int) -> Int {
            timeCount * (timeSize + 1) + typeCount * 6 + counts[5] + counts[2] * (timeSize + 4) + counts[1] + counts[0]
        }
    }

    /// The text between two line feeds that ends a file.
    private static func footer(_ bytes: [UInt8], from start: Int) -> Substring? {
        guard bytes.count >= start + 2, bytes[start] == UInt8(ascii: "\n"), bytes.last == UInt8(ascii: "\n") else {
            return nil
        }
        return Substring(decoding: bytes[(start + 1)..<(bytes.count - 1)], as: UTF8.self)
    }

    /// A big-endian two's complement integer.
    private static func integer(_ bytes: [UInt8], _ position: Int, count: Int) -> Int {
        var result = Int(Int8(bitPattern: bytes[position]))
        for byte in bytes[(position + 1)..<(position + count)] { result = result << 8 | Int(byte) }
        return result
    }
}
