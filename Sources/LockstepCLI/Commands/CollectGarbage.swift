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

            Files are kept in packs, and a pack stays while one file of it is needed. Packs of which more than half is dead \
            are rewritten without that, and 16 or more small packs of a dataset are joined, unless a running command relies \
            on them; --repack=20 says how many percent, \
            --repack=never leaves them alone.
            """
    )

    @Option(help: ArgumentHelp("How long ago it was sent, at least, as 12h; a day where left out.", valueName: "time"))
    var grace: String?
    @Option(
        help: ArgumentHelp("How much of a pack is dead, at least, when it is rewritten.", valueName: "percent|never")
    )
    var repack: String?
    @Flag(help: "Only count what would go.")
    var dryRun = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let repository = try Repository.find()
        let result = try await repository.client.run(
            .collect(JobRequest.Collect(grace: grace, repack: try percent, isDryRun: dryRun)),
            progress: Terminal.progress
        )
        Terminal.endProgress()
        if json { return try Terminal.json(result) }
        func count(_ name: String) -> Int64 { result.counts[name] ?? 0 }
        if dryRun {
            print("\(count("collectable")) objects, \(count("bytes")) bytes would go")
            if count("withdrawn") > 0 { print("\(count("withdrawn")) that an earlier run withdrew would be deleted") }
            print(
                "\(count("dead")) bytes are dead in packs that are needed; \(count("sparse")) packs with "
                    + "\(count("sparse_dead")) of them would be rewritten"
            )
        } else {
            print("\(count("deleted")) objects, \(count("bytes")) bytes deleted")
            if count("repacked") > 0 {
                print(
                    "\(count("repacked")) packs of \(count("repacked_bytes")) bytes rewritten, "
                        + "\(count("new_bytes")) bytes of them kept"
                )
            }
            if count("dead") > 0 { print("\(count("dead")) bytes are dead in packs that are needed") }
            if count("held") > 0 {
                print("\(count("held")) packs are left for the next run: running commands rely on them")
            }
            if count("damaged") > 0 {
                print("\(count("damaged")) packs are damaged and left; run lockstep snapshot verify")
            }
            if count("adopted") > 0 { print("\(count("adopted")) unknown objects found: their grace begins now") }
            if count("unfinished") > 0 { print("\(count("unfinished")) unfinished files of dead writers removed") }
            if count("left") > 0 {
                print("\(count("left")) withdrawn objects are left: another run deletes them, or they are sent again")
            }
        }
        if count("unreadable") > 0 {
            print("\(count("unreadable")) packs belong to snapshots that cannot be read; run lockstep snapshot verify")
        }
        print("\(count("needed")) needed, \(count("pinned")) kept by running commands, \(count("recent")) by the grace")
    }

    /// What ``repack`` says, `nil` where it is left to the service.
    private var percent: Int? {
        get throws {
            guard let repack else { return nil }
            if repack == "never" { return 100 }
            guard let percent = Int(repack.hasSuffix("%") ? String(repack.dropLast()) : repack),
                (0...100).contains(percent)
            else { throw UsageError("--repack is '\(repack)'; write 0 to 100 percent, or never") }
            return percent
        }
    }
}
