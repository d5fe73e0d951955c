import ArgumentParser
import Features
import Foundation

struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a feature repository that runs.")

    @Argument(help: "The directory; the working directory where left out.")
    var directory = "."
    @Option(help: "The project; the directory's name where left out.")
    var project: String?

    func run() async throws {
        let root = URL(fileURLWithPath: directory).standardizedFileURL
        let name = project ?? root.lastPathComponent
        guard isName(name) else {
            throw UsageError(
                "'\(name)' cannot name a project; give one with --project, of letters, digits, '_', '-' and '.'"
            )
        }
        let manager = FileManager.default
        for (path, text) in Scaffold.files(project: name) where manager.fileExists(atPath: root.path + "/" + path) {
            _ = text
            throw UsageError("'\(root.path)/\(path)' is there already; nothing was written")
        }
        for (path, text) in Scaffold.files(project: name) {
            let file = root.appendingPathComponent(path)
            try manager.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Files.replace(file.path, with: Array(text.utf8))
            print("wrote \(path)")
        }
        print(
            """

            Next, in \(directory == "." ? "this directory" : directory):
              lockstep dev --replay                          # in another terminal
              lockstep apply
              lockstep ingest readings readings.csv
              lockstep lock comfort
              lockstep training-set --spine spine.csv -o training.parquet
              lockstep materialize --at 2024-05-01T09:30:00Z
              lockstep get comfort room=kitchen
              lockstep parity --at 2024-05-01T09:30:00Z
            """
        )
    }
}

/// The files of a new repository: small, and complete enough to run every step.
enum Scaffold {
    static func files(project: String) -> [(path: String, text: String)] {
        [
            ("lockstep.yaml", "project: \(project)\nservice: http://127.0.0.1:6566\n"),
            (".gitignore", ".lockstep/\n"),
            (
                "features/rooms.yaml",
                """
                kind: Entity
                name: room
                join_keys: { room: string }
                ---
                kind: Source
                name: readings
                columns: { room: string, taken_at: timestamp, celsius: float64, humidity: float64 }
                event_time: { column: taken_at }
                available_after: 1m
                ---
                kind: FeatureView
                name: room_climate
                entities: [room]
                source: readings
                ttl: 2h
                features:
                  - { name: celsius, type: float64 }
                  - { name: is_humid, type: bool, expression: "humidity > 60" }
                ---
                kind: FeatureService
                name: comfort
                features:
                  - room_climate: [celsius, is_humid]

                """
            ),
            (
                "readings.csv",
                """
                room,taken_at,celsius,humidity
                kitchen,2024-05-01T08:00:00Z,20.5,55
                kitchen,2024-05-01T09:00:00Z,22.25,64
                study,2024-05-01T08:30:00Z,19,

                """
            ),
            (
                "spine.csv",
                """
                room,event_timestamp,is_comfortable
                kitchen,2024-05-01T08:30:00Z,true
                kitchen,2024-05-01T09:00:30Z,true
                study,2024-05-01T12:00:00Z,false

                """
            ),
        ]
    }
}
