/// Long work to be done by a worker.
///
/// The fields that matter depend on the kind.
public enum JobRequest: Codable, Hashable, Sendable {
    case ingest(Ingest)
    case fit(Fit)
    case importEmbeddings(ImportEmbeddings)
    case materialize(Materialize)
    case lock(MakeLock)
    case collect(Collect)
    case erase(Erase)

    /// Loads files into a source's history.
    public struct Ingest: Codable, Hashable, Sendable {
        public struct Input: Codable, Hashable, Sendable {
            /// The name people know it by, for messages: a path.
            public var name: String
            public var object: String
            /// `csv` or `parquet`; by the name's extension where it is left out.
            public var format: String?

            public init(name: String, object: String, format: String? = nil) {
                self.name = name
                self.object = object
                self.format = format
            }
        }

        public var source: String
        public var inputs: [Input]
        /// The snapshot that the inputs belong to, `name@number`.
        public var snapshot: String?

        public init(source: String, inputs: [Input], snapshot: String? = nil) {
            self.source = source
            self.inputs = inputs
            self.snapshot = snapshot
        }
    }

    /// Fits a discretizer's edges from sealed history.
    public struct Fit: Codable, Hashable, Sendable {
        public var discretizer: String
        /// Only history read from this snapshot, `name@number`.
        public var snapshot: String?

        public init(discretizer: String, snapshot: String? = nil) {
            self.discretizer = discretizer
            self.snapshot = snapshot
        }
    }

    /// Makes a version of embeddings from a table of keys and vectors.
    public struct ImportEmbeddings: Codable, Hashable, Sendable {
        public var space: String
        public var name: String
        public var object: String
        /// `csv` or `parquet`; by the name's extension where it is left out.
        public var format: String?

        public init(space: String, name: String, object: String, format: String? = nil) {
            self.space = space
            self.name = name
            self.object = object
            self.format = format
        }
    }

    /// Brings views online.
    public struct Materialize: Codable, Hashable, Sendable {
        /// Empty for every view.
        public var views: [String]
        /// RFC 3339; needs a replay clock.
        public var at: String?
        /// The replay to materialize into; with `at` and without one, a replay is started or moved.
        public var replay: Int64?
        /// Only the history that this lock pins.
        public var lock: String?

        public init(views: [String] = [], at: String? = nil, replay: Int64? = nil, lock: String? = nil) {
            self.views = views
            self.at = at
            self.replay = replay
            self.lock = lock
        }
    }

    /// Seals heads and pins everything a service needs.
    public struct MakeLock: Codable, Hashable, Sendable {
        public var service: String
        public var datasets: [String]

        public init(service: String, datasets: [String] = []) {
            self.service = service
            self.datasets = datasets
        }
    }

    /// Removes objects that nothing needs from the store, which all projects share.
    public struct Collect: Codable, Hashable, Sendable {
        /// How long ago an object was sent, at least, as `12h`; a day where it is left out.
        public var grace: String?
        /// More than so many percent of a pack must be dead for it to be rewritten, 0 to 100; 50 where it is left out, 100 for
        /// none.
        public var repack: Int?
        /// Only count.
        public var isDryRun: Bool

        public init(grace: String? = nil, repack: Int? = nil, isDryRun: Bool = false) {
            self.grace = grace
            self.repack = repack
            self.isDryRun = isDryRun
        }
    }

    /// Destroys one content in every snapshot of the project.
    public struct Erase: Codable, Hashable, Sendable {
        /// Of the file's content.
        public var digest: String
        public var reason: String
        /// Who asks.
        public var actor: String
        /// Only list.
        public var isDryRun: Bool

        public init(digest: String, reason: String, actor: String, isDryRun: Bool = false) {
            self.digest = digest
            self.reason = reason
            self.actor = actor
            self.isDryRun = isDryRun
        }
    }

    private enum Member: String, CodingKey {
        case kind
    }

    /// Reads the members of the kind of work beside `kind`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Member.self)
        switch try container.decode(String.self, forKey: .kind) {
        case "ingest": self = .ingest(try Ingest(from: decoder))
        case "fit": self = .fit(try Fit(from: decoder))
        case "import-embeddings": self = .importEmbeddings(try ImportEmbeddings(from: decoder))
        case "materialize": self = .materialize(try Materialize(from: decoder))
        case "lock": self = .lock(try MakeLock(from: decoder))
        case "gc": self = .collect(try Collect(from: decoder))
        case "erase": self = .erase(try Erase(from: decoder))
        case let other:
            throw DecodingError.dataCorruptedError(
                forKey: .kind,
                in: container,
                debugDescription:
                    "there is no job '\(other)'; jobs are ingest, fit, import-embeddings, materialize, lock, gc, erase"
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Member.self)
        try container.encode(kind, forKey: .kind)
        switch self {
        case .ingest(let job): try job.encode(to: encoder)
        case .fit(let job): try job.encode(to: encoder)
        case .importEmbeddings(let job): try job.encode(to: encoder)
        case .materialize(let job): try job.encode(to: encoder)
        case .lock(let job): try job.encode(to: encoder)
        case .collect(let job): try job.encode(to: encoder)
        case .erase(let job): try job.encode(to: encoder)
        }
    }

    /// The word for the kind of work, as the catalog records it.
    public var kind: String {
        switch self {
        case .ingest: "ingest"
        case .fit: "fit"
        case .importEmbeddings: "import-embeddings"
        case .materialize: "materialize"
        case .lock: "lock"
        case .collect: "gc"
        case .erase: "erase"
        }
    }
}

/// How a job stands.
public struct JobStatus: Codable, Hashable, Sendable {
    public var id: Int64
    public var kind: String
    /// `queued`, `running`, `done` or `failed`.
    public var state: String
    public var step: String
    public var done: Int64
    public var total: Int64
    public var result: JobResult?
    public var error: String?

    public init(
        id: Int64,
        kind: String,
        state: String,
        step: String,
        done: Int64,
        total: Int64,
        result: JobResult? = nil,
        error: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.state = state
        self.step = step
        self.done = done
        self.total = total
        self.result = result
        self.error = error
    }
}

/// What a finished job gave.
public struct JobResult: Codable, Hashable, Sendable {
    /// What was made, with its digest.
    public var made: [RecordedVersion]
    /// Counts for people and programs, by name.
    public var counts: [String: Int64]
    /// By feature, as `view:feature`, for how many rows it is undefined; left out where none is.
    public var invalid: [String: Int64]?
    /// Longer text: a lock's file, a table of bins.
    public var text: String?
    /// The replay that was materialized into.
    public var replay: Int64?

    public init(
        made: [RecordedVersion] = [],
        counts: [String: Int64] = [:],
        invalid: [String: Int64] = [:],
        text: String? = nil,
        replay: Int64? = nil
    ) {
        self.made = made
        self.counts = counts
        self.invalid = invalid.isEmpty ? nil : invalid
        self.text = text
        self.replay = replay
    }
}
