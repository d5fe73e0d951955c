import Synchronization

/// The offsets of one time zone from UTC at all times, as the system's time zone database has them.
///
/// Instants and wall-clock times are microseconds since 1970-01-01T00:00:00, of UTC and of the zone's clocks. Where clocks
/// are moved, wall-clock times are read as PostgreSQL reads them: one that is skipped with the offset before the change,
/// one that is shown twice with the offset after it.
///
/// Equal names are equal rules.
public final class TimeZoneRules: Sendable {
    /// The name in the database, for example `America/New_York`.
    public let name: String
    /// The seconds, in UTC, of the changes of the offset, ascending.
    private let instants: [Int]
    /// For each change the wall clock's second from which on its offset is used.
    ///
    /// It is what the changed clock shows at the change, which leaves the old offset to a gap and gives the new one to an
    /// overlap.
    private let walls: [Int]
    /// Seconds east of UTC: before the first change, then after each.
    private let offsets: [Int]
    /// Whether the last 400 years of changes stand for all that follow.
    private let isCyclic: Bool

    /// Seconds in 400 years of the Gregorian calendar, after which it repeats.
    static let cycle = 146_097 * 86_400

    /// - Precondition: there is one more offset than there are changes.
    init(name: String, instants: [Int], offsets: [Int], isCyclic: Bool) {
        precondition(offsets.count == instants.count + 1, "each change needs an offset, and the first years one more")
        self.name = name
        self.instants = instants
        self.offsets = offsets
        self.walls = zip(instants, offsets.dropFirst()).map { $0 + $1 }
        self.isCyclic = isCyclic
    }

    private static let known = Mutex<[String: TimeZoneRules]>([:])

    /// The rules of a zone, read once from the system's database.
    ///
    /// - Throws: `TimeZoneError` for an unknown name, and for a database that is missing or damaged.
    public static func named(_ name: String) throws(TimeZoneError) -> TimeZoneRules {
        if let rules = known.withLock({ $0[name] }) { return rules }
        let rules = try TimeZoneDatabase.rules(name)
        known.withLock { $0[name] = rules }
        return rules
    }

    /// Seconds east of UTC at an instant.
    public func offset(at instant: Int64) -> Int64 {
        Int64(offset(at: Self.seconds(instant), instants))
    }

    /// The time that the zone's clocks show at an instant.
    public func wall(utc instant: Int64) -> Int64 { instant &+ offset(at: instant) &* 1_000_000 }

    /// The instant at which the zone's clocks show a time.
    public func utc(wall: Int64) -> Int64 {
        wall &- Int64(offset(at: Self.seconds(wall), walls)) &* 1_000_000
    }

    private static func seconds(_ microseconds: Int64) -> Int {
        Int(microseconds >= 0 ? microseconds / 1_000_000 : (microseconds + 1) / 1_000_000 - 1)
    }

    /// The offset of the last change at or before a second.
    @inline(__always)
    private func offset(at second: Int, _ changes: [Int]) -> Int {
        var second = second
        if isCyclic, let last = changes.last, second >= last {
            second -= ((second - last) / Self.cycle + 1) * Self.cycle
        }
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low &+ high) / 2
            if changes[middle] <= second { low = middle &+ 1 } else { high = middle }
        }
        return offsets[low]
    }
}

extension TimeZoneRules: Hashable {
    public static func == (left: TimeZoneRules, right: TimeZoneRules) -> Bool { left.name == right.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension TimeZoneRules: CustomStringConvertible {
    public var description: String { name }
}
