/// Decoding of the footer and page headers. Unknown fields are skipped, as Thrift requires.

extension ParquetFooter {
    init(_ reader: inout ThriftReader) throws(ThriftReader.Fault) {
        var footer = ParquetFooter()
        try reader.structure { (reader, field, type) throws(ThriftReader.Fault) in
            switch field {
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
            default: try reader.skip(type)
            }
        }
        self = footer
    }
}

extension ThriftReader {
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
        try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
            switch field {
            case 1:
                let value = try reader.integer(type)
                node.type = ParquetType(rawValue: value)
                if node.type == nil { node.logicalType = .other("physical type \(value)") }
            case 3: node.repetition = ParquetRepetition(rawValue: try reader.integer(type))
            case 4: node.name = try reader.string(type)
            case 5: node.childCount = try reader.integer(type)
            case 6: converted = try reader.integer(type)
            case 10: node.logicalType = try ParquetLogicalType(&reader, type) ?? node.logicalType
            default: try reader.skip(type)
            }
        }
        if node.logicalType == nil, let converted { node.logicalType = ParquetLogicalType(converted: converted) }
        self = node
    }
}

extension ParquetLogicalType {
    private static let names = [
        2: "MAP", 5: "DECIMAL", 6: "DATE", 7: "TIME", 11: "NULL", 13: "BSON", 14: "UUID", 15: "FLOAT16",
        16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY",
    ]

    /// The union LogicalType; `nil` when it is empty.
    fileprivate init?(_ reader: inout ThriftReader, _ type: ThriftType) throws(ThriftReader.Fault) {
        var result: ParquetLogicalType?
        try reader.element(type) { (reader, member, type) throws(ThriftReader.Fault) in
            switch member {
            case 1, 4, 12:
                result = .string
                try reader.skip(type)
            case 3:
                result = .list
                try reader.skip(type)
            case 8:
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
                let scales = [1: 1_000, 2: 1_000_000, 3: 1_000_000_000]
                result =
                    scales[unit].map { .timestamp(unitsPerSecond: $0, isUTC: isUTC) }
                    ?? .other("TIMESTAMP of unit \(unit)")
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
                result = .other(Self.names[member] ?? "logical type \(member)")
                try reader.skip(type)
            }
        }
        guard let result else { return nil }
        self = result
    }

    /// The older ConvertedType, for files that have no logical type.
    fileprivate init(converted: Int) {
        switch converted {
        case 0, 4, 19: self = .string
        case 3: self = .list
        case 9: self = .timestamp(unitsPerSecond: 1_000, isUTC: true)
        case 10: self = .timestamp(unitsPerSecond: 1_000_000, isUTC: true)
        case 11...14: self = .integer(bits: 8 << (converted - 11), isSigned: false)
        case 15...18: self = .integer(bits: 8 << (converted - 15), isSigned: true)
        default:
            let names = [1: "MAP", 2: "MAP_KEY_VALUE", 5: "DECIMAL", 6: "DATE", 7: "TIME", 8: "TIME", 20: "BSON"]
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
            case 3: group.rowCount = try reader.integer(type)
            case 4:
                try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                    var column = 0
                    var isDescending = false
                    var nullsFirst = false
                    try reader.element(element) { (reader, field, type) throws(ThriftReader.Fault) in
                        switch field {
                        case 1: column = try reader.integer(type)
                        case 2: isDescending = try reader.bool(type)
                        case 3: nullsFirst = try reader.bool(type)
                        default: try reader.skip(type)
                        }
                    }
                    group.sorting.append((column, isDescending, nullsFirst))
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
        case 3:
            var path: [String] = []
            try reader.list(type) { (reader, element) throws(ThriftReader.Fault) in
                path.append(try reader.string(element))
            }
            self.path = path
        case 4: codec = try reader.integer(type)
        case 5: valueCount = try reader.integer(type)
        case 7: compressedSize = try reader.integer(type)
        case 9: dataPageOffset = try reader.integer(type)
        case 11: dictionaryPageOffset = try reader.integer(type)
        case 12:
            var statistics = ParquetRawStatistics()
            try reader.element(type) { (reader, field, type) throws(ThriftReader.Fault) in
                switch field {
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
