import Glibc

/// An exclusive lock on a file, held until it is dropped or the process ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock, or returns nil when another holder has it.
    init?(path: String) throws(PostgresError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            let reason = ChildProcess.reason(errno)
            throw PostgresError(.cluster, "cannot open the lock file '\(path)': \(reason); check who owns it")
        }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            let number = errno
            close(descriptor)
            guard number == EWOULDBLOCK else {
                throw PostgresError(.cluster, "cannot lock '\(path)': \(ChildProcess.reason(number))")
            }
            return nil
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }
}
