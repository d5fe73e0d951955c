/// Finds boundaries that content itself decides, so that an insertion moves only the chunks it touches.
///
/// FastCDC with normalised chunking of level 2 (Xia et al., 2020), with one difference: the hash at a position covers
/// the 64 bytes that end there, also just behind the minimum. A boundary therefore depends on its window and on where
/// the chunk began, and on nothing else: neither on how the content comes in pieces nor on the machine.
///
/// With `h` the gear hash of the 64 bytes before a position, which is `h = (h << 1) + word(byte)` rolled over them from
/// zero, a chunk ends at the first length of at least `minimum` where `h & mask` is zero, the mask being the strict one
/// up to and including `normal` and the loose one after it; or at `maximum`; or with the content.
public struct ContentDefinedChunker: Sendable {
    /// The number of bytes that the hash covers.
    static let window = 64

    public let sizes: ChunkSizes
    /// How many bytes the chunk in progress has: 0 at the start and right after a boundary.
    public private(set) var length = 0
    private var hash: UInt64 = 0

    public init(sizes: ChunkSizes = .standard) {
        self.sizes = sizes
    }

    /// Takes the content that follows; returns how many of `bytes` complete the chunk in progress.
    ///
    /// `nil` means that all of them belong to the chunk and it goes on. After a number, what follows it in `bytes` has
    /// not been taken: give it in the next call. The content's end ends the last chunk, of ``length`` bytes if not 0.
    /// Cost: one pass over the bytes, of which those before the minimum are not looked at.
    public mutating func nextBoundary(in bytes: Span<UInt8>) -> Int? {
        bytes.withUnsafeBufferPointer { nextBoundary(in: $0) }
    }

    /// The lengths of the chunks of `content`.
    public static func lengths(of content: [UInt8], sizes: ChunkSizes = .standard) -> [Int] {
        var chunker = ContentDefinedChunker(sizes: sizes)
        var lengths: [Int] = []
        content.withUnsafeBufferPointer { content in
            var start = 0
            while let count = chunker.nextBoundary(in: UnsafeBufferPointer(rebasing: content[start...])) {
                lengths.append(count)
                start += count
            }
        }
        if chunker.length > 0 { lengths.append(chunker.length) }
        return lengths
    }

    mutating func nextBoundary(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let begun = length
        var position = min(bytes.count, max(0, sizes.minimum - Self.window - begun))
        func end(_ chunkLength: Int) -> Int { min(bytes.count, max(0, chunkLength - begun)) }
        return GearTable.words.withUnsafeBufferPointer { table in
            guard let gear = table.baseAddress else { return nil }
            // A boundary at the minimum is one after the byte before it, so that one is tested and those before are
            // not.
            let warm = end(sizes.minimum - 1)
            while position < warm {
                hash = hash << 1 &+ gear[Int(base[position])]
                position += 1
            }
            for (limit, mask) in [(sizes.normal, sizes.strictMask), (sizes.maximum - 1, sizes.looseMask)] {
                let limit = end(limit)
                if position < limit, let found = search(base, from: position, to: limit, mask, gear) {
                    (length, hash) = (0, 0)
                    return found
                }
                position = max(position, limit)
            }
            guard bytes.count >= sizes.maximum - begun else {
                length = begun + bytes.count
                return nil
            }
            (length, hash) = (0, 0)
            return sizes.maximum - begun
        }
    }

    /// Rolls the hash over the bytes from `start` to `end` up to one after which it has no bit of `mask`.
    ///
    /// Returns the position after that byte. Four stretches are hashed at a time, since one hash waits for the one
    /// before it; a stretch starts with the hash of the window before it.
    private mutating func search(
        _ base: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int,
        _ mask: UInt64,
        _ gear: UnsafePointer<UInt64>
    ) -> Int? {
        let stretch = 4096
        var position = start
        while end - position >= 4 * stretch {
            let first = base + position
            var hash0 = hash
            var hash1 = Self.windowHash(before: first + stretch, gear)
            var hash2 = Self.windowHash(before: first + 2 * stretch, gear)
            var hash3 = Self.windowHash(before: first + 3 * stretch, gear)
            var isFound = false
            for offset in 0..<stretch {
                let at = first + offset
                hash0 = hash0 << 1 &+ gear[Int(at[0])]
                hash1 = hash1 << 1 &+ gear[Int(at[stretch])]
                hash2 = hash2 << 1 &+ gear[Int(at[2 * stretch])]
                hash3 = hash3 << 1 &+ gear[Int(at[3 * stretch])]
                if hash0 & mask == 0 || hash1 & mask == 0 || hash2 & mask == 0 || hash3 & mask == 0 {
                    isFound = true
                    break
                }
            }
            // Another stretch may have an earlier one: look at this part once more, in order.
            if isFound { return searchInOrder(base, from: position, to: position + 4 * stretch, mask, gear) }
            hash = hash3
            position += 4 * stretch
        }
        return searchInOrder(base, from: position, to: end, mask, gear)
    }

    private mutating func searchInOrder(
        _ base: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int,
        _ mask: UInt64,
        _ gear: UnsafePointer<UInt64>
    ) -> Int? {
        var rolled = hash
        for position in start..<end {
            rolled = rolled << 1 &+ gear[Int(base[position])]
            if rolled & mask == 0 { return position + 1 }
        }
        hash = rolled
        return nil
    }

    private static func windowHash(before end: UnsafePointer<UInt8>, _ gear: UnsafePointer<UInt64>) -> UInt64 {
        var hash: UInt64 = 0
        for position in -window..<0 { hash = hash << 1 &+ gear[Int(end[position])] }
        return hash
    }
}
