import Columns
import Formats
import Glibc
import Measure

/// One job of the formats benchmark in this process; `formats.py` starts it, asks it for runs, and checks its answer.
let usage = """
    usage: formats-bench read-parquet FILE
           formats-bench write-parquet FILE OUTPUT lz4|zstd|none [checksums]
           formats-bench read-csv FILE NAME=TYPE…
    """

func readParquet(_ path: String) throws -> [RecordBatch] {
    let file = try ParquetFile(path: path, naiveTimestamps: .utc)
    return try (0..<file.rowGroupCount).map { try file.read(rowGroup: $0) }
}

func digests(_ batches: [RecordBatch]) -> [(String, String)] {
    let schema = batches[0].schema
    var writer: [(String, String)] = [("rows", "\(batches.reduce(0) { $0 + $1.rowCount })")]
    for (position, field) in schema.fields.enumerated() {
        writer.append((field.name, ColumnDigest.text(batches.map { $0.columns[position] })))
    }
    return writer
}

func run(_ arguments: [String]) throws {
    let runner = Runner()
    switch (arguments.first, arguments.count) {
    case ("read-parquet", 2):
        try runner.run {
            try readParquet(arguments[1])
        } answer: {
            digests($0)
        }
    case ("write-parquet", 4...5):
        let compressions: [String: ParquetOptions.Compression] = ["lz4": .lz4, "zstd": .zstd, "none": .none]
        guard let compression = compressions[arguments[3]] else { throw Failure(usage) }
        let batches = try readParquet(arguments[1])
        let options = ParquetOptions(compression: compression, pageChecksums: arguments.last == "checksums")
        try runner.run {
            let output = try Output(arguments[2])
            var writer = try ParquetWriter(schema: batches[0].schema, options: options) { try output.write($0) }
            for batch in batches { try writer.append(batch) }
            try writer.finish()
            return output.size
        } answer: { size in
            // What was written is what is read back.
            try digests(readParquet(arguments[2])) + [("bytes", "\(size)")]
        }
    case ("read-csv", 3...):
        let fields = try arguments[2...].map { argument in
            let parts = argument.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let type = DataType(parts[1]) else { throw Failure(usage) }
            return Field(String(parts[0]), type)
        }
        let schema = Schema(fields)
        try runner.run {
            var reader = try CSVReader(path: arguments[1], schema: schema, options: CSVOptions(nullSpellings: ["NA"]))
            return try reader.readAll()
        } answer: {
            digests([$0])
        }
    default: throw Failure(usage)
    }
}

do {
    try run(Array(CommandLine.arguments.dropFirst()))
} catch {
    let message = Array("formats-bench: \(error)\n".utf8)
    _ = message.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(1)
}
