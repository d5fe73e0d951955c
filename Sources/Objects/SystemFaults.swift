#if DEBUG
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    import Synchronization

    /// Makes one system call of this room fail, so that tests can see what every failure leaves behind.
    ///
    /// Only in debug builds. Calls are counted from 1 in the order in which they are made, those about paths below one
    /// directory only, so that tests run side by side.
    package final class SystemFaults: Sendable {
        /// What happens in place of the call.
        package enum Action: Sendable {
            /// It fails with this code and does nothing; a write writes half of its bytes.
            case fail(Int32)
            /// It does what it should, then reports this code.
            case failAfterwards(Int32)
            /// The process is killed in front of it; a write writes half of its bytes.
            case kill
        }

        private static let installed = Mutex<[SystemFaults]>([])

        private let directory: String
        private let position: Int
        private let action: Action
        private let calls = Mutex<[String]>([])

        /// - Parameters:
        ///   - directory: an absolute path.
        ///   - position: which call fails; 0 for none.
        package init(below directory: String, at position: Int, _ action: Action) {
            self.directory = directory
            self.position = position
            self.action = action
        }

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
            defer { Self.installed.withLock { $0.removeAll { $0 === self } } }
            return try await work()
        }

        /// Puts the fault in place until the process ends.
        package func install() { Self.installed.withLock { $0.append(self) } }

        /// The action due at a call, which is counted by every fault it is below.
        static func due(_ call: String, _ path: String) -> Action? {
            installed.withLock { faults in
                // Every fault counts the call, also one behind the first that is due.
                faults.compactMap { $0.count(call, path) }.first
            }
        }

        private func count(_ call: String, _ path: String) -> Action? {
            guard path == directory || path.hasPrefix(directory + "/") else { return nil }
            return calls.withLock { calls in
                calls.append("\(call) \(path)")
                return calls.count == position ? action : nil
            }
        }
    }
#endif
