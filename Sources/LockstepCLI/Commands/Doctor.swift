import ArgumentParser
import Foundation
import Lockstep
import Postgres
import Wire

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what is wrong with this installation, and the command that mends it."
    )

    func run() async throws {
        var isSound = true
        func good(_ text: String) { print("ok    \(text)") }
        func bad(_ text: String) {
            isSound = false
            print("wrong \(text)")
        }
        do {
            good("PostgreSQL server programs in \(try Cluster.locate())")
        } catch {
            bad("\(error)")
        }
        do {
            let repository = try Repository.find()
            good("project '\(repository.project)' in \(repository.directory)")
            let health = try await repository.client.get("/health", as: Health.self)
            good("service at \(repository.url), version \(health.version), \(health.clock) clock")
        } catch {
            bad("\(error)")
        }
        if !isSound { throw CheckFailed() }
    }
}
