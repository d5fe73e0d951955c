import Postgres
import Testing
import Wire

extension Integration {
    @Suite struct ForgetTests {
        private func makeVersions(_ numbers: ClosedRange<Int>, _ fixture: ServiceFixture) async throws {
            for number in numbers {
                try fixture.repository.write("data/a.csv", "x\n\(number)\n")
                try await fixture.repository.lockstep("snapshot", "create", "records", "data")
            }
        }

        private func numbers(_ fixture: ServiceFixture) throws -> [Int64] {
            try fixture.connect().query(
                """
                select v.number::bigint from versions v join definitions d on d.id = v.definition_id
                where d.kind = 'snapshot' and d.name = 'records' order by 1
                """
            ).map { try $0.int64(0) }
        }

        @Test func aPolicyKeepsWhatAnyRuleKeeps() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await makeVersions(1...6, fixture)
                // One version a day, the newest long ago: the rule counts from it, not from today.
                let connection = try fixture.connect()
                try connection.script(
                    """
                    alter table versions disable trigger versions_are_immutable;
                    update versions set created_at = '2020-01-01'::timestamptz + number * interval '1 day';
                    alter table versions enable trigger versions_are_immutable
                    """
                )
                try await repository.lockstep("tag", "records@1", "golden")
                try await repository.lockstep("alias", "records@2", "production")
                let dry = try await repository.lockstep(
                    "snapshot",
                    "forget",
                    "records",
                    "--keep-last",
                    "1",
                    "--keep-within",
                    "36h",
                    "--dry-run"
                )
                expectWords(
                    dry,
                    "records@6  kept: the last one; within 1d12h of the newest",
                    "records@5  kept: within 1d12h of the newest",
                    "- records@4",
                    "- records@3",
                    "records@2  kept: alias 'production' names it",
                    "records@1  kept: tag 'golden' names it",
                    "2 of 6 would be forgotten"
                )
                #expect(try numbers(fixture) == [1, 2, 3, 4, 5, 6])
                try await repository.lockstep(
                    "snapshot",
                    "forget",
                    "records",
                    "--keep-last",
                    "1",
                    "--keep-within",
                    "36h"
                )
                #expect(try numbers(fixture) == [1, 2, 5, 6])
                expectWords(
                    try await repository.lockstep("snapshot", "forget", "records", "--keep-tagged"),
                    "records@1  kept: tagged; tag 'golden' names it",
                    "2 of 4 forgotten"
                )
                #expect(try numbers(fixture) == [1, 2])
            }
        }

        @Test func aPolicyThatKeepsNothingIsRefused() async throws {
            try await ServiceFixture.run { fixture in
                try await makeVersions(1...2, fixture)
                for rules in [[], ["--keep-last", "0"], ["--keep-within", "0s"]] {
                    let outcome = try await fixture.repository.outcome(["snapshot", "forget", "records"] + rules)
                    #expect(outcome.code == 4)
                    expectWords(outcome.errors, "the policy keeps nothing")
                }
                expectWords(
                    try await fixture.expectRefusal(4, "snapshot", "forget", "records", "--keep-tagged"),
                    "would forget every version"
                )
                expectWords(
                    try await fixture.expectRefusal(4, "snapshot", "forget", "records@1", "--keep-last", "1"),
                    "not both"
                )
                #expect(try numbers(fixture) == [1, 2])
            }
        }

        @Test(arguments: ObjectPlace.allCases)
        func whatIsUsedIsKeptAndThePathNamed(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                try await fixture.prepare(GeneratedData(seed: 5))
                let refused = try await fixture.expectRefusal(4, "snapshot", "forget", "records@1")
                expectWords(refused, "records@1 cannot be forgotten", "it is used by", "lock arrival_model@1")
                try fixture.repository.write("data/more.csv", "x\n1\n")
                try await fixture.repository.lockstep("snapshot", "create", "records", "data")
                let kept = try await fixture.repository.lockstep("snapshot", "forget", "records", "--keep-last", "1")
                expectWords(kept, "records@1  kept: it is used by", "nothing to forget")
            }
        }

        @Test func aPathOfSeveralUsersIsNamedInOrder() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try repository.writeDefinitions()
                try repository.write(GeneratedData(seed: 5))
                try await repository.lockstep("apply")
                try await repository.lockstep("snapshot", "create", "records", "data")
                try await repository.lockstep("ingest", "readings", "--from", "records@1:readings.csv")
                try await repository.lockstep("fit", "wind_bins")
                expectWords(
                    try await fixture.expectRefusal(4, "snapshot", "forget", "records@1"),
                    "it is used by segment readings@1, which is used by bins wind_bins@1"
                )
            }
        }

        @Test(arguments: ObjectPlace.allCases)
        func aNumberIsNeverGivenTwice(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                try await makeVersions(1...3, fixture)
                try await repository.lockstep("snapshot", "forget", "records@3")
                try await repository.lockstep("snapshot", "forget", "records@2")
                expectWords(
                    try await fixture.expectRefusal(4, "snapshot", "show", "records@3"),
                    "'records@3' was forgotten",
                    "the newest version is records@1"
                )
                // Without a number the newest that is left is meant.
                expectWords(try await repository.lockstep("snapshot", "show", "records"), "snapshot records@1")
                try await makeVersions(3...3, fixture)
                #expect(try numbers(fixture) == [1, 4])
                try await repository.lockstep("snapshot", "forget", "records@1")
                try await repository.lockstep("snapshot", "forget", "records@4")
                #expect(try numbers(fixture) == [])
                let log = try await repository.lockstep("snapshot", "log", "records")
                expectWords(log, "forgotten: records@1, records@2, records@3, records@4")
                try await makeVersions(1...1, fixture)
                #expect(try numbers(fixture) == [5])
                #expect(try fixture.count("objects") > 0)
            }
        }
    }
}
