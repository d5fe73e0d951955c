import ArgumentParser

/// The `lockstep` command.
@main
struct LockstepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lockstep",
        abstract: "Pin feature definitions, bins, embeddings and data, and prove that serving equals training.",
        version: "0.1.0",
        subcommands: [
            Init.self, Dev.self, Serve.self, Work.self, Plan.self, Apply.self, List.self, Show.self, History.self,
            SnapshotGroup.self, Tag.self, Alias.self, LineageCommand.self,
            CollectGarbage.self, Erase.self, Ingest.self, PushRows.self, Fit.self,
            EmbeddingsGroup.self, Materialize.self,
            MakeLock.self, Verify.self, MakeTrainingSet.self, Get.self, CheckParity.self, Inspect.self, Convert.self,
            Doctor.self,
        ]
    )

    /// Runs the command and ends with DESIGN's exit codes: 0 done, 1 a check failed, 2 usage, 3 unreachable, 4 refused.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            ExitCodes.end(error)
        }
    }
}
