import CArrow

extension ArrowField {
    /// The field that a schema of the C data interface describes.
    init(_ schema: ArrowSchema, depth: Int = 1) throws(ArrowFault) {
        guard depth <= Self.maximumDepth else {
            throw ArrowFault("its types are nested more than \(Self.maximumDepth) deep")
        }
        guard schema.release != nil else { throw ArrowFault("its schema is released already") }
        guard let text = schema.format else { throw ArrowFault("its schema has no format") }
        let format = String(cString: text)
        let (type, index) = try ArrowType.parse(format, hasDictionary: schema.dictionary != nil)
        self.name = schema.name.map { String(cString: $0) } ?? ""
        self.isNullable = schema.flags & Int64(ARROW_FLAG_NULLABLE) != 0
        self.extensionName = Self.extensionName(schema.metadata)
        var children: [ArrowField] = []
        guard schema.n_children >= 0, schema.n_children <= 1 << 24 else {
            throw ArrowFault("field '\(name)' has \(schema.n_children) children")
        }
        for place in 0..<Int(schema.n_children) {
            guard let child = schema.children?[place] else { throw ArrowFault("field '\(name)' lacks a child") }
            children.append(try ArrowField(child.pointee, depth: depth + 1))
        }
        if let index, let values = schema.dictionary {
            let field = try ArrowField(values.pointee, depth: depth + 1)
            guard field.dictionary == nil, children.isEmpty else {
                throw .unsupported("field '\(name)' has a dictionary inside its dictionary")
            }
            self.type = field.type
            self.children = field.children
            self.extensionName = extensionName ?? field.extensionName
            let isOrdered = schema.flags & Int64(ARROW_FLAG_DICTIONARY_ORDERED) != 0
            self.dictionary = ArrowDictionaryEncoding(
                id: 0,
                indexBits: index.bits,
                indexIsSigned: index.isSigned,
                isOrdered: isOrdered
            )
        } else {
            self.type = type
            self.children = children
            self.dictionary = nil
        }
        if let structureFault { throw ArrowFault("field '\(name)': \(structureFault)") }
    }

    /// The name of the extension type in metadata of the C data interface: a count, then keys and values with lengths.
    private static func extensionName(_ metadata: UnsafePointer<CChar>?) -> String? {
        guard let metadata else { return nil }
        var place = UnsafeRawPointer(metadata)
        func number() -> Int {
            defer { place += 4 }
            return Int(place.loadUnaligned(as: Int32.self))
        }
        func text() -> String {
            let bytes = UnsafeRawBufferPointer(start: place + 4, count: max(0, number()))
            place += bytes.count
            return String(decoding: bytes, as: UTF8.self)
        }
        for _ in 0..<max(0, number()) {
            let (key, value) = (text(), text())
            if key == extensionKey { return value }
        }
        return nil
    }
}

extension ArrowType {
    /// The type that a format string of the C data interface names.
    ///
    /// With a dictionary the string names the type of the indices, which comes second.
    fileprivate static func parse(
        _ format: String,
        hasDictionary: Bool
    ) throws(ArrowFault) -> (ArrowType, index: (bits: Int, isSigned: Bool)?) {
        guard let type = simple[format] ?? parametrized(format) else {
            throw .unsupported("its format is '\(format)', which is not known")
        }
        guard hasDictionary else { return (type, nil) }
        guard case .int(let bits, let isSigned) = type else {
            throw ArrowFault("the indices of a dictionary have format '\(format)', which is no integer")
        }
        return (type, (bits, isSigned))
    }

    private static let simple: [String: ArrowType] = [
        "n": .null, "b": .bool,
        "c": .int(bits: 8, isSigned: true), "C": .int(bits: 8, isSigned: false),
        "s": .int(bits: 16, isSigned: true), "S": .int(bits: 16, isSigned: false),
        "i": .int(bits: 32, isSigned: true), "I": .int(bits: 32, isSigned: false),
        "l": .int(bits: 64, isSigned: true), "L": .int(bits: 64, isSigned: false),
        "e": .float(bits: 16), "f": .float(bits: 32), "g": .float(bits: 64),
        "z": .binary(isLarge: false), "Z": .binary(isLarge: true), "vz": .binaryView,
        "u": .utf8(isLarge: false), "U": .utf8(isLarge: true), "vu": .utf8View,
        "tdD": .date(.day), "tdm": .date(.millisecond),
        "tts": .time(.second), "ttm": .time(.millisecond), "ttu": .time(.microsecond), "ttn": .time(.nanosecond),
        "tDs": .duration(.second), "tDm": .duration(.millisecond), "tDu": .duration(.microsecond),
        "tDn": .duration(.nanosecond),
        "tiM": .interval, "tiD": .interval, "tin": .interval,
        "+l": .list(isLarge: false), "+L": .list(isLarge: true),
        "+vl": .listView(isLarge: false), "+vL": .listView(isLarge: true),
        "+s": .structure, "+m": .map, "+r": .runEndEncoded,
    ]

    private static let timestamps: [(String, ArrowTimeUnit)] = [
        ("tss:", .second), ("tsm:", .millisecond), ("tsu:", .microsecond), ("tsn:", .nanosecond),
    ]

    private static func parametrized(_ format: String) -> ArrowType? {
        for (prefix, unit) in timestamps where format.hasPrefix(prefix) {
            let zone = String(format.dropFirst(prefix.count))
            return .timestamp(unit, zone: zone.isEmpty ? nil : zone)
        }
        guard let colon = format.firstIndex(of: ":") else { return nil }
        let kind = format[..<colon]
        if kind == "+ud" || kind == "+us" { return .union(isDense: kind == "+ud") }
        var numbers: [Int] = []
        for digits in format[format.index(after: colon)...].split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Int(digits) else { return nil }
            numbers.append(number)
        }
        switch (kind, numbers.count) {
        case ("w", 1): return .fixedSizeBinary(width: numbers[0])
        case ("+w", 1): return .fixedSizeList(count: numbers[0])
        case ("d", 2): return .decimal(precision: numbers[0], scale: numbers[1], bits: 128)
        case ("d", 3): return .decimal(precision: numbers[0], scale: numbers[1], bits: numbers[2])
        default: return nil
        }
    }
}
