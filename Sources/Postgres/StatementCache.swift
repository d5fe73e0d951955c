/// The statements prepared on one connection, by text and parameter types; the least recently used leave first.
struct StatementCache {
    struct Key: Hashable {
        var sql: String
        var types: [UInt32]
    }

    private struct Entry {
        var name: String
        var lastUse: UInt64
    }

    /// Enough for a program's fixed statements; bounds the server's memory when texts are generated.
    static let capacity = 256

    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    private var nameCount: UInt64 = 0

    var count: Int { entries.count }

    mutating func name(for key: Key) -> String? {
        guard let index = entries.index(forKey: key) else { return nil }
        clock += 1
        entries.values[index].lastUse = clock
        return entries.values[index].name
    }

    mutating func newName() -> String {
        nameCount += 1
        return "s\(nameCount)"
    }

    mutating func insert(_ name: String, for key: Key) {
        clock += 1
        entries[key] = Entry(name: name, lastUse: clock)
    }

    /// Drops a statement that no longer works; its name is not used again.
    mutating func forget(_ key: Key) {
        entries[key] = nil
    }

    /// Removes one statement past the capacity and returns its name, for the server to deallocate.
    mutating func evict() -> String? {
        guard entries.count > Self.capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        else {
            return nil
        }
        entries[oldest.key] = nil
        return oldest.value.name
    }
}
