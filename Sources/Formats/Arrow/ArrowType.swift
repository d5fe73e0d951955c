/// The types of the Arrow columnar format, version 1.5, as far as they are told apart here.
enum ArrowType: Hashable, Sendable {
    case null
    case bool
    case int(bits: Int, isSigned: Bool)
    case float(bits: Int)
    case utf8(isLarge: Bool)
    case binary(isLarge: Bool)
    case utf8View
    case binaryView
    case fixedSizeBinary(width: Int)
    case decimal(precision: Int, scale: Int, bits: Int)
    case date(ArrowDateUnit)
    case time(ArrowTimeUnit)
    /// A time zone means that the values are UTC; the name is only for display.
    case timestamp(ArrowTimeUnit, zone: String?)
    case duration(ArrowTimeUnit)
    case interval
    case list(isLarge: Bool)
    case listView(isLarge: Bool)
    case fixedSizeList(count: Int)
    case structure
    case map
    case union(isDense: Bool)
    case runEndEncoded
}

enum ArrowDateUnit: Int16, Sendable {
    case day = 0
    case millisecond = 1
}

enum ArrowTimeUnit: Int16, Sendable {
    case second = 0
    case millisecond = 1
    case microsecond = 2
    case nanosecond = 3

    var symbol: String {
        switch self {
        case .second: "s"
        case .millisecond: "ms"
        case .microsecond: "us"
        case .nanosecond: "ns"
        }
    }
}

extension ArrowType {
    /// The buffers that an array of this type has before its children, views' data buffers aside.
    var bufferCount: Int {
        switch self {
        case .null, .runEndEncoded: 0
        case .structure, .fixedSizeList: 1
        case .union(let isDense): isDense ? 2 : 1
        case .bool, .int, .float, .fixedSizeBinary, .decimal, .date, .time, .timestamp, .duration, .interval: 2
        case .list, .map, .utf8View, .binaryView: 2
        case .utf8, .binary, .listView: 3
        }
    }

    /// Whether the number of its buffers differs from array to array.
    var isView: Bool { self == .utf8View || self == .binaryView }

    /// Bytes of each value, for types whose values have one width and are not bits.
    var width: Int? {
        switch self {
        case .int(let bits, _), .float(let bits), .decimal(_, _, let bits): bits / 8
        case .fixedSizeBinary(let width): width
        case .date(let unit): unit == .day ? 4 : 8
        case .time(let unit): unit == .second || unit == .millisecond ? 4 : 8
        case .timestamp, .duration: 8
        case .utf8View, .binaryView: 16
        default: nil
        }
    }
}

/// One field of an Arrow schema, with the fields inside it.
struct ArrowField: Sendable {
    var name: String
    var type: ArrowType
    var isNullable: Bool
    var children: [ArrowField]
    var dictionary: ArrowDictionaryEncoding?
    /// The name of the extension type, from the field's metadata.
    var extensionName: String?

    static let extensionKey = "ARROW:extension:name"
}

/// How a dictionary-encoded field names its values.
struct ArrowDictionaryEncoding: Hashable, Sendable {
    var id: Int64
    var indexBits: Int
    var indexIsSigned: Bool
    var isOrdered: Bool
}

extension ArrowField {
    /// The type in Arrow's own words, as pyarrow prints it.
    var typeText: String {
        let text = valueTypeText
        guard let dictionary else { return text }
        let index = ArrowType.int(bits: dictionary.indexBits, isSigned: dictionary.indexIsSigned).text([])
        return "dictionary<values=\(text), indices=\(index), ordered=\(dictionary.isOrdered ? 1 : 0)>"
    }

    private var valueTypeText: String {
        let storage = type.text(children)
        return extensionName.map { "extension<\($0), \(storage)>" } ?? storage
    }
}

extension ArrowType {
    fileprivate func text(_ children: [ArrowField]) -> String {
        var inner: String {
            children.map { $0.typeText }.joined(separator: ", ")
        }
        var named: String { children.map { "\($0.name): \($0.typeText)" }.joined(separator: ", ") }
        return switch self {
        case .null: "null"
        case .bool: "bool"
        case .int(let bits, let isSigned): "\(isSigned ? "" : "u")int\(bits)"
        case .float(let bits): bits == 16 ? "halffloat" : bits == 32 ? "float" : "double"
        case .utf8(let isLarge): isLarge ? "large_string" : "string"
        case .binary(let isLarge): isLarge ? "large_binary" : "binary"
        case .utf8View: "string_view"
        case .binaryView: "binary_view"
        case .fixedSizeBinary(let width): "fixed_size_binary[\(width)]"
        case .decimal(let precision, let scale, let bits): "decimal\(bits)(\(precision), \(scale))"
        case .date(let unit): unit == .day ? "date32[day]" : "date64[ms]"
        case .time(let unit):
            "time\(unit == .second || unit == .millisecond ? 32 : 64)[\(unit.symbol)]"
        case .timestamp(let unit, let zone): "timestamp[\(unit.symbol)\(zone.map { ", tz=\($0)" } ?? "")]"
        case .duration(let unit): "duration[\(unit.symbol)]"
        case .interval: "interval"
        case .list(let isLarge): "\(isLarge ? "large_" : "")list<\(inner)>"
        case .listView(let isLarge): "\(isLarge ? "large_" : "")list_view<\(inner)>"
        case .fixedSizeList(let count): "fixed_size_list<\(inner)>[\(count)]"
        case .structure: "struct<\(named)>"
        case .map: "map<\(inner)>"
        case .union(let isDense): "\(isDense ? "dense" : "sparse")_union<\(named)>"
        case .runEndEncoded: "run_end_encoded<\(inner)>"
        }
    }
}
