import Foundation
import Objects
import Postgres
import Testing

extension Integration {
    /// A snapshot or a checkout that fails or is killed at any of its file operations loses nothing that was recorded, and
    /// leaves nothing half-written.
    ///
    /// Operations are counted and made to fail through the seam of `FileFault`, which debug builds have.
    @Suite struct SnapshotCrashTests {
        /// Files of one state of the data: small ones, a large one, a link.
        private func write(_ state: Int, to repository: FeatureRepository) throws {
            for number in 0..<5 { try repository.write("data/\(number)/file", "state \(state) of \(number)\n") }
            try repository.write("data/state", "\(state)")
            let large = (0..<45_000).map { "\($0 + state * 7),\($0 % 13)" }.joined(separator: "\n")
            try repository.write("data/large", "\(state)\n" + large + large)
        }

        private func tree(_ name: String, _ repository: FeatureRepository) throws -> [String: Digest] {
            var tree: [String: Digest] = [:]
            for file in repository.files(name) {
                guard let bytes = FileManager.default.contents(atPath: repository.path("\(name)/\(file)")) else {
                    continue
                }
                tree[file] = .of([UInt8](bytes))
            }
            return tree
        }

        private func run(
            _ arguments: [String],
            _ fault: String,
            at operation: Int,
            _ repository: FeatureRepository
        ) async throws -> Program.Outcome {
            do {
                return try await Program.run(
                    arguments,
                    in: repository.directory,
                    environment: ["LOCKSTEP_URL": repository.url, fault: "\(operation)"]
                )
            } catch let error as Program.Failure where fault.contains("KILL") {
                return Program.Outcome(code: SIGKILL, output: "", errors: error.description)
            }
        }

        /// Every version that is listed is whole, and is one of the states that were to be recorded.
        private func check(_ states: [Int: [String: Digest]], _ fixture: ServiceFixture) async throws {
            let repository = fixture.repository
            let list = try await repository.outcome(["snapshot", "list", "records"])
            for line in list.output.split(separator: "\n").dropFirst() {
                let reference = String(line.prefix { $0 != " " })
                try await repository.lockstep("snapshot", "verify", reference)
                repository.removeIfThere("checked")
                try await repository.lockstep("snapshot", "checkout", reference, "checked")
                let state = try #require(Int(String(decoding: try repository.bytes("checked/state"), as: UTF8.self)))
                #expect(try tree("checked", repository) == states[state], "\(reference)")
            }
        }

        @Test(arguments: ["LOCKSTEP_FAIL_FILE_OPERATION", "LOCKSTEP_KILL_FILE_OPERATION"], ObjectPlace.allCases)
        func everyOperationOfACreate(_ fault: String, _ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                var states: [Int: [String: Digest]] = [:]
                var operation = 0
                var failures = 0
                while true {
                    operation += 1
                    try write(operation, to: repository)
                    states[operation] = try tree("data", repository)
                    let outcome = try await run(
                        ["snapshot", "create", "records", "data"],
                        fault,
                        at: operation,
                        repository
                    )
                    if outcome.code == 0 { break }
                    failures += 1
                    // Nothing is in the way of the next one.
                    if operation % 6 == 0 {
                        expectWords(
                            try await repository.lockstep("snapshot", "create", "records", "data"),
                            "records@\(operation / 6)"
                        )
                    }
                    try #require(operation < 200)
                }
                #expect(failures >= 6, "the seam is not asked")
                try await check(states, fixture)
            }
        }

        /// A directory that is being replaced is the old tree or the new one, whatever happens.
        @Test(arguments: ["LOCKSTEP_FAIL_FILE_OPERATION", "LOCKSTEP_KILL_FILE_OPERATION"], ObjectPlace.allCases)
        func everyOperationOfACheckout(_ fault: String, _ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                var trees: [[String: Digest]] = []
                for state in 1...2 {
                    try write(state, to: repository)
                    trees.append(try tree("data", repository))
                    try await repository.lockstep("snapshot", "create", "records", "data")
                }
                try await repository.lockstep("snapshot", "checkout", "records@1", "out")
                var operation = 0
                var failures = 0
                while true {
                    operation += 1
                    let arguments = ["snapshot", "checkout", "records@2", "out", "--overwrite"]
                    let outcome = try await run(arguments, fault, at: operation, repository)
                    let found = try tree("out", repository)
                    if outcome.code == 0 {
                        #expect(found == trees[1])
                        break
                    }
                    failures += 1
                    #expect(trees.contains(found), "after operation \(operation)")
                    if found == trees[1] {
                        try await repository.lockstep("snapshot", "checkout", "records@1", "out", "--overwrite")
                    }
                    try #require(operation < 200)
                }
                #expect(failures >= 6, "the seam is not asked")
                // What killed ones left beside it is gone.
                try await repository.lockstep("snapshot", "checkout", "records@1", "out", "--overwrite")
                let names = try FileManager.default.contentsOfDirectory(atPath: repository.directory)
                #expect(!names.contains { $0.hasPrefix(".lockstep-checkout-") })
                #expect(try tree("out", repository) == trees[0])
            }
        }

        /// A service that fails or is killed at any file operation of its own, as when it takes over a pack, has half of
        /// nothing, and goes on where it is started again.
        @Test(arguments: ["LOCKSTEP_FAIL_FILE_OPERATION", "LOCKSTEP_KILL_FILE_OPERATION"])
        func everyOperationOfTheService(_ fault: String) async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                let port = try ServiceFixture.freePort()
                func serve(_ environment: [String: String]) async throws -> RunningProgram {
                    let service = try RunningProgram(
                        ["serve", "--port", "\(port)", "--project", FeatureRepository.project],
                        in: repository.directory,
                        environment: ["DATABASE_URL": fixture.database, "OBJECT_STORE": fixture.objects]
                            .merging(environment) { $1 }
                    )
                    try await service.waitForOutput("lockstep serve: http://")
                    return service
                }
                var states: [Int: [String: Digest]] = [:]
                var operation = 0
                var failures = 0
                while true {
                    operation += 1
                    try write(operation, to: repository)
                    states[operation] = try tree("data", repository)
                    let service = try await serve([fault: "\(operation)"])
                    let outcome = try await Program.run(
                        ["snapshot", "create", "records", "data"],
                        in: repository.directory,
                        environment: ["LOCKSTEP_URL": "http://127.0.0.1:\(port)"]
                    )
                    service.kill()
                    if outcome.code == 0 { break }
                    failures += 1
                    // The service that is left finds nothing in its way.
                    if operation % 3 == 0 { try await repository.lockstep("snapshot", "create", "records", "data") }
                    try #require(operation < 100)
                }
                #expect(failures >= 6, "the seam is not asked")
                try await check(states, fixture)
                // Only orphans are left.
                try fixture.connect().execute("delete from sessions")
                try await repository.lockstep("gc", "--grace", "0s")
                let needed = try fixture.count("(select distinct digest from version_objects) as n")
                #expect(try await fixture.placed.digests.count == needed)
                try await check(states, fixture)
            }
        }

        /// Killed at any time, by the clock.
        @Test(arguments: ObjectPlace.allCases) func killedAtRandomTimes(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                var states: [Int: [String: Digest]] = [:]
                for state in 1...12 {
                    try write(state, to: repository)
                    states[state] = try tree("data", repository)
                    let running = try RunningProgram(
                        ["snapshot", "create", "records", "data"],
                        in: repository.directory,
                        environment: ["LOCKSTEP_URL": repository.url]
                    )
                    try await Task.sleep(for: .milliseconds(state * 61 % 700))
                    running.kill()
                }
                try await repository.lockstep("snapshot", "create", "records", "data")
                try await check(states, fixture)
            }
        }
    }
}

extension FeatureRepository {
    func removeIfThere(_ name: String) { try? FileManager.default.removeItem(atPath: path(name)) }
}
