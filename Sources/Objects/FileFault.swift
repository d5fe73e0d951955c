import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where tests have a file operation fail: each one that makes, fills, syncs, renames or removes a file asks here first.
///
/// In a debug build the environment variable `LOCKSTEP_FAIL_FILE_OPERATION` names the operation of the process that fails,
/// counted from 1, with `EIO`; `LOCKSTEP_KILL_FILE_OPERATION` the one before which the process kills itself. In a release
/// build nothing is asked.
package enum FileFault {
    #if DEBUG
        private static let failing = number("LOCKSTEP_FAIL_FILE_OPERATION")
        private static let killing = number("LOCKSTEP_KILL_FILE_OPERATION")
        private static let count = Atomic<Int>(0)

        private static func number(_ name: String) -> Int? {
            getenv(name).flatMap { Int(String(cString: $0)) }
        }
    #endif

    /// Whether the operation that follows may go on; sets `errno` if not.
    package static func allows() -> Bool {
        #if DEBUG
            guard failing != nil || killing != nil else { return true }
            let number = count.add(1, ordering: .relaxed).newValue
            if number == killing { kill(getpid(), SIGKILL) }
            if number == failing {
                errno = EIO
                return false
            }
        #endif
        return true
    }
}
