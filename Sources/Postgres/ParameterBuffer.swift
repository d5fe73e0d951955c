/// The encoded parameters of one statement, in one allocation.
struct ParameterBuffer {
    private(set) var types: [UInt32] = []
    private var bytes: [UInt8] = []
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []

    /// The protocol counts parameters in 16 bits.
    static let largestCount = 65_535
    /// The server takes no value of one gibibyte or more.
    static let largestValue = 1 << 30

    init(_ parameters: [Parameter]) throws(PostgresError) {
        guard parameters.count <= Self.largestCount else {
            throw PostgresError(
                .usage,
                "a statement has \(parameters.count) parameters, the protocol allows \(Self.largestCount); "
                    + "pass arrays and unnest them, or use copyIn"
            )
        }
        for (index, parameter) in parameters.enumerated() {
            types.append(parameter.type)
            if case .null = parameter {
                offsets.append(nil)
                lengths.append(0)
                continue
            }
            let start = bytes.count
            parameter.encode(into: &bytes)
            let length = bytes.count - start
            guard length < Self.largestValue else {
                throw PostgresError(
                    .usage,
                    "parameter $\(index + 1) has \(length) bytes, PostgreSQL takes less than 1 GiB; split the value"
                )
            }
            offsets.append(start)
            lengths.append(Int32(length))
        }
        bytes.append(0)  // an address for empty values: libpq takes a null pointer for SQL null
    }

    /// Calls `body` with libpq's parallel arrays: count, values, lengths, formats.
    func withPointers<R>(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> R
    ) -> R {
        let formats = [Int32](repeating: 1, count: lengths.count)
        return bytes.withUnsafeBytes { raw in
            let base = raw.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values: [UnsafePointer<CChar>?] = offsets.map { offset in
                guard let base, let offset else { return nil }
                return base + offset
            }
            return body(Int32(lengths.count), values, lengths, formats)
        }
    }
}
