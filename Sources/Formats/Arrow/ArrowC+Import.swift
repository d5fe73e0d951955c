import CArrow
import Columns

/// Data of the Arrow C interfaces that cannot be taken over.
public struct ArrowImportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The column, where it is one.
    public let column: String?
    public let detail: String

    public var description: String {
        "cannot import Arrow data: " + (column.map { "column '\($0)': " } ?? "") + detail
    }

    init(_ fault: ArrowFault, column: String? = nil) {
        self.column = column
        detail = fault.detail
    }
}

extension ArrowC {
    /// Copies a record batch out of a struct array, and releases the array and its schema.
    ///
    /// Types are read as `ArrowFile` reads them. Both structures are released exactly once, also when this throws;
    /// values are copied before that.
    ///
    /// - Parameters:
    ///   - columns: the columns wanted, in this order; `nil` for all.
    ///   - naiveTimestamps: what timestamps without a time zone, and dates, mean.
    ///   - types: the types to read columns as, where they are not those that follow from the schema.
    /// - Throws: `ArrowImportError`.
    /// - Precondition: no column is named twice.
    public static func importBatch(
        _ array: UnsafeMutablePointer<ArrowArray>,
        _ schema: UnsafeMutablePointer<ArrowSchema>,
        columns: [String]? = nil,
        naiveTimestamps: NaiveTimestamps = .refuse,
        types: [String: DataType] = [:]
    ) throws(ArrowImportError) -> RecordBatch {
        defer {
            array.pointee.release?(array)
            schema.pointee.release?(schema)
        }
        var table = try ArrowCTable(schema.pointee, columns, naiveTimestamps, types)
        try table.append(array.pointee)
        return try table.finish()
    }

    /// Copies a column out of an array, and releases the array and its schema.
    ///
    /// The name in errors and in `naiveTimestamps` is that of the schema. Otherwise as `importBatch`.
    ///
    /// - Throws: `ArrowImportError`.
    public static func importColumn(
        _ array: UnsafeMutablePointer<ArrowArray>,
        _ schema: UnsafeMutablePointer<ArrowSchema>,
        naiveTimestamps: NaiveTimestamps = .refuse,
        type: DataType? = nil
    ) throws(ArrowImportError) -> Column {
        defer {
            array.pointee.release?(array)
            schema.pointee.release?(schema)
        }
        let field = try ArrowCTable.checked { () throws(ArrowFault) in try ArrowField(schema.pointee) }
        var builder = try ArrowCTable.builder(field, type, naiveTimestamps)
        try ArrowCTable.checked(field.name) { () throws(ArrowFault) in
            try ArrowCTable.append(ArrowMemory(array.pointee, field), &builder)
        }
        return try ArrowCTable.finish(builder)
    }

    /// Copies all batches of a stream into one, and releases the stream.
    ///
    /// As `importBatch`. Each array is released before the next is asked for.
    ///
    /// - Throws: `ArrowImportError`, also where the stream reports an error.
    /// - Precondition: no column is named twice.
    public static func importStream(
        _ stream: UnsafeMutablePointer<ArrowArrayStream>,
        columns: [String]? = nil,
        naiveTimestamps: NaiveTimestamps = .refuse,
        types: [String: DataType] = [:]
    ) throws(ArrowImportError) -> RecordBatch {
        defer { stream.pointee.release?(stream) }
        func check(_ code: Int32?) throws(ArrowImportError) {
            if code == 0 { return }
            guard stream.pointee.release != nil, let code else {
                throw ArrowImportError(ArrowFault("the stream is released already"))
            }
            let text = stream.pointee.get_last_error?(stream).map { String(cString: $0) } ?? "error \(code)"
            throw ArrowImportError(ArrowFault("the stream reports: \(text)"))
        }
        var schema = ArrowSchema()
        try check(stream.pointee.release == nil ? nil : stream.pointee.get_schema?(stream, &schema))
        defer { schema.release?(&schema) }
        var table = try ArrowCTable(schema, columns, naiveTimestamps, types)
        while true {
            var array = ArrowArray()
            try check(stream.pointee.get_next?(stream, &array))
            guard array.release != nil else { break }
            defer { array.release?(&array) }
            try table.append(array)
        }
        return try table.finish()
    }
}

/// The columns that are collected from struct arrays of one schema.
private struct ArrowCTable {
    private let root: ArrowField
    private let places: [Int]
    private var builders: [ArrowColumnBuilder]
    private var rowCount = 0

    /// No column from memory takes more than this: 64 TiB.
    private static let limit = 1 << 46

    init(
        _ schema: ArrowSchema,
        _ columns: [String]?,
        _ naive: NaiveTimestamps,
        _ types: [String: DataType]
    ) throws(ArrowImportError) {
        root = try Self.checked { () throws(ArrowFault) in try ArrowField(schema) }
        guard root.type == .structure, root.dictionary == nil else {
            throw ArrowImportError(ArrowFault("its type is \(root.typeText), not a struct of columns"))
        }
        var byName: [String: Int] = [:]
        for (place, field) in root.children.enumerated() where byName.updateValue(place, forKey: field.name) != nil {
            throw ArrowImportError(ArrowFault("it has two columns called '\(field.name)'"))
        }
        var places: [Int] = []
        var builders: [ArrowColumnBuilder] = []
        for name in columns ?? root.children.map(\.name) {
            guard let place = byName[name] else {
                throw ArrowImportError(ArrowFault("there is no such column"), column: name)
            }
            places.append(place)
            builders.append(try Self.builder(root.children[place], types[name], naive))
        }
        self.places = places
        self.builders = builders
    }

    static func checked<Result>(
        _ column: String? = nil,
        _ body: () throws(ArrowFault) -> Result
    ) throws(ArrowImportError) -> Result {
        do throws(ArrowFault) { return try body() } catch { throw ArrowImportError(error, column: column) }
    }

    static func builder(
        _ field: ArrowField,
        _ type: DataType?,
        _ naive: NaiveTimestamps
    ) throws(ArrowImportError) -> ArrowColumnBuilder {
        switch ArrowReading(field, requested: type, naive: naive.rule(for: field.name)) {
        case .refused(let reason): throw ArrowImportError(ArrowFault(reason), column: field.name)
        case .decoded(let decoding): return ArrowColumnBuilder(decoding, limit: limit)
        }
    }

    static func append(_ memory: ArrowMemory, _ builder: inout ArrowColumnBuilder) throws(ArrowFault) {
        guard let values = memory.dictionary.first else { return try builder.append(memory, entries: nil) }
        var entries = ArrowColumnBuilder(builder.decoding.entries, limit: limit)
        try entries.append(values, entries: nil)
        try builder.append(memory, entries: entries)
    }

    static func finish(_ builder: ArrowColumnBuilder) throws(ArrowImportError) -> Column {
        guard let column = builder.finish() else {
            let fault = ArrowFault("it is a list, and has no row to tell the length of its vectors; name a type")
            throw ArrowImportError(fault, column: builder.decoding.field.name)
        }
        return column
    }

    mutating func append(_ array: ArrowArray) throws(ArrowImportError) {
        let batch = try Self.checked { () throws(ArrowFault) in
            let batch = try rows(array)
            guard try ArrowValidity(batch).bits == nil else {
                throw .unsupported("rows are null as a whole; make their columns null instead")
            }
            return batch
        }
        for (index, place) in places.enumerated() {
            try Self.checked(root.children[place].name) { () throws(ArrowFault) in
                try Self.append(batch.column(place), &builders[index])
            }
        }
        rowCount += batch.length
    }

    /// The memory of a struct array, of its columns only those that are wanted.
    private func rows(_ array: ArrowArray) throws(ArrowFault) -> ArrowMemory {
        guard array.n_children == Int64(root.children.count) else {
            throw ArrowFault("an array has \(array.n_children) columns, its schema \(root.children.count)")
        }
        var shell = array
        shell.n_children = 0
        var field = root
        field.children = []
        var memory = try ArrowMemory(shell, field)
        let nothing = ArrowMemory(length: 0, buffers: [])
        memory.children = [ArrowMemory](repeating: nothing, count: root.children.count)
        for place in places {
            guard let child = array.children?[place] else { throw ArrowFault("an array lacks a column") }
            memory.children[place] = try ArrowMemory(child.pointee, root.children[place])
        }
        return memory
    }

    func finish() throws(ArrowImportError) -> RecordBatch {
        var fields: [Field] = []
        var columns: [Column] = []
        for builder in builders {
            let column = try Self.finish(builder)
            fields.append(Field(builder.decoding.field.name, column.type))
            columns.append(column)
        }
        return RecordBatch(schema: Schema(fields), columns: columns, rowCount: rowCount)
    }
}
