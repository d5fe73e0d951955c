import Foundation

enum Files {
    /// Writes a file so that the path holds either its old content or the whole new one.
    ///
    /// A device or a pipe is written to, as a shell does: replaced, `/dev/null` would be a file for everybody.
    static func replace(_ path: String, with bytes: [UInt8]) throws {
        do {
            let type = try? FileManager.default.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            )[.type]
            if let type = type as? FileAttributeType, type != .typeRegular, type != .typeDirectory {
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
                defer { try? handle.close() }
                try handle.write(contentsOf: Data(bytes))
                return
            }
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
