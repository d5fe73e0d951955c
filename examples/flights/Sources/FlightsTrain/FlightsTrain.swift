import Columns
import Formats
import Foundation
import Lockstep

/// Trains a model of late arrivals on a locked training set, January to September, and says how it does on the rest.
@main
struct FlightsTrain {
    private static let label = "is_late"
    private static let split = "2013-10-01T00:00:00Z"
    private static let epochs = 6
    private static let batchSize = 256

    static func main() {
        do {
            try run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("FlightsTrain: \(error)\n".utf8))
            exit(error is UsageError ? 2 : 1)
        }
    }

    private static func run(_ arguments: [String]) throws {
        guard arguments.count == 2 else { throw UsageError() }
        // A lock that was changed, or a training set not made under it, goes no further than here.
        let lock = try LockFile.open(arguments[0])
        let set = try TrainingSet.open(path: arguments[1], lock: lock)

        guard case .bool(let labels)? = set.rows[label],
            case .timestamp(let times)? = set.rows["event_timestamp"]
        else {
            throw UnsuitableSet(path: arguments[1], detail: "it lacks the columns is_late (bool) or event_timestamp")
        }
        // Cancelled and diverted flights have no label.
        let known = (0..<labels.count).filter { labels.isValid($0) }
        let boundary = Instant.parse(split) ?? 0
        let training = known.filter { times.values[$0] < boundary }
        let testing = known.filter { times.values[$0] >= boundary }
        guard !training.isEmpty, !testing.isEmpty else {
            throw UnsuitableSet(path: arguments[1], detail: "it has no flights before, or none after, \(split)")
        }

        let encoder = FeatureEncoder(set.rows, rows: training)
        var model = LogisticRegression(width: encoder.width)
        print("\(training.count) flights before \(split) to train on, with \(encoder.width) inputs")
        for epoch in 0..<epochs {
            let batches = set.miniBatches(size: batchSize, seed: UInt64(42 + epoch), rows: training)
            var loss = 0.0
            for batch in batches {
                guard case .bool(let labels)? = batch[label] else { continue }
                loss += model.step(encoder.encode(batch), labels.values, rate: 0.2 / Float(1 + epoch))
            }
            print("epoch \(epoch + 1): log loss \(fixed(loss / Double(training.count)))")
        }

        // The test rows in batches too: all of them encoded at once would take more memory than the set.
        var scores: [Float] = []
        var outcomes: [Bool] = []
        for batch in set.miniBatches(size: 8192, seed: 0, rows: testing) {
            guard case .bool(let labels)? = batch[label] else { continue }
            scores += model.predict(encoder.encode(batch))
            outcomes += labels.values
        }
        let late = outcomes.count { $0 }
        print("October to December: \(late) of \(testing.count) flights more than 15 minutes late")
        print("AUC \(fixed(areaUnderCurve(scores, outcomes)))  (0.5 is guessing)")
    }

    private static func fixed(_ value: Double) -> String {
        let digits = String(Int((value * 10_000).rounded()))
        let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        return "\(padded.dropLast(4)).\(padded.suffix(4))"
    }
}

private struct UsageError: Error, CustomStringConvertible {
    let description = "usage: FlightsTrain LOCK TRAINING_SET (a lock file; a Parquet file made under it)"
}

private struct UnsuitableSet: Error, CustomStringConvertible {
    let path: String
    let detail: String
    var description: String { "'\(path)' is not this example's training set: \(detail); run: make demo" }
}
