import FoundationEssentials
import NIOHTTP1
import Objects
import Synchronization

extension S3ObjectStore {
    /// A multipart upload may have so many parts; a compressed content may be a little larger than its size says.
    private static let partCount = 9_500

    func upload(_ digest: Digest, encoding: ObjectEncoding, content: UploadSource.Content, size: Int) async throws {
        let key = key(digest, encoding)
        let partSize = max(configuration.partSize, (size / Self.partCount + 1).roundedUp(to: 1 << 20))
        // Another client may complete or abort the upload that this one works on.
        for _ in 0..<3 {
            let source = try await queue.run {
                try UploadSource(content, digest: digest, size: size, encoding: encoding, partSize: partSize)
            }
            guard let first = try await queue.run({ try source.next() }) else { return }
            if first.isLast {
                let payload = encoding == .raw ? digest : try await queue.run { Digest.of(first.bytes) }
                return try await putWhole(key, first.bytes, payload)
            }
            do {
                return try await MultipartUpload(self, key: key).run(first, then: source)
            } catch let error as S3Error {
                // Whatever went wrong here: another client may have put the object meanwhile.
                if try await storedSize(key) != nil { return }
                guard error.isMissingUpload else { throw error }
            }
        }
        throw S3Error(
            status: 404,
            code: "NoSuchUpload",
            message: "another client ended the upload three times",
            operation: "UploadPart",
            place: client.place(key)
        )
    }

    private func putWhole(_ key: String, _ bytes: [UInt8], _ payload: Digest) async throws {
        var call = S3Client.Call(operation: "PutObject", method: .PUT, key: key, body: bytes, digest: payload)
        call.headers = [
            ("content-type", "application/octet-stream"),
            ("x-amz-checksum-sha256", payload.base64),
        ]
        try await sendIfAbsent(call)
    }

    /// Sends what creates a key, unless the key is there: equal names have equal contents, so who came first is as good.
    ///
    /// - Returns: whether this call created it.
    @discardableResult
    func sendIfAbsent(_ call: S3Client.Call) async throws -> Bool {
        var conditional = call
        conditional.headers.append(("if-none-match", "*"))
        do {
            _ = try await client.send(knowsConditions.withLock { $0 } ? conditional : call)
        } catch let error as S3Error where error.status == 412 {
            return false
        } catch let error as S3Error where error.status == 501 && knowsConditions.withLock({ $0 }) {
            knowsConditions.withLock { $0 = false }
            _ = try await client.send(call)
        }
        return true
    }
}

extension Digest {
    /// As S3 writes checksums.
    var base64: String { Data(bytes).base64EncodedString() }
}

extension Int {
    fileprivate func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
