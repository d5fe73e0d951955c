import Testing

/// The definitions of the tests: three views with different keys, a composite one among them.
enum Definitions {
    static func climate(ttl: String = "3h", description: String = "The last reading", wind: String = "float64")
        -> String
    {
        """
        kind: Entity
        name: station
        join_keys: { station: string }
        ---
        kind: Source
        name: readings
        columns: { station: string, taken_at: timestamp, temperature: float64, wind: \(wind), note: string }
        event_time: { column: taken_at }
        available_after: 10m
        ---
        kind: FeatureView
        name: station_climate
        description: \(description)
        entities: [station]
        source: readings
        ttl: \(ttl)
        features:
          - { name: temperature, type: float64 }
          - { name: wind, type: float64 }
          - { name: is_windy, type: bool, expression: "wind > 6.5" }
          - { name: note, type: string }

        """
    }

    static let trips = """
        kind: Entity
        name: route
        join_keys: { origin: string, dest: string }
        ---
        kind: Source
        name: trips
        columns: { origin: string, dest: string, departed: timestamp, recorded: timestamp, minutes: int64, fare: float64 }
        event_time: { column: departed }
        known_at: { column: recorded }
        ---
        kind: FeatureView
        name: route_last
        entities: [route]
        source: trips
        ttl: 1d
        features:
          - { name: minutes, type: int64 }
          - { name: pace, type: float64, expression: "fare / minutes" }
        ---
        kind: FeatureService
        name: route_model
        features:
          - route_last: [minutes]

        """

    static let fleet = """
        kind: Entity
        name: vehicle
        join_keys: { vehicle: int64 }
        ---
        kind: Source
        name: fleet
        columns: { vehicle: int64, since: timestamp, seats: int64, maker: string }
        event_time: { column: since }
        ---
        kind: FeatureView
        name: vehicle_register
        entities: [vehicle]
        source: fleet
        features:
          - { name: seats, type: int64 }
          - { name: is_big, type: bool, expression: "coalesce(seats, 0) > 20" }
          - { name: maker, type: string }

        """

    static func model(climate features: String = "temperature, wind, is_windy, note") -> String {
        """
        kind: Discretizer
        name: wind_bins
        input: station_climate:wind
        method: quantile
        bins: 5
        ---
        kind: EmbeddingSpace
        name: place_space
        dimension: 3
        metric: cosine
        producer: test/1
        ---
        kind: FeatureService
        name: arrival_model
        features:
          - station_climate: [\(features)]
          - bins: { input: station_climate:wind, discretizer: wind_bins, as: wind_bin }
          - route_last: [minutes, pace]
          - vehicle_register: [seats, is_big, { feature: maker, as: made_by }]
          - embedding: { space: place_space, key: dest, as: dest_vector }

        """
    }
}

extension FeatureRepository {
    func writeDefinitions() throws {
        try write("features/climate.yaml", Definitions.climate())
        try write("features/trips.yaml", Definitions.trips)
        try write("features/fleet.yaml", Definitions.fleet)
        try write("features/model.yaml", Definitions.model())
    }
}

extension ServiceFixture {
    /// Definitions applied, data ingested from a snapshot, bins and embeddings made, a lock written.
    func prepare(_ data: GeneratedData) async throws {
        try repository.writeDefinitions()
        try repository.write(data)
        try await repository.lockstep("apply")
        try await repository.lockstep("snapshot", "create", "records", "data")
        for source in ["readings", "trips", "fleet"] {
            try await repository.lockstep("ingest", source, "--from", "records@1:\(source).csv")
        }
        try await repository.lockstep("fit", "wind_bins")
        try await repository.lockstep("embeddings", "import", "place_space", "places.csv")
        try await repository.lockstep("lock", "arrival_model")
    }
}
