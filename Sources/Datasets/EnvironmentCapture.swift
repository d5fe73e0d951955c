import FoundationEssentials
import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a snapshot was made with: the machine's kind, the compiler, lock files, and the variables asked for by name.
///
/// Nothing else of the process environment is read: it holds secrets.
public struct EnvironmentCapture: Hashable, Sendable, Codable {
    /// The distribution's name and version, from `os-release`; `nil` where that file is absent.
    public let operatingSystem: String?
    /// The kernel's name of the processor architecture, as `uname -m` prints it.
    public let architecture: String
    /// The first line of `swift --version`; `nil` where there is no Swift.
    public let swiftVersion: String?
    /// In the order of their names' bytes.
    public let lockFiles: [LockFile]
    /// In the order of their names.
    public let variables: [Variable]

    /// A file that fixes the versions of dependencies.
    public struct LockFile: Hashable, Sendable, Codable {
        public let name: SnapshotPath
        /// Bytes, uncompressed.
        public let size: Int
        public let digest: Digest

        public init(name: SnapshotPath, size: Int, digest: Digest) {
            self.name = name
            self.size = size
            self.digest = digest
        }
    }

    /// A declared environment variable; `nil` if it was not set.
    public struct Variable: Hashable, Sendable, Codable {
        public let name: String
        public let value: String?

        public init(name: String, value: String?) {
            self.name = name
            self.value = value
        }
    }

    private enum CodingKeys: String, CodingKey {
        case operatingSystem = "os"
        case architecture
        case swiftVersion = "swift"
        case lockFiles = "lock_files"
        case variables
    }

    public init(
        operatingSystem: String?,
        architecture: String,
        swiftVersion: String?,
        lockFiles: [LockFile] = [],
        variables: [Variable] = []
    ) {
        self.operatingSystem = operatingSystem
        self.architecture = architecture
        self.swiftVersion = swiftVersion
        self.lockFiles = lockFiles.sorted { $0.name < $1.name }
        self.variables = variables.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            operatingSystem: container.decodeIfPresent(String.self, forKey: .operatingSystem),
            architecture: container.decode(String.self, forKey: .architecture),
            swiftVersion: container.decodeIfPresent(String.self, forKey: .swiftVersion),
            lockFiles: container.decode([LockFile].self, forKey: .lockFiles),
            variables: container.decode([Variable].self, forKey: .variables)
        )
    }

    /// Captures this machine's environment, the lock files directly in `directory`, and the variables named.
    public static func capture(
        directory: String,
        variables: [String],
        into store: any ObjectStore
    ) async throws -> EnvironmentCapture {
        let names = try await fileWork.run { try lockFileNames(in: directory) }
        var lockFiles: [LockFile] = []
        for name in names {
            let file = try await FileCapture.capture("\(directory)/\(name)", into: store)
            lockFiles.append(LockFile(name: try SnapshotPath(name), size: file.size, digest: file.digest))
        }
        let environment = ProcessInfo.processInfo.environment
        return EnvironmentCapture(
            operatingSystem: try await fileWork.run { operatingSystemName() },
            architecture: machineArchitecture(),
            swiftVersion: await Command.firstLine(of: "swift", ["--version"]),
            lockFiles: lockFiles,
            variables: Set(variables).map { Variable(name: $0, value: environment[$0]) }
        )
    }

    private static func lockFileNames(in directory: String) throws -> [String] {
        let known: Set<String> = [
            "Package.resolved", "poetry.lock", "uv.lock", "package-lock.json", "Cargo.lock",
        ]
        return try DirectoryWalk.entries(of: directory).filter { entry in
            entry.kind == .file
                && (known.contains(entry.name)
                    || (entry.name.hasPrefix("requirements") && entry.name.hasSuffix(".txt")))
        }.map(\.name)
    }

    private static func operatingSystemName() -> String? {
        for path in ["/etc/os-release", "/usr/lib/os-release"] {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
            if let name = osReleaseName(text) { return name }
        }
        return nil
    }

    /// The value of `PRETTY_NAME` in an `os-release` file, without its quotes.
    static func osReleaseName(_ text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
            let value = line.dropFirst("PRETTY_NAME=".count)
            return value.trimmingPrefix { $0 == "\"" || $0 == "'" }.split { $0 == "\"" || $0 == "'" }.first.map(
                String.init
            )
        }
        return nil
    }

    private static func machineArchitecture() -> String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &names.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
