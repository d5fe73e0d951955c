import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Objects

extension S3ObjectStore {
    /// Runs `read` for the form that an object is kept in, raw if in both; `nil` if in neither.
    func readable(
        _ digest: Digest,
        _ read: (ObjectEncoding) async throws -> Void
    ) async throws -> ObjectEncoding? {
        for encoding in [ObjectEncoding.raw, .lz4] {
            do {
                try await read(encoding)
                return encoding
            } catch let error as S3Error where error.isMissingKey {
                continue
            }
        }
        return nil
    }

    /// Hands the content of one form to `body`, then throws if it was not the object's.
    func streamVerified(
        _ digest: Digest,
        _ encoding: ObjectEncoding,
        _ body: ([UInt8]) async throws -> Void
    ) async throws {
        var hasher = Digest.Hasher()
        func take(_ piece: [UInt8]) async throws {
            hasher.update(piece)
            try await body(piece)
        }
        switch encoding {
        case .raw: try await download(key(digest, .raw), take)
        case .lz4: try await decode(digest) { piece in try await take([UInt8](piece)) }
        }
        let found = hasher.finalize()
        guard found == digest else {
            throw ObjectError.corrupt(digest, found: found, path: client.place(key(digest, encoding)))
        }
    }

    /// Hands the part of a compressed object's content at the offsets `range` to `body`, and reads no further.
    func streamDecoded(
        _ digest: Digest,
        _ range: Range<Int>,
        _ body: ([UInt8]) async throws -> Void
    ) async throws {
        struct IsRead: Error {}
        var offset = 0
        do {
            try await decode(digest) { piece in
                let wanted = range.clamped(to: offset..<offset + piece.count)
                if !wanted.isEmpty {
                    try await body([UInt8](piece[wanted.lowerBound - offset..<wanted.upperBound - offset]))
                }
                offset += piece.count
                if offset >= range.upperBound { throw IsRead() }
            }
        } catch is IsRead {}
    }

    /// Hands the content of an LZ4 frame to `body`, in pieces of at most 1 MiB, valid while it runs.
    private func decode(
        _ digest: Digest,
        _ body: (UnsafeRawBufferPointer) async throws -> Void
    ) async throws {
        let key = key(digest, .lz4)
        do {
            let decoder = try LZ4FrameDecoder()
            try await download(key) { piece in
                _ = decoder.supply { space in
                    space.copyBytes(from: piece)
                    return piece.count
                }
                while let content = try decoder.next() { try await body(content) }
            }
            try decoder.finish()
        } catch let error as LZ4FrameError {
            throw ObjectError.damagedFrame(digest, path: client.place(key), reason: error.reason)
        }
    }

    /// The first bytes under a key.
    func beginning(of key: String, count: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            try await download(key, from: 0, to: count) { bytes += $0 }
        } catch let error as S3Error where error.status == 416 {
            // Nothing is under the key.
        }
        return bytes
    }

    /// Hands the bytes under a key to `body` as they come, in pieces of at most 1 MiB.
    ///
    /// A broken connection is followed by a request for the rest, of the same content by its ETag. Nothing of the content is
    /// verified here.
    ///
    /// - Parameters:
    ///   - first: the offset of the first byte.
    ///   - end: the offset after the last one; `nil` for all.
    func download(
        _ key: String,
        from first: Int = 0,
        to end: Int? = nil,
        _ body: ([UInt8]) async throws -> Void
    ) async throws {
        var offset = first
        var tag: String?
        var attempts = S3Attempts(configuration.retries)
        while true {
            var call = S3Client.Call(operation: "GetObject", method: .GET, key: key)
            if offset > 0 || end != nil {
                call.headers.append(("range", "bytes=\(offset)-\(end.map { String($0 - 1) } ?? "")"))
            }
            if let tag { call.headers.append(("if-match", tag)) }
            let response: HTTPClientResponse
            do {
                response = try await client.open(call)
            } catch let error as S3Error where error.status == 416 && offset > first {
                // It broke behind the last byte.
                return
            }
            tag = tag ?? response.headers.first(name: "etag")
            // A service that does not know ranges sends everything.
            var skipped = response.status == .partialContent ? 0 : offset
            var buffers = response.body.makeAsyncIterator()
            while true {
                let buffer: ByteBuffer?
                do {
                    buffer = try await buffers.next()
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    try Task.checkCancellation()
                    guard try await attempts.again() else {
                        throw S3Error.unanswered(
                            "the connection broke after \(offset - first) bytes: \(S3Client.reason(error))",
                            operation: call.operation,
                            place: client.place(key)
                        )
                    }
                    break
                }
                guard var buffer else { return }
                let skip = min(skipped, buffer.readableBytes)
                buffer.moveReaderIndex(forwardBy: skip)
                skipped -= skip
                while let piece = buffer.readBytes(length: min(1 << 20, buffer.readableBytes)), !piece.isEmpty {
                    guard end.map({ offset < $0 }) ?? true else { return }
                    let part = end.map { Array(piece.prefix($0 - offset)) } ?? piece
                    offset += part.count
                    attempts = S3Attempts(configuration.retries)
                    try await body(part)
                }
            }
            if let end, offset >= end { return }
        }
    }
}
