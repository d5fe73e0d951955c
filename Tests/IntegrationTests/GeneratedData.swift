import Formats

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

let second: Int64 = 1_000_000
let minute = 60 * second
let hour = 60 * minute
let day = 24 * hour

/// Small seeded history with ties, duplicates, late rows, nulls, NaN and rows without a key.
struct GeneratedData {
    struct Reading {
        var station: String?
        var takenAt: Int64
        var temperature: Double?
        var wind: Double?
        var note: String?
    }

    struct Trip {
        var origin: String
        var dest: String
        var departed: Int64
        var recorded: Int64
        var minutes: Int64?
        var fare: Double?
    }

    struct Vehicle {
        var vehicle: Int64
        var since: Int64
        var seats: Int64?
        var maker: String?
    }

    struct Question {
        var station: String?
        var origin: String?
        var dest: String?
        var vehicle: Int64?
        var time: Int64
        var label: Int64
    }

    /// The instant 2024-03-01T00:00:00Z.
    static let start: Int64 = 1_709_251_200 * 1_000_000

    var readings: [Reading] = []
    var trips: [Trip] = []
    var vehicles: [Vehicle] = []
    var spine: [Question] = []
    let places: [(key: String, vector: [Float])] = [
        ("bc", [1, 0.5, -2]), ("c", [0.25, 0, 3]), ("é ,\"x\"", [-1, -0.125, 0.75]),
    ]

    // Concatenated without their lengths, ("a", "bc") and ("ab", "c") would be one key.
    static let stations = ["north", "south", "a,b", ""]
    static let origins = ["a", "ab"]
    static let dests = ["bc", "c", "é ,\"x\""]

    init(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        func maybe<Value>(_ chance: Int, _ value: Value) -> Value? {
            Int.random(in: 0..<100, using: &random) < chance ? nil : value
        }
        for _ in 0..<160 {
            let steps = Int64.random(in: 0..<(5 * 24 * 2), using: &random)
            let wind = Double(Int.random(in: 0...80, using: &random)) / 4
            let isOdd = Int.random(in: 0..<12, using: &random)
            readings.append(
                Reading(
                    station: maybe(3, Self.stations.randomElement(using: &random) ?? ""),
                    takenAt: Self.start + steps * 30 * minute,
                    temperature: maybe(10, Double(Int.random(in: -3000...4000, using: &random)) / 100),
                    wind: maybe(10, isOdd == 0 ? .nan : isOdd == 1 ? -0.0 : wind),
                    note: maybe(20, ["calm", "", "two\nlines", "a \"gust\", then"].randomElement(using: &random) ?? "")
                )
            )
        }
        for _ in 0..<140 {
            let departed = Self.start + Int64.random(in: 0..<(5 * 24), using: &random) * hour
            // Some are recorded before they depart, which makes them known at departure.
            let delay = Int64.random(in: -30...300, using: &random) * minute
            trips.append(
                Trip(
                    origin: Self.origins.randomElement(using: &random) ?? "",
                    dest: Self.dests.randomElement(using: &random) ?? "",
                    departed: departed,
                    recorded: departed + delay,
                    minutes: maybe(8, Int64.random(in: 0...4, using: &random) * 35),
                    fare: maybe(8, Double(Int.random(in: 100...9999, using: &random)) / 100)
                )
            )
        }
        for _ in 0..<24 {
            vehicles.append(
                Vehicle(
                    vehicle: Int64.random(in: 1...9, using: &random),
                    since: Self.start + Int64.random(in: -2...4, using: &random) * day,
                    seats: maybe(20, Int64.random(in: 2...60, using: &random)),
                    maker: maybe(20, ["Ax", "By"].randomElement(using: &random) ?? "")
                )
            )
        }
        for row in 0..<150 {
            var time = Self.start + Int64.random(in: 0..<(5 * day), using: &random)
            let reading = readings[Int.random(in: 0..<readings.count, using: &random)]
            let trip = trips[Int.random(in: 0..<trips.count, using: &random)]
            // The edges of visibility, to the microsecond.
            switch row % 8 {
            case 0: time = reading.takenAt + 10 * minute
            case 1: time = reading.takenAt + 10 * minute - 1
            case 2: time = reading.takenAt + 3 * hour
            case 3: time = reading.takenAt + 3 * hour + 1
            case 4: time = max(trip.recorded, trip.departed)
            case 5: time = max(trip.recorded, trip.departed) - 1
            default: break
            }
            spine.append(
                Question(
                    station: maybe(5, row % 8 < 4 ? reading.station ?? "north" : Self.stations[row % 4]),
                    origin: maybe(3, trip.origin),
                    dest: maybe(3, row % 20 == 7 ? "nowhere" : trip.dest),
                    vehicle: maybe(5, Int64.random(in: 0...10, using: &random)),
                    time: time,
                    label: Int64(row)
                )
            )
        }
    }

    private static func cell(_ text: String?) -> String {
        text.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" } ?? ""
    }

    private static func cell(_ value: Double?) -> String { value.map { $0.isNaN ? "NaN" : "\($0)" } ?? "" }
    private static func cell(_ value: Int64?) -> String { value.map { "\($0)" } ?? "" }
    static func time(_ instant: Int64) -> String { Instant.text(instant) ?? "" }

    private static func csv(_ header: String, _ rows: [[String]]) -> String {
        header + "\n" + rows.map { $0.joined(separator: ",") + "\n" }.joined()
    }

    var readingsCSV: String {
        Self.csv(
            "station,taken_at,temperature,wind,note",
            readings.map {
                [
                    Self.cell($0.station), Self.time($0.takenAt), Self.cell($0.temperature), Self.cell($0.wind),
                    Self.cell($0.note),
                ]
            }
        )
    }

    var tripsCSV: String {
        Self.csv(
            "origin,dest,departed,recorded,minutes,fare",
            trips.map {
                [
                    Self.cell($0.origin), Self.cell($0.dest), Self.time($0.departed), Self.time($0.recorded),
                    Self.cell($0.minutes), Self.cell($0.fare),
                ]
            }
        )
    }

    var fleetCSV: String {
        Self.csv(
            "vehicle,since,seats,maker",
            vehicles.map { [Self.cell($0.vehicle), Self.time($0.since), Self.cell($0.seats), Self.cell($0.maker)] }
        )
    }

    var spineCSV: String {
        Self.csv(
            "label,station,origin,dest,vehicle,event_timestamp",
            spine.map {
                [
                    Self.cell($0.label), Self.cell($0.station), Self.cell($0.origin), Self.cell($0.dest),
                    Self.cell($0.vehicle), Self.time($0.time),
                ]
            }
        )
    }

    var placesCSV: String {
        Self.csv("key,v0,v1,v2", places.map { [Self.cell($0.key)] + $0.vector.map { "\($0)" } })
    }
}

extension FeatureRepository {
    func write(_ data: GeneratedData) throws {
        try write("data/readings.csv", data.readingsCSV)
        try write("data/trips.csv", data.tripsCSV)
        try write("data/fleet.csv", data.fleetCSV)
        try write("spine.csv", data.spineCSV)
        try write("places.csv", data.placesCSV)
    }
}
