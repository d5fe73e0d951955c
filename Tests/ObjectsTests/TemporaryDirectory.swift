import Foundation

/// A directory of one test, removed with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/lockstep-objects-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: "\(path)/\(name)")))
    }

    /// Writes a file in place of what is there, whatever its mode.
    func write(_ bytes: [UInt8], to name: String) throws {
        let file = "\(path)/\(name)"
        try? FileManager.default.removeItem(atPath: file)
        try Data(bytes).write(to: URL(filePath: file))
    }

    /// Every file below the directory, by relative path.
    func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).filter { name in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }.sorted()
    }
}

/// SplitMix64: bytes that do not compress, the same in every run.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        for position in 0..<count {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            buffer[position] = UInt8(truncatingIfNeeded: mixed ^ (mixed >> 31))
        }
        initialized = count
    }
}

/// Bytes that compress.
func repetitiveBytes(_ count: Int) -> [UInt8] {
    let line = Array("2013-01-01T05:00:00Z,EWR,39.02,10.35702\n".utf8)
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        for position in 0..<count { buffer[position] = line[position % line.count] }
        initialized = count
    }
}
