import NIOHTTP1
import Objects

/// One large content on its way to S3, part by part.
///
/// An upload of the same key that was left unfinished is gone on with: parts that are there, by size and checksum, are not
/// sent again. One that fails is aborted; one whose process dies stays, for the next.
struct MultipartUpload {
    /// A part that the service has.
    private struct Sent: Sendable {
        let size: Int
        let tag: String
        /// In base64; `nil` from a service that keeps none.
        let checksum: String?
    }

    private let store: S3ObjectStore
    private let key: String

    init(_ store: S3ObjectStore, key: String) {
        self.store = store
        self.key = key
    }

    private var client: S3Client { store.client }

    /// - Throws: an ``S3Error`` with the code `NoSuchUpload` if another client completed or aborted the upload.
    func run(_ first: UploadSource.Part, then source: UploadSource) async throws {
        let id: String
        var known: [Int: Sent] = [:]
        if let unfinished = try await unfinished() {
            id = unfinished
            known = try await parts(of: id)
        } else {
            id = try await create()
        }
        do {
            let parts = try await send(first, then: source, to: id, known: known)
            try await complete(id, parts)
        } catch let error as S3Error where error.isMissingUpload {
            throw error
        } catch {
            await abort(id)
            throw error
        }
    }

    // MARK: Parts

    /// Sends the parts that are not there, several at once.
    private func send(
        _ first: UploadSource.Part,
        then source: UploadSource,
        to id: String,
        known: [Int: Sent]
    ) async throws -> [Int: Sent] {
        try await withThrowingTaskGroup(of: (Int, Sent).self) { group in
            var sent: [Int: Sent] = [:]
            var running = 0
            var next: UploadSource.Part? = first
            while let part = next {
                if running == store.configuration.partsAtOnce, let (number, done) = try await group.next() {
                    sent[number] = done
                    running -= 1
                }
                group.addTask { (part.number, try await send(part, to: id, unless: known[part.number])) }
                running += 1
                next = part.isLast ? nil : try await store.queue.run { try source.next() }
            }
            for try await (number, done) in group { sent[number] = done }
            return sent
        }
    }

    private func send(_ part: UploadSource.Part, to id: String, unless known: Sent?) async throws -> Sent {
        let digest = try await store.queue.run { Digest.of(part.bytes) }
        if let known, try await isSame(known, part, digest) {
            return Sent(size: known.size, tag: known.tag, checksum: known.checksum ?? digest.base64)
        }
        var call = S3Client.Call(operation: "UploadPart", method: .PUT, key: key, body: part.bytes, digest: digest)
        call.query = [("partNumber", String(part.number)), ("uploadId", id)]
        call.headers = [("x-amz-checksum-sha256", digest.base64)]
        let answer = try await client.send(call)
        return Sent(size: part.bytes.count, tag: answer.headers.first(name: "etag") ?? "", checksum: digest.base64)
    }

    private func isSame(_ known: Sent, _ part: UploadSource.Part, _ digest: Digest) async throws -> Bool {
        guard known.size == part.bytes.count else { return false }
        if let checksum = known.checksum { return checksum == digest.base64 }
        return try await store.queue.run { known.tag.filter { $0 != "\"" } == MD5.hex(part.bytes) }
    }

    // MARK: Requests

    /// The newest upload of this key that nobody finished.
    private func unfinished() async throws -> String? {
        var call = S3Client.Call(operation: "ListMultipartUploads", method: .GET, key: "")
        call.query = [("uploads", ""), ("prefix", key)]
        guard let list = XMLElement(document: try await client.send(call).body) else { return nil }
        return list.all("Upload").filter { $0["Key"] == key }.max { ($0["Initiated"] ?? "") < ($1["Initiated"] ?? "") }
            .flatMap { $0["UploadId"] }
    }

    private func create() async throws -> String {
        var call = S3Client.Call(operation: "CreateMultipartUpload", method: .POST, key: key)
        call.query = [("uploads", "")]
        call.headers = [("content-type", "application/octet-stream"), ("x-amz-checksum-algorithm", "SHA256")]
        guard let id = XMLElement(document: try await client.send(call).body)?["UploadId"], !id.isEmpty else {
            throw unreadable(call)
        }
        return id
    }

    private func parts(of id: String) async throws -> [Int: Sent] {
        var parts: [Int: Sent] = [:]
        var marker = "0"
        while true {
            var call = S3Client.Call(operation: "ListParts", method: .GET, key: key)
            call.query = [("uploadId", id), ("part-number-marker", marker)]
            guard let list = XMLElement(document: try await client.send(call).body) else { throw unreadable(call) }
            for part in list.all("Part") {
                guard let number = part["PartNumber"].flatMap({ Int($0) }), let tag = part["ETag"],
                    let size = part["Size"].flatMap({ Int($0) })
                else { throw unreadable(call) }
                parts[number] = Sent(size: size, tag: tag, checksum: part["ChecksumSHA256"])
            }
            guard list["IsTruncated"] == "true", let next = list["NextPartNumberMarker"], next != marker else {
                return parts
            }
            marker = next
        }
    }

    private func complete(_ id: String, _ parts: [Int: Sent]) async throws {
        var body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for (number, part) in parts.sorted(by: { $0.key < $1.key }) {
            body += "<Part><ETag>\(part.tag)</ETag>"
            if let checksum = part.checksum { body += "<ChecksumSHA256>\(checksum)</ChecksumSHA256>" }
            body += "<PartNumber>\(number)</PartNumber></Part>"
        }
        body += "</CompleteMultipartUpload>"
        var call = S3Client.Call(operation: "CompleteMultipartUpload", method: .POST, key: key)
        call.query = [("uploadId", id)]
        call.headers = [("content-type", "application/xml")]
        call.body = Array(body.utf8)
        do {
            // What another client's upload has made is as good; the parts of this one are in the way.
            if try await !store.sendIfAbsent(call) { await abort(id) }
        } catch let error as S3Error where error.isMissingUpload {
            // The answer to an attempt that succeeded may have been lost.
            guard try await store.storedSize(key) != nil else { throw error }
            return
        }
    }

    /// Tells the service to forget the parts; whether it hears that makes no difference to the error at hand.
    private func abort(_ id: String) async {
        let (client, key) = (client, key)
        await Task.detached { try? await client.abortUpload(id, of: key) }.value
    }

    private func unreadable(_ call: S3Client.Call) -> S3Error {
        S3Error(
            status: 200,
            code: "UnreadableAnswer",
            message: "the answer is not the XML of S3",
            operation: call.operation,
            place: client.place(key)
        )
    }
}

extension S3Client {
    func abortUpload(_ id: String, of key: String) async throws {
        var call = Call(operation: "AbortMultipartUpload", method: .DELETE, key: key)
        call.query = [("uploadId", id)]
        _ = try await send(call)
    }
}
