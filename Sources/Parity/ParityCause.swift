import Columns
import Features
import Formats

/// Why the two sides differ on a value.
public enum ParityCause: String, Hashable, Sendable, CaseIterable, Comparable {
    case anotherVersion = "another version"
    case neverMaterialized = "never materialized"
    case staleMaterialization = "stale materialization"
    case missingRow = "missing row"
    case rowNotInLock = "row not in the lock"
    case timeToLive = "ttl"
    case missingKey = "missing key"
    case type = "type"
    case value = "value"

    public static func < (left: ParityCause, right: ParityCause) -> Bool { left.rawValue < right.rawValue }

    /// What to do about it, for a view.
    public func advice(view: String) -> String {
        switch self {
        case .anotherVersion: "apply the locked definitions again, or make a new lock and retrain"
        case .neverMaterialized, .staleMaterialization: "run: lockstep materialize \(view)"
        case .missingRow: "a row of the history never arrived online; push it, or run: lockstep materialize \(view)"
        case .rowNotInLock: "the online side has rows that came after the lock; make a new lock"
        case .timeToLive:
            "the two sides disagree on the age of a row; compare the server's clock with the instant asked for"
        case .missingKey: "the entity is not online; run: lockstep materialize \(view)"
        case .type: "the online value has another type; materialize \(view) again"
        case .value: "the same row gave two values; the evaluators differ: report this with the row"
        }
    }

    /// The cause of one difference.
    static func of(
        offline: ParitySide.Feature,
        online: ParitySide.Feature,
        row: Int,
        state: OnlineViewState?
    ) -> ParityCause {
        if state?.otherVersion != nil { return .anotherVersion }
        guard offline.column.type == online.column.type else { return .type }
        let expected = offline.eventTimes[row]
        let found = online.eventTimes[row]
        let known = offline.knownTimes.isEmpty ? expected : offline.knownTimes[row]
        let hasRow = offline.statuses[row] != .notFound && offline.statuses[row] != .outsideMaxAge
        if hasRow, expected != found {
            if found > expected { return .rowNotInLock }
            guard let state else { return .missingKey }
            guard let through = state.through else { return .neverMaterialized }
            if state.isPushed { return .missingRow }
            if known > through { return .staleMaterialization }
            return online.statuses[row] == .outsideMaxAge ? .timeToLive : .missingKey
        }
        if !hasRow, online.statuses[row] == .present || online.statuses[row] == .nullValue {
            // Both sides read at one instant, so that a row which is young enough is newer than any the lock has.
            return .rowNotInLock
        }
        if offline.statuses[row] == .outsideMaxAge || online.statuses[row] == .outsideMaxAge {
            guard let through = state?.through else { return .neverMaterialized }
            return known > through ? .staleMaterialization : .timeToLive
        }
        // The newest row may be the same while another, which a window holds, is not online.
        return state?.shortcoming ?? .value
    }
}
