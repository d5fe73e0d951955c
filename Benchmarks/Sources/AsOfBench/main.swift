import Columns
import Dispatch
import Features
import Formats
import Foundation
import Lockstep
import Measure
import Objects

/// The as-of join of a locked service in this process; `asof.py` starts it, asks it for runs, and checks its answer.
///
/// A run opens the lock, reads the spine and the pinned segments from disk, and makes the finished table in memory. Each
/// run verifies the segments' digests, as the training library does, unless `trusted` is given: then the segments were
/// opened and verified before.
let usage = "usage: asof-bench LOCK OBJECTS SPINE THREADS verified|trusted"

struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// Runs asynchronous work from the runner, which is not.
func wait<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) throws -> Result {
    let done = DispatchSemaphore(value: 0)
    let box = Box<Result>()
    Task {
        do { box.result = .success(try await work()) } catch { box.result = .failure(error) }
        done.signal()
    }
    done.wait()
    guard let result = box.result else { throw Failure(description: "the work gave no result") }
    return try result.get()
}

/// Written once before the semaphore is signalled, and read after.
final class Box<Value: Sendable>: @unchecked Sendable {
    var result: Result<Value, any Error>?
}

func run(_ arguments: [String]) throws {
    guard arguments.count == 5, let threads = Int(arguments[3]), threads > 0 else {
        throw Failure(description: usage)
    }
    let (lockPath, objects, spinePath) = (arguments[0], arguments[1], arguments[2])
    @Sendable func open() async throws -> LockedService {
        try await LockedService(try LockFile.open(lockPath), objects: LocalObjectStore(directory: objects))
    }
    let shared = arguments[4] == "trusted" ? try wait(open) : nil
    try Runner().run {
        try wait {
            var service = shared
            if service == nil {
                service = try await open()
                try await service?.beginVerifying()
            }
            guard let service else { throw Failure(description: usage) }
            let spine = try Spine(try readTable(path: spinePath), for: service.plan, name: spinePath)
            return try await TrainingSet.build(service, spine: spine, threads: threads).rows
        }
    } answer: { rows in
        [("rows", "\(rows.rowCount)")]
            + zip(rows.schema.fields, rows.columns).map { ($0.name, ColumnDigest.text([$1])) }
    }
}

do {
    try run(Array(CommandLine.arguments.dropFirst()))
} catch {
    FileHandle.standardError.write(Data("asof-bench: \(error)\n".utf8))
    exit(1)
}
