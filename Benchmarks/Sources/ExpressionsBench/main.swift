import Columns
import Expressions
import Formats
import Glibc
import Kernels
import Measure

/// One expression over all rows of a file, on one thread; `expressions.py` starts it, asks it for runs, and checks its answer.
///
/// With `scan` each run reads the columns from the file; with `memory` they were read before.
let usage = "usage: expressions-bench scan|memory FILE EXPRESSION OUTPUT"

struct Failure: Error, CustomStringConvertible {
    let description: String
}

func run(_ arguments: [String]) throws {
    guard arguments.count == 4, ["scan", "memory"].contains(arguments[0]) else { throw Failure(description: usage) }
    let file = try ParquetFile(path: arguments[1])
    let expression = try Expression(arguments[2], schema: file.schema)
    func read(_ rowGroup: Int) throws -> RecordBatch { try file.read(rowGroup: rowGroup, columns: expression.inputs) }
    let groups = 0..<file.rowGroupCount
    let memory = arguments[0] == "memory" ? try groups.map(read) : nil
    try Runner().run {
        try groups.map { expression.evaluate(try memory?[$0] ?? read($0)) }
    } answer: { parts in
        let column = Column.concatenate(parts.map(\.column))
        try writeAnswer(RecordBatch(["x": column]), to: arguments[3])
        return [("rows", "\(column.count)"), ("nulls", "\(column.nullCount)")]
    }
}

do {
    try run(Array(CommandLine.arguments.dropFirst()))
} catch {
    let message = Array("expressions-bench: \(error)\n".utf8)
    _ = message.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(1)
}
