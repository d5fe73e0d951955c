import Columns
import Features
import Formats

/// `POST /get-online-features`, in Feast's shape.
public struct OnlineRequest: Hashable, Sendable {
    /// What is asked for.
    public enum Selection: Hashable, Sendable {
        case service(String)
        case features([FeatureReference])
    }

    public var selection: Selection
    /// Join keys, and values for features that are computed on demand, column-major.
    public var entities: [JSON.Member]
    public var fullFeatureNames: Bool

    public init(selection: Selection, entities: [JSON.Member], fullFeatureNames: Bool = false) {
        self.selection = selection
        self.entities = entities
        self.fullFeatureNames = fullFeatureNames
    }

    /// Reads the request's JSON.
    public init(parsing body: [UInt8]) throws {
        let json = try JSON(parsing: body)
        guard let entities = json["entities"]?.members else {
            throw ValueError("the request has no 'entities': give each join key a list of values")
        }
        switch (json["feature_service"]?.string, json["features"]?.array) {
        case (let service?, nil), (let service?, .some): self.selection = .service(service)
        case (nil, let list?):
            var references: [FeatureReference] = []
            for item in list {
                guard let text = item.string, let reference = FeatureReference(text) else {
                    throw ValueError("a feature is \(item.text.prefix(60)), expected \"view:feature\"")
                }
                references.append(reference)
            }
            guard !references.isEmpty else { throw ValueError("'features' is empty; name at least one") }
            self.selection = .features(references)
        case (nil, nil): throw ValueError("the request names neither 'feature_service' nor 'features'")
        }
        self.entities = entities
        self.fullFeatureNames = json["full_feature_names"]?.bool ?? false
    }

    public var body: [UInt8] {
        var members = [JSON.Member("entities", .object(entities))]
        switch selection {
        case .service(let name): members.append(JSON.Member("feature_service", .string(name)))
        case .features(let list):
            members.append(JSON.Member("features", .array(list.map { .string($0.description) })))
        }
        if fullFeatureNames { members.append(JSON.Member("full_feature_names", .bool(true))) }
        return JSON.object(members).encoded()
    }

    /// The join keys and the values for on-demand features, as columns of their declared types.
    ///
    /// - Throws: `ValueError` for one that is missing or unknown, lists of different lengths, or a value of another type.
    public func rows(joinKeys: [Field], requestFields: [Field] = []) throws(ValueError) -> RecordBatch {
        var columns: [Column] = []
        var rowCount: Int?
        let fields = joinKeys + requestFields
        for (position, field) in fields.enumerated() {
            let what = position < joinKeys.count ? "join key" : "request value"
            guard let values = entities.first(where: { $0.name == field.name })?.value.array else {
                let given = entities.map(\.name).joined(separator: ", ")
                throw ValueError(
                    "the request has no list for \(what) '\(field.name)' (\(field.type)); it has \(given.isEmpty ? "none" : given)"
                )
            }
            guard rowCount == nil || rowCount == values.count else {
                throw ValueError("\(what) '\(field.name)' has \(values.count) values, another has \(rowCount ?? 0)")
            }
            rowCount = values.count
            columns.append(try ValueCoding.column(values, type: field.type, subject: "\(what) '\(field.name)'"))
        }
        for entity in entities where !fields.contains(where: { $0.name == entity.name }) {
            throw ValueError(
                "'\(entity.name)' is not a join key\(requestFields.isEmpty ? "" : " or request value") of what is asked for"
                    + suggestion(for: entity.name, among: fields.map(\.name))
            )
        }
        let rows = rowCount ?? entities.first?.value.array?.count ?? 1
        return RecordBatch(schema: Schema(fields), columns: columns, rowCount: rows)
    }
}

/// The answer, column-major: one result for each name.
public struct OnlineResponse: Hashable, Sendable {
    public struct Result: Hashable, Sendable {
        public var values: [JSON]
        public var statuses: [FeatureStatus]
        /// RFC 3339, the epoch where there is no row.
        public var eventTimes: [Int64]

        public init(values: [JSON], statuses: [FeatureStatus], eventTimes: [Int64]) {
            self.values = values
            self.statuses = statuses
            self.eventTimes = eventTimes
        }
    }

    public var names: [String]
    public var results: [Result]

    public init(names: [String], results: [Result]) {
        self.names = names
        self.results = results
    }

    public var body: [UInt8] {
        JSON.object([
            "metadata": .object(["feature_names": .array(names.map(JSON.string))]),
            "results": .array(
                results.map { result in
                    .object([
                        "values": .array(result.values),
                        "statuses": .array(result.statuses.map { .string($0.text) }),
                        "event_timestamps": .array(result.eventTimes.map(ValueCoding.instant)),
                    ])
                }
            ),
        ]).encoded()
    }

    public init(parsing body: [UInt8]) throws {
        let json = try JSON(parsing: body)
        guard let names = json["metadata"]?["feature_names"]?.array?.compactMap(\.string),
            let results = json["results"]?.array, results.count == names.count
        else { throw ValueError("the answer is not in the shape of get-online-features") }
        self.names = names
        self.results = try results.map { result in
            guard let values = result["values"]?.array,
                let statuses = result["statuses"]?.array?.compactMap({ $0.string.flatMap { FeatureStatus(text: $0) } }),
                let times = result["event_timestamps"]?.array?.compactMap({
                    $0.string.flatMap { Instant.parse($0) } ?? $0.int
                }
                ),
                statuses.count == values.count, times.count == values.count
            else { throw ValueError("a result of the answer lacks values, statuses or event timestamps") }
            return Result(values: values, statuses: statuses, eventTimes: times)
        }
    }
}

/// Rows pushed to a source, column-major as Feast's push has them.
public struct PushRequest: Hashable, Sendable {
    public var source: String
    public var columns: [JSON.Member]

    public init(source: String, columns: [JSON.Member]) {
        self.source = source
        self.columns = columns
    }

    public init(parsing body: [UInt8]) throws {
        let json = try JSON(parsing: body)
        guard let source = json["push_source_name"]?.string else {
            throw ValueError("the request has no 'push_source_name'")
        }
        guard let columns = json["df"]?.members else {
            throw ValueError("the request has no 'df' with a list for each column")
        }
        self.source = source
        self.columns = columns
    }

    /// Rows of a batch as a request.
    public init(source: String, rows: RecordBatch) {
        self.source = source
        self.columns = zip(rows.schema.fields, rows.columns).map { field, column in
            JSON.Member(field.name, .array((0..<column.count).map { ValueCoding.json(column[$0]) }))
        }
    }

    public var body: [UInt8] {
        JSON.object(["push_source_name": .string(source), "df": .object(columns)]).encoded()
    }

    /// The rows as columns of the source's types.
    ///
    /// - Parameter naiveTimestamps: what timestamps without an offset mean.
    public func rows(_ schema: Schema, naiveTimestamps: NaiveTimestamps = .refuse) throws(ValueError) -> RecordBatch {
        var built: [Column] = []
        var rowCount: Int?
        for field in schema.fields {
            guard let values = columns.first(where: { $0.name == field.name })?.value.array else {
                throw ValueError("the pushed rows have no column '\(field.name)' (\(field.type)) of source '\(source)'")
            }
            guard rowCount == nil || rowCount == values.count else {
                throw ValueError("column '\(field.name)' has \(values.count) rows, another has \(rowCount ?? 0)")
            }
            rowCount = values.count
            built.append(
                try ValueCoding.column(
                    values,
                    type: field.type,
                    subject: "column '\(field.name)'",
                    naive: naiveTimestamps.rule(for: field.name)
                )
            )
        }
        for column in columns where schema.position(of: column.name) == nil {
            throw ValueError(
                "source '\(source)' has no column '\(column.name)'"
                    + suggestion(for: column.name, among: schema.fields.map(\.name))
            )
        }
        return RecordBatch(schema: schema, columns: built, rowCount: rowCount ?? 0)
    }
}
