import Postgres
import Testing

@testable import TimeZones

/// Both directions against PostgreSQL, which reads the same database with code of its own.
@Suite struct PostgresZonesTests {
    /// Seeded, so that a failure repeats.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }

    /// Instants of all ages, and those around changes of the zone, to the microsecond.
    private func instants(_ rules: TimeZoneRules, _ random: inout Generator) -> [Int64] {
        var instants: [Int64] = [-1, 0, 1]
        // The years 1 to 9999, which PostgreSQL and RFC 3339 can both write.
        for _ in 0..<12 {
            instants.append(.random(in: -62_135_596_800_000_000..<253_402_214_400_000_000, using: &random))
        }
        for _ in 0..<12 { instants.append(.random(in: 0..<4_102_444_800_000_000, using: &random)) }
        // A change shows between two instants a month apart whose offsets differ.
        for _ in 0..<12 {
            var low = Int64.random(in: -3_000_000_000_000_000..<12_000_000_000_000_000, using: &random)
            var high = low + 200 * 86_400_000_000
            guard rules.offset(at: low) != rules.offset(at: high) else { continue }
            while high - low > 1 {
                let middle = low + (high - low) / 2
                if rules.offset(at: middle) == rules.offset(at: low) { low = middle } else { high = middle }
            }
            instants += [low, high, high + 1, high - 3_600_000_000, high + 3_600_000_000, high + 1_800_000_000]
        }
        return instants
    }

    @Test func everyZoneAgrees() throws {
        let connection = try Connection(TemporaryCluster.shared().makeDatabase())
        // Where a name is an abbreviation too, such as CET, `at time zone` takes that: one offset for all times.
        let names = try connection.query(
            """
            select name from pg_timezone_names
            where upper(name) not in (select abbrev from pg_timezone_abbrevs) or name = 'UTC' order by name
            """
        ).map { try $0.text("name") }
        var random = Generator(state: 7)
        var compared = 0
        for name in names where !name.hasPrefix("posix/") && !name.hasPrefix("right/") && name != "localtime" {
            let rules = try TimeZoneRules.named(name)
            let instants = instants(rules, &random)
            let rows = try connection.query(
                """
                select i,
                    (extract(epoch from i at time zone $1) * 1000000)::bigint as wall,
                    (i at time zone 'UTC') at time zone $1 as utc
                from unnest($2::timestamptz[]) i
                """,
                [.text(name), .timestampArray(instants)]
            )
            for row in rows {
                let value = try row.timestamp("i")
                let (wall, utc) = (try row.int64("wall"), try row.timestamp("utc"))
                #expect(rules.wall(utc: value) == wall, "\(name) at instant \(value)")
                #expect(rules.utc(wall: value) == utc, "\(name) at wall \(value)")
                compared += 1
            }
        }
        #expect(compared > 10_000)
    }

    @Test func namesThatAreNoZonesAreRefused() {
        for name in [
            "", "America", "America/Nowhere", "../etc/passwd", "/etc/localtime", "America//New_York", ".", "UTC/",
        ] {
            #expect(throws: TimeZoneError.self, "'\(name)'") { try TimeZoneRules.named(name) }
        }
    }

    @Test func damagedFilesAreRefused() throws {
        let header = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
        #expect(TimeZoneFile.rules([], name: "x") == nil)
        #expect(TimeZoneFile.rules(header, name: "x") == nil)
        // One type of offset and nothing else, then the text that rules all years.
        func counts(_ types: UInt8) -> [UInt8] { [UInt8](repeating: 0, count: 19) + [types, 0, 0, 0, 0] }
        let empty = header + counts(0)
        let block = header + counts(1) + [0, 0, 0, 0, 0, 0]
        func file(_ footer: String) -> [UInt8] { empty + block + Array("\n\(footer)\n".utf8) }
        #expect(TimeZoneFile.rules(file("<+03>-3"), name: "x")?.offset(at: 0) == 10_800)
        let york = TimeZoneFile.rules(file("EST5EDT,M3.2.0,M11.1.0"), name: "x")
        #expect(york?.offset(at: 1_372_636_800_000_000) == -14_400)
        for footer in ["EST", "5", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0", "EST5EDT,M3.2.0,M11.1.0,"] {
            #expect(TimeZoneFile.rules(file(footer), name: "x") == nil, "\(footer)")
        }
        let whole = file("EST5EDT,M3.2.0,M11.1.0")
        for length in 0..<whole.count { #expect(TimeZoneFile.rules(Array(whole[..<length]), name: "x") == nil) }
    }
}
