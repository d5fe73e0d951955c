extension Glob.ByteSet {
    /// Reads a bracket expression from behind its `[`; returns the bytes it matches and the position behind its `]`.
    ///
    /// `!` or `^` first inverts it, `]` first is itself, a backslash quotes, `a-z` is a range by byte value, and
    /// `[:alpha:]` is a POSIX class of ASCII bytes, as git has them: `space` is space, tab, line feed and carriage
    /// return. No bracket expression matches `/`. `nil` for one that does not end or names another class.
    static func bracket(_ pattern: ArraySlice<UInt8>, from start: Int) -> (set: Self, end: Int)? {
        func byte(_ position: Int) -> UInt8? { position < pattern.endIndex ? pattern[position] : nil }
        var set = Self()
        var position = start
        let isInverted = byte(position) == UInt8(ascii: "!") || byte(position) == UInt8(ascii: "^")
        if isInverted { position += 1 }
        let first = position
        // The byte that a range may begin with.
        var previous: UInt8?
        while let current = byte(position), current != UInt8(ascii: "]") || position == first {
            position += 1
            let next = byte(position)
            if current == UInt8(ascii: "\\") {
                guard let next else { return nil }
                set.insert(next)
                previous = next
                position += 1
            } else if current == UInt8(ascii: "-"), let low = previous, var high = next, high != UInt8(ascii: "]") {
                position += 1
                if high == UInt8(ascii: "\\") {
                    guard let quoted = byte(position) else { return nil }
                    high = quoted
                    position += 1
                }
                if low <= high { for byte in low...high { set.insert(byte) } }
                previous = nil
            } else if current == UInt8(ascii: "["), next == UInt8(ascii: ":") {
                let name = position + 1
                guard let end = pattern[name...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
                guard end > name, pattern[end - 1] == UInt8(ascii: ":") else {
                    set.insert(current)
                    previous = current
                    continue
                }
                guard let members = posixClass(pattern[name..<end - 1]) else { return nil }
                for byte in UInt8.min..<128 where members(byte) { set.insert(byte) }
                previous = nil
                position = end + 1
            } else {
                set.insert(current)
                previous = current
            }
        }
        guard position < pattern.endIndex else { return nil }
        if isInverted { set = set.inverted }
        var withoutSlash = Self()
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "/") && set.contains(byte) {
            withoutSlash.insert(byte)
        }
        return (withoutSlash, position + 1)
    }

    private static func posixClass(_ name: ArraySlice<UInt8>) -> ((UInt8) -> Bool)? {
        func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
        func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        func isAlphanumeric(_ byte: UInt8) -> Bool { isUpper(byte) || isLower(byte) || isDigit(byte) }
        switch String(decoding: name, as: UTF8.self) {
        case "alnum": return isAlphanumeric
        case "alpha": return { isUpper($0) || isLower($0) }
        case "blank": return { $0 == 0x20 || $0 == 0x09 }
        case "cntrl": return { $0 < 0x20 || $0 == 0x7F }
        case "digit": return isDigit
        case "graph": return { (0x21...0x7E).contains($0) }
        case "lower": return isLower
        case "print": return { (0x20...0x7E).contains($0) }
        case "punct": return { (0x21...0x7E).contains($0) && !isAlphanumeric($0) }
        case "space": return { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        case "upper": return isUpper
        case "xdigit": return { isDigit($0) || (0x61...0x66).contains($0 | 0x20) }
        default: return nil
        }
    }
}
