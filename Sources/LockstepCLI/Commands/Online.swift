import ArgumentParser
import Columns
import Embeddings
import Features
import Formats
import Foundation
import Lockstep
import Objects
import Wire

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read online features of one entity, now.")

    @Argument(help: "The feature service.")
    var service: String
    @Argument(help: ArgumentHelp("Join keys, and values for on-demand features.", valueName: "key=value"))
    var keys: [String]
    @Option(help: "A lock the answer must agree with.")
    var lock: String?
    @Flag(help: "Print the answer as the service gave it.")
    var json = false

    func run() async throws {
        let client = try Repository.find().client
        let types = try await inputTypes(client)
        var entities: [JSON.Member] = []
        for text in keys {
            guard let equals = text.firstIndex(of: "=") else { throw UsageError("'\(text)' is not key=value") }
            let name = String(text[..<equals])
            let value = String(text[text.index(after: equals)...])
            let json: JSON
            switch types[name] {
            case .int64:
                guard let number = Int64(value) else { throw UsageError("'\(text)': '\(name)' is int64") }
                json = .int(number)
            case .float32, .float64:
                guard let number = Double(value) else { throw UsageError("'\(text)': '\(name)' is a number") }
                json = .double(number)
            case .bool:
                guard let flag = Bool(value) else { throw UsageError("'\(text)': '\(name)' is bool, true or false") }
                json = .bool(flag)
            default: json = .string(value)
            }
            entities.append(JSON.Member(name, .array([value.isEmpty ? .null : json])))
        }
        let digest = try lock.map { try Locks.open($0).digest }
        let answer = try await client.onlineFeatures(
            OnlineRequest(selection: .service(service), entities: entities),
            lock: digest
        )
        if json { return print(String(decoding: answer.body, as: UTF8.self)) }
        var rows: [[String]] = []
        for (name, result) in zip(answer.names, answer.results) where !entities.contains(where: { $0.name == name }) {
            guard let time = result.eventTimes.first else { throw UsageError("the service answered no row") }
            rows.append([
                name, result.values[0].text, result.statuses[0].text, time == 0 ? "" : Instant.text(time) ?? "\(time)",
            ])
        }
        Terminal.table(["FEATURE", "VALUE", "STATUS", "EVENT TIME"], rows)
    }

    /// The declared types of the service's join keys and request values, by the names that it asks for them by.
    private func inputTypes(_ client: Client) async throws -> [String: DataType] {
        var types: [String: DataType] = [:]
        var renamed: [(key: String, column: String)] = []
        var seen: Set<String> = []
        var wanted = ["service/\(service)"]
        while let path = wanted.popLast() {
            guard seen.insert(path).inserted else { continue }
            let version = try await client.get(client.projectPath("versions/\(path)"), as: VersionMessage.self)
            for use in version.uses ?? [] where use.kind == Kind.view.rawValue || use.kind == Kind.entity.rawValue {
                wanted.append("\(use.kind)/\(use.reference)")
            }
            for document in try DefinitionReader.read(version.document, file: version.reference) {
                switch document.definition {
                case .entity(let entity):
                    for key in entity.joinKeys where types[key.name] == nil { types[key.name] = key.type }
                case .onDemand(let view):
                    for field in view.request { types[field.name] = field.type }
                    renamed += view.inputs.flatMap(\.keys).map { ($0.key, $0.value) }
                case .service(let service): renamed += service.features.flatMap(\.keys).map { ($0.key, $0.value) }
                default: break
                }
            }
        }
        for (key, column) in renamed where types[column] == nil { types[column] = types[key] }
        return types
    }
}

struct PushRows: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Push live rows to a source: durable and online in one transaction."
    )

    @Argument(help: "The source.")
    var source: String
    @Argument(help: "A CSV, Parquet or Arrow file with the source's columns, or - for CSV on standard input.")
    var file: String

    func run() async throws {
        let client = try Repository.find().client
        let version = try await client.get(client.projectPath("versions/source/\(source)"), as: VersionMessage.self)
        guard
            case .source(let definition)? = try DefinitionReader.read(version.document, file: source).first?.definition
        else {
            throw UsageError("the service's answer does not define source '\(source)'")
        }
        var options = CSVOptions(path: file)
        options.nullSpellings = definition.nullValues
        options.naiveTimestamps = definition.naiveTimestamps
        let schema = Schema(definition.columns)
        let rows: RecordBatch
        if file == "-" {
            let bytes = Array(FileHandle.standardInput.readDataToEndOfFile())
            rows = try readTable(bytes: bytes, name: "standard input", format: .csv, schema: schema, options: options)
        } else {
            rows = try readTable(path: file, schema: schema, options: options)
        }
        let pushed = try await client.push(PushRequest(source: version.reference, rows: rows))
        var text = "\(version.reference): \(pushed.rows) rows pushed"
        if let replay = pushed.replay { text += " to replay \(replay), not to history" }
        if pushed.filtered > 0 { text += ", \(pushed.filtered) left out by the filter" }
        if let time = pushed.visibleFrom { text += ", visible from \(time)" }
        print(text)
    }
}

struct EmbeddingsGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embeddings",
        abstract: "Versions of embeddings.",
        subcommands: [Import.self, Nearest.self]
    )

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a version of embeddings from a file.",
            discussion: "The file has a string column 'key' and a column 'vector', or columns v0, v1, …."
        )

        @Argument(help: "The embedding space.")
        var space: String
        @Argument(help: "A CSV, Parquet or Arrow file.")
        var file: String
        @Option(help: "csv, parquet or arrow; by the extension where left out.")
        var format: String?
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let repository = try Repository.find()
            // Keeps the table until the job has read it.
            let lease = try await ObjectLease.writing(repository.client)
            guard FileManager.default.fileExists(atPath: file) else { throw UsageError("there is no file '\(file)'") }
            let stored = try await repository.objects(lease).putFile(at: file, encoding: .lz4)
            let result = try await repository.client.run(
                .importEmbeddings(
                    JobRequest.ImportEmbeddings(space: space, name: file, object: "\(stored.digest)", format: format)
                ),
                progress: Terminal.progress
            )
            await lease.close()
            Terminal.endProgress()
            if json { return try Terminal.json(result) }
            guard let made = result.made.first else { return }
            print(
                "\(made.reference): \(result.counts["keys"] ?? 0) keys × \(result.counts["dimension"] ?? 0)"
                    + (made.isNew ? "" : ", unchanged")
            )
            print("  \(made.digest)")
        }
    }

    struct Nearest: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys nearest to a key, exactly.")

        @Argument(help: "space or space@n.")
        var reference: String
        @Argument(help: "A key of the same version.")
        var key: String
        @Option(name: [.customShort("k"), .long], help: "How many.")
        var count = 10

        func run() async throws {
            let repository = try Repository.find()
            let client = repository.client
            let version = try await client.get(
                client.projectPath("versions/embeddings/\(reference)"),
                as: VersionMessage.self
            )
            guard let digest = Digest(version.digest), let use = version.uses?.first(where: { $0.role == "space" })
            else {
                throw UsageError("the service's answer does not describe embeddings \(reference)")
            }
            let document = try await client.get(
                client.projectPath("versions/space/\(use.reference)"),
                as: VersionMessage.self
            )
            guard
                case .space(let space)? = try DefinitionReader.read(document.document, file: use.reference).first?
                    .definition
            else { throw UsageError("the service's answer does not define embedding space \(use.reference)") }
            guard let spaceDigest = Digest(document.digest) else {
                throw UsageError("the service names no digest for embedding space \(use.reference)")
            }
            let table = try EmbeddingFile.decode(
                try await repository.objects.get(digest),
                space: space,
                spaceDigest: spaceDigest,
                version: digest
            )
            guard let row = table.row(of: key) else {
                throw UsageError("embeddings \(version.reference) have no key '\(key)'")
            }
            let found = try table.nearest(to: Array(table.vector(row)), queryVersion: "\(digest)", k: count + 1)
            Terminal.table(
                ["KEY", "SCORE"],
                found.filter { $0.key != key }.prefix(count).map { [$0.key, "\($0.score)"] }
            )
        }
    }
}
