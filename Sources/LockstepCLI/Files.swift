import Foundation

enum Files {
    /// Writes a file so that the path holds either its old content or the whole new one.
    static func replace(_ path: String, with bytes: [UInt8]) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw UsageError("'\(path)' cannot be written: \(error.localizedDescription)")
        }
    }

    static func text(_ path: String) throws -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw UsageError("'\(path)' cannot be read: \(error.localizedDescription)")
        }
    }
}
