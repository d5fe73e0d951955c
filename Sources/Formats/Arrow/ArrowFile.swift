import Columns

/// An Arrow IPC file or stream open for reading: its schema, and columns on demand.
///
/// Both the file format (Feather V2) and the stream format are read, in metadata versions V4 and V5, with bodies
/// uncompressed or compressed as LZ4 frames or Zstandard.
///
/// - Integers of all widths and signs are int64; times of day and durations are int64 microseconds.
/// - 16- and 32-bit floats are float32, and 64-bit ones float64.
/// - Strings and views of strings are string, binary of all layouts bytes, the extension type `arrow.uuid` string.
/// - Timestamps with a time zone, whatever its name, are instants; those without, and dates, go by `naiveTimestamps`.
/// - Decimals are int64 where they are integers of at most 18 digits, otherwise string with all digits of their scale.
/// - Lists of float of one length are vectors. Dictionaries are read as their values.
/// - Intervals, structs, maps, unions, run-end-encoded columns and list views are refused by name.
///
/// On request (`types`), 16- and 32-bit floats, integers up to 32 bits and decimals are read as float64, binary as
/// string and string as bytes, integral decimals as int64, and columns of type null as anything; other extension types
/// are read as what they are stored as.
///
/// The file is mapped and never trusted: damage throws `MalformedFile` with the byte offset. The columns of a batch may
/// together take 1 GiB, and 64 bytes for each byte of the file; what would take more is refused.
public struct ArrowFile: Sendable {
    /// The columns that can be read.
    ///
    /// Those that cannot are in `refusedColumns`.
    public let schema: Schema
    /// Columns of the file that are not read, with the reason.
    public let refusedColumns: [String: String]
    public let rowCount: Int
    public var batchCount: Int { batches.count }
    /// The schema's own pairs, in file order.
    public let metadata: [(String, String)]
    /// Whether the bytes are a stream, without a footer.
    public let isStream: Bool

    let bytes: FileBytes
    let fields: [ArrowField]
    let columns: [String: Selection]
    let batches: [Batch]
    /// The dictionary messages of each id, in the order in which they count.
    let dictionaries: [Int64: [DictionaryPart]]

    /// A column that can be read, and its place among the fields.
    struct Selection: Sendable {
        let index: Int
        let decoding: ArrowDecoding
    }

    struct Batch: Sendable {
        let message: ArrowMessage
        /// Its place among all messages.
        let order: Int
    }

    struct DictionaryPart: Sendable {
        let message: ArrowMessage
        let order: Int
        /// The message of the same id that this one, a delta, goes on from; for others its own position.
        let base: Int
    }

    /// The most bytes that a column may expand to: 1 GiB, and 64 for each byte of the file.
    static func expansionLimit(_ fileSize: Int) -> Int { 1 << 30 + 64 * fileSize }

    /// - Parameters:
    ///   - name: what errors call the bytes.
    ///   - naiveTimestamps: what timestamps without a time zone, and dates, mean.
    ///   - types: the types to read columns as, where they are not those that follow from the file.
    /// - Throws: `MalformedFile`.
    public init(
        bytes: [UInt8],
        name: String,
        naiveTimestamps: NaiveTimestamps = .refuse,
        types: [String: DataType] = [:]
    ) throws {
        try self.init(FileBytes(bytes, name: name), naiveTimestamps, types)
    }

    /// - Throws: `FileError`, `MalformedFile`.
    public init(
        path: String,
        naiveTimestamps: NaiveTimestamps = .refuse,
        types: [String: DataType] = [:]
    ) throws {
        try self.init(FileBytes(path: path), naiveTimestamps, types)
    }

    init(_ bytes: FileBytes, _ naive: NaiveTimestamps, _ types: [String: DataType]) throws {
        let messages = try bytes.withBytes { raw in
            Result { () throws(ArrowFault) in try ArrowMessages(raw) }.mapError { $0.file(bytes.name) }
        }.get()
        self.bytes = bytes
        fields = messages.schema.fields
        metadata = messages.schema.metadata
        isStream = messages.isStream
        batches = messages.batches
        dictionaries = messages.dictionaries
        rowCount = messages.batches.reduce(0) { $0 + $1.message.rowCount }
        var schema: [Field] = []
        var columns: [String: Selection] = [:]
        var refused: [String: String] = [:]
        for (index, field) in fields.enumerated() {
            guard columns[field.name] == nil, refused[field.name] == nil else {
                throw ArrowFault.unsupported("it has two columns called '\(field.name)'").file(bytes.name)
            }
            let rule = naive.rule(for: field.name)
            switch ArrowReading(field, requested: types[field.name], naive: rule) {
            case .refused(let reason): refused[field.name] = reason
            case .decoded(let decoding):
                let reader = ArrowColumnReader(
                    index: index,
                    decoding,
                    dictionaries: field.dictionary.flatMap { messages.dictionaries[$0.id] } ?? [],
                    limit: Self.expansionLimit(bytes.count)
                )
                switch try Self.type(reader, fields, batches, bytes) {
                case .success(let type):
                    schema.append(Field(field.name, type))
                    let fixed = ArrowDecoding(field: field, target: .type(type), naive: rule)
                    columns[field.name] = Selection(index: index, decoding: fixed)
                case .failure(let fault): refused[field.name] = fault.detail
                }
            }
        }
        self.schema = Schema(schema)
        self.columns = columns
        refusedColumns = refused
    }

    /// The type of a column, for which lists are read as far as their first row that has a value.
    ///
    /// What makes a column unreadable is given back; damage is thrown.
    private static func type(
        _ reader: ArrowColumnReader,
        _ fields: [ArrowField],
        _ batches: [Batch],
        _ bytes: FileBytes
    ) throws(MalformedFile) -> Result<DataType, ArrowFault> {
        if case .type(let type) = reader.decoding.target { return .success(type) }
        var readers = [reader]
        let outcome = bytes.withBytes { raw in
            Result { () throws(ArrowFault) in
                let scratch = ArrowScratch()
                for batch in batches where readers[0].builder.dimension == nil {
                    try ArrowColumnReader.read(&readers, batch, fields, raw, scratch)
                }
            }
        }
        switch outcome {
        case .failure(let fault) where fault.reason == .malformed: throw fault.file(bytes.name)
        case .failure(let fault): return .failure(fault)
        case .success:
            guard let dimension = readers[0].builder.dimension else {
                return .failure(.unsupported("it is a list, and has no row to tell the length of its vectors"))
            }
            return .success(.vector(dimension: dimension))
        }
    }
}

extension ArrowFile {
    /// Reads one record batch.
    ///
    /// - Parameter columns: the columns wanted, in this order; `nil` for all of the file's.
    /// - Throws: `MalformedFile` for damage, and for columns that are missing or not read.
    /// - Precondition: the batch exists, and no column is named twice.
    public func read(batch: Int, columns: [String]? = nil) throws(MalformedFile) -> RecordBatch {
        precondition(batches.indices.contains(batch), "no batch \(batch) of \(batchCount)")
        return try read(batches[batch...batch], columns)
    }

    /// Reads all record batches into one.
    ///
    /// - Parameter columns: the columns wanted, in this order; `nil` for all of the file's.
    public func read(columns: [String]? = nil) throws(MalformedFile) -> RecordBatch {
        try read(batches[...], columns)
    }

    private func refusal(_ detail: String) -> MalformedFile { ArrowFault.unsupported(detail).file(bytes.name) }

    private func read(_ batches: ArraySlice<Batch>, _ names: [String]?) throws(MalformedFile) -> RecordBatch {
        if names == nil, let (name, reason) = refusedColumns.min(by: { $0.key < $1.key }) {
            throw refusal("column '\(name)': \(reason); or name the columns to read")
        }
        let rowCount = batches.reduce(0) { $0 + $1.message.rowCount }
        let limit = Self.expansionLimit(bytes.count)
        let names = names ?? schema.fields.map(\.name)
        var readers: [ArrowColumnReader] = []
        for name in names {
            if let reason = refusedColumns[name] { throw refusal("column '\(name)': \(reason)") }
            guard let column = columns[name] else {
                let present = schema.fields.map { "'\($0.name)'" }.joined(separator: ", ")
                throw refusal("no column '\(name)'; the file has \(present)")
            }
            var reader = ArrowColumnReader(
                index: column.index,
                column.decoding,
                dictionaries: column.decoding.field.dictionary.flatMap { dictionaries[$0.id] } ?? [],
                limit: limit
            )
            // What a file says of its rows is not believed beyond what its size makes likely.
            reader.builder.reserve(rowCount, bytes: limit / 8 / names.count)
            readers.append(reader)
        }
        let outcome = bytes.withBytes { raw in
            Result { () throws(ArrowFault) in
                let scratch = ArrowScratch()
                for batch in batches { try ArrowColumnReader.read(&readers, batch, fields, raw, scratch) }
            }
        }
        if case .failure(let fault) = outcome { throw fault.file(bytes.name) }
        let columns = readers.compactMap { $0.builder.finish() }
        let schema = Schema(zip(names, columns).map { Field($0, $1.type) })
        return RecordBatch(schema: schema, columns: columns, rowCount: rowCount)
    }
}
