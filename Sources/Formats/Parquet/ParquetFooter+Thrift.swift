/// Decoding of the footer and page headers. Unknown fields are skipped, as Thrift requires.

extension ParquetFooter {
    init(_ reader: inout ThriftReader) throws(ThriftReader.Fault) {
        var footer = ParquetFooter()
        try reader.structure { (reader, field, type) throws(ThriftReader.Fault) in
            switch field {
            case 1: footer.version = try reader.integer(type)
            case 2:
                try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                    footer.schema.append(try ParquetSchemaElement(&reader, element))
                }
            case 3: footer.rowCount = try reader.integer(type)
            case 4:
                try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                    footer.rowGroups.append(try ParquetRowGroup(&reader, element))
                }
            case 5:
                try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                    var key = ""
                    var value = ""
                    try reader.element(element) { (reader, field, type) throws(ThriftReader.Fault) in
                        switch field {
                        case 1: key = try reader.string(type)
                        case 2: value = try reader.string(type)
                        default: try reader.skip(type)
                        }
                    }
                    footer.metadata.append((key, value))
                }
            case 6: footer.createdBy = try reader.string(type)
            case 7:
                try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                    var isOrderedByType = false
                    try reader.element(element) { (reader, order, type) throws(ThriftReader.Fault) in
                        isOrderedByType = order == 1
                        try reader.skip(type)
                    }
                    footer.isOrderedByType.append(isOrderedByType)
                }
            default: try reader.skip(type)
            }
        }
        self = footer
    }
}

extension ThriftReader {
    /// Reads a struct of two integers, fields 1 and 2.
    fileprivate mutating func pair(_ type: ThriftType) throws(Fault) -> (Int, Int) {
        var pair = (0, 0)
        try element(type) { (reader, field, type) throws(Fault) in
            switch field {
            case 1: pair.0 = try reader.integer(type)
            case 2: pair.1 = try reader.integer(type)
            default: try reader.skip(type)
            }
        }
        return pair
    }

    /// Reads a list element or field that must be a struct.
    fileprivate mutating func element(
        _ type: ThriftType,
        _ body: (inout ThriftReader, Int, ThriftType) throws(Fault) -> Void
    ) throws(Fault) {
        guard type == .structure else {
            throw Fault(position: position, detail: "expected a struct, found type \(type.rawValue)")
        }
        try structure(body)
    }
}

extension ParquetSchemaElement {
    fileprivate init(_ reader: inout ThriftReader, _ type: ThriftType) throws(ThriftReader.Fault) {
        var node = ParquetSchemaElement()
        var converted: Int?
        var precision = 0
        var scale = 0
        try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
            switch field {
            case 1:
                let value = try reader.integer(type)
                node.type = ParquetType(rawValue: value)
                if node.type == nil { node.logicalType = .other("physical type \(value)") }
            case 2: node.length = try reader.integer(type)
            case 3: node.repetition = ParquetRepetition(rawValue: try reader.integer(type))
            case 4: node.name = try reader.string(type)
            case 5: node.childCount = try reader.integer(type)
            case 6: converted = try reader.integer(type)
            case 7: scale = try reader.integer(type)
            case 8: precision = try reader.integer(type)
            case 10: node.logicalType = try ParquetLogicalType(&reader, type) ?? node.logicalType
            default: try reader.skip(type)
            }
        }
        if node.logicalType == nil, let converted {
            node.logicalType = ParquetLogicalType(converted: converted, precision: precision, scale: scale)
        }
        self = node
    }
}

extension ParquetLogicalType {
    private static let others = [2: "MAP", 13: "BSON", 16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY"]
    private static let plain: [Int: ParquetLogicalType] = [
        1: .string, 3: .list, 4: .enumeration, 6: .date, 11: .null, 12: .json, 14: .uuid, 15: .float16,
    ]

    /// The union LogicalType; `nil` when it is empty.
    fileprivate init?(_ reader: inout ThriftReader, _ type: ThriftType) throws(ThriftReader.Fault) {
        var result: ParquetLogicalType?
        try reader.element(type) { (reader, member, type) throws(ThriftReader.Fault) in
            switch member {
            case 5:
                let (scale, precision) = try reader.pair(type)
                result = .decimal(precision: precision, scale: scale)
            case 7: result = try ParquetLogicalType.clock(&reader, type, "TIME") { .time($0, isUTC: $1) }
            case 8: result = try ParquetLogicalType.clock(&reader, type, "TIMESTAMP") { .timestamp($0, isUTC: $1) }
            case 10:
                var bits = 0
                var isSigned = true
                try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
                    switch field {
                    case 1: bits = try reader.integer(type)
                    case 2: isSigned = try reader.bool(type)
                    default: try reader.skip(type)
                    }
                }
                result = .integer(bits: bits, isSigned: isSigned)
            default:
                result = Self.plain[member] ?? .other(Self.others[member] ?? "logical type \(member)")
                try reader.skip(type)
            }
        }
        guard let result else { return nil }
        self = result
    }

    /// TimeType and TimestampType, which have the same fields.
    private static func clock(
        _ reader: inout ThriftReader,
        _ type: ThriftType,
        _ name: String,
        _ make: (ParquetTimeUnit, Bool) -> ParquetLogicalType
    ) throws(ThriftReader.Fault) -> ParquetLogicalType {
        var isUTC = false
        var unit = 0
        try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
            switch field {
            case 1: isUTC = try reader.bool(type)
            case 2:
                try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
                    unit = field
                    try reader.skip(type)
                }
            default: try reader.skip(type)
            }
        }
        return ParquetTimeUnit(rawValue: unit).map { make($0, isUTC) } ?? .other("\(name) of unit \(unit)")
    }

    /// The older ConvertedType, for files that have no logical type.
    fileprivate init(converted: Int, precision: Int, scale: Int) {
        switch converted {
        case 0: self = .string
        case 3: self = .list
        case 4: self = .enumeration
        case 5: self = .decimal(precision: precision, scale: scale)
        case 6: self = .date
        case 7: self = .time(.milliseconds, isUTC: true)
        case 8: self = .time(.microseconds, isUTC: true)
        case 9: self = .timestamp(.milliseconds, isUTC: true)
        case 10: self = .timestamp(.microseconds, isUTC: true)
        case 11...14: self = .integer(bits: 8 << (converted - 11), isSigned: false)
        case 15...18: self = .integer(bits: 8 << (converted - 15), isSigned: true)
        case 19: self = .json
        default:
            let names = [1: "MAP", 2: "MAP_KEY_VALUE", 20: "BSON", 21: "INTERVAL"]
            self = .other(names[converted] ?? "converted type \(converted)")
        }
    }
}

extension ParquetRowGroup {
    fileprivate init(_ reader: inout ThriftReader, _ type: ThriftType) throws(ThriftReader.Fault) {
        var group = ParquetRowGroup()
        try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
            switch field {
            case 1:
                try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                    group.chunks.append(try ParquetChunk(&reader, element))
                }
            case 2: group.byteCount = try reader.integer(type)
            case 3: group.rowCount = try reader.integer(type)
            case 4:
                try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                    var sorting = ParquetSorting()
                    try reader.element(element) { (reader, field, type) throws(ThriftReader.Fault) in
                        switch field {
                        case 1: sorting.column = try reader.integer(type)
                        case 2: sorting.isDescending = try reader.bool(type)
                        case 3: sorting.nullsFirst = try reader.bool(type)
                        default: try reader.skip(type)
                        }
                    }
                    group.sorting.append(sorting)
                }
            default: try reader.skip(type)
            }
        }
        self = group
    }
}

extension ParquetChunk {
    fileprivate init(_ reader: inout ThriftReader, _ type: ThriftType) throws(ThriftReader.Fault) {
        var chunk = ParquetChunk()
        try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
            switch field {
            case 1:
                chunk.isExternal = true
                try reader.skip(type)
            case 3:
                try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
                    try chunk.readMetadata(&reader, field, type)
                }
            case 8:
                chunk.isEncrypted = true
                try reader.skip(type)
            default: try reader.skip(type)
            }
        }
        self = chunk
    }

    private mutating func readMetadata(
        _ reader: inout ThriftReader,
        _ field: Int,
        _ type: ThriftType
    ) throws(ThriftReader.Fault) {
        switch field {
        case 1: self.type = ParquetType(rawValue: try reader.integer(type))
        case 2:
            var encodings: [Int] = []
            try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                encodings.append(try reader.integer(element))
            }
            self.encodings = encodings
        case 3:
            var path: [String] = []
            try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                path.append(try reader.string(element))
            }
            self.path = path
        case 4: codec = try reader.integer(type)
        case 5: valueCount = try reader.integer(type)
        case 6: uncompressedSize = try reader.integer(type)
        case 7: compressedSize = try reader.integer(type)
        case 9: dataPageOffset = try reader.integer(type)
        case 11: dictionaryPageOffset = try reader.integer(type)
        case 12:
            var statistics = ParquetRawStatistics()
            try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
                switch field {
                case 1: statistics.legacyMaximum = try reader.binary(type)
                case 2: statistics.legacyMinimum = try reader.binary(type)
                case 3: statistics.nullCount = try reader.integer(type)
                case 5: statistics.maximum = try reader.binary(type)
                case 6: statistics.minimum = try reader.binary(type)
                default: try reader.skip(type)
                }
            }
            self.statistics = statistics
        default: try reader.skip(type)
        }
    }
}

extension ParquetPageHeader {
    init(_ reader: inout ThriftReader) throws(ThriftReader.Fault) {
        var header = ParquetPageHeader()
        try reader.structure { (reader, field, type) throws(ThriftReader.Fault) in
            switch field {
            case 1: header.kind = Kind(rawValue: try reader.integer(type))
            case 2: header.uncompressedSize = try reader.integer(type)
            case 3: header.compressedSize = try reader.integer(type)
            case 4: header.checksum = UInt32(truncatingIfNeeded: try reader.integer(type))
            case 5:
                try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
                    switch field {
                    case 1: header.valueCount = try reader.integer(type)
                    case 2: header.encoding = try reader.integer(type)
                    case 3: header.definitionEncoding = try reader.integer(type)
                    case 4: header.repetitionEncoding = try reader.integer(type)
                    default: try reader.skip(type)
                    }
                }
            case 7:
                try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
                    switch field {
                    case 1: header.valueCount = try reader.integer(type)
                    case 2: header.encoding = try reader.integer(type)
                    default: try reader.skip(type)
                    }
                }
            case 8:
                try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
                    switch field {
                    case 1: header.valueCount = try reader.integer(type)
                    case 4: header.encoding = try reader.integer(type)
                    case 5: header.definitionLength = try reader.integer(type)
                    case 6: header.repetitionLength = try reader.integer(type)
                    case 7: header.isCompressed = try reader.bool(type)
                    default: try reader.skip(type)
                    }
                }
            default: try reader.skip(type)
            }
        }
        self = header
    }
}
