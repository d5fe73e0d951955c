import FoundationEssentials
import Hummingbird
import NIOCore
import NIOFoundationEssentialsCompat
import Objects
import Wire

/// Content-addressed objects, by digest.
struct ObjectRoutes {
    let state: ServiceState

    func add(to router: Router<BasicRequestContext>) {
        router.on("/v1/objects/{digest}", method: .head) { _, context in
            let digest = try digest(context)
            guard try await state.objects.contains(digest) else {
                throw Problem(
                    type: "missing-object",
                    title: "Missing object",
                    status: 404,
                    detail: "there is no object \(digest)"
                )
            }
            return Response(status: .ok)
        }
        router.get("/v1/objects/{digest}") { _, context in
            Response.json(try await state.objects.get(try digest(context)), contentType: "application/octet-stream")
        }
        router.put("/v1/objects/{digest}") { request, context in
            let digest = try digest(context)
            let word = request.uri.queryParameters.get("encoding") ?? ObjectEncoding.lz4.rawValue
            guard let encoding = ObjectEncoding(rawValue: word) else {
                throw RequestError("'\(word)' is not an encoding of objects; use raw or lz4")
            }
            let stored = try await receive(request, encoding: encoding)
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

    private func digest(_ context: BasicRequestContext) throws -> Digest {
        let text = try context.parameters.require("digest")
        guard let digest = Digest(text) else {
            throw RequestError("'\(text)' is not a digest; write sha256: and 64 hexadecimal digits")
        }
        return digest
    }

    /// Streams a body to a file, so that an object of any size passes through bounded memory.
    private func receive(_ request: Request, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        let directory = URL(filePath: state.configuration.objects).appending(component: "tmp")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let file = directory.appending(component: "upload-\(UUID().uuidString)")
        guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
            throw RequestError("an upload cannot be written to \(directory.path)")
        }
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try UploadFile(path: file.path)
        for try await buffer in request.body { try handle.write(buffer) }
        try handle.close()
        return try await state.objects.putFile(at: file.path, encoding: encoding)
    }
}
