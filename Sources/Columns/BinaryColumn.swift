/// Variable-width byte strings: text or bytes, stored back to back.
///
/// Row `r` occupies `data[offsets[r]..<offsets[r + 1]]`. A null row is empty. The layout is Arrow's "large" one
/// (64-bit offsets), so a column is not limited to 2 GiB.
public struct BinaryColumn: Hashable, Sendable {
    /// `count + 1` ascending byte positions, the first being zero.
    public let offsets: [Int]
    public let data: [UInt8]
    /// `nil` when no row is null.
    public let validity: Bitmap?

    /// - Precondition: offsets start at zero, ascend and end at `data.count`; validity has one bit for each row.
    @inlinable
    public init(offsets: [Int], data: [UInt8], validity: Bitmap? = nil) {
        precondition(offsets.first == 0 && offsets.last == data.count, "offsets must span the data")
        precondition(validity == nil || validity?.count == offsets.count - 1, "validity and values differ in length")
        self.offsets = offsets
        self.data = data
        self.validity = validity
    }

    /// Builds a text column, for tests and small control-path data.
    public init(_ strings: [String?]) {
        var builder = BinaryBuilder()
        for string in strings {
            if let string { builder.append(string.utf8) } else { builder.appendNull() }
        }
        self = builder.finish()
    }

    @inlinable
    public var count: Int { offsets.count - 1 }

    @inlinable
    public func isValid(_ row: Int) -> Bool { validity.map { $0[row] } ?? true }

    /// The byte range of a row in `data`.
    @inlinable
    public func range(_ row: Int) -> Range<Int> { offsets[row]..<offsets[row + 1] }

    /// The bytes of a row, or `nil` where it is null.
    @inlinable
    public subscript(row: Int) -> ArraySlice<UInt8>? { isValid(row) ? data[range(row)] : nil }

    /// The text of a row, or `nil` where it is null.
    ///
    /// For control paths: it allocates.
    public func string(_ row: Int) -> String? { self[row].map { String(decoding: $0, as: UTF8.self) } }

    public var nullCount: Int { validity.map { $0.count - $0.setCount } ?? 0 }
}

/// Collects the rows of a `BinaryColumn`.
public struct BinaryBuilder: Sendable {
    @usableFromInline var offsets: [Int] = [0]
    @usableFromInline var data: [UInt8] = []
    @usableFromInline var validity = ValidityBuilder()

    public init() {}

    @inlinable
    public var count: Int { offsets.count - 1 }

    @inlinable
    public mutating func append(_ bytes: some Sequence<UInt8>) {
        data.append(contentsOf: bytes)
        offsets.append(data.count)
        validity.append(true)
    }

    @inlinable
    public mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        data.append(contentsOf: bytes)
        offsets.append(data.count)
        validity.append(true)
    }

    @inlinable
    public mutating func appendNull() {
        offsets.append(data.count)
        validity.append(false)
    }

    @inlinable
    public func finish() -> BinaryColumn {
        BinaryColumn(offsets: offsets, data: data, validity: validity.finish())
    }
}
