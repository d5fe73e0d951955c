/// Named tensors in the safetensors format (huggingface/safetensors, README): a JSON header, then the values.
///
/// `encode` gives the same bytes for the same tensors and metadata in any order: tensors are laid out by alignment,
/// widest first, then by name, and metadata by key.
public struct Safetensors: Hashable, Sendable {
    public enum DType: String, Hashable, Sendable, CaseIterable {
        case bool = "BOOL"
        case uint8 = "U8"
        case int8 = "I8"
        case int16 = "I16"
        case uint16 = "U16"
        case float16 = "F16"
        case bfloat16 = "BF16"
        case int32 = "I32"
        case uint32 = "U32"
        case float32 = "F32"
        case float64 = "F64"
        case int64 = "I64"
        case uint64 = "U64"

        /// Bytes of one element.
        public var size: Int {
            switch self {
            case .bool, .uint8, .int8: 1
            case .int16, .uint16, .float16, .bfloat16: 2
            case .int32, .uint32, .float32: 4
            case .float64, .int64, .uint64: 8
            }
        }
    }

    /// A dense row-major little-endian array.
    public struct Tensor: Hashable, Sendable {
        public let name: String
        public let dtype: DType
        /// Lengths of the dimensions; empty for a scalar.
        public let shape: [Int]
        public let bytes: [UInt8]

        /// - Precondition: the bytes fill the shape.
        public init(name: String, dtype: DType, shape: [Int], bytes: [UInt8]) {
            let size = Tensor.size(dtype, shape)
            precondition(size == bytes.count, "tensor '\(name)' has \(bytes.count) bytes, its shape \(size ?? -1)")
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.bytes = bytes
        }

        /// A tensor of 32-bit floats.
        ///
        /// - Precondition: the values fill the shape.
        public init(name: String, shape: [Int], _ values: [Float]) {
            self.init(name: name, dtype: .float32, shape: shape, bytes: values.withUnsafeBytes { Array($0) })
        }

        /// A tensor of 64-bit floats.
        ///
        /// - Precondition: the values fill the shape.
        public init(name: String, shape: [Int], _ values: [Double]) {
            self.init(name: name, dtype: .float64, shape: shape, bytes: values.withUnsafeBytes { Array($0) })
        }

        /// A tensor of 64-bit integers.
        ///
        /// - Precondition: the values fill the shape.
        public init(name: String, shape: [Int], _ values: [Int64]) {
            self.init(name: name, dtype: .int64, shape: shape, bytes: values.withUnsafeBytes { Array($0) })
        }

        /// The values of a float32 tensor, `nil` for any other.
        public var floats: [Float]? { values(.float32) }
        /// The values of a float64 tensor, `nil` for any other.
        public var doubles: [Double]? { values(.float64) }
        /// The values of an int64 tensor, `nil` for any other.
        public var integers: [Int64]? { values(.int64) }

        private func values<Value: BitwiseCopyable>(_ type: DType) -> [Value]? {
            guard dtype == type else { return nil }
            return [Value](unsafeUninitializedCapacity: bytes.count / type.size) { target, count in
                UnsafeMutableRawBufferPointer(target).copyBytes(from: bytes)
                count = bytes.count / type.size
            }
        }

        /// The bytes of a shape, or `nil` where they cannot be counted.
        static func size(_ dtype: DType, _ shape: [Int]) -> Int? {
            var size = dtype.size
            for length in shape {
                guard length >= 0 else { return nil }
                let (product, isOver) = size.multipliedReportingOverflow(by: length)
                if isOver { return nil }
                size = product
            }
            return size
        }
    }

    /// In file order after reading.
    public let tensors: [Tensor]
    public let metadata: [String: String]

    /// The longest header that is read or written.
    public static let headerLimit = 100_000_000

    /// - Precondition: names are unique, and none is `__metadata__`.
    public init(_ tensors: [Tensor], metadata: [String: String] = [:]) {
        let names = Set(tensors.map(\.name))
        precondition(names.count == tensors.count, "two tensors have one name")
        precondition(!names.contains("__metadata__"), "a tensor is called __metadata__")
        self.tensors = tensors
        self.metadata = metadata
    }

    /// The tensor called `name`, or `nil`.
    public subscript(name: String) -> Tensor? { tensors.first { $0.name == name } }

    /// Reads a file's bytes, checking every rule of the format.
    ///
    /// - Parameter name: what errors call the bytes.
    /// - Throws: `MalformedFile`; `unsupported` for element types outside `DType`.
    public init(bytes: [UInt8], name file: String = "bytes") throws(MalformedFile) {
        func fault(_ detail: String, at offset: Int, _ reason: MalformedFile.Reason = .malformed) -> MalformedFile {
            MalformedFile(reason, file: file, format: "safetensors", offset: offset, detail)
        }
        guard bytes.count >= 8 else { throw fault("it is shorter than its header's length", at: bytes.count) }
        let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard length <= Self.headerLimit, length <= bytes.count - 8 else {
            throw fault("a header of \(length) bytes does not fit", at: 0)
        }
        let start = 8 + Int(length)
        let header: SafetensorsHeader
        do throws(SafetensorsHeader.Fault) {
            header = try SafetensorsHeader(bytes[8..<start])
        } catch {
            throw fault(error.detail, at: error.position)
        }
        var tensors: [Tensor] = []
        var position = 0
        for entry in header.entries.sorted(by: { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }) {
            guard let dtype = DType(rawValue: entry.dtype) else {
                throw fault("tensor '\(entry.name)' has elements of type '\(entry.dtype)'", at: 8, .unsupported)
            }
            guard entry.begin == position, entry.end >= entry.begin, entry.end <= bytes.count - start else {
                throw fault("tensor '\(entry.name)' leaves a gap, overlaps, or runs past the end", at: start + position)
            }
            guard let size = Tensor.size(dtype, entry.shape), size == entry.end - entry.begin else {
                throw fault("tensor '\(entry.name)' does not fill its shape", at: start + position)
            }
            let content = Array(bytes[start + entry.begin..<start + entry.end])
            tensors.append(Tensor(name: entry.name, dtype: dtype, shape: entry.shape, bytes: content))
            position = entry.end
        }
        guard start + position == bytes.count else { throw fault("bytes after the last tensor", at: start + position) }
        self.tensors = tensors
        self.metadata = Dictionary(uniqueKeysWithValues: header.metadata.map { ($0.key, $0.value) })
    }

    /// The file's bytes.
    public func encode() -> [UInt8] {
        let ordered = tensors.sorted {
            $0.dtype.size != $1.dtype.size ? $0.dtype.size > $1.dtype.size : Self.precedes($0.name, $1.name)
        }
        var header = Array("{".utf8)
        if !metadata.isEmpty {
            header.append(contentsOf: "\"__metadata__\":{".utf8)
            for (number, key) in metadata.keys.sorted(by: Self.precedes).enumerated() {
                if number > 0 { header.append(UInt8(ascii: ",")) }
                Self.append(key, to: &header)
                header.append(UInt8(ascii: ":"))
                Self.append(metadata[key] ?? "", to: &header)
            }
            header.append(UInt8(ascii: "}"))
        }
        var position = 0
        for tensor in ordered {
            if header.count > 1 { header.append(UInt8(ascii: ",")) }
            Self.append(tensor.name, to: &header)
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = position + tensor.bytes.count
            let rest =
                ":{\"dtype\":\"\(tensor.dtype.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(position),\(end)]}"
            header.append(contentsOf: rest.utf8)
            position = end
        }
        header.append(UInt8(ascii: "}"))
        // Spaces bring the values to a multiple of eight bytes.
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        precondition(header.count <= Self.headerLimit, "a safetensors header has at most \(Self.headerLimit) bytes")
        var result: [UInt8] = []
        result.reserveCapacity(8 + header.count + position)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { result.append(contentsOf: $0) }
        result.append(contentsOf: header)
        for tensor in ordered { result.append(contentsOf: tensor.bytes) }
        return result
    }

    /// The order of bytes, which unlike that of `String` is the same everywhere.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private static func append(_ text: String, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                json.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
            default: json.append(byte)
            }
        }
        json.append(UInt8(ascii: "\""))
    }
}
