import Formats
import Foundation
import Lockstep
import NIOHTTP1
import Testing

extension Integration {
    @Suite struct DevTests {
        private func start(_ repository: FeatureRepository, port: Int) async throws -> RunningProgram {
            let server = try RunningProgram(
                ["dev", "--replay", "--port", "\(port)"],
                in: repository.directory,
                environment: [:]
            )
            try await server.waitForOutput("stop with Control-C")
            return server
        }

        @Test func itsDataIsThereWhenItStartsAgain() async throws {
            let scratch = try Scratch()
            let port = try ServiceFixture.freePort()
            let repository = try FeatureRepository(directory: scratch.path + "/repository", port: port)
            try repository.writeDefinitions()
            let first = try await start(repository, port: port)
            expectWords(first.output, "lockstep dev: project 'trial' at http://127.0.0.1:\(port), with a replay clock")
            let client = Client(url: repository.url, project: FeatureRepository.project)
            let health = try JSON(parsing: try await client.send(.GET, "/health"))
            #expect(health["status"]?.string == "ok" && health["allows_replay"]?.bool == true)
            expectWords(try await repository.lockstep("apply"), "13 changed")
            expectWords(try await repository.lockstep("doctor"), "ok ", "project 'trial'", "service at")
            let busy = try await repository.outcome(["dev", "--port", "\(port)"])
            #expect(busy.code == 2)
            expectWords(busy.errors, "port \(port)", "busy")
            first.interrupt()
            #expect(try await first.wait(limit: .seconds(20)).code == 0)

            let second = try await start(repository, port: port)
            #expect(try await repository.lockstep("apply") == "13 definitions, nothing changed\n")
            second.interrupt()
            #expect(try await second.wait(limit: .seconds(20)).code == 0)
        }
    }
}
