/// `like`: `%` stands for any text, `_` for one code point, and a backslash takes the next character literally.
enum LikePattern {
    private static let any = UInt8(ascii: "%")
    private static let one = UInt8(ascii: "_")
    private static let escape = UInt8(ascii: "\\")

    /// Whether the whole text matches; `nil` where matching comes upon a backslash that ends the pattern.
    ///
    /// Greedy with one point of return: only the last `%` passed can need to take more text.
    /// - Complexity: O(text × pattern) at worst
    static func matches(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool? {
        var place = text.startIndex
        var index = pattern.startIndex
        var retry: (place: Int, index: Int)?
        while true {
            if index < pattern.endIndex, place < text.endIndex || pattern[index] == any {
                let byte = pattern[index]
                if byte == any {
                    // Wildcards in a row: each `_` takes a character at once, the rest is one `%`.
                    while index < pattern.endIndex, pattern[index] == any || pattern[index] == one {
                        if pattern[index] == one {
                            if place == text.endIndex { return false }
                            place = next(text, place)
                        }
                        index += 1
                    }
                    if index == pattern.endIndex { return true }
                    if pattern[index] == escape, index + 1 == pattern.endIndex {
                        return place < text.endIndex ? nil : false
                    }
                    retry = (place, index)
                    continue
                }
                if byte == one {
                    place = next(text, place)
                    index += 1
                    continue
                }
                var literal = index
                if byte == escape {
                    literal += 1
                    if literal == pattern.endIndex { return nil }
                }
                if pattern[literal] == text[place] {
                    place += 1
                    index = literal + 1
                    continue
                }
            } else if index == pattern.endIndex, place == text.endIndex {
                return true
            }
            guard let last = retry, last.place < text.endIndex, place < text.endIndex || index == pattern.endIndex
            else {
                return false
            }
            place = next(text, last.place)
            index = last.index
            retry = (place, index)
        }
    }

    private static func next(_ text: ArraySlice<UInt8>, _ place: Int) -> Int {
        var place = place + 1
        while place < text.endIndex, !Kernel.isLeading(text[place]) { place += 1 }
        return place
    }
}
