import ArgumentParser
import Columns
import Formats
import Foundation

struct Convert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a table file again in another format.",
        discussion: """
            Goes between CSV, Parquet and Arrow (IPC file, Feather 2, or stream) by the files' extensions: .csv .tsv \
            .parquet .arrow .feather .ipc, and .arrows for a stream. Values are kept bit for bit, but that CSV has one \
            NaN; a column that cannot be kept is refused by name, and nothing is written. Rows go through in batches, so \
            memory does not grow with the file.

            A CSV file's types are found from all of its cells; --types names those you know. --types also converts where \
            no value can change: a decimal to string, say.

              lockstep convert flights.parquet flights.arrow --compression zstd
              lockstep convert flights.parquet flights.csv --columns origin,delay
              lockstep convert weather.csv weather.parquet --null NA \\
                --timezone America/New_York
              lockstep convert export.txt export.parquet --from csv --delimiter ';' \\
                --types 'zip=string,v=vector<float32, 3>'
            """
    )

    @Argument(help: ArgumentHelp("The file to read.", valueName: "in"))
    var input: String
    @Argument(help: ArgumentHelp("The file to write; it is replaced whole, at the end.", valueName: "out"))
    var output: String
    @Option(help: ArgumentHelp("csv, parquet or arrow; by the extension where left out.", valueName: "format"))
    var from: TableFormat?
    @Option(help: ArgumentHelp("csv, parquet or arrow; by the extension where left out.", valueName: "format"))
    var to: TableFormat?
    @OptionGroup var reading: TableReadingOptions
    @Option(help: ArgumentHelp("Types to read columns as, such as zip=string.", valueName: "name=type,…"))
    var types: String?
    @Option(help: "lz4, zstd or none, of Parquet and Arrow; lz4 where left out.")
    var compression: TableCompression?
    @Option(help: ArgumentHelp("Rows of a Parquet row group; 131072 where left out.", valueName: "rows"))
    var rowGroupRows: Int?
    @Option(help: ArgumentHelp("Record in a Parquet file that rows ascend by these; not checked.", valueName: "a,b,…"))
    var sortedBy: String?
    @Flag(help: "Print JSON: input, output, format, rows, columns, bytes, seconds.")
    var json = false

    func validate() throws {
        if let rowGroupRows, rowGroupRows < 1 { throw ValidationError("--row-group-rows is at least 1") }
    }

    func run() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let (rows, columns, bytes, format) = try convert()
        let duration = (clock.now - start).components
        let seconds = Double(duration.seconds) + Double(duration.attoseconds) / 1e18
        let rounded = (seconds * 1_000).rounded() / 1_000
        if json {
            let message: JSON = .object([
                "input": .string(input), "output": .string(output), "format": .string(format.rawValue),
                "rows": .int(rows), "columns": .int(columns), "bytes": .int(bytes), "seconds": .double(rounded),
            ])
            return print(message.text)
        }
        print("\(output): \(rows) rows, \(columns) columns, \(bytes) bytes in \(rounded) s")
    }

    private func convert() throws -> (rows: Int, columns: Int, bytes: Int, format: TableFormat) {
        guard let format = to ?? TableFormat(path: output) else {
            throw UsageError(
                "the extension of '\(output)' names no table format; name one with --to csv, parquet or arrow"
            )
        }
        try refuseUnusedOptions(format)
        if isSameFile(input, output) {
            throw UsageError("'\(input)' and '\(output)' are the same file; write to another name")
        }
        let types = try ColumnTypes(types ?? "")
        var reader = try TableReader(
            path: input,
            format: from,
            columns: try reading.names(),
            types: types.byName,
            options: try reading.csvOptions(path: input)
        )
        for (name, type) in types.byName.sorted(by: { $0.key < $1.key }) where reader.schema.type(of: name) != type {
            throw UsageError("--types names column '\(name)', which is not among those converted; leave it out")
        }
        var arrow = ArrowOptions(path: output)
        var parquet = ParquetOptions()
        if let compression {
            arrow.compression = compression.arrow
            parquet.compression = compression.parquet
        }
        if let rowGroupRows { parquet.rowGroupRows = rowGroupRows }
        if let sortedBy { parquet.sortedBy = try ColumnNames(sortedBy).names }
        var writer = try TableWriter(
            path: output,
            format: format,
            schema: reader.schema,
            parquet: parquet,
            arrow: arrow,
            csv: CSVOptions(path: output)
        )
        defer { Terminal.endProgress() }
        while let batch = try reader.next() {
            try writer.append(batch)
            if Terminal.showsProgress { Terminal.progress("converting", writer.rowCount, reader.rowCount ?? 0) }
        }
        let (rows, columns) = (writer.rowCount, writer.schema.count)
        return (rows, columns, try writer.finish(), format)
    }

    /// An option that would do nothing is a mistake.
    private func refuseUnusedOptions(_ format: TableFormat) throws {
        if compression != nil, format == .csv {
            throw UsageError("CSV is not compressed; leave --compression out, or write Parquet or Arrow")
        }
        if rowGroupRows != nil || sortedBy != nil, format != .parquet {
            throw UsageError("--row-group-rows and --sorted-by belong to Parquet; '\(output)' is \(format.rawValue)")
        }
    }

    /// Whether two paths lead to one file, by whatever links.
    private func isSameFile(_ left: String, _ right: String) -> Bool {
        var leftStatus = stat()
        var rightStatus = stat()
        guard stat(left, &leftStatus) == 0, stat(right, &rightStatus) == 0 else { return false }
        return leftStatus.st_dev == rightStatus.st_dev && leftStatus.st_ino == rightStatus.st_ino
    }
}

/// How a file's data are compressed, where its format has compression.
enum TableCompression: String, ExpressibleByArgument {
    case lz4
    case zstd
    case none

    var parquet: ParquetOptions.Compression {
        switch self {
        case .lz4: .lz4
        case .zstd: .zstd
        case .none: .none
        }
    }

    var arrow: ArrowOptions.Compression {
        switch self {
        case .lz4: .lz4
        case .zstd: .zstd
        case .none: .none
        }
    }
}
