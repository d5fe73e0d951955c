import Glibc
import NIOCore

/// A file as a sequence of buffers of one MiB.
struct FileChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let path: String

    struct ReadFailure: Error, CustomStringConvertible {
        let description: String
    }

    final class AsyncIterator: AsyncIteratorProtocol {
        private let path: String
        private var descriptor: Int32 = -1
        private var isFinished = false

        init(path: String) { self.path = path }

        deinit { if descriptor >= 0 { close(descriptor) } }

        func next() async throws -> ByteBuffer? {
            guard !isFinished else { return nil }
            if descriptor < 0 {
                descriptor = open(path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { throw failure() }
            }
            var buffer = ByteBuffer()
            let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1 << 20) { space in
                let count = read(descriptor, space.baseAddress, 1 << 20)
                guard count >= 0 else { throw failure() }
                return count
            }
            guard count > 0 else {
                isFinished = true
                return nil
            }
            return buffer
        }

        private func failure() -> ReadFailure {
            ReadFailure(description: "'\(path)' cannot be read: \(String(cString: strerror(errno)))")
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(path: path) }
}
