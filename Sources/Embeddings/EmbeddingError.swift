import Columns

/// Why embeddings could not be loaded or asked.
public enum EmbeddingError: Error, Hashable, CustomStringConvertible {
    case dimensionMismatch(space: String, expected: Int, found: Int)
    case countMismatch(space: String, keys: Int, vectors: Int)
    case nullKey(space: String, row: Int)
    case nullVector(space: String, key: String)
    case elementNotFinite(space: String, key: String, element: Int, Float)
    case duplicateKey(space: String, key: String)
    case keyType(space: String, found: DataType)
    case versionMismatch(space: String, expected: String, found: String)
    case queryNotFinite(space: String, element: Int, Float)

    public var description: String {
        switch self {
        case .dimensionMismatch(let space, let expected, let found):
            "embedding space '\(space)' has dimension \(expected), found a vector of \(found); use vectors of this space"
        case .countMismatch(let space, let keys, let vectors):
            "embeddings for space '\(space)' have \(keys) keys but \(vectors) vectors; give one vector for each key"
        case .nullKey(let space, let row):
            "row \(row) of the embeddings for space '\(space)' has a null key; give it a key or remove the row"
        case .nullVector(let space, let key):
            "key '\(key)' of the embeddings for space '\(space)' has a null vector; remove the row"
        case .elementNotFinite(let space, let key, let element, let value):
            "element \(element) of the vector of key '\(key)' for space '\(space)' is \(value), and elements are finite; "
                + "mend the producer or remove the row"
        case .duplicateKey(let space, let key):
            "key '\(key)' appears more than once in the embeddings for space '\(space)'; keep one of its vectors"
        case .keyType(let space, let found):
            "embedding space '\(space)' is looked up by string keys, found \(found); cast the keys to string"
        case .versionMismatch(let space, let expected, let found):
            "the query was made by version \(found) of embedding space '\(space)', and these vectors are version "
                + "\(expected); vectors of two versions cannot be compared, so embed the query with \(expected)"
        case .queryNotFinite(let space, let element, let value):
            "element \(element) of the query to embedding space '\(space)' is \(value), and elements are finite; "
                + "check what produced the query"
        }
    }
}
