import Expressions

/// Which versions of a dataset to keep; the rest may be forgotten.
///
/// A version is kept when any rule keeps it.
public struct RetentionPolicy: Hashable, Sendable {
    /// The newest so many.
    public var last: Int?
    /// Those made at most so long before the newest version: a dataset that is left alone loses nothing more.
    public var within: TimeSpan?
    /// Those that have a tag, which are never forgotten anyway: this makes the tags a policy of their own.
    public var tagged: Bool

    public init(last: Int? = nil, within: TimeSpan? = nil, tagged: Bool = false) {
        self.last = last
        self.within = within
        self.tagged = tagged
    }

    /// Whether no rule would keep anything.
    public var isEmpty: Bool { (last ?? 0) <= 0 && (within?.microseconds ?? 0) <= 0 && !tagged }

    /// Why each version is kept.
    ///
    /// - Parameters:
    ///   - times: when each was made, newest version first, in microseconds UTC.
    ///   - tags: of each, in the same order.
    /// - Returns: for each the rules that keep it; empty for one that no rule keeps.
    public func reasons(times: [Int64], tags: [[String]]) -> [[String]] {
        let newest = times.max() ?? 0
        return times.indices.map { position in
            var reasons: [String] = []
            if let last, position < last { reasons.append(last == 1 ? "the last one" : "one of the last \(last)") }
            if let within, newest - times[position] <= within.microseconds, within.microseconds > 0 {
                reasons.append("within \(within) of the newest")
            }
            if tagged, !tags[position].isEmpty { reasons.append("tagged") }
            return reasons
        }
    }
}
