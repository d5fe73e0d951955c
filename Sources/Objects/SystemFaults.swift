#if DEBUG
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    import Synchronization

    /// Makes one of the calls of `SystemCall` fail, so that tests can see what every failure leaves behind.
    ///
    /// Only in debug builds. Calls are counted from 1 in the order in which they are made: those about paths below one
    /// directory, so that tests run side by side; or those of a whole process that change something, which the environment
    /// variable `LOCKSTEP_SYSTEM_FAULT` asks for, as `EIO 17 /path/of/a/report`: the action (`EIO`, `ENOSPC`, `late` for a
    /// call that does its work and then reports EIO, or `kill`), which call, and a file to which the call is written when it
    /// is made to fail. With `LOCKSTEP_WITHOUT_EXCHANGE` no file system can exchange two directories.
    package final class SystemFaults: Sendable {
        /// What happens in place of the call.
        package enum Action: Sendable {
            /// It fails with this code and does nothing; a write writes half of its bytes.
            case fail(Int32)
            /// It does what it should, then reports this code.
            case failAfterwards(Int32)
            /// The process is killed in front of it; a write writes half of its bytes.
            case kill

            fileprivate init?(_ name: Substring) {
                switch name {
                case "EIO": self = .fail(EIO)
                case "ENOSPC": self = .fail(ENOSPC)
                case "late": self = .failAfterwards(EIO)
                case "kill": self = .kill
                default: return nil
                }
            }
        }

        private static let installed = Mutex<[SystemFaults]>(fromEnvironment.map { [$0] } ?? [])
        // Asked by every call of every test: most have no fault in place.
        private static let count = Atomic<Int>(fromEnvironment == nil ? 0 : 1)

        // `nil`: those of the whole process that change something.
        private let directory: String?
        private let position: Int
        private let action: Action
        private let report: String?
        private let calls = Mutex<[String]>([])

        /// - Parameters:
        ///   - directory: an absolute path.
        ///   - position: which call fails; 0 for none.
        package convenience init(below directory: String, at position: Int, _ action: Action) {
            self.init(directory, position, action, report: nil)
        }

        private init(_ directory: String?, _ position: Int, _ action: Action, report: String?) {
            self.directory = directory
            self.position = position
            self.action = action
            self.report = report
        }

        private static let fromEnvironment: SystemFaults? = getenv("LOCKSTEP_SYSTEM_FAULT").map { value in
            let words = String(cString: value).split(separator: " ", maxSplits: 2)
            guard words.count == 3, let action = Action(words[0]), let position = Int(words[1]) else {
                fatalError("LOCKSTEP_SYSTEM_FAULT is not 'EIO|ENOSPC|late|kill NUMBER REPORT'")
            }
            return SystemFaults(nil, position, action, report: String(words[2]))
        }

        static let lacksExchange = getenv("LOCKSTEP_WITHOUT_EXCHANGE") != nil

        /// The calls so far, each as its name and path.
        package var counted: [String] { calls.withLock { $0 } }

        /// Whether the call came.
        package var hasStruck: Bool { position > 0 && counted.count >= position }

        /// Runs `work` with the fault in place.
        package func during<Result>(
            isolation: isolated (any Actor)? = #isolation,
            _ work: () async throws -> Result
        ) async rethrows -> Result {
            install()
            defer {
                Self.installed.withLock { $0.removeAll { $0 === self } }
                Self.count.subtract(1, ordering: .relaxed)
            }
            return try await work()
        }

        /// Puts the fault in place until the process ends.
        package func install() {
            Self.installed.withLock { $0.append(self) }
            Self.count.add(1, ordering: .relaxed)
        }

        /// Whether a call need ask at all.
        static var isAny: Bool { count.load(ordering: .relaxed) > 0 }

        /// The action due at a call, which is counted by every fault it is below.
        static func due(_ call: String, _ path: String) -> Action? {
            installed.withLock { faults in
                // Every fault counts the call, also one behind the first that is due.
                faults.compactMap { $0.count(call, path) }.first
            }
        }

        private func count(_ call: String, _ path: String) -> Action? {
            if let directory {
                guard path == directory || path.hasPrefix(directory + "/") else { return nil }
            } else if call == "open" {
                return nil
            }
            return calls.withLock { calls in
                calls.append("\(call) \(path)")
                guard calls.count == position else { return nil }
                if let report { Self.append("\(call) \(path)\n", to: report) }
                return action
            }
        }

        private static func append(_ line: String, to path: String) {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            defer { close(descriptor) }
            guard write(descriptor, line, line.utf8.count) == line.utf8.count else {
                fatalError("the report \(path) cannot be written")
            }
        }
    }
#endif
