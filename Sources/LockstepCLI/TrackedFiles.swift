import Datasets
import Foundation
import Objects
import Yams

/// The files that DVC or git-lfs track in a directory, found without either.
struct TrackedFiles {
    private(set) var files: [ImportedFile] = []
    private let root: String
    /// DVC's caches, the newest layout first; none outside a DVC repository.
    private let dvcCaches: [String]
    /// Where git-lfs keeps its objects; `nil` outside git.
    private let lfsObjects: String?

    /// - Parameter cache: DVC's cache, where it is not in its usual place.
    init(in directory: String, cache: String?) throws {
        root = URL(fileURLWithPath: directory).standardizedFileURL.path
        let dvc = Self.above(root, name: ".dvc").map { $0 + "/.dvc/cache" }
        dvcCaches = [cache, dvc].compactMap { $0 }.flatMap { ["\($0)/files/md5", $0] }
        lfsObjects = Self.above(root, name: ".git").map { $0 + "/.git/lfs/objects" }
        var claimed: Set<SnapshotPath> = []
        let names = try FileManager.default.subpathsOfDirectory(atPath: root).sorted()
        let own = names.filter { name in
            !name.split(separator: "/").contains { $0 == ".git" || $0 == ".dvc" || $0 == ".lockstep" }
        }
        for name in own where name.hasSuffix(".dvc") || name.split(separator: "/").last == "dvc.lock" {
            guard try isFile(name) else { continue }
            for file in try dvcFiles(name) where claimed.insert(file.path).inserted { files.append(file) }
        }
        for name in own where try isFile(name) {
            guard let file = try lfsFile(name), claimed.insert(file.path).inserted else { continue }
            files.append(file)
        }
        guard !files.isEmpty else {
            throw UsageError("neither DVC nor git-lfs tracks a file in \(root); use: lockstep snapshot create")
        }
    }

    private func isFile(_ name: String) throws -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isDirectory)
            && !isDirectory.boolValue
    }

    private static func above(_ directory: String, name: String) -> String? {
        var path = directory
        while true {
            if FileManager.default.fileExists(atPath: "\(path)/\(name)") { return path }
            guard path != "/" else { return nil }
            path = URL(fileURLWithPath: path).deletingLastPathComponent().path
        }
    }

    // MARK: DVC

    /// The outputs of a `.dvc` file or a `dvc.lock`.
    private func dvcFiles(_ name: String) throws -> [ImportedFile] {
        let text = try String(contentsOfFile: "\(root)/\(name)", encoding: .utf8)
        guard let document = try Yams.load(yaml: text) as? [String: Any] else {
            throw UsageError("\(name) is not a file of DVC's")
        }
        var outputs = document["outs"] as? [[String: Any]] ?? []
        for stage in (document["stages"] as? [String: Any] ?? [:]).sorted(by: { $0.key < $1.key }) {
            outputs += (stage.value as? [String: Any])?["outs"] as? [[String: Any]] ?? []
        }
        let parent = name.split(separator: "/").dropLast().joined(separator: "/")
        let directory = [parent, document["wdir"] as? String ?? ""].filter { !$0.isEmpty && $0 != "." }
            .joined(separator: "/")
        return try outputs.flatMap { output -> [ImportedFile] in
            guard let path = output["path"] as? String else { throw UsageError("\(name) has an output without a path") }
            guard let md5 = output["md5"] as? String else {
                throw UsageError("\(name): '\(path)' has no md5; commit it with DVC first")
            }
            let place = directory.isEmpty ? path : "\(directory)/\(path)"
            guard md5.hasSuffix(".dir") else {
                return [try dvcFile(place, md5, isExecutable: output["isexec"] as? Bool ?? false)]
            }
            return try dvcDirectory(md5, of: place).map { entry in
                guard let inner = entry["relpath"] as? String, let md5 = entry["md5"] as? String else {
                    throw UsageError("\(name): the listing of '\(path)' has an entry without a path or an md5")
                }
                return try dvcFile("\(place)/\(inner)", md5, isExecutable: entry["isexec"] as? Bool ?? false)
            }
        }
    }

    private func dvcFile(_ place: String, _ md5: String, isExecutable: Bool) throws -> ImportedFile {
        ImportedFile(
            path: try SnapshotPath(place),
            sources: dvcCaches.map { "\($0)/\(md5.prefix(2))/\(md5.dropFirst(2))" } + ["\(root)/\(place)"],
            expected: .md5(md5),
            mode: isExecutable ? .executable : .regular
        )
    }

    /// A directory's listing from the cache, verified.
    private func dvcDirectory(_ md5: String, of place: String) throws -> [[String: Any]] {
        let paths = dvcCaches.map { "\($0)/\(md5.prefix(2))/\(md5.dropFirst(2))" }
        guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw SnapshotError.importMissing(path: place, digest: "md5:\(md5)")
        }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let expected = ForeignDigest.md5(String(md5.dropLast(4)))
        var hasher = ForeignDigest.Hasher(expected)
        bytes.withUnsafeBytes { hasher.update($0) }
        let found = hasher.finalize()
        guard found == expected else {
            throw SnapshotError.importCorrupt(path: place, source: path, expected: "\(expected)", found: "\(found)")
        }
        guard let entries = try JSONSerialization.jsonObject(with: bytes) as? [[String: Any]] else {
            throw UsageError("\(path) is not a directory's listing")
        }
        return entries
    }

    // MARK: git-lfs

    /// A file whose pointer is in the work tree; `nil` for any other file.
    private func lfsFile(_ name: String) throws -> ImportedFile? {
        let path = "\(root)/\(name)"
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        guard let size = attributes[.size] as? Int, size < 1024,
            let text = try? String(contentsOfFile: path, encoding: .utf8)
        else { return nil }
        let lines = text.split(separator: "\n")
        guard lines.first == "version https://git-lfs.github.com/spec/v1",
            let line = lines.first(where: { $0.hasPrefix("oid sha256:") })
        else { return nil }
        let oid = String(line.dropFirst("oid sha256:".count))
        let mode = (attributes[.posixPermissions] as? Int).map { FileMode($0) } ?? .regular
        return ImportedFile(
            path: try SnapshotPath(name),
            sources: [lfsObjects].compactMap { $0 }.map {
                "\($0)/\(oid.prefix(2))/\(oid.dropFirst(2).prefix(2))/\(oid)"
            },
            expected: .sha256(oid),
            mode: mode
        )
    }
}
