#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The one way from this room to the system calls that change a disk, or that its durability rests on.
///
/// Each returns what the call returns and leaves `errno`. In release builds there is nothing in between.
enum SystemCall {
    @inline(__always)
    static func open(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
        perform("open", path, undo: { if $0 >= 0 { close($0) } }) {
            #if canImport(Glibc)
                Glibc.open(path, flags, mode)
            #else
                Musl.open(path, flags, mode)
            #endif
        }
    }

    @inline(__always)
    static func write(_ descriptor: Int32, _ path: String, _ base: UnsafeRawPointer, _ count: Int) -> Int {
        perform("write", path, half: { _ = system(descriptor, base, count / 2) }) {
            system(descriptor, base, count)
        }
    }

    @inline(__always)
    static func sync(_ descriptor: Int32, _ path: String) -> Int32 {
        perform("fsync", path) { fsync(descriptor) }
    }

    @inline(__always)
    static func setMode(_ descriptor: Int32, _ path: String, _ mode: mode_t) -> Int32 {
        perform("fchmod", path) { fchmod(descriptor, mode) }
    }

    @inline(__always)
    static func rename(_ path: String, to target: String) -> Int32 {
        perform("rename", path) {
            #if canImport(Glibc)
                Glibc.rename(path, target)
            #else
                Musl.rename(path, target)
            #endif
        }
    }

    @inline(__always)
    static func unlink(_ path: String) -> Int32 {
        perform("unlink", path) {
            #if canImport(Glibc)
                Glibc.unlink(path)
            #else
                Musl.unlink(path)
            #endif
        }
    }

    @inline(__always)
    static func makeDirectory(_ path: String) -> Int32 {
        perform("mkdir", path) { mkdir(path, 0o777) }
    }

    private static func system(_ descriptor: Int32, _ base: UnsafeRawPointer, _ count: Int) -> Int {
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
