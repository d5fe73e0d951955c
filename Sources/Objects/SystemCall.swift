import CLinux

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The one way to the system calls that change a disk, or on which durability rests.
///
/// Each returns what the call returns and leaves `errno`. In release builds there is nothing in between; in debug builds
/// tests have calls fail or the process die there, see `SystemFaults`.
package enum SystemCall {
    /// `open`, again where a signal interrupts it.
    package static func openFile(_ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
        perform(flags & O_CREAT == 0 ? "open" : "create", String(cString: path), undo: { if $0 >= 0 { close($0) } }) {
            var descriptor: Int32
            repeat { descriptor = open(path, flags | O_CLOEXEC, mode) } while descriptor < 0 && errno == EINTR
            return descriptor
        }
    }

    package static func makeDirectory(_ path: UnsafePointer<CChar>, _ mode: mode_t = 0o777) -> Int32 {
        perform("mkdir", String(cString: path)) { mkdir(path, mode) }
    }

    package static func makeLink(_ path: UnsafePointer<CChar>, to target: UnsafePointer<CChar>) -> Int32 {
        perform("link", String(cString: path)) { link(target, path) }
    }

    package static func makeSymbolicLink(_ path: UnsafePointer<CChar>, to target: UnsafePointer<CChar>) -> Int32 {
        perform("symlink", String(cString: path)) { symlink(target, path) }
    }

    package static func move(_ path: UnsafePointer<CChar>, to target: UnsafePointer<CChar>) -> Int32 {
        perform("rename", String(cString: target)) { rename(path, target) }
    }

    /// Has two paths change names in one step; `EINVAL` where the file system cannot.
    package static func exchange(_ path: UnsafePointer<CChar>, _ other: UnsafePointer<CChar>) -> Int32 {
        #if DEBUG
            if SystemFaults.lacksExchange {
                errno = EINVAL
                return -1
            }
        #endif
        return perform("exchange", String(cString: other)) {
            renameat2(AT_FDCWD, path, AT_FDCWD, other, UInt32(LINUX_RENAME_EXCHANGE))
        }
    }

    package static func remove(_ path: UnsafePointer<CChar>) -> Int32 {
        perform("unlink", String(cString: path)) { unlink(path) }
    }

    package static func removeDirectory(_ path: UnsafePointer<CChar>) -> Int32 {
        perform("rmdir", String(cString: path)) { rmdir(path) }
    }

    package static func setMode(_ path: UnsafePointer<CChar>, _ mode: mode_t) -> Int32 {
        perform("chmod", String(cString: path)) { chmod(path, mode) }
    }

    // MARK: Open files

    /// Writes all of `bytes`, at `offset` or where the file stands; -1 for an error, else their number.
    package static func write(
        _ bytes: UnsafeRawBufferPointer,
        to descriptor: Int32,
        _ path: @autoclosure () -> String,
        at offset: Int? = nil
    ) -> Int {
        perform(
            "write",
            path(),
            half: { _ = writeAll(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), descriptor, offset) }
        ) {
            writeAll(bytes, descriptor, offset)
        }
    }

    package static func sync(_ descriptor: Int32, _ path: @autoclosure () -> String) -> Int32 {
        perform("fsync", path()) { fsync(descriptor) }
    }

    /// Puts a whole file system on the disk.
    package static func syncFileSystem(_ descriptor: Int32, _ path: @autoclosure () -> String) -> Int32 {
        perform("syncfs", path()) { syncfs(descriptor) }
    }

    package static func setMode(_ descriptor: Int32, _ path: @autoclosure () -> String, _ mode: mode_t) -> Int32 {
        perform("fchmod", path()) { fchmod(descriptor, mode) }
    }

    package static func setSize(_ descriptor: Int32, _ path: @autoclosure () -> String, _ size: Int) -> Int32 {
        perform("ftruncate", path()) { ftruncate(descriptor, off_t(size)) }
    }

    /// Has a file share the blocks of another; an error where the file system cannot.
    package static func clone(_ source: Int32, to descriptor: Int32, _ path: @autoclosure () -> String) -> Int32 {
        // FICLONE, which is a macro that Swift does not see.
        perform("clone", path()) { ioctl(descriptor, 0x4004_9409, source) }
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32, _ offset: Int?) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var written = 0
        while written < bytes.count {
            let (from, left) = (base + written, bytes.count - written)
            let count =
                offset.map { pwrite(descriptor, from, left, off_t($0 + written)) } ?? put(descriptor, from, left)
            if count < 0 {
                if errno == EINTR { continue }
                return -1
            }
            written += count
        }
        return written
    }

    // The method above hides the function of the same name.
    private static func put(_ descriptor: Int32, _ base: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, base, count)
        #else
            Musl.write(descriptor, base, count)
        #endif
    }

    @inline(__always)
    private static func perform<Result: SignedInteger>(
        _ name: String,
        _ path: @autoclosure () -> String,
        half: () -> Void = {},
        undo: (Result) -> Void = { _ in },
        _ call: () -> Result
    ) -> Result {
        #if DEBUG
            guard SystemFaults.isAny else { return call() }
            switch SystemFaults.due(name, path()) {
            case nil: return call()
            case .fail(let code):
                half()
                errno = code
                return -1
            case .failAfterwards(let code):
                undo(call())
                errno = code
                return -1
            case .kill:
                half()
                kill(getpid(), SIGKILL)
                while true { pause() }
            }
        #else
            return call()
        #endif
    }
}
