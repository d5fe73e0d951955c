import Columns
import Formats
import Foundation

/// Makes what the example gives Lockstep besides the raw files: two spines and the airport embeddings.
@main
struct FlightsPrepare {
    static func main() {
        do {
            try run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("FlightsPrepare: \(error)\n".utf8))
            exit(error is UsageError ? 2 : 1)
        }
    }

    private static func run(_ arguments: [String]) throws {
        guard arguments.count == 5, arguments[2] == "--week" else { throw UsageError() }
        guard let from = Instant.parse(arguments[3]), let to = Instant.parse(arguments[4]), from < to else {
            throw UsageError()
        }
        let (data, output) = (arguments[0], arguments[1])
        let flights = try Flights(path: "\(data)/flights.csv")
        try writeTable(flights.spine, to: "\(output)/spine.csv")
        let week = flights.spine(from: from, to: to)
        try writeTable(week, to: "\(output)/week.csv")
        let embeddings = RouteEmbeddings(flights, dimension: 8)
        try writeTable(embeddings.table, to: "\(output)/embeddings.csv")
        print("spine.csv       \(flights.count) flights, each at its scheduled departure, with the label is_late")
        print("week.csv        \(week.rowCount) of them, from \(arguments[3]) to before \(arguments[4])")
        print("embeddings.csv  \(embeddings.keys.count) airports × \(embeddings.dimension), from the routes flown")
    }
}

private struct UsageError: Error, CustomStringConvertible {
    let description = "usage: FlightsPrepare DATA OUTPUT --week FROM TO (directories; RFC 3339 instants)"
}
