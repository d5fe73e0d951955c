import ArgumentParser
import Columns
import Formats
import Wire

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a table file holds: columns, layout, statistics and the first rows.",
        discussion: """
            Reads CSV, Parquet and Arrow (IPC file, Feather 2, or stream) by the file's extension: .csv .tsv .parquet \
            .arrow .feather .ipc .arrows. For each column it prints the type that Lockstep reads it as and the type in the \
            file; columns that are not read are named with the reason. A CSV file's types are found from all of its cells. \
            Statistics are what the file's writer says, not computed.

              lockstep inspect flights.parquet
              lockstep inspect weather.csv --null NA --timezone America/New_York
              lockstep inspect export.txt --format csv --delimiter ';' --rows 20 --json

            --json prints one document. Its members: file, format, form, bytes, rows, created_by; columns, each with name, \
            type, file_type, remark; row_groups (Parquet) or batches (Arrow), each with rows, bytes, uncompressed_bytes, \
            codec, sorted_by, and of Parquet chunks, each with column, codec, encodings, values, offset, bytes, \
            uncompressed_bytes, dictionary, nulls, min, max; metadata, each with key, value; first_rows with columns and \
            rows. What the file does not say is null.
            """
    )

    @Argument(help: "The file.")
    var file: String
    @Option(help: "csv, parquet or arrow; by the extension where left out.")
    var format: TableFormat?
    @OptionGroup var reading: TableReadingOptions
    @Option(help: "How many of the first rows to show.")
    var rows = 5
    @Flag(help: "Print everything as one JSON document.")
    var json = false

    func validate() throws {
        guard rows >= 0 else { throw ValidationError("--rows is not negative") }
    }

    func run() async throws {
        let description = try TableDescription(
            path: file,
            format: format,
            columns: try reading.names(),
            rows: rows,
            options: try reading.csvOptions(path: file)
        )
        let report = TableReport(file: file, description: description)
        if json { return print(report.json.text) }
        report.show()
    }
}
