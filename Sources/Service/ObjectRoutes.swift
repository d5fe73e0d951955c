import Catalog
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Objects
import Wire

/// Content-addressed objects, by digest.
struct ObjectRoutes {
    /// Up to how many bytes an object is verified before it is sent: 1 MiB.
    private static let buffered = 1 << 20

    let state: ServiceState

    func add(to router: Router<BasicRequestContext>) {
        router.on("/v1/objects/{digest}", method: .head) { _, context in
            // What is promised, not what is there: an object may be on its way out.
            let digest = try digest(context)
            let size = try await state.objects.size(digest)
            guard try await state.objects.contains(digest) else {
                throw Problem(
                    type: "missing-object",
                    title: "Missing object",
                    status: 404,
                    detail: "object \(digest) is not needed and is being removed; send it again"
                )
            }
            return Response(status: .ok, headers: headers(size))
        }
        router.get("/v1/objects/{digest}") { request, context in
            let digest = try digest(context)
            let size = try await state.objects.size(digest)
            switch ByteRange(request.headers[.range], size: size) {
            case .whole: return try await whole(digest, size: size)
            case .part(let range): return part(digest, range: range, size: size)
            case .unsatisfiable: return try unsatisfiable(request.headers[.range] ?? "", size: size)
            }
        }
        router.put("/v1/objects/{digest}") { request, context in
            let digest = try digest(context)
            let word = request.uri.queryParameters.get("encoding") ?? ObjectEncoding.lz4.rawValue
            guard let encoding = ObjectEncoding(rawValue: word) else {
                throw RequestError("'\(word)' is not an encoding of objects; use raw or lz4")
            }
            let stored = try await state.uploads.receive(request.body) { path in
                try await store(path, digest, encoding: encoding)
            }
            guard stored.digest == digest else {
                throw Problem(
                    type: "corrupt-object",
                    title: "Corrupt object",
                    status: 422,
                    detail: "the bytes sent have digest \(stored.digest), expected \(digest); send them again"
                )
            }
            return try Response.message(ObjectStored(digest: "\(digest)", byteCount: stored.size), status: .created)
        }
    }

    private func headers(_ size: Int) -> HTTPFields {
        [.contentType: "application/octet-stream", .contentLength: String(size), .acceptRanges: "bytes"]
    }

    /// The whole of an object, none of it sent before it is verified, if it is small.
    ///
    /// Of a larger one the last piece is held back until all of it was verified: if it is damaged, the answer ends before
    /// its length is reached.
    private func whole(_ digest: Digest, size: Int) async throws -> Response {
        guard size > Self.buffered else {
            let bytes = try await state.objects.get(digest)
            return Response(
                status: .ok,
                headers: headers(bytes.count),
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            )
        }
        let objects = state.objects
        let body = ResponseBody(contentLength: size) { writer in
            var held: [UInt8]?
            try await objects.stream(digest) { piece in
                if let held { try await writer.write(ByteBuffer(bytes: held)) }
                held = piece
            }
            if let held { try await writer.write(ByteBuffer(bytes: held)) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers(size), body: body)
    }

    private func part(_ digest: Digest, range: Range<Int>, size: Int) -> Response {
        let objects = state.objects
        var headers = headers(range.count)
        headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
        let body = ResponseBody(contentLength: range.count) { writer in
            try await objects.stream(digest, range: range) { try await writer.write(ByteBuffer(bytes: $0)) }
            try await writer.finish(nil)
        }
        return Response(status: .partialContent, headers: headers, body: body)
    }

    private func unsatisfiable(_ range: String, size: Int) throws -> Response {
        let problem = Problem(
            type: "unsatisfiable-range",
            title: "Unsatisfiable range",
            status: 416,
            detail: "the range '\(range)' is not one range within the \(size) bytes of the object; "
                + "ask for bytes=FIRST-LAST, counted from 0"
        )
        var response = Response.json(
            try WireCoding.encode(problem),
            status: .rangeNotSatisfiable,
            contentType: Problem.contentType
        )
        response.headers[.contentRange] = "bytes */\(size)"
        return response
    }

    private func digest(_ context: BasicRequestContext) throws -> Digest {
        let text = try context.parameters.require("digest")
        guard let digest = Digest(text) else {
            throw RequestError("'\(text)' is not a digest; write sha256: and 64 hexadecimal digits")
        }
        return digest
    }

    /// Stores a received file under the digest that its sender announced.
    private func store(
        _ path: String,
        _ digest: Digest,
        encoding: ObjectEncoding
    ) async throws -> (digest: Digest, size: Int) {
        guard let cataloged = state.objects as? CatalogedObjectStore else {
            return try await state.objects.putFile(at: path, encoding: encoding)
        }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        return try await cataloged.putFile(at: path, encoding: encoding, expecting: digest, byteCount: size)
    }
}
