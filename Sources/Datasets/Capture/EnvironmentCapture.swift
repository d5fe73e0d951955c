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
public struct EnvironmentCapture: Hashable, Sendable {
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
    public struct LockFile: Hashable, Sendable {
        public let name: SnapshotPath
        public let object: ObjectReference

        public init(name: SnapshotPath, object: ObjectReference) {
            self.name = name
            self.object = object
        }

        /// Bytes, uncompressed.
        public var size: Int { object.size }
        public var digest: Digest { object.digest }
    }

    /// A declared environment variable; `nil` if it was not set.
    public struct Variable: Hashable, Sendable {
        public let name: String
        public let value: String?

        public init(name: String, value: String?) {
            self.name = name
            self.value = value
        }
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

    /// Captures this machine's environment, the lock files directly in `directory`, and the variables named.
    ///
    /// Without the compiler's version, which ``with(swiftVersion:)`` adds.
    ///
    /// - Throws: ``SnapshotError/secrets(_:)`` for a lock file or a variable that holds one; nothing is stored then.
    static func capture(
        directory: String,
        variables: [String],
        secrets: SecretCheck,
        into sink: ContentSink
    ) async throws -> EnvironmentCapture {
        let environment = ProcessInfo.processInfo.environment
        let declared = Set(variables).map { Variable(name: $0, value: environment[$0]) }
        for variable in declared {
            if let value = variable.value { secrets.check(variable: variable.name, value) }
        }
        let (lockFiles, system) = try await fileWork.run {
            let names = try lockFileNames(in: directory)
            let paths = names.map { DiskPath(directory, $0) }
            for (name, path) in zip(names, paths) { try secrets.check(path, named: name.text) }
            // Nothing is stored beside a secret.
            try secrets.finish()
            let files = try FileCapture.run(paths, sizes: paths.map { _ in 0 }, into: sink)
            return (zip(names, files).map { LockFile(name: $0, object: $1.object) }, operatingSystemName())
        }
        return EnvironmentCapture(
            operatingSystem: system,
            architecture: machineArchitecture(),
            swiftVersion: nil,
            lockFiles: lockFiles,
            variables: declared
        )
    }

    func with(swiftVersion: String?) -> EnvironmentCapture {
        EnvironmentCapture(
            operatingSystem: operatingSystem,
            architecture: architecture,
            swiftVersion: swiftVersion,
            lockFiles: lockFiles,
            variables: variables
        )
    }

    private static func lockFileNames(in directory: String) throws(SnapshotError) -> [SnapshotPath] {
        let known: Set<String> = [
            "Package.resolved", "Pipfile.lock", "conda-lock.yml", "environment.yml", "pixi.lock", "poetry.lock",
            "pdm.lock", "uv.lock", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "Cargo.lock", "go.sum",
        ]
        var names: [SnapshotPath] = []
        for bytes in try DirectoryWalk.names(in: DiskPath(directory)) {
            guard let name = String(validating: bytes, as: UTF8.self),
                known.contains(name) || name.hasPrefix("requirements") && name.hasSuffix(".txt"),
                try FileStatus(of: DiskPath("\(directory)/\(name)"))?.kind == .file
            else { continue }
            names.append(SnapshotPath(checked: bytes))
        }
        return names
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
