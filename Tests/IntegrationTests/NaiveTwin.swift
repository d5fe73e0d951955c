import Columns
import Features

/// Point-in-time features by trying every row of history for every question, from the rules of `docs/semantics.md` alone.
struct NaiveTwin {
    struct Answer {
        var value: Scalar
        var status: FeatureStatus
        /// Of the row behind the value, 0 where there is none.
        var eventTime: Int64
    }

    static let features = [
        "temperature", "wind", "is_windy", "note", "wind_bin", "minutes", "pace", "seats", "is_big", "made_by",
        "dest_vector",
    ]

    let data: GeneratedData
    private let edges: [Double]

    init(_ data: GeneratedData) {
        self.data = data
        // Edge k of 5 is the smallest value that at least k fifths of the finite values do not exceed.
        let winds = data.readings.compactMap(\.wind).filter(\.isFinite).map { $0 + 0.0 }.sorted()
        var edges: [Double] = []
        for k in 1..<5 {
            let edge = winds.first { candidate in winds.count { $0 <= candidate } * 5 >= k * winds.count } ?? 0
            if edge > (edges.last ?? winds[0]) { edges.append(edge) }
        }
        self.edges = edges
    }

    /// The row that answers at an instant: visible, and the greatest by event time, known-at and sequence.
    private func find(
        _ rows: [(event: Int64, known: Int64, isOfKey: Bool)],
        at time: Int64,
        ttl: Int64?
    ) -> (row: Int?, status: FeatureStatus) {
        var best: Int?
        var isTooOld = false
        for (place, row) in rows.enumerated() where row.isOfKey && row.event <= time && row.known <= time {
            if let ttl, row.event < time - ttl {
                isTooOld = true
                continue
            }
            if let other = best, (row.event, row.known) < (rows[other].event, rows[other].known) { continue }
            best = place
        }
        if let best { return (best, .present) }
        return (nil, isTooOld ? .outsideMaxAge : .notFound)
    }

    func answer(_ question: GeneratedData.Question) -> [String: Answer] {
        var answers: [String: Answer] = [:]
        func put(_ name: String, _ found: (row: Int?, status: FeatureStatus), _ value: Scalar?, _ event: Int64?) {
            guard found.row != nil else {
                answers[name] = Answer(value: .null, status: found.status, eventTime: 0)
                return
            }
            answers[name] = Answer(
                value: value ?? .null,
                status: value == nil ? .nullValue : .present,
                eventTime: event ?? 0
            )
        }
        let climate = find(
            data.readings.map {
                ($0.takenAt, $0.takenAt + 10 * minute, $0.station != nil && $0.station == question.station)
            },
            at: question.time,
            ttl: 3 * hour
        )
        let reading = climate.row.map { data.readings[$0] }
        put("temperature", climate, reading?.temperature.map(Scalar.float64), reading?.takenAt)
        put("wind", climate, reading?.wind.map(Scalar.float64), reading?.takenAt)
        // PostgreSQL orders NaN above every number.
        put("is_windy", climate, reading?.wind.map { .bool($0.isNaN || $0 > 6.5) }, reading?.takenAt)
        put("note", climate, reading?.note.map(Scalar.string), reading?.takenAt)
        let bin = reading?.wind.map { wind in
            Scalar.int64(Int64(wind.isNaN ? edges.count + 1 : edges.count { $0 <= wind }))
        }
        put("wind_bin", climate, bin, reading?.takenAt)

        let route = find(
            data.trips.map {
                ($0.departed, max($0.departed, $0.recorded), $0.origin == question.origin && $0.dest == question.dest)
            },
            at: question.time,
            ttl: day
        )
        let trip = route.row.map { data.trips[$0] }
        put("minutes", route, trip?.minutes.map(Scalar.int64), trip?.departed)
        var pace: Scalar?
        if let fare = trip?.fare, let minutes = trip?.minutes, minutes != 0 { pace = .float64(fare / Double(minutes)) }
        put("pace", route, pace, trip?.departed)
        if let trip, trip.fare != nil, trip.minutes == 0 { answers["pace"]?.status = .invalid }

        let register = find(
            data.vehicles.map { ($0.since, $0.since, $0.vehicle == question.vehicle) },
            at: question.time,
            ttl: nil
        )
        let vehicle = register.row.map { data.vehicles[$0] }
        put("seats", register, vehicle?.seats.map(Scalar.int64), vehicle?.since)
        put("is_big", register, vehicle.map { .bool(($0.seats ?? 0) > 20) }, vehicle?.since)
        put("made_by", register, vehicle?.maker.map(Scalar.string), vehicle?.since)

        let vector = data.places.first { $0.key == question.dest }?.vector
        answers["dest_vector"] = Answer(
            value: vector.map(Scalar.vector) ?? .null,
            status: question.dest == nil ? .nullValue : vector == nil ? .notFound : .present,
            eventTime: 0
        )
        return answers
    }
}
