import Foundation
import Synchronization
import Wire

/// Output for people: tables on standard output, progress and errors on standard error.
enum Terminal {
    static func error(_ text: String) {
        FileHandle.standardError.write(Data((text.map(harmless).joined() + "\n").utf8))
    }

    /// A character as it is, or escaped where it would steer the terminal: names in files may hold anything.
    private static func harmless(_ character: Character) -> String {
        guard character != "\n" else { return "\n" }
        var text = ""
        for scalar in character.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: text += scalar.escaped(asASCII: true)
            // Marks that turn the direction of the text around; joiners within a word are left.
            case .format where !scalar.properties.isJoinControl: text += scalar.escaped(asASCII: true)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// Says by feature for how many rows it is undefined.
    static func undefined(_ counts: [String: Int64]?) {
        for (feature, count) in (counts ?? [:]).sorted(by: { $0.key < $1.key }) {
            print("  \(feature): undefined (INVALID) and null for \(count) rows")
        }
    }

    static let showsProgress = isatty(2) == 1

    private static let lastProgress = Mutex<(text: String, time: ContinuousClock.Instant)?>(nil)

    /// Shows what is being done: one line that is overwritten on a terminal, a line for each step elsewhere.
    static func progress(_ step: String, _ done: Int, _ total: Int) {
        let count = total > 0 ? " \(done) of \(total)" : done > 0 ? " \(done)" : ""
        guard showsProgress else {
            let isNew = lastProgress.withLock { last in
                defer { last = (step, .now) }
                return last?.text != step
            }
            if isNew, !step.isEmpty { error("  \(step)") }
            return
        }
        let isDue = lastProgress.withLock { last in
            if let last, last.text == step, ContinuousClock.now - last.time < .milliseconds(100) { return false }
            last = (step, .now)
            return true
        }
        if isDue { FileHandle.standardError.write(Data("\r\u{1B}[K  \(step)\(count)".utf8)) }
    }

    static func endProgress() {
        if showsProgress { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        lastProgress.withLock { $0 = nil }
    }

    static func progress(_ status: JobStatus) { progress(status.step, Int(status.done), Int(status.total)) }

    /// Prints rows under headings, columns aligned; numbers are the caller's text.
    static func table(_ headings: [String], _ rows: [[String]]) {
        var widths = headings.map(\.count)
        for row in rows { for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) } }
        func line(_ cells: [String]) -> String {
            var text = ""
            for (column, cell) in cells.enumerated() {
                text += cell
                if column + 1 < cells.count { text += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            return text
        }
        print(line(headings))
        for row in rows { print(line(row)) }
    }

    /// Prints a message as JSON, for programs.
    static func json(_ message: some Encodable) throws {
        print(String(decoding: try WireCoding.encode(message), as: UTF8.self))
    }
}

/// A digest short enough to read, long enough to tell apart.
func short(_ digest: some StringProtocol) -> String { String(digest.prefix("sha256:".count + 12)) }
