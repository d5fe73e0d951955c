import Glibc

/// The values of a column while they are read: an array that is not filled before it is written.
///
/// Benefit: a column's memory is written once, not twice, and its large pages cost a fraction of the page faults.
/// Soundness: elements are trivial, and those past `count`, which hold what the memory held before, are cut off before
/// the array is handed out.
struct ParquetBuffer<Element: BitwiseCopyable> {
    private(set) var count = 0
    private var storage: [Element] = []

    /// Makes room for `total` elements in all, at least doubling the room there is.
    mutating func reserve(_ total: Int) {
        guard total > storage.count || storage.isEmpty else { return }
        let size = max(total, 2 * storage.count, 1)
        let kept = count * MemoryLayout<Element>.stride
        var grown = [Element](unsafeUninitializedCapacity: size) { $1 = size }
        grown.withUnsafeMutableBytes { target in
            Self.adviseLargePages(target)
            storage.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<kept])) }
        }
        storage = grown
    }

    private static func adviseLargePages(_ memory: UnsafeMutableRawBufferPointer) {
        let page = 1 << 21
        guard memory.count >= 2 * page, let base = memory.baseAddress else { return }
        let start = base.alignedUp(toMultipleOf: page)
        madvise(start, (memory.count - (start - base)) & ~(page - 1), MADV_HUGEPAGE)
    }

    /// Gives `body` the address after the last element, with room for `added` more.
    ///
    /// What it writes there counts only after `advance`.
    mutating func withRoom<Result, Failure: Error>(
        for added: Int,
        _ body: (UnsafeMutablePointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        reserve(count + added)
        let first = count
        let outcome = storage.withUnsafeMutableBufferPointer { elements in
            Swift.Result<Result, Failure> { () throws(Failure) -> Result in
                guard let base = elements.baseAddress else { preconditionFailure("a buffer always has room") }
                return try body(base + first)
            }
        }
        return try outcome.get()
    }

    /// Counts elements that have been written.
    mutating func advance(by added: Int) {
        precondition(added >= 0 && added <= storage.count - count, "\(added) elements are past the room")
        count += added
    }

    mutating func append(_ element: Element) {
        reserve(count + 1)
        storage[count] = element
        count += 1
    }

    /// Forgets the elements and keeps their room.
    mutating func removeAll() { count = 0 }

    subscript(position: Int) -> Element { storage[position] }

    func withElements<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outcome = storage.withUnsafeBufferPointer { elements in
            Swift.Result<Result, Failure> { () throws(Failure) -> Result in
                try body(UnsafeBufferPointer(rebasing: elements[..<count]))
            }
        }
        return try outcome.get()
    }

    /// The elements; the buffer is empty afterwards.
    mutating func finish() -> [Element] {
        var result = storage
        storage = []
        if count < result.count { result.removeLast(result.count - count) }
        count = 0
        return result
    }
}
