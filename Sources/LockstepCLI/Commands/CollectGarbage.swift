import ArgumentParser
import Lockstep
import Wire

struct CollectGarbage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Give back the space of objects that nothing needs.",
        discussion: """
            An object goes when no version of any project needs it, no command that is running sends, reads or relies on \
            it, and it was last sent longer ago than the grace. Safe at any time, beside writers, readers and other runs. \
            What a crashed upload left has its grace counted from the first run that finds it.
            """
    )

    @Option(help: ArgumentHelp("How long ago it was sent, at least, as 12h; a day where left out.", valueName: "time"))
    var grace: String?
    @Flag(help: "Only count what would go.")
    var dryRun = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let repository = try Repository.find()
        let result = try await repository.client.run(
            .collect(JobRequest.Collect(grace: grace, isDryRun: dryRun)),
            progress: Terminal.progress
        )
        Terminal.endProgress()
        if json { return try Terminal.json(result) }
        func count(_ name: String) -> Int64 { result.counts[name] ?? 0 }
        if dryRun {
            print("\(count("collectable")) objects, \(count("bytes")) bytes would go")
            if count("withdrawn") > 0 { print("\(count("withdrawn")) that an earlier run withdrew would be deleted") }
        } else {
            print("\(count("deleted")) objects, \(count("bytes")) bytes deleted")
            if count("adopted") > 0 { print("\(count("adopted")) unknown objects found: their grace begins now") }
            if count("unfinished") > 0 { print("\(count("unfinished")) unfinished files of dead writers removed") }
            if count("left") > 0 {
                print("\(count("left")) withdrawn objects are left: another run deletes them, or they are sent again")
            }
        }
        print("\(count("needed")) needed, \(count("pinned")) kept by running commands, \(count("recent")) by the grace")
    }
}
