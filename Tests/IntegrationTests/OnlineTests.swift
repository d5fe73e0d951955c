import Columns
import Features
import Formats
import Lockstep
import NIOHTTP1
import Objects
import Testing
import Wire

extension Integration {
    @Suite struct OnlineTests {
        private let data = GeneratedData(seed: 11)
        private let instant = GeneratedData.start + 5 * day + 2 * hour

        /// One question for each of some entities, all at the instant; the unseen and the missing among them.
        private var questions: [GeneratedData.Question] {
            var list: [GeneratedData.Question] = []
            for station in GeneratedData.stations + ["unseen"] {
                for origin in GeneratedData.origins {
                    for dest in GeneratedData.dests + ["nowhere"] {
                        list.append(
                            GeneratedData.Question(
                                station: list.count % 9 == 8 ? nil : station,
                                origin: origin,
                                dest: list.count % 11 == 10 ? nil : dest,
                                vehicle: Int64(list.count % 12),
                                time: instant,
                                label: 0
                            )
                        )
                    }
                }
            }
            return list
        }

        private func entities(_ questions: [GeneratedData.Question]) -> JSON {
            func list(_ value: (GeneratedData.Question) -> JSON?) -> JSON {
                .array(questions.map { value($0) ?? .null })
            }
            return .object([
                "station": list { $0.station.map(JSON.string) }, "origin": list { $0.origin.map(JSON.string) },
                "dest": list { $0.dest.map(JSON.string) }, "vehicle": list { $0.vehicle.map { .int($0) } },
            ])
        }

        @Test func answersAsTheNaiveTwinDoesAtTheInstant() async throws {
            try await ServiceFixture.run { fixture in
                try await fixture.prepare(data)
                let at = GeneratedData.time(instant)
                let printed = try await fixture.repository.lockstep("materialize", "--at", at)
                expectWords(printed, "station_climate@1", "route_last@1", "vehicle_register@1", "online through \(at)")
                let request: JSON = .object([
                    "feature_service": .string("arrival_model"), "entities": entities(questions),
                ])
                let body = try await fixture.client.send(
                    .POST,
                    "/get-online-features",
                    headers: [("content-type", "application/json")],
                    body: request.encoded()
                )
                let answer = try JSON(parsing: body)
                let keys = ["station", "origin", "dest", "vehicle"]
                let names = try #require(answer["metadata"]?["feature_names"]?.array).compactMap(\.string)
                #expect(Set(names.prefix(4)) == Set(keys))
                #expect(Array(names.dropFirst(4)) == NaiveTwin.features)
                let results = try #require(answer["results"]?.array)
                #expect(results.count == names.count)
                let twin = NaiveTwin(data)
                var statuses: Set<String> = []
                var wrong: [String] = []
                for (name, result) in zip(names, results) where !keys.contains(name) {
                    let values = try #require(result["values"]?.array)
                    let found = try #require(result["statuses"]?.array).compactMap(\.string)
                    let times = try #require(result["event_timestamps"]?.array).compactMap(\.string)
                    try #require(values.count == questions.count && found.count == values.count)
                    try #require(times.count == values.count)
                    for (row, question) in questions.enumerated() {
                        let expected = try #require(twin.answer(question)[name])
                        statuses.insert(found[row])
                        if !Self.matches(values[row], expected.value) || found[row] != expected.status.text
                            || times[row] != GeneratedData.time(expected.eventTime)
                        {
                            wrong.append(
                                "\(name) of \(question): \(values[row].text) \(found[row]) \(times[row]), expected \(expected)"
                            )
                        }
                    }
                }
                #expect(wrong == [])
                #expect(statuses.isSuperset(of: ["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE", "INVALID"]))

                // What the command prints is the same answer.
                let question = try #require(questions.first { $0.station == "north" && $0.dest == "bc" })
                let row = try await fixture.repository.lockstep(
                    "get",
                    "arrival_model",
                    "station=north",
                    "origin=\(question.origin ?? "")",
                    "dest=bc",
                    "vehicle=\(question.vehicle ?? 0)",
                    "--json"
                )
                let parsed = try OnlineResponse(parsing: Array(row.utf8))
                for name in NaiveTwin.features {
                    let position = try #require(parsed.names.firstIndex(of: name))
                    let expected = try #require(twin.answer(question)[name])
                    #expect(Self.matches(parsed.results[position].values[0], expected.value), "\(name)")
                    #expect(parsed.results[position].statuses[0] == expected.status, "\(name)")
                }
                let table = try await fixture.repository.lockstep(
                    "get",
                    "arrival_model",
                    "station=unseen",
                    "origin=a",
                    "dest=nowhere",
                    "vehicle=77"
                )
                expectWords(table, "FEATURE", "temperature", "NOT_FOUND")
            }
        }

        private static func number(_ json: JSON) -> String? { if case .number(let text) = json { text } else { nil } }

        private static func matches(_ json: JSON, _ value: Scalar) -> Bool {
            switch value {
            case .null: json == .null
            case .bool(let value): json.bool == value
            case .int64(let value): json.int == value
            case .float64(let value):
                value.isNaN ? json.string == "NaN" : number(json).flatMap(Double.init)?.bitPattern == value.bitPattern
            case .string(let value): json.string == value
            case .vector(let values):
                json.array?.map { number($0).flatMap(Float.init) } == values
            default: false
            }
        }

        @Test func aLockDigestIsAnsweredByWhatItPinsOrByADiff() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                try await repository.lockstep("materialize", "--at", GeneratedData.time(instant))
                let lock = try LockFile.open(repository.path("lockstep.lock"))
                let request = OnlineRequest(
                    selection: .service("arrival_model"),
                    entities: entities(Array(questions.prefix(3))).members ?? []
                )
                let before = try await fixture.client.onlineFeatures(request, lock: lock.digest)
                #expect(before.results.count == 15)
                let ofOther = await #expect(throws: ClientError.self) {
                    _ = try await fixture.client.onlineFeatures(request, lock: Digest.of([1]))
                }
                #expect(ofOther?.problem?.status == 409)

                try repository.write("features/climate.yaml", Definitions.climate(ttl: "2h"))
                try await repository.lockstep("apply")
                try await repository.lockstep("fit", "wind_bins")
                let refused = await #expect(throws: ClientError.self) {
                    _ = try await fixture.client.onlineFeatures(request, lock: lock.digest)
                }
                let problem = try #require(refused?.problem)
                #expect(problem.status == 409 && problem.type == "lock-mismatch")
                let differences = (problem.differences ?? []).joined(separator: "\n")
                expectWords(
                    differences,
                    "view 'station_climate': locked station_climate@1, serving station_climate@2",
                    "service 'arrival_model': locked arrival_model@1, serving arrival_model@2"
                )
                #expect(!differences.contains("route_last"))
                let outcome = try await repository.outcome([
                    "get", "arrival_model", "station=north", "origin=a", "dest=bc", "vehicle=1", "--lock",
                    "lockstep.lock",
                ])
                #expect(outcome.code == 4)
                expectWords(outcome.errors, "station_climate@1", "station_climate@2", "retrain")
                // Without the header the new version is served.
                _ = try await fixture.client.onlineFeatures(request)
            }
        }

        @Test func theLockedVersionIsServedByItsNumberWhileANewerOneExists() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                try await repository.lockstep("lock", "route_model", "-o", "route.lock")
                try await repository.lockstep("materialize", "--at", GeneratedData.time(instant))
                let lock = try LockFile.open(repository.path("route.lock"))
                let keys: [JSON.Member] = [
                    JSON.Member("origin", .array(GeneratedData.origins.map(JSON.string))),
                    JSON.Member("dest", .array([.string("bc"), .string("c")])),
                ]
                let request = OnlineRequest(selection: .service("route_model@1"), entities: keys)
                let before = try await fixture.client.onlineFeatures(request, lock: lock.digest)
                let changed = Definitions.trips.replacing("ttl: 1d", with: "ttl: 2d")
                try repository.write("features/trips.yaml", changed)
                try await repository.lockstep("apply")
                #expect(try await fixture.client.onlineFeatures(request, lock: lock.digest) == before)
                let newest = OnlineRequest(selection: .service("route_model"), entities: keys)
                let refused = await #expect(throws: ClientError.self) {
                    _ = try await fixture.client.onlineFeatures(newest, lock: lock.digest)
                }
                #expect(refused?.problem?.status == 409)
            }
        }

        @Test func binsThatWereFittedAgainDifferFromTheLock() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                let lock = try LockFile.open(repository.path("lockstep.lock"))
                let request = OnlineRequest(
                    selection: .service("arrival_model@1"),
                    entities: entities(Array(questions.prefix(3))).members ?? []
                )
                _ = try await fixture.client.onlineFeatures(request, lock: lock.digest)
                try repository.write("more.csv", GeneratedData(seed: 12).readingsCSV)
                try await repository.lockstep("ingest", "readings", "more.csv")
                try await repository.lockstep("fit", "wind_bins")
                let refused = await #expect(throws: ClientError.self) {
                    _ = try await fixture.client.onlineFeatures(request, lock: lock.digest)
                }
                #expect(refused?.problem?.type == "lock-mismatch")
                #expect(
                    refused?.problem?.differences == ["bins 'wind_bins': locked wind_bins@1, serving wind_bins@2"]
                )
            }
        }

        /// Bins of another definition's version cannot stand in: the caller learns it as a difference from its lock.
        @Test func binsOfANewerDefinitionDifferFromTheLock() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                try await repository.lockstep("materialize", "--at", GeneratedData.time(instant))
                let lock = try LockFile.open(repository.path("lockstep.lock"))
                let request = OnlineRequest(
                    selection: .service("arrival_model@1"),
                    entities: entities(Array(questions.prefix(3))).members ?? []
                )
                let before = try await fixture.client.onlineFeatures(request, lock: lock.digest)
                try repository.write("features/climate.yaml", Definitions.climate(ttl: "2h"))
                try await repository.lockstep("apply")
                try await repository.lockstep("fit", "wind_bins")
                do {
                    #expect(try await fixture.client.onlineFeatures(request, lock: lock.digest) == before)
                } catch ClientError.refused(let problem) {
                    #expect(problem.type == "lock-mismatch", "\(problem.detail)")
                    expectWords((problem.differences ?? []).joined(separator: "\n"), "wind_bins@1")
                }
            }
        }
    }
}

extension ClientError {
    var problem: Problem? { if case .refused(let problem) = self { problem } else { nil } }
}
