/// Some values by key, of which those used last are kept.
struct RecentlyUsed<Key: Hashable, Value> {
    private let limit: Int
    private var values: [Key: Value] = [:]
    /// In the order of their use, the last one last; few enough to be searched.
    private var order: [Key] = []

    init(limit: Int) { self.limit = limit }

    subscript(key: Key) -> Value? {
        mutating get {
            guard let value = values[key] else { return nil }
            touch(key)
            return value
        }
        set {
            values[key] = newValue
            touch(key)
            if newValue == nil { order.removeLast() }
            if order.count > limit { values[order.removeFirst()] = nil }
        }
    }

    private mutating func touch(_ key: Key) {
        order.removeAll { $0 == key }
        order.append(key)
    }
}
