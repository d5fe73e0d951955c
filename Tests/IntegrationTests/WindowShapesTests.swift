import Testing

extension Integration {
    /// Windows of views without entities, without columns and under renamed keys, over history that came in parts.
    @Suite struct WindowShapesTests {
        private let data = GeneratedData(seed: 31)
        private let early = GeneratedData.time(GeneratedData.start + 2 * day)
        private let late = GeneratedData.time(GeneratedData.start + 4 * day)

        private static let definitions = """
            kind: Entity
            name: stop
            join_keys: { origin: string }
            ---
            kind: Source
            name: trips
            columns: { origin: string, dest: string, departed: timestamp, recorded: timestamp, minutes: int64, fare: float64 }
            event_time: { column: departed }
            known_at: { column: recorded }
            ---
            kind: FeatureView
            name: network
            entities: []
            source: trips
            features: [{ name: all, type: int64, expression: count(*) over 1d }]
            ---
            kind: FeatureView
            name: stop_trips
            entities: [stop]
            source: trips
            ttl: 2h
            features:
              - { name: n, type: int64, expression: count(*) over 6h }
              - { name: long, type: int64, expression: count(*) filter (where minutes > 35) over 2d }
              - { name: minutes, type: int64 }
            ---
            kind: Discretizer
            name: all_bins
            input: network:all
            method: quantile
            bins: 4
            ---
            kind: FeatureService
            name: shape_model
            features:
              - network: [all]
              - stop_trips: [n, long, minutes]
              - stop_trips: { features: [n], keys: { origin: via }, prefix: via_ }
              - bins: { input: network:all, discretizer: all_bins, as: all_bin }

            """

        private func known(_ trip: GeneratedData.Trip) -> Int64 { max(trip.departed, trip.recorded) }

        /// The rule tried on every trip: what a window holds for one question.
        private func count(_ width: Int64, at time: Int64, where holds: (GeneratedData.Trip) -> Bool) -> Int {
            data.trips.count { trip in
                trip.departed > time - width && trip.departed <= time && known(trip) <= time && holds(trip)
            }
        }

        private func via(_ row: Int) -> String? { row % 9 == 0 ? nil : GeneratedData.origins[row % 2] }

        @Test func areServedAsTheyAreTrained() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try repository.write("features/shapes.yaml", Self.definitions)
                try await repository.lockstep("apply")
                // Three files, one of which is given twice: an ingest that is repeated changes nothing.
                let lines = data.tripsCSV.replacing("é ,\"\"x\"\"", with: "x").split(separator: "\n")
                for part in 0..<3 {
                    let rows = lines.dropFirst().enumerated().filter { $0.offset % 3 == part }.map(\.element)
                    try repository.write("trips\(part).csv", ([lines[0]] + rows).joined(separator: "\n") + "\n")
                    try await repository.lockstep("ingest", "trips", "trips\(part).csv")
                }
                try await repository.lockstep("ingest", "trips", "trips1.csv")
                try await repository.lockstep("fit", "all_bins")
                try await repository.lockstep("lock", "shape_model")
                var spine = "origin,via,event_timestamp\n"
                for (row, question) in data.spine.enumerated() {
                    spine +=
                        [question.origin ?? "", via(row) ?? "", GeneratedData.time(question.time)]
                        .joined(separator: ",") + "\n"
                }
                try repository.write("asked.csv", spine)

                try await repository.lockstep("training-set", "--spine", "asked.csv", "-o", "out.csv")
                let answers = try repository.text("out.csv").split(separator: "\n").dropFirst()
                    .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
                #expect(answers.count == data.spine.count)
                for (row, (question, cells)) in zip(data.spine, answers).enumerated() {
                    let all = count(day, at: question.time) { _ in true }
                    let n = question.origin.map { origin in
                        count(6 * hour, at: question.time) { $0.origin == origin }
                    }
                    let long = question.origin.map { origin in
                        count(2 * day, at: question.time) { $0.origin == origin && $0.minutes ?? 0 > 35 }
                    }
                    let viaCount = via(row).map { origin in
                        count(6 * hour, at: question.time) { $0.origin == origin }
                    }
                    let expected = ["\(all)"] + [n, long].map { $0.map(String.init) ?? "" }
                    #expect(cells[3..<6].map(String.init) == expected, "row \(row)")
                    #expect(cells[7] == (viaCount.map(String.init) ?? ""), "row \(row)")
                }

                try await repository.lockstep("materialize", "--at", early)
                expectWords(
                    try await repository.lockstep("parity", "--at", early, "--spine", "asked.csv"),
                    "parity holds for \(data.spine.count) rows"
                )
                // The lock goes on naming the windows it was made with.
                try repository.write(
                    "features/shapes.yaml",
                    Self.definitions.replacing("over 6h", with: "over 7h").replacing("over 1d", with: "over 23h")
                )
                try await repository.lockstep("apply")
                let replayed = try await repository.lockstep(
                    "parity",
                    "--replay",
                    "\(early)/\(late)",
                    "--spine",
                    "asked.csv"
                )
                let span = GeneratedData.start + 2 * day..<GeneratedData.start + 4 * day
                expectWords(replayed, "parity holds for \(data.spine.count { span.contains($0.time) }) rows")
            }
        }
    }
}
