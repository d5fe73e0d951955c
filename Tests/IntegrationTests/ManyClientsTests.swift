import Foundation
import Objects
import Postgres
import Synchronization
import Testing

extension Integration {
    /// Several clients with repositories of their own, and two services, on one database and one store.
    @Suite struct ManyClientsTests {
        /// What the clients know together.
        private final class Known: Sendable {
            struct State {
                /// What a tree holds, by reference.
                var recorded: [String: [String: Digest]] = [:]
                /// Entered before it is forgotten.
                var forgotten: Set<String> = []
                var clientsAtWork = 4
            }

            private let state = Mutex(State())

            func withLock<Result>(_ body: (inout sending State) throws -> sending Result) rethrows -> sending Result {
                try state.withLock(body)
            }
        }

        private static let rounds = 4

        @Test(arguments: ObjectPlace.allCases)
        func writersReadersAndCollections(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let port = try ServiceFixture.freePort()
                let second = try RunningProgram(
                    ["serve", "--port", "\(port)", "--project", FeatureRepository.project],
                    in: fixture.repository.directory,
                    environment: ["DATABASE_URL": fixture.database, "OBJECT_STORE": fixture.objects]
                        .merging(fixture.placed.environment) { $1 }
                        .merging(["OBJECT_CACHE": fixture.repository.directory + "/second-cache"]) { $1 }
                )
                try await second.waitForOutput("lockstep serve: http://")
                defer { second.kill() }
                let first = try #require(fixture.repository.url.split(separator: ":").last.flatMap { Int($0) })
                let directory = fixture.repository.directory
                let known = Known()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for client in 0..<4 {
                        let port = client.isMultiple(of: 2) ? first : port
                        group.addTask {
                            defer { known.withLock { $0.clientsAtWork -= 1 } }
                            let path = "\(directory)/client-\(client)"
                            let repository = try FeatureRepository(directory: path, port: port)
                            for round in 0..<Self.rounds { try await Self.work(client, round, repository, known) }
                        }
                    }
                    group.addTask {
                        let repository = try FeatureRepository(directory: "\(directory)/collector", port: port)
                        while known.withLock({ $0.clientsAtWork }) > 0 {
                            try await repository.lockstep("gc", "--grace", "0s", "--repack", "1")
                        }
                    }
                    try await group.waitForAll()
                }

                // All that was promised and not forgotten is there, and no other byte.
                let found = known.withLock { $0 }
                #expect(found.recorded.count == 4 * Self.rounds)
                try fixture.connect().execute("delete from sessions")
                try await fixture.repository.lockstep("gc", "--grace", "0s")
                for (reference, tree) in found.recorded where !found.forgotten.contains(reference) {
                    try await fixture.repository.lockstep("snapshot", "verify", reference)
                    fixture.repository.removeIfThere("out")
                    try await fixture.repository.lockstep("snapshot", "checkout", reference, "out")
                    #expect(try Self.tree("out", fixture.repository) == tree, "\(reference)")
                }
                #expect(try fixture.countVersions("snapshot") == found.recorded.count - found.forgotten.count)
                let needed = try fixture.count("(select distinct digest from version_objects) as n")
                #expect(try await fixture.placed.digests.count == needed)
            }
        }

        /// A client's part of a round: a snapshot, a checkout of any, and the end of an older one of its own.
        private static func work(
            _ client: Int,
            _ round: Int,
            _ repository: FeatureRepository,
            _ known: Known
        ) async throws {
            // Two write the same dataset. Some contents are all clients', so that one relies on what another sends or has
            // just forgotten.
            let dataset = client < 2 ? "shared" : "own-\(client)"
            for file in 0..<4 { try repository.write("data/\(file)", "content \(file) of round \(round)\n") }
            try repository.write("data/own", "client \(client), round \(round)\n")
            let large = (0..<200_000).map { "\($0 &* (round + 1))" }.joined(separator: ",")
            try repository.write("data/large", large + (client < 2 ? "" : "\(client)"))
            let output = try await repository.lockstep("snapshot", "create", dataset, "data")
            let reference = String(output.prefix { $0 != ":" })
            let tree = try tree("data", repository)
            known.withLock { $0.recorded[reference] = tree }

            if let any = known.withLock({ $0.recorded.randomElement() }) {
                repository.removeIfThere("out")
                let outcome = try await repository.outcome(["snapshot", "checkout", any.key, "out"])
                if outcome.code == 0 {
                    #expect(try Self.tree("out", repository) == any.value, "\(any.key)")
                } else {
                    #expect(known.withLock { $0.forgotten.contains(any.key) }, "\(any.key): \(outcome.errors)")
                    #expect(outcome.code == 4)
                }
            }
            if round > 0, round.isMultiple(of: 2) == client.isMultiple(of: 2) {
                known.withLock { _ = $0.forgotten.insert(reference) }
                try await repository.lockstep("snapshot", "forget", reference)
            }
        }

        private static func tree(_ name: String, _ repository: FeatureRepository) throws -> [String: Digest] {
            var tree: [String: Digest] = [:]
            for file in repository.files(name) { tree[file] = .of(try repository.bytes("\(name)/\(file)")) }
            return tree
        }
    }
}
