import Foundation
import Objects

/// What `swift --version` says, asked again only where the toolchain is another.
///
/// Asking takes 60 ms, as long as looking at 20,000 files. The answer is kept beside the path, device, inode, size and both
/// times of the driver and of the frontend that it starts, and is trusted by the rule of ``StatCache``. It is not kept where
/// something else chooses the toolchain: a driver that is not the program found on `PATH`, as with swiftly, or is named by an
/// environment variable.
enum SwiftVersion {
    private static let header = "lockstep-swift-version 1"
    /// Variables with which the driver starts another frontend or finds another toolchain.
    private static let overrides = ["SWIFT_DRIVER_SWIFT_FRONTEND_EXEC", "SWIFT_EXEC", "TOOLCHAINS"]

    /// The first line, `nil` where there is no Swift or it does not answer in 20 seconds.
    ///
    /// - Parameter cache: the directory in which the answer is kept.
    static func current(
        cache: String?,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async -> String? {
        let path = cache.map(path)
        let key = path == nil ? nil : key(environment)
        if let path, let key, let known = read(path, key) { return known }
        let version = await Command.firstLine(of: "swift", ["--version"], environment)
        // A toolchain that was installed while it answered has other times by now.
        if let path, let key, let version, key == self.key(environment) { write(version, key, to: path) }
        return version
    }

    static func path(in cache: String) -> String { "\(cache)/swift-version" }

    /// What the answer depends on; `nil` where that cannot be told, or changed only just now.
    static func key(_ environment: [String: String]) -> String? {
        guard !overrides.contains(where: { environment[$0] != nil }),
            let found = Command.locate("swift", in: environment["PATH"] ?? ""),
            let driver = try? FileStatus.resolved(found), let slash = driver.lastIndex(of: "/"),
            ["swift", "swift-driver", "swift-frontend"].contains(driver[slash...].dropFirst())
        else { return nil }
        var key = header
        for program in [driver, driver[..<slash] + "/swift-frontend"] {
            guard let resolved = try? FileStatus.resolved(program), let status = try? FileStatus(of: resolved),
                status.kind == .file, isProgram(resolved),
                max(status.modified, status.changed) <= FileStatus.now - StatCache.settlingTime
            else { return nil }
            key +=
                "\n\(status.device) \(status.inode) \(status.size) \(status.modified) \(status.changed) "
                + HexText.of(resolved.utf8)
        }
        return key
    }

    /// Whether a file is a program of the machine's own: a script may ask anything.
    private static func isProgram(_ path: String) -> Bool {
        guard let file = try? OpenedFile(DiskPath(path)) else { return false }
        var start = [UInt8](repeating: 0, count: 4)
        return (try? start.withUnsafeMutableBytes { try file.read(into: $0) }) == 4 && start == [0x7F] + "ELF".utf8
    }

    private static func read(_ path: String, _ key: String) -> String? {
        guard let bytes = try? OpenedFile.content(of: DiskPath(path), limit: 1 << 16),
            let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        let start = key + "\n"
        let parts = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard text.hasPrefix(start), let version = parts.dropLast().last, !version.isEmpty,
            text == file(String(version), key)
        else { return nil }
        return String(version)
    }

    /// Key, answer, and a checksum of both: what is half-written is as good as not there.
    static func file(_ version: String, _ key: String) -> String {
        "\(key)\n\(version)\n\(Digest.of(Array("\(key)\n\(version)".utf8)))"
    }

    private static func write(_ version: String, _ key: String, to path: String) {
        // Asking the next time is all that is lost.
        try? AtomicFile.write(Array(file(version, key).utf8), to: path, isDurable: false)
    }
}
