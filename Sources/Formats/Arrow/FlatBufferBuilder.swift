/// Builds a FlatBuffers message from its leaves to its root.
///
/// The bytes are kept in reverse, because what is written later stands earlier. They follow from the calls alone.
struct FlatBufferBuilder {
    /// A part already written: its distance from the end of the message.
    struct Offset: Hashable {
        fileprivate let distance: Int
    }

    /// The value of a table's field.
    enum Value {
        case int8(UInt8)
        case int16(Int16)
        case int32(Int32)
        case int64(Int64)
        case bool(Bool)
        case offset(Offset)

        fileprivate var width: Int {
            switch self {
            case .int8, .bool: 1
            case .int16: 2
            case .int32, .offset: 4
            case .int64: 8
            }
        }
    }

    private var reversed: [UInt8] = []

    private mutating func push<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.bigEndian) { reversed.append(contentsOf: $0) }
    }

    /// Pads so that what is written next, `size` bytes and then nothing of lower alignment, begins aligned.
    private mutating func align(_ alignment: Int, before size: Int) {
        while (reversed.count + size) % alignment != 0 { reversed.append(0) }
    }

    private mutating func pushOffset(_ target: Offset) {
        push(UInt32(reversed.count + 4 - target.distance))
    }

    mutating func string(_ text: String) -> Offset {
        let utf8 = Array(text.utf8)
        align(4, before: utf8.count + 1)
        reversed.append(0)
        reversed.append(contentsOf: utf8.reversed())
        push(UInt32(utf8.count))
        return Offset(distance: reversed.count)
    }

    mutating func vector(_ elements: [Offset]) -> Offset {
        align(4, before: 4 * elements.count)
        for element in elements.reversed() { pushOffset(element) }
        push(UInt32(elements.count))
        return Offset(distance: reversed.count)
    }

    /// A vector of structs, each of `wordsEach` 64-bit words.
    mutating func vector(words: [Int64], each wordsEach: Int) -> Offset {
        align(8, before: 8 * words.count)
        for word in words.reversed() { push(word) }
        push(UInt32(words.count / wordsEach))
        return Offset(distance: reversed.count)
    }

    /// A table of the given slots; those left out have their default.
    mutating func table(_ fields: [(slot: Int, value: Value)]) -> Offset {
        align(8, before: 0)
        let end = reversed.count
        var places: [Int: Int] = [:]
        for width in [8, 4, 2, 1] {
            for (slot, value) in fields where value.width == width {
                align(width, before: width)
                switch value {
                case .int8(let number): push(number)
                case .bool(let flag): push(flag ? UInt8(1) : 0)
                case .int16(let number): push(number)
                case .int32(let number): push(number)
                case .int64(let number): push(number)
                case .offset(let target): pushOffset(target)
                }
                places[slot] = reversed.count
            }
        }
        let slotCount = (fields.map(\.slot).max() ?? -1) + 1
        align(4, before: 4)
        let vtableSize = 4 + 2 * slotCount
        push(Int32(vtableSize))
        let start = reversed.count
        for slot in (0..<slotCount).reversed() { push(UInt16(places[slot].map { start - $0 } ?? 0)) }
        push(UInt16(start - end))
        push(UInt16(vtableSize))
        return Offset(distance: start)
    }

    /// The message with `root` as its root table; its length is a multiple of 8.
    consuming func finish(_ root: Offset) -> [UInt8] {
        align(8, before: 4)
        pushOffset(root)
        return reversed.reversed()
    }
}
