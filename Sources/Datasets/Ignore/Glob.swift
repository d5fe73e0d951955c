/// A glob compiled to the states of a finite automaton.
///
/// Matching looks at each byte once and follows all states together, so no pattern makes it slower than the pattern's
/// length times the text's, and one of up to 63 elements costs a few operations a byte.
struct Glob: Sendable {
    /// A set of bytes.
    struct ByteSet: Hashable, Sendable {
        private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

        static func == (left: ByteSet, right: ByteSet) -> Bool { left.words == right.words }

        func hash(into hasher: inout Hasher) {
            for word in [words.0, words.1, words.2, words.3] { hasher.combine(word) }
        }

        init() {}

        init(_ byte: UInt8) { insert(byte) }

        func contains(_ byte: UInt8) -> Bool {
            let word =
                switch byte >> 6 {
                case 0: words.0
                case 1: words.1
                case 2: words.2
                default: words.3
                }
            return word >> UInt64(byte & 63) & 1 == 1
        }

        mutating func insert(_ byte: UInt8) {
            let bit: UInt64 = 1 << UInt64(byte & 63)
            switch byte >> 6 {
            case 0: words.0 |= bit
            case 1: words.1 |= bit
            case 2: words.2 |= bit
            default: words.3 |= bit
            }
        }

        var inverted: ByteSet {
            var set = self
            set.words = (~words.0, ~words.1, ~words.2, ~words.3)
            return set
        }
    }

    /// One element of a pattern.
    enum Element: Hashable, Sendable {
        /// One byte of a set.
        case byte(ByteSet)
        /// Any number of bytes other than `/`.
        case star
        /// Any number of bytes.
        case starStar
        /// Stands before `starStar` and a `/`, and may skip both.
        case optional
    }

    private let elements: [Element]
    // The states that a byte leads out of, by byte; a state is the element that comes next.
    private var consuming: [UInt64] = []
    private var stars: UInt64 = 0
    private var starStars: UInt64 = 0
    private var optionals: UInt64 = 0

    /// The most elements whose states, and the one behind the last, fit a word.
    private static let wordCapacity = 63

    /// Compiles a pattern; `nil` for one that matches nothing, such as an open bracket or a backslash at the end.
    ///
    /// Two or more stars between slashes or the pattern's ends match across slashes; anywhere else they are one star.
    init?(_ pattern: ArraySlice<UInt8>) {
        guard let elements = Self.elements(of: pattern) else { return nil }
        self.elements = elements
        guard elements.count <= Self.wordCapacity else { return }
        consuming = [UInt64](repeating: 0, count: 256)
        for (position, element) in elements.enumerated() {
            let state: UInt64 = 1 << UInt64(position)
            switch element {
            case .byte(let set):
                for byte in UInt8.min...UInt8.max where set.contains(byte) { consuming[Int(byte)] |= state }
            case .star: stars |= state
            case .starStar: starStars |= state
            case .optional: optionals |= state
            }
        }
    }

    /// Whether all of `text` matches.
    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard !consuming.isEmpty else { return matchesLong(text) }
        let anyStars = stars | starStars
        return consuming.withUnsafeBufferPointer { consuming in
            var active = closure(1, anyStars)
            for byte in text {
                let staying = active & (byte == UInt8(ascii: "/") ? starStars : anyStars)
                active = (active & consuming[Int(byte)]) << 1 | staying
                if active == 0 { return false }
                active = closure(active, anyStars)
            }
            return active >> UInt64(elements.count) & 1 == 1
        }
    }

    /// The states reached from `active` without a byte.
    private func closure(_ active: UInt64, _ anyStars: UInt64) -> UInt64 {
        var active = active
        while true {
            let skipping = active & optionals
            let next = active | skipping << 1 | skipping << 3
            if next == active { break }
            active = next
        }
        return active | (active & anyStars) << 1
    }

    private func matchesLong(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var active = [Bool](repeating: false, count: elements.count + 1)
        active[0] = true
        close(&active)
        for byte in text {
            var next = [Bool](repeating: false, count: active.count)
            for (position, element) in elements.enumerated() where active[position] {
                switch element {
                case .byte(let set): if set.contains(byte) { next[position + 1] = true }
                case .star: if byte != UInt8(ascii: "/") { next[position] = true }
                case .starStar: next[position] = true
                case .optional: break
                }
            }
            active = next
            close(&active)
        }
        return active[elements.count]
    }

    // Every state reached without a byte stands behind the one it is reached from.
    private func close(_ active: inout [Bool]) {
        for (position, element) in elements.enumerated() where active[position] {
            switch element {
            case .byte: break
            case .star, .starStar: active[position + 1] = true
            case .optional:
                active[position + 1] = true
                active[position + 3] = true
            }
        }
    }

    // MARK: Parsing

    private static func elements(of pattern: ArraySlice<UInt8>) -> [Element]? {
        let slash = UInt8(ascii: "/")
        let notSlash = ByteSet(slash).inverted
        var elements: [Element] = []
        var position = pattern.startIndex
        func byte(_ position: Int) -> UInt8? { position < pattern.endIndex ? pattern[position] : nil }
        while let current = byte(position) {
            switch current {
            case UInt8(ascii: "\\"):
                guard let escaped = byte(position + 1) else { return nil }
                elements.append(.byte(ByteSet(escaped)))
                position += 2
            case UInt8(ascii: "?"):
                elements.append(.byte(notSlash))
                position += 1
            case UInt8(ascii: "*"):
                let start = position
                while byte(position) == UInt8(ascii: "*") { position += 1 }
                let isAfterSlash = start == pattern.startIndex || pattern[start - 1] == slash
                let next = byte(position)
                let isBeforeSlash =
                    next == nil || next == slash || next == UInt8(ascii: "\\") && byte(position + 1) == slash
                guard position - start > 1, isAfterSlash, isBeforeSlash else {
                    elements.append(.star)
                    continue
                }
                if next == slash { elements.append(.optional) }
                elements.append(.starStar)
            case UInt8(ascii: "["):
                guard let (set, end) = ByteSet.bracket(pattern, from: position + 1) else { return nil }
                elements.append(.byte(set))
                position = end
            default:
                elements.append(.byte(ByteSet(current)))
                position += 1
            }
        }
        return elements
    }
}
