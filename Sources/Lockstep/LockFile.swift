import Features
import Foundation
import Objects

/// Reads lock files.
public enum LockFile {
    /// Opens a lock and refuses one that is missing, malformed, changed, or of another language version.
    ///
    /// - Throws: `LockError`.
    public static func open(_ path: String) throws(LockError) -> Lock {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw LockError("there is no lock at '\(path)'; make one with: lockstep lock SERVICE -o \(path)")
        }
        return try Lock(text: text, name: path)
    }
}
