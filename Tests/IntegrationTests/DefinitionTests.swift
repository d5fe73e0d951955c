import Formats
import Postgres
import Testing

extension Integration {
    @Suite struct DefinitionTests {
        @Test func scaffoldRunsFromInitToTrainingSet() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try repository.remove("lockstep.yaml")
                try await repository.lockstep("init", "--project", FeatureRepository.project)
                let again = try await repository.outcome(["init"])
                #expect(again.code == 2)
                expectWords(again.errors, "lockstep.yaml", "is there already", "nothing was written")
                try await repository.lockstep("apply")
                try await repository.lockstep("ingest", "readings", "readings.csv")
                try await repository.lockstep("lock", "comfort")
                try await repository.lockstep("verify")
                try await repository.lockstep("training-set", "--spine", "spine.csv", "-o", "training.csv")
                #expect(
                    try repository.text("training.csv") == """
                        room,event_timestamp,is_comfortable,celsius,is_humid
                        kitchen,2024-05-01T08:30:00Z,true,20.5,false
                        kitchen,2024-05-01T09:00:30Z,true,20.5,false
                        study,2024-05-01T12:00:00Z,false,,

                        """
                )
            }
        }

        @Test func applyingTwiceChangesNothingAndPlanForetells() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try repository.writeDefinitions()
                let empty = try fixture.rowCounts()
                let plan = try await repository.lockstep("plan")
                expectWords(plan, "+ view station_climate@1", "+ service arrival_model@1", "would change")
                #expect(try fixture.rowCounts() == empty)
                let first = try await repository.lockstep("apply")
                expectWords(first, "+ view station_climate@1", "13 changed, 0 unchanged")
                let applied = try fixture.rowCounts()
                #expect(try await repository.lockstep("apply") == "13 definitions, nothing changed\n")
                #expect(try fixture.rowCounts() == applied)
                try await repository.lockstep("plan", "--check")

                try repository.write("features/climate.yaml", Definitions.climate(ttl: "2h"))
                let changed = try await repository.lockstep("plan", "--check", code: 1)
                expectWords(changed, "~ view station_climate@2", "a new version", "ttl", "3h", "2h")
                expectWords(changed, "~ service arrival_model@2", "~ discretizer wind_bins@2")
                #expect(!changed.contains("route_last"))
                #expect(try fixture.rowCounts() == applied)
                try await repository.lockstep("apply")
                #expect(try fixture.count("versions") == applied["versions"].map { $0 + 3 })

                // The old content is the old version again.
                try repository.write("features/climate.yaml", Definitions.climate())
                let reverted = try await repository.lockstep("apply")
                expectWords(reverted, "~ view station_climate@1", "an older version again")
                #expect(try fixture.count("versions") == applied["versions"].map { $0 + 3 })
            }
        }

        @Test func annotationsAreEditedInPlace() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try repository.writeDefinitions()
                try await repository.lockstep("apply")
                let before = try fixture.rowCounts()
                try repository.write("features/climate.yaml", Definitions.climate(description: "Reworded"))
                expectWords(try await repository.lockstep("apply"), "station_climate@1  edited in place")
                var expected = before
                expected["annotations", default: 0] += 1
                #expect(try fixture.rowCounts() == expected)
                let history = try fixture.connect().query(
                    """
                    select a.description from annotations a join definitions d on d.id = a.definition_id
                    where d.name = 'station_climate' order by a.id
                    """
                ).map { try $0.text(0) }
                #expect(history == ["The last reading", "Reworded"])
            }
        }

        @Test func oneChangedFileGivesDependentsNewVersions() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try repository.writeDefinitions()
                try await repository.lockstep("apply")
                try repository.write("features/climate.yaml", Definitions.climate(ttl: "2h"))
                let output = try await repository.lockstep("apply", "features/climate.yaml")
                expectWords(
                    output,
                    "~ view station_climate@2",
                    "~ service arrival_model@2",
                    "~ discretizer wind_bins@2"
                )
                #expect(try await repository.lockstep("apply") == "13 definitions, nothing changed\n")
                let service = try JSON(
                    parsing: try await repository.lockstep("show", "service", "arrival_model", "--json")
                )
                let uses = service["uses"]?.array?.compactMap { $0["reference"]?.string } ?? []
                #expect(
                    uses.sorted() == [
                        "place_space@1", "route_last@1", "station_climate@2", "vehicle_register@1", "wind_bins@2",
                    ]
                )
            }
        }

        @Test func versionsAreImmutableAndWhatIsUsedStays() async throws {
            try await ServiceFixture.run { fixture in
                try fixture.repository.writeDefinitions()
                try await fixture.repository.lockstep("apply")
                let before = try fixture.rowCounts()
                let connection = try fixture.connect()
                let update = #expect(throws: PostgresError.self) {
                    try connection.execute("update versions set document = '{}' where number = 1")
                }
                #expect(update?.sqlState == "23001")
                expectWords(update?.message ?? "", "versions", "immutable")
                let removal = #expect(throws: PostgresError.self) {
                    try connection.execute(
                        """
                        delete from versions where id in (select v.id from versions v
                            join definitions d on d.id = v.definition_id where d.name = 'station_climate')
                        """
                    )
                }
                #expect(["23001", "23503"].contains(removal?.sqlState ?? ""))
                #expect(try fixture.rowCounts() == before)
            }
        }
    }
}
