/// The names that the Parquet specification gives to types, encodings and codecs.

extension ParquetType: CustomStringConvertible {
    var description: String {
        switch self {
        case .boolean: "BOOLEAN"
        case .int32: "INT32"
        case .int64: "INT64"
        case .int96: "INT96"
        case .float: "FLOAT"
        case .double: "DOUBLE"
        case .byteArray: "BYTE_ARRAY"
        case .fixedLengthByteArray: "FIXED_LEN_BYTE_ARRAY"
        }
    }
}

extension ParquetEncoding: CustomStringConvertible {
    var description: String {
        switch self {
        case .plain: "PLAIN"
        case .plainDictionary: "PLAIN_DICTIONARY"
        case .rle: "RLE"
        case .bitPacked: "BIT_PACKED"
        case .deltaBinaryPacked: "DELTA_BINARY_PACKED"
        case .deltaLengthByteArray: "DELTA_LENGTH_BYTE_ARRAY"
        case .deltaByteArray: "DELTA_BYTE_ARRAY"
        case .rleDictionary: "RLE_DICTIONARY"
        case .byteStreamSplit: "BYTE_STREAM_SPLIT"
        }
    }

    static func name(_ rawValue: Int) -> String {
        ParquetEncoding(rawValue: rawValue).map { "\($0)" } ?? "encoding \(rawValue)"
    }
}

extension ParquetCodec: CustomStringConvertible {
    var description: String {
        switch self {
        case .uncompressed: "UNCOMPRESSED"
        case .snappy: "SNAPPY"
        case .gzip: "GZIP"
        case .lzo: "LZO"
        case .brotli: "BROTLI"
        case .lz4Hadoop: "LZ4"
        case .zstd: "ZSTD"
        case .lz4Raw: "LZ4_RAW"
        }
    }

    static func name(_ rawValue: Int) -> String {
        ParquetCodec(rawValue: rawValue).map { "\($0)" } ?? "codec \(rawValue)"
    }
}

extension ParquetTimeUnit: CustomStringConvertible {
    var description: String {
        switch self {
        case .milliseconds: "MILLIS"
        case .microseconds: "MICROS"
        case .nanoseconds: "NANOS"
        }
    }
}

extension ParquetLogicalType: CustomStringConvertible {
    var description: String {
        switch self {
        case .string: "STRING"
        case .enumeration: "ENUM"
        case .json: "JSON"
        case .list: "LIST"
        case .integer(let bits, let isSigned): "INT(\(bits), \(isSigned ? "signed" : "unsigned"))"
        case .decimal(let precision, let scale): "DECIMAL(\(precision), \(scale))"
        case .date: "DATE"
        case .time(let unit, let isUTC): "TIME(\(unit), \(isUTC ? "UTC" : "local"))"
        case .timestamp(let unit, let isUTC): "TIMESTAMP(\(unit), \(isUTC ? "UTC" : "local"))"
        case .uuid: "UUID"
        case .float16: "FLOAT16"
        case .null: "NULL"
        case .other(let name): name
        }
    }
}

extension ParquetRepetition: CustomStringConvertible {
    var description: String {
        switch self {
        case .required: "required"
        case .optional: "optional"
        case .repeated: "repeated"
        }
    }
}
