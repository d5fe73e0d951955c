/// The schema of an Arrow file or stream, from its FlatBuffers form (format/Schema.fbs).
struct ArrowSchemaMessage: Sendable {
    var fields: [ArrowField]
    var metadata: [(String, String)]

    /// - Parameter budget: what may be read from the metadata that the table stands in.
    init(_ table: FlatTable, _ budget: inout FlatBudget) throws(ArrowFault) {
        guard try table.integer(0, default: Int16(0)) == 0 else {
            throw .unsupported("it is big-endian; write it on a little-endian machine", at: table.position)
        }
        fields = try ArrowField.vector(table, slot: 1, depth: 1, &budget)
        metadata = try Self.pairs(table, slot: 2, &budget)
    }

    static func pairs(
        _ table: FlatTable,
        slot: Int,
        _ budget: inout FlatBudget
    ) throws(ArrowFault) -> [(String, String)] {
        var pairs: [(String, String)] = []
        try table.forEachTable(slot, &budget) { pair, budget throws(ArrowFault) in
            pairs.append((try pair.string(0, &budget) ?? "", try pair.string(1, &budget) ?? ""))
        }
        return pairs
    }
}

extension ArrowField {
    /// Nesting beyond this is taken for damage.
    static let maximumDepth = 64

    fileprivate static func vector(
        _ table: FlatTable,
        slot: Int,
        depth: Int,
        _ budget: inout FlatBudget
    ) throws(ArrowFault) -> [ArrowField] {
        guard depth <= maximumDepth else {
            throw ArrowFault("its types are nested more than \(maximumDepth) deep", at: table.position)
        }
        var fields: [ArrowField] = []
        try table.forEachTable(slot, &budget) { child, budget throws(ArrowFault) in
            fields.append(try ArrowField(child, depth: depth, &budget))
        }
        return fields
    }

    private init(_ table: FlatTable, depth: Int, _ budget: inout FlatBudget) throws(ArrowFault) {
        name = try table.string(0, &budget) ?? ""
        isNullable = try table.bool(1)
        children = try Self.vector(table, slot: 5, depth: depth + 1, &budget)
        type = try ArrowType(id: table.integer(2, default: UInt8(0)), table.table(3), of: table, &budget)
        extensionName = try ArrowSchemaMessage.pairs(table, slot: 6, &budget).last { $0.0 == Self.extensionKey }?.1
        if let encoding = try table.table(4) {
            let index = try encoding.table(1)
            dictionary = ArrowDictionaryEncoding(
                id: try encoding.integer(0, default: Int64(0)),
                indexBits: Int(try index?.integer(0, default: Int32(0)) ?? 32),
                indexIsSigned: try index?.bool(1) ?? true,
                isOrdered: try encoding.bool(2)
            )
        }
        if let fault = structureFault { throw ArrowFault("field '\(name)': \(fault)", at: table.position) }
    }

    /// What is wrong with the field's widths and children, if anything.
    var structureFault: String? {
        if let dictionary, ![8, 16, 32, 64].contains(dictionary.indexBits) {
            return "a dictionary index of \(dictionary.indexBits) bits"
        }
        let expected: ClosedRange<Int>
        switch type {
        case .int(let bits, _):
            guard [8, 16, 32, 64].contains(bits) else { return "an integer of \(bits) bits" }
            expected = 0...0
        case .decimal(_, _, let bits):
            guard [32, 64, 128, 256].contains(bits) else { return "a decimal of \(bits) bits" }
            expected = 0...0
        case .fixedSizeBinary(let width):
            guard width >= 0 else { return "values of \(width) bytes" }
            expected = 0...0
        case .fixedSizeList(let count):
            guard count >= 0 else { return "lists of \(count) elements" }
            expected = 1...1
        case .list, .listView, .map: expected = 1...1
        case .runEndEncoded: expected = 2...2
        case .structure, .union: return nil
        default: expected = 0...0
        }
        return expected.contains(children.count) ? nil : "it has \(children.count) child fields"
    }
}

extension ArrowType {
    /// - Parameters:
    ///   - id: the member of the `Type` union.
    ///   - table: that member's table, which types without parameters may leave out.
    fileprivate init(
        id: UInt8,
        _ table: FlatTable?,
        of field: FlatTable,
        _ budget: inout FlatBudget
    ) throws(ArrowFault) {
        func number(_ slot: Int, default absent: Int32 = 0) throws(ArrowFault) -> Int {
            Int(try table?.integer(slot, default: absent) ?? absent)
        }
        func unit(_ slot: Int, default absent: ArrowTimeUnit) throws(ArrowFault) -> ArrowTimeUnit {
            let raw = try table?.integer(slot, default: absent.rawValue) ?? absent.rawValue
            guard let unit = ArrowTimeUnit(rawValue: raw) else {
                throw ArrowFault("time unit \(raw)", at: field.position)
            }
            return unit
        }
        switch id {
        case 1: self = .null
        case 2: self = .int(bits: try number(0), isSigned: try table?.bool(1) ?? false)
        case 3:
            let precision = try table?.integer(0, default: Int16(0)) ?? 0
            guard (0...2).contains(precision) else { throw ArrowFault("precision \(precision)", at: field.position) }
            self = .float(bits: 16 << Int(precision))
        case 4: self = .binary(isLarge: false)
        case 5: self = .utf8(isLarge: false)
        case 6: self = .bool
        case 7: self = .decimal(precision: try number(0), scale: try number(1), bits: try number(2, default: 128))
        case 8:
            let raw = try table?.integer(0, default: Int16(1)) ?? 1
            guard let unit = ArrowDateUnit(rawValue: raw) else {
                throw ArrowFault("date unit \(raw)", at: field.position)
            }
            self = .date(unit)
        case 9:
            let unit = try unit(0, default: .millisecond)
            self = .time(unit)
            let bits = try number(1, default: 32)
            guard bits == (self.width ?? 0) * 8 else {
                throw ArrowFault("a time in \(unit.symbol) of \(bits) bits", at: field.position)
            }
        case 10:
            let zone = try table?.string(1, &budget)
            self = .timestamp(try unit(0, default: .second), zone: zone == "" ? nil : zone)
        case 11: self = try Self.interval(table, at: field.position)
        case 12: self = .list(isLarge: false)
        case 13: self = .structure
        case 14: self = .union(isDense: try table?.integer(0, default: Int16(0)) == 1)
        case 15: self = .fixedSizeBinary(width: try number(0))
        case 16: self = .fixedSizeList(count: try number(0))
        case 17: self = .map
        case 18: self = .duration(try unit(0, default: .millisecond))
        case 19: self = .binary(isLarge: true)
        case 20: self = .utf8(isLarge: true)
        case 21: self = .list(isLarge: true)
        case 22: self = .runEndEncoded
        case 23: self = .binaryView
        case 24: self = .utf8View
        case 25: self = .listView(isLarge: false)
        case 26: self = .listView(isLarge: true)
        // The buffers of an unknown type cannot be told from those of the columns after it.
        default: throw .unsupported("a column has type \(id), which is not known", at: field.position)
        }
    }

    private static func interval(_ table: FlatTable?, at position: Int) throws(ArrowFault) -> ArrowType {
        let unit = try table?.integer(0, default: Int16(0)) ?? 0
        guard (0...2).contains(unit) else { throw ArrowFault("interval unit \(unit)", at: position) }
        return .interval
    }
}
