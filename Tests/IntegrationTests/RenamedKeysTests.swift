import Formats
import Testing

extension Integration {
    /// One entity under two names in one service: the airports a flight leaves and reaches.
    @Suite struct RenamedKeysTests {
        private static let definitions = """
            kind: Entity
            name: airport
            join_keys: { airport: string }
            ---
            kind: Source
            name: weather
            columns: { airport: string, at: timestamp, wind: float64 }
            event_time: { column: at }
            ---
            kind: FeatureView
            name: airport_weather
            entities: [airport]
            source: weather
            features:
              - { name: wind, type: float64 }
              - { name: doubled, type: float64, expression: wind * 2 }
              - { name: is_high, type: bool, expression: doubled > 15 }
            ---
            kind: FeatureService
            name: flight_model
            features:
              - airport_weather: { keys: { airport: origin }, prefix: origin_, features: [wind, is_high] }
              - airport_weather: { keys: { airport: dest }, prefix: dest_, features: [wind, is_high] }

            """

        @Test func oneEntityStandsTwiceInARow() async throws {
            try await ServiceFixture.run(allowsReplay: true) { fixture in
                let repository = fixture.repository
                try repository.write("features/weather.yaml", Self.definitions)
                try await repository.lockstep("apply")
                try repository.write(
                    "weather.csv",
                    """
                    airport,at,wind
                    EWR,2013-01-01T10:00:00Z,5
                    EWR,2013-01-01T11:00:00Z,6
                    LAX,2013-01-01T10:30:00Z,9
                    """
                )
                try await repository.lockstep("ingest", "weather", "weather.csv")
                try await repository.lockstep("lock", "flight_model")
                try repository.write(
                    "spine.csv",
                    """
                    origin,dest,event_timestamp
                    EWR,LAX,2013-01-01T10:45:00Z
                    LAX,EWR,2013-01-01T11:00:00Z
                    EWR,EWR,2013-01-01T10:00:00Z
                    EWR,SFO,2013-01-01T12:00:00Z

                    """
                )
                try await repository.lockstep("training-set", "--spine", "spine.csv", "-o", "out.csv")
                #expect(
                    try repository.text("out.csv") == """
                        origin,dest,event_timestamp,origin_wind,origin_is_high,dest_wind,dest_is_high
                        EWR,LAX,2013-01-01T10:45:00Z,5.0,false,9.0,true
                        LAX,EWR,2013-01-01T11:00:00Z,9.0,true,6.0,false
                        EWR,EWR,2013-01-01T10:00:00Z,5.0,false,5.0,false
                        EWR,SFO,2013-01-01T12:00:00Z,6.0,false,,

                        """
                )
                try await repository.lockstep("materialize", "--at", "2013-01-01T10:45:00Z")
                let report = try await repository.lockstep("parity", "--at", "2013-01-01T10:45:00Z")
                expectWords(report, "certificate")
                let replayed = try await repository.lockstep(
                    "parity",
                    "--replay",
                    "2013-01-01T10:00:00Z/2013-01-01T12:00:01Z",
                    "--spine",
                    "spine.csv"
                )
                expectWords(replayed, "certificate", "4 rows")
            }
        }
    }
}
