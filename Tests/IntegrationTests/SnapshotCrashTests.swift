import Foundation
import Objects
import Postgres
import Testing

extension Integration {
    /// A snapshot or a checkout that fails or is killed at any of its file operations loses nothing that was recorded, and
    /// leaves nothing half-written.
    ///
    /// Operations are counted and made to fail through the seam of `SystemCall`, which debug builds have.
    @Suite struct SnapshotCrashTests {
        @Test(arguments: CrashFault.cases(of: ObjectPlace.allCases))
        func everyOperationOfACreate(_ crash: (fault: CrashFault, place: ObjectPlace)) async throws {
            let (fault, place) = crash
            try await ServiceFixture.run(place: place) { fixture in
                let scene = CrashScene(fixture)
                var states: [Int: [String: Digest]] = [:]
                var acknowledged: [String: Int] = [:]
                var struck: [String] = []
                // The first ones make the directories that later ones find, so that positions are what they were only
                // from then on.
                let firsts = 4
                for attempt in 1... {
                    states[attempt] = try scene.write(attempt)
                    let operation = attempt > firsts ? attempt - firsts : attempt
                    let outcome = try await scene.run(["snapshot", "create", "records", "data"], fault, at: operation)
                    if outcome.code == 0 {
                        acknowledged[String(outcome.output.prefix { $0 != ":" })] = attempt
                    } else {
                        try #require(scene.struck != nil, "\(outcome.errors)")
                        // Nothing is in the way of the next one. It also takes away what a killed one left and fetches
                        // the index of a pack that is elsewhere, which would be the first operations of the one after it.
                        if fault == .killed || place == .s3 || operation % 6 == 0 || attempt == firsts {
                            let output = try await scene.repository.lockstep("snapshot", "create", "records", "data")
                            acknowledged[String(output.prefix { $0 != ":" })] = attempt
                        }
                    }
                    guard let call = scene.struck else { break }
                    struck.append(call)
                }
                #expect(operations(struck).isSuperset(of: ["create", "write", "fchmod", "fsync", "rename", "mkdir"]))
                try await scene.check(states, acknowledged: acknowledged)
                // What failed and killed ones left behind goes with the next one.
                let state = fixture.repository.files(".lockstep")
                #expect(!state.contains { $0.contains("scratch-") }, "\(state)")
            }
        }

        struct CheckoutCase: CustomTestStringConvertible {
            let link: String
            let place: ObjectPlace
            let hasExchange: Bool

            var testDescription: String { "\(link) \(place) \(hasExchange ? "exchange" : "two steps")" }

            static let all = [
                CheckoutCase(link: "copy", place: .directory, hasExchange: true),
                CheckoutCase(link: "copy", place: .s3, hasExchange: true),
                CheckoutCase(link: "hardlink", place: .directory, hasExchange: true),
                CheckoutCase(link: "copy", place: .directory, hasExchange: false),
            ]
        }

        /// A directory that is being replaced is the old tree or the new one, whatever happens; where it takes two steps,
        /// it is so after the next checkout has begun.
        @Test(arguments: CrashFault.cases(of: CheckoutCase.all))
        func everyOperationOfACheckout(_ crash: (fault: CrashFault, variant: CheckoutCase)) async throws {
            let (fault, variant) = crash
            try await ServiceFixture.run(place: variant.place) { fixture in
                let scene = CrashScene(fixture)
                let repository = fixture.repository
                var trees: [[String: Digest]] = []
                for state in 1...2 {
                    trees.append(try scene.write(state))
                    try await repository.lockstep("snapshot", "create", "records", "data")
                }
                try await repository.lockstep("snapshot", "checkout", "records@1", "out")
                var struck: [String] = []
                for operation in 1... {
                    // What is in the cache need not be made again.
                    repository.removeIfThere(".lockstep/snapshots/files")
                    let outcome = try await scene.run(
                        ["snapshot", "checkout", "records@2", "out", "--overwrite", "--link=\(variant.link)"],
                        fault,
                        at: operation,
                        variant.hasExchange ? [:] : ["LOCKSTEP_WITHOUT_EXCHANGE": "1"]
                    )
                    if !variant.hasExchange, !repository.exists("out") {
                        // Begins, and is refused: there is a tree.
                        let refused = try await repository.outcome(["snapshot", "checkout", "records@1", "out"])
                        #expect(refused.code != 0)
                    }
                    let found = try scene.tree("out")
                    let isWhole = trees.contains(found)
                    #expect(isWhole, "after operation \(operation), \(scene.struck ?? "none"): \(found.keys)")
                    if outcome.code == 0 {
                        #expect(found == trees[1])
                    } else {
                        try #require(scene.struck != nil, "\(outcome.errors)")
                    }
                    guard let call = scene.struck else { break }
                    struck.append(call)
                    try await repository.lockstep("snapshot", "checkout", "records@1", "out", "--overwrite")
                }
                let expected: Set<String> = [
                    "mkdir", "create", "write", "fchmod", "symlink", "syncfs", "fsync", "rename", "unlink", "rmdir",
                ]
                #expect(operations(struck).isSuperset(of: expected))
                #expect(operations(struck).contains("exchange") == variant.hasExchange)
                #expect(operations(struck).contains("link") == (variant.link == "hardlink"))
                // What killed ones left beside it is gone.
                try await repository.lockstep("snapshot", "checkout", "records@1", "out", "--overwrite")
                let names = try FileManager.default.contentsOfDirectory(atPath: repository.directory)
                let left = names.filter { $0.hasPrefix(".lockstep-checkout-") || $0.hasSuffix("-replaced") }
                #expect(left.isEmpty, "\(left)")
                #expect(try scene.tree("out") == trees[0])
            }
        }

        /// A service that fails or is killed at any file operation of its own, as when it takes over a pack, has half of
        /// nothing, and goes on where it is started again.
        @Test(arguments: CrashFault.allCases)
        func everyOperationOfTheService(_ fault: CrashFault) async throws {
            try await ServiceFixture.run { fixture in
                let scene = CrashScene(fixture)
                let repository = fixture.repository
                let port = try ServiceFixture.freePort()
                var states: [Int: [String: Digest]] = [:]
                var acknowledged: [String: Int] = [:]
                var struck: [String] = []
                for operation in 1... {
                    states[operation] = try scene.write(operation)
                    let service = try RunningProgram(
                        ["serve", "--port", "\(port)", "--project", FeatureRepository.project],
                        in: repository.directory,
                        environment: ["DATABASE_URL": fixture.database, "OBJECT_STORE": fixture.objects]
                            .merging(scene.environment(fault, at: operation)) { $1 }
                    )
                    try await service.waitForOutput("lockstep serve: http://")
                    let outcome = try await Program.run(
                        ["snapshot", "create", "records", "data"],
                        in: repository.directory,
                        environment: ["LOCKSTEP_URL": "http://127.0.0.1:\(port)"]
                    )
                    service.kill()
                    if outcome.code == 0 {
                        acknowledged[String(outcome.output.prefix { $0 != ":" })] = operation
                    } else {
                        try #require(scene.struck != nil, "\(outcome.errors)")
                        // The service that is left finds nothing in its way.
                        if operation % 3 == 0 { try await repository.lockstep("snapshot", "create", "records", "data") }
                    }
                    guard let call = scene.struck else { break }
                    struck.append(call)
                }
                #expect(operations(struck).isSuperset(of: ["mkdir", "fchmod", "fsync", "rename"]), "\(struck)")
                try await scene.check(states, acknowledged: acknowledged)
                // Only orphans are left.
                try fixture.connect().execute("delete from sessions")
                try await repository.lockstep("gc", "--grace", "0s")
                let needed = try fixture.count("(select distinct digest from version_objects) as n")
                #expect(try await fixture.placed.digests.count == needed)
                try await scene.check(states, acknowledged: acknowledged)
            }
        }

        /// Killed at any time, by the clock.
        @Test(arguments: ObjectPlace.allCases) func killedAtRandomTimes(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let scene = CrashScene(fixture)
                var states: [Int: [String: Digest]] = [:]
                for state in 1...12 {
                    states[state] = try scene.write(state)
                    let running = try RunningProgram(
                        ["snapshot", "create", "records", "data"],
                        in: scene.repository.directory,
                        environment: ["LOCKSTEP_URL": scene.repository.url]
                    )
                    try await Task.sleep(for: .milliseconds(state * 61 % 700))
                    running.kill()
                }
                try await scene.repository.lockstep("snapshot", "create", "records", "data")
                try await scene.check(states)
            }
        }
    }
}
