import Glibc

/// A file written as it is given, without a sync: what the peers do.
final class Output {
    private let descriptor: Int32
    private(set) var size = 0

    init(_ path: String) throws(Failure) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Failure("cannot create '\(path)': \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var rest = bytes
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
            guard written > 0 else { throw Failure("cannot write: \(String(cString: strerror(errno)))") }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
        size += bytes.count
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
