/// Small files that are whole or absent.
package enum AtomicFile {
    /// Writes `bytes` beside `path` and renames the file to it; creates the directory.
    ///
    /// - Parameter isDurable: whether the file and the directories made for it are on the disk on return, whatever happens to
    ///   the machine.
    package static func write(_ bytes: [UInt8], to path: String, isDurable: Bool = true) throws {
        let directory = Directory.parent(of: path)
        try Directory.create(directory, isDurable: isDurable)
        let temporary = try TemporaryFile(in: directory, prefix: ".lockstep-", mode: 0o644)
        try bytes.withUnsafeBytes { try temporary.file.write($0) }
        if isDurable { try temporary.file.sync() }
        try temporary.move(to: path)
        if isDurable { try OpenFile.syncDirectory(directory) }
    }
}
