import Columns

/// What the stored values of a column are turned into.
enum ParquetDecoding: Hashable {
    case bool
    case int32
    case uint32
    case int64
    case uint64
    case float
    case double
    case half
    /// Floats, or halves, widened to doubles.
    case wideFloat
    case wideHalf
    /// A day or an instant; where it names no time zone, `rule` is what is done with it.
    case instant(Clock, rule: NaiveTimestamps.Rule)
    /// Microseconds since midnight.
    case time(ParquetTimeUnit)
    case binary(isText: Bool)
    case uuid
    /// Decimals as text, or parsed from it.
    case decimal(scale: Int, as: DataType)
    /// Lists of floats; the level at which a row is an empty list. The dimension is `nil` until a row shows it.
    case vector(emptyLevel: Int, dimension: Int?)
    /// Nothing but nulls, of a type that the caller names.
    case nulls(DataType)

    enum Clock: Hashable {
        case ticks(ParquetTimeUnit)
        case days
        /// Nanoseconds of the day, and the Julian day.
        case julian
    }

    /// The type of the column; `nil` for vectors whose dimension is not known.
    var type: DataType? {
        switch self {
        case .bool: .bool
        case .int32, .uint32, .int64, .uint64, .time: .int64
        case .float, .half: .float32
        case .double, .wideFloat, .wideHalf: .float64
        case .instant: .timestamp
        case .binary(let isText): isText ? .string : .bytes
        case .uuid: .string
        case .decimal(_, let type), .nulls(let type): type
        case .vector(_, let dimension): dimension.map { .vector(dimension: $0) }
        }
    }
}

extension ParquetDecoding {
    enum Choice {
        case decoded(ParquetDecoding)
        /// The reason the column cannot be read.
        case refused(String)
    }

    /// How a leaf is read, given the type that the caller asks for and the rule for its naive timestamps.
    static func of(_ leaf: ParquetSchemaElement, as requested: DataType?, naive: NaiveTimestamps.Rule) -> Choice {
        let choice = natural(leaf, naive)
        guard let requested, case .decoded(let decoding) = choice, decoding.type != requested else {
            if let requested, leaf.logicalType == .null { return .decoded(.nulls(requested)) }
            return choice
        }
        switch (decoding, requested) {
        case (.float, .float64): return .decoded(.wideFloat)
        case (.half, .float64): return .decoded(.wideHalf)
        case (.binary, .string): return .decoded(.binary(isText: true))
        case (.binary, .bytes), (.uuid, .bytes): return .decoded(.binary(isText: false))
        default: break
        }
        if case .decimal(_, let scale) = leaf.logicalType {
            switch requested {
            case .float64, .string: return .decoded(.decimal(scale: scale, as: requested))
            case .int64 where scale == 0: return .decoded(.decimal(scale: 0, as: .int64))
            default: break
            }
        }
        let found = decoding.type.map { "\($0)" } ?? "a list"
        return .refused("it is \(found) in the file, and \(requested) is asked for; cast it, or ask for \(found)")
    }

    private static func natural(_ leaf: ParquetSchemaElement, _ naive: NaiveTimestamps.Rule) -> Choice {
        if case .other(let name) = leaf.logicalType {
            return .refused("its type is \(name), which is not read; cast it, or leave the column out")
        }
        guard let type = leaf.type else { return .refused("it has no physical type; write the file anew") }
        if type == .fixedLengthByteArray, leaf.length <= 0 || leaf.length > 1 << 24 {
            return .refused("its values have \(leaf.length) bytes, which is not a length; write the file anew")
        }
        switch (type, leaf.logicalType) {
        case (.boolean, nil): return .decoded(.bool)
        case (.int32, nil), (.int32, .integer(_, true)): return .decoded(.int32)
        case (.int32, .integer(_, false)): return .decoded(.uint32)
        case (.int64, nil), (.int64, .integer(_, true)): return .decoded(.int64)
        case (.int64, .integer(_, false)): return .decoded(.uint64)
        case (.float, nil): return .decoded(.float)
        case (.double, nil): return .decoded(.double)
        case (.fixedLengthByteArray, .float16) where leaf.length == 2: return .decoded(.half)
        case (.byteArray, nil), (.fixedLengthByteArray, nil): return .decoded(.binary(isText: false))
        case (.byteArray, .string), (.byteArray, .enumeration), (.byteArray, .json):
            return .decoded(.binary(isText: true))
        case (.fixedLengthByteArray, .uuid) where leaf.length == 16: return .decoded(.uuid)
        case (.int64, .timestamp(let unit, true)): return .decoded(.instant(.ticks(unit), rule: .utc))
        case (.int64, .timestamp(let unit, false)):
            return naiveInstant(.ticks(unit), naive, "its timestamps have no time zone; write them as UTC")
        case (.int32, .date): return naiveInstant(.days, naive, "its dates have no time zone; write UTC timestamps")
        case (.int96, nil), (.int96, .timestamp):
            return naiveInstant(.julian, naive, "its INT96 timestamps have no time zone; write them as UTC in INT64")
        case (.int32, .time(.milliseconds, _)): return .decoded(.time(.milliseconds))
        case (.int64, .time(.microseconds, _)): return .decoded(.time(.microseconds))
        case (.int64, .time(.nanoseconds, _)): return .decoded(.time(.nanoseconds))
        case (_, .decimal(let precision, let scale)): return decimal(type, precision: precision, scale: scale)
        case (_, .null): return .refused("it has no type, only nulls; declare its type, or leave the column out")
        case (_, let logical):
            return .refused("its type is \(logical.map { "\($0) of " } ?? "")\(type), which is not read; cast it")
        }
    }

    private static func naiveInstant(_ clock: Clock, _ rule: NaiveTimestamps.Rule, _ reason: String) -> Choice {
        if rule == .refuse { return .refused("\(reason), or declare a time zone") }
        return .decoded(.instant(clock, rule: rule))
    }

    private static func decimal(_ type: ParquetType, precision: Int, scale: Int) -> Choice {
        // 76 digits are Arrow's most, which no other writer exceeds.
        guard [.int32, .int64, .byteArray, .fixedLengthByteArray].contains(type), precision > 0, precision <= 76,
            scale >= 0, scale <= precision
        else { return .refused("its type is DECIMAL(\(precision), \(scale)) of \(type), which is not read; cast it") }
        guard scale == 0, precision <= 18 else { return .decoded(.decimal(scale: scale, as: .string)) }
        switch type {
        case .int32: return .decoded(.int32)
        case .int64: return .decoded(.int64)
        default: return .decoded(.decimal(scale: 0, as: .int64))
        }
    }
}
