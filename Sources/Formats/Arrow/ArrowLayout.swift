/// How an Arrow file or stream is laid out.
public struct ArrowLayout: Hashable, Sendable {
    public struct Column: Hashable, Sendable {
        public let name: String
        /// The type in Arrow's words, for example `timestamp[us, tz=UTC]`.
        public let type: String
        public let isNullable: Bool
        public let isDictionary: Bool
        /// The entries of the dictionary as the last batch sees it; `nil` where there is none.
        public let entryCount: Int?
    }

    public struct Batch: Hashable, Sendable {
        public let rowCount: Int
        /// The bytes of its body, as stored.
        public let bodyBytes: Int
        public let compression: ArrowOptions.Compression
        /// Where its message begins in the file.
        public let offset: Int
    }

    public let isStream: Bool
    public let columns: [Column]
    public let batches: [Batch]
}

extension ArrowFile {
    /// What the file holds, columns that are not read among it.
    public var layout: ArrowLayout {
        ArrowLayout(
            isStream: isStream,
            columns: fields.map { field in
                ArrowLayout.Column(
                    name: field.name,
                    type: field.typeText,
                    isNullable: field.isNullable,
                    isDictionary: field.dictionary != nil,
                    entryCount: field.dictionary.map { encoding in
                        guard let parts = dictionaries[encoding.id], let last = parts.last else { return 0 }
                        return parts[last.base...].reduce(0) { $0 + $1.message.rowCount }
                    }
                )
            },
            batches: batches.map {
                ArrowLayout.Batch(
                    rowCount: $0.message.rowCount,
                    bodyBytes: $0.message.body.count,
                    compression: $0.message.codec,
                    offset: $0.message.position
                )
            }
        )
    }
}
