import Datasets
import Foundation
import Lockstep
import Objects
import Wire

/// Packs as the service has them now, damaged or not, whatever caches hold.
struct FreshPacks: PackSource {
    let service: SnapshotService

    func index(of pack: PackReference) async throws -> PackIndex { try await open(pack).index }

    func open(_ pack: PackReference) async throws -> PackReader {
        if service.isLocal { return try await service.open(pack) }
        let path = FileManager.default.temporaryDirectory.path + "/lockstep-\(UUID().uuidString).pack"
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
        // The reader keeps the file open.
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        defer { try? file.close() }
        // A range, because the service refuses a whole object that is damaged, and what is damaged is to be found.
        let range = ("range", "bytes=0-\(pack.size - 1)")
        do {
            try await service.client.stream("/v1/objects/\(pack.digest)", headers: [range]) { piece in
                try file.write(contentsOf: piece)
            }
        } catch ClientError.refused(let problem) where [404, 410, 416].contains(problem.status) {
            throw ObjectError.missing(pack.digest, directory: service.client.url)
        }
        return try PackReader(path: path)
    }
}
