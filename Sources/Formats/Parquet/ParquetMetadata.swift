/// The parts of a Parquet footer and of page headers that are read or written (parquet-format, parquet.thrift).

enum ParquetType: Int {
    case boolean = 0
    case int32 = 1
    case int64 = 2
    case int96 = 3
    case float = 4
    case double = 5
    case byteArray = 6
    case fixedLengthByteArray = 7
}

enum ParquetEncoding: Int {
    case plain = 0
    case plainDictionary = 2
    case rle = 3
    case bitPacked = 4
    case deltaBinaryPacked = 5
    case deltaLengthByteArray = 6
    case deltaByteArray = 7
    case rleDictionary = 8
    case byteStreamSplit = 9
}

/// The compression of a column chunk's pages.
enum ParquetCodec: Int {
    case uncompressed = 0
    case snappy = 1
    case gzip = 2
    case lzo = 3
    case brotli = 4
    case lz4Hadoop = 5
    case zstd = 6
    case lz4Raw = 7
}

enum ParquetRepetition: Int {
    case required = 0
    case optional = 1
    case repeated = 2
}

/// The units that times and timestamps are counted in.
enum ParquetTimeUnit: Int {
    case milliseconds = 1
    case microseconds = 2
    case nanoseconds = 3
}

/// The logical types that change how a physical type is read.
enum ParquetLogicalType: Hashable {
    case string
    case enumeration
    case json
    case list
    case integer(bits: Int, isSigned: Bool)
    case decimal(precision: Int, scale: Int)
    case date
    case time(ParquetTimeUnit, isUTC: Bool)
    case timestamp(ParquetTimeUnit, isUTC: Bool)
    case uuid
    case float16
    /// Every value is null.
    case null
    /// A type that is known but not read, by name.
    case other(String)
}

/// One node of the schema tree, in depth-first order.
struct ParquetSchemaElement {
    var name = ""
    var type: ParquetType?
    /// Bytes of a fixed-length byte array.
    var length = 0
    var repetition: ParquetRepetition?
    var childCount = 0
    var logicalType: ParquetLogicalType?
}

/// Bounds of a column chunk, as the file gives them: little-endian plain values.
struct ParquetRawStatistics {
    var nullCount: Int?
    var minimum: [UInt8]?
    var maximum: [UInt8]?
    /// The older fields, whose order is only certain for signed integers.
    var legacyMinimum: [UInt8]?
    var legacyMaximum: [UInt8]?
}

struct ParquetChunk {
    var type: ParquetType?
    var encodings: [Int] = []
    var path: [String] = []
    var codec = 0
    var valueCount = 0
    var uncompressedSize = 0
    var compressedSize = 0
    var dataPageOffset = 0
    var dictionaryPageOffset: Int?
    var isExternal = false
    var isEncrypted = false
    var statistics = ParquetRawStatistics()
}

struct ParquetSorting {
    /// A leaf's position.
    var column = 0
    var isDescending = false
    var nullsFirst = false
}

struct ParquetRowGroup {
    var chunks: [ParquetChunk] = []
    var byteCount = 0
    var rowCount = 0
    var sorting: [ParquetSorting] = []
}

struct ParquetFooter {
    var version = 0
    var schema: [ParquetSchemaElement] = []
    var rowCount = 0
    var rowGroups: [ParquetRowGroup] = []
    var metadata: [(key: String, value: String)] = []
    var createdBy: String?
    /// For each leaf whether its bounds are in the order that its type defines; without it they mean nothing.
    var isOrderedByType: [Bool] = []
    /// Bytes of the footer itself.
    var byteCount = 0
}

struct ParquetPageHeader {
    enum Kind: Int {
        case data = 0
        case index = 1
        case dictionary = 2
        case dataV2 = 3
    }

    var kind: Kind?
    var uncompressedSize = -1
    var compressedSize = -1
    var checksum: UInt32?
    var valueCount = -1
    var encoding = -1
    var definitionEncoding = ParquetEncoding.rle.rawValue
    var repetitionEncoding = ParquetEncoding.rle.rawValue
    var definitionLength = 0
    var repetitionLength = 0
    var isCompressed = true
}
