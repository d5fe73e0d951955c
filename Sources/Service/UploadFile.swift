import Glibc
import NIOCore

/// A file that an upload is written to.
struct UploadFile: ~Copyable {
    private let descriptor: Int32

    init(path: String) throws {
        self.descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw RequestError("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    func write(_ buffer: ByteBuffer) throws {
        try buffer.withUnsafeReadableBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    throw RequestError("an upload cannot be written: \(String(cString: strerror(errno)))")
                }
                written += count
            }
        }
    }

    consuming func close() throws {
        let result = Glibc.close(descriptor)
        discard self
        guard result == 0 else {
            throw RequestError("an upload cannot be finished: \(String(cString: strerror(errno)))")
        }
    }

    deinit { Glibc.close(descriptor) }
}
