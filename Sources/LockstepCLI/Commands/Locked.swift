import ArgumentParser
import Columns
import Datasets
import Features
import Formats
import Foundation
import Lockstep
import Objects
import Parity
import TimeZones
import Wire

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Check every digest of a lock, end to end.")

    @Argument(help: "The lock.")
    var lock = "lockstep.lock"

    func run() async throws {
        let repository = try Repository.find()
        let lock: Lock
        do {
            lock = try Locks.open(self.lock)
        } catch let error as LockError {
            Terminal.error("error: \(error)")
            throw CheckFailed()
        }
        let objects = repository.objects
        var wanted: [(what: String, digest: Digest)] = []
        var problems: [String] = []
        var contents = 0
        for pin in lock.pins {
            let what = "\(pin.kind.rawValue) \(pin.reference)"
            wanted.append((what, pin.object ?? pin.digest))
            guard pin.kind == .snapshot, let object = pin.object else { continue }
            do {
                let manifest = try SnapshotManifest(json: try await objects.get(object), expecting: pin.digest)
                let (recorded, lease) = try await RecordedSnapshot.reading("\(pin.reference)", in: repository)
                guard recorded.manifest.digest == pin.digest else {
                    throw SnapshotError.wrongDigest(expected: pin.digest, found: recorded.manifest.digest)
                }
                let (service, _) = try await SnapshotService.open(repository, dataset: recorded.dataset)
                defer { service.close() }
                let verification = try await SnapshotVerification.run(
                    manifest,
                    packs: recorded.packs,
                    from: FreshPacks(service: service),
                    objects: objects
                )
                await lease.close()
                contents += verification.contents
                problems += verification.problems.map { "\(what): \($0)" }
                problems += verification.packProblems.map { "\(what): pack \($0.pack): \($0.message)" }
            } catch ClientError.unreachable(let url, let reason) {
                throw ClientError.unreachable(url: url, reason: reason)
            } catch {
                problems.append("\(what): \(error)")
            }
        }
        for (done, item) in wanted.enumerated() {
            Terminal.progress("verifying", done, wanted.count)
            do {
                try await objects.verify(item.digest)
            } catch ClientError.unreachable(let url, let reason) {
                throw ClientError.unreachable(url: url, reason: reason)
            } catch {
                problems.append("\(item.what): \(error)")
            }
        }
        Terminal.endProgress()
        if problems.isEmpty {
            do {
                // Definitions are hashed again from what they say, not from what they are called.
                _ = try await LockedService(lock, objects: objects)
            } catch {
                problems.append("\(error)")
            }
        }
        for problem in problems { Terminal.error(problem) }
        guard problems.isEmpty else {
            Terminal.error(
                "\(self.lock): \(problems.count) problems in \(wanted.count) objects and \(contents) contents of snapshots"
            )
            throw CheckFailed()
        }
        print(
            "\(self.lock): \(lock.pins.count) pins and \(wanted.count) objects verified, \(contents) contents of snapshots"
        )
        print("  \(lock.digest)")
    }
}

struct MakeTrainingSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "training-set",
        abstract: "Build a point-in-time training set under a lock.",
        discussion: "One row for each spine row, in spine order; the same bytes for any number of threads."
    )

    @Option(help: "The lock.")
    var lock = "lockstep.lock"
    @Option(help: "CSV, Parquet or Arrow with the join keys, event_timestamp and any further columns.")
    var spine: String
    @Option(name: .shortAndLong, help: "Where to write: .parquet, .arrow or .csv.")
    var output: String
    @Option(help: "csv, parquet or arrow, of the output; by the extension where left out.")
    var format: TableFormat?
    @OptionGroup
    var spineOptions: SpineOptions
    @Option(help: "How many threads; all cores where left out.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Flag(help: "Write features as view__feature.")
    var fullFeatureNames = false
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard threads > 0 else { throw ValidationError("--threads is at least 1") }
    }

    func run() async throws {
        let repository = try Repository.find()
        let service = try await LockedService(try Locks.open(lock), objects: repository.objects)
        // The spine is read meanwhile.
        try await service.beginVerifying()
        let spine = try spineOptions.read(spine, service: service, full: fullFeatureNames)
        let set = try await TrainingSet.build(service, spine: spine, threads: threads, full: fullFeatureNames)
        let digest = try set.write(to: output, format: format)
        if json {
            let message: JSON = .object([
                "rows": .int(set.rows.rowCount), "columns": .int(set.rows.schema.count), "sha256": .string(digest.hex),
                "lock": .string("\(service.lock.digest)"),
            ])
            return print(message.text)
        }
        print("\(output): \(set.rows.rowCount) rows, \(set.rows.schema.count) columns")
        Terminal.undefined(set.invalidCounts.mapValues(Int64.init))
        print("sha256 \(digest.hex)")
    }
}

/// How the file of a spine is read.
struct SpineOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("csv, parquet or arrow, of the spine; by the extension where left out.", valueName: "format")
    )
    var spineFormat: TableFormat?
    @Option(
        help: ArgumentHelp("The zone whose clocks the spine's timestamps without an offset show.", valueName: "zone"),
        transform: { try TimeZoneRules.named($0) }
    )
    var timezone: TimeZoneRules?

    /// Reads a spine, the types of its join keys and request values being those of the service.
    func read(_ path: String, service: LockedService, full: Bool = false) throws -> Spine {
        let format = spineFormat
        var options = CSVOptions(path: path)
        if let timezone { options.naiveTimestamps = NaiveTimestamps(.zone(timezone)) }
        guard FileManager.default.fileExists(atPath: path) else { throw UsageError("there is no spine '\(path)'") }
        var schema: Schema?
        if format ?? TableFormat(path: path) == .csv {
            var known = [Spine.timestampColumn: DataType.timestamp]
            for field in service.plan.requiredFields { known[field.name] = field.type }
            schema = try CSVInference.infer(path: path, options: options, known: known)
        }
        return try Spine(
            try readTable(path: path, format: format, schema: schema, options: options),
            for: service.plan,
            full: full,
            name: "'\(path)'"
        )
    }
}

struct CheckParity: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parity",
        abstract: "Prove that what is served equals what is trained on, bit for bit.",
        discussion: "Ends with 0 and a certificate when every value agrees, else with 1 and the causes."
    )

    @Option(help: "The lock.")
    var lock = "lockstep.lock"
    @Option(help: "The service; that of lockstep.yaml where left out.")
    var server: String?
    @Option(help: ArgumentHelp("Compare at this instant of a replay clock.", valueName: "time"))
    var at: String?
    @Option(help: "Compare so many entities instead of all.")
    var sample: Int?
    @Option(help: "Ask for the rows of this spine.")
    var spine: String?
    @OptionGroup
    var spineOptions: SpineOptions
    @Option(help: ArgumentHelp("Replay the history between two instants through the live path.", valueName: "from/to"))
    var replay: String?
    @Flag(help: "Print the report.")
    var json = false

    func validate() throws {
        if replay != nil, spine == nil { throw ValidationError("--replay needs --spine: the rows to ask for") }
        if replay != nil, at != nil { throw ValidationError("give either --at or --replay") }
        if let sample, sample < 1 { throw ValidationError("--sample is at least 1") }
    }

    func run() async throws {
        let repository = try Repository.find()
        let client = server.map { Client(url: $0, project: repository.project) } ?? repository.client
        let objects = RemoteObjectStore(client: client, cache: repository.state + "/cache")
        let service = try await LockedService(try Locks.open(lock), objects: objects)
        let check = try await ParityCheck(service, client: client)
        let report: ParityReport
        do {
            report = try await compare(check, service)
        } catch ClientError.refused(let problem) where problem.type == "lock-mismatch" {
            Terminal.endProgress()
            for difference in problem.differences ?? [] { print("another version: \(difference)") }
            print("parity fails: \(problem.detail)")
            throw CheckFailed()
        }
        Terminal.endProgress()
        let recorded = try await check.record(report)
        if json {
            print(String(decoding: report.document, as: UTF8.self))
        } else {
            show(report, digest: recorded.digest)
        }
        if !report.passed { throw CheckFailed() }
    }

    private func compare(_ check: ParityCheck, _ service: LockedService) async throws -> ParityReport {
        if let replay, let spine {
            let (from, to) = try span(replay)
            return try await check.replay(
                spine: try spineOptions.read(spine, service: service),
                from: from,
                to: to,
                progress: { step, done, total in Terminal.progress(step, done, total) }
            )
        } else {
            let rows = try spine.map { try spineOptions.read($0, service: service).rows }
            return try await check.run(
                rows: rows,
                at: try at.map { try instant($0) },
                sample: sample,
                progress: { done, total in Terminal.progress("compared", done, total) }
            )
        }
    }

    private func instant(_ text: String) throws -> Int64 {
        guard let instant = Instant.parse(text) else {
            throw UsageError("'\(text)' is not an instant; write it as 2013-10-01T00:00:00Z")
        }
        return instant
    }

    private func span(_ text: String) throws -> (Int64, Int64) {
        let parts = text.split(separator: "/")
        guard parts.count == 2 else { throw UsageError("'\(text)' is not FROM/TO, two instants") }
        return (try instant(String(parts[0])), try instant(String(parts[1])))
    }

    private func show(_ report: ParityReport, digest: String) {
        Terminal.table(
            ["FEATURE", "MATCH", "WITH A VALUE", "UNDEFINED", "MISMATCH", "OFFLINE ONLY", "ONLINE ONLY"],
            report.comparison.features.map { feature in
                [
                    feature.name, "\(feature.counts.match)", "\(feature.counts.present)", "\(feature.counts.invalid)",
                    "\(feature.counts.mismatch)", "\(feature.counts.offlineOnly)", "\(feature.counts.onlineOnly)",
                ]
            }
        )
        let rows = report.comparison.rowCount
        for feature in report.comparison.unseen {
            print("\(feature): no row had a value on either side; its parity is not shown")
        }
        guard !report.passed else {
            print("parity holds for \(rows) rows under lock \(short("\(report.lock)"))")
            print("certificate \(digest)")
            return
        }
        for (view, causes) in report.comparison.causes.sorted(by: { $0.key < $1.key }) {
            for (cause, count) in causes.sorted(by: { $0.key < $1.key }) {
                print(
                    "\(view): \(cause.rawValue): \(count) values in \(report.comparison.rowsByView[view] ?? 0) of \(rows) rows; \(cause.advice(view: view))"
                )
            }
        }
        for example in report.comparison.examples.prefix(5) {
            print(
                "  row \(example.row + 1), \(example.feature): offline \(example.offline), online \(example.online) (\(example.cause.rawValue))"
            )
        }
        print("parity fails; report \(digest)")
    }
}

extension TableFormat: ExpressibleByArgument {}
