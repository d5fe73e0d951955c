import NIOHTTP1
import Objects

extension S3ObjectStore {
    /// - Complexity: one request for each thousand keys, of which a compressed object that was also put raw has two.
    public func list(after: Digest?, limit: Int) async throws -> [StoredObject] {
        var objects: [StoredObject] = []
        // The last key of an object in the order of keys.
        var last = after.map { key($0, .lz4) }
        while objects.count <= limit {
            let page = try await keys(after: last, limit: min(1_000, 2 * (limit - objects.count) + 2))
            for entry in page.entries {
                last = entry.key
                guard let digest = object(entry.key)?.digest else { continue }
                if let former = objects.last, former.digest == digest {
                    objects[objects.count - 1] = StoredObject(
                        digest: digest,
                        storedSize: former.storedSize + entry.size,
                        modified: max(former.modified, entry.modified)
                    )
                } else {
                    objects.append(StoredObject(digest: digest, storedSize: entry.size, modified: entry.modified))
                }
            }
            guard page.isTruncated, !page.entries.isEmpty else { break }
        }
        // The last one may have another form that was not seen; it was read to know that of the one before it.
        return Array(objects.prefix(limit))
    }

    public func delete(_ digest: Digest, before deadline: ContinuousClock.Instant?) async throws -> Bool {
        var wasThere = false
        // What this machine has fetched of it, too: it may have been erased.
        if let cache { try await cache.store.delete(digest) }
        // The raw form last: as long as it is there, the object is.
        for encoding in [ObjectEncoding.lz4, .raw] {
            let key = key(digest, encoding)
            guard try await storedSize(key) != nil else { continue }
            var call = S3Client.Call(operation: "DeleteObject", method: .DELETE, key: key)
            call.deadline = deadline
            if let deadline, ContinuousClock.now >= deadline { throw ObjectError.late(digest) }
            _ = try await client.send(call)
            wasThere = true
        }
        return wasThere
    }

    /// Aborts unfinished uploads; a bucket may do that by a rule of its own.
    public func removeUnfinished(before instant: Int64) async throws -> Int {
        var count = 0
        var markers: (key: String, upload: String)?
        while true {
            var call = S3Client.Call(operation: "ListMultipartUploads", method: .GET, key: "")
            call.query = [("uploads", ""), ("prefix", configuration.prefix + "sha256/")]
            if let markers { call.query += [("key-marker", markers.key), ("upload-id-marker", markers.upload)] }
            guard let list = XMLElement(document: try await client.send(call).body) else { return count }
            for upload in list.all("Upload") {
                guard let key = upload["Key"], let id = upload["UploadId"], object(key) != nil,
                    let begun = upload["Initiated"].flatMap(SigningTime.init(timestamp:)),
                    Int64(begun.seconds) * 1_000_000 < instant
                else { continue }
                do {
                    try await client.abortUpload(id, of: key)
                    count += 1
                } catch let error as S3Error where error.isMissingUpload {
                    continue
                }
            }
            guard list["IsTruncated"] == "true", let key = list["NextKeyMarker"],
                let upload = list["NextUploadIdMarker"], key != markers?.key || upload != markers?.upload
            else { return count }
            markers = (key, upload)
        }
    }

    private struct Entry {
        let key: String
        let size: Int
        let modified: Int64
    }

    private func keys(after last: String?, limit: Int) async throws -> (entries: [Entry], isTruncated: Bool) {
        var call = S3Client.Call(operation: "ListObjectsV2", method: .GET, key: "")
        call.query = [
            ("list-type", "2"), ("prefix", configuration.prefix + "sha256/"), ("max-keys", String(limit)),
            ("encoding-type", "url"),
        ]
        if let last { call.query.append(("start-after", last)) }
        let list = XMLElement(document: try await client.send(call).body)
        guard let list, list.name == "ListBucketResult" else {
            throw S3Error(
                status: 200,
                code: "UnreadableAnswer",
                message: "the answer is not the XML of S3",
                operation: call.operation,
                place: location
            )
        }
        let isEncoded = list["EncodingType"] == "url"
        let entries = list.all("Contents").compactMap { entry -> Entry? in
            guard let text = entry["Key"], let size = entry["Size"].flatMap({ Int($0) }),
                let modified = entry["LastModified"].flatMap(SigningTime.init(timestamp:))
            else { return nil }
            let key = isEncoded ? PercentEncoding.decode(text) : text
            return Entry(key: key, size: size, modified: Int64(modified.seconds) * 1_000_000)
        }
        return (entries, list["IsTruncated"] == "true")
    }
}
