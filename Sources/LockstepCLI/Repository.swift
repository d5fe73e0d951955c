import Features
import Foundation
import Lockstep
import Yams

/// A feature repository: the directory of `lockstep.yaml`, searched upwards.
struct Repository {
    let directory: String
    let project: String
    let url: String

    static let fileName = "lockstep.yaml"
    static let defaultURL = "http://127.0.0.1:6566"

    /// Finds the repository of the working directory.
    ///
    /// - Throws: `UsageError` when there is none or its file is wrong.
    static func find(from start: String = FileManager.default.currentDirectoryPath) throws -> Repository {
        var directory = URL(fileURLWithPath: start).standardizedFileURL
        while true {
            let file = directory.appendingPathComponent(fileName)
            if let text = try? String(contentsOf: file, encoding: .utf8) {
                return try Repository(directory: directory.path, text: text, file: file.path)
            }
            guard directory.path != "/" else {
                throw UsageError(
                    "there is no \(fileName) in \(start) or above; run 'lockstep init' here, or change to a feature repository"
                )
            }
            directory.deleteLastPathComponent()
        }
    }

    init(directory: String, text: String, file: String) throws {
        let members: [String: Any]
        do {
            guard let mapping = try Yams.load(yaml: text) as? [String: Any] else {
                throw UsageError("\(file) must be a mapping with 'project' and 'service'")
            }
            members = mapping
        } catch let error as UsageError {
            throw error
        } catch {
            throw UsageError("\(file) is not valid YAML: \(error)")
        }
        for name in members.keys.sorted() where !["project", "service"].contains(name) {
            throw UsageError("\(file) has no member '\(name)'; it may have project, service")
        }
        guard let project = members["project"] as? String else { throw UsageError("\(file) has no 'project'") }
        self.directory = directory
        self.project = project
        self.url =
            ProcessInfo.processInfo.environment["LOCKSTEP_URL"] ?? members["service"] as? String ?? Self.defaultURL
    }

    /// Where `lockstep dev` keeps what it makes.
    var state: String { directory + "/.lockstep" }
    var client: Client { Client(url: url, project: project) }
    var objects: RemoteObjectStore { RemoteObjectStore(client: client, cache: state + "/cache") }

    /// The service's objects, kept by a lease.
    func objects(_ lease: ObjectLease) -> RemoteObjectStore {
        RemoteObjectStore(client: client, cache: state + "/cache", lease: lease)
    }

    /// The definition files to read: those named, or `features/**/*.yaml`.
    func definitionFiles(_ path: String?) throws -> [(path: String, text: String)] {
        let manager = FileManager.default
        let root = path ?? directory + "/features"
        var isDirectory: ObjCBool = false
        guard manager.fileExists(atPath: root, isDirectory: &isDirectory) else {
            throw UsageError(
                "there is nothing at '\(root)'; definitions are read from features/**/*.yaml, or give a path"
            )
        }
        var paths: [String] = []
        if isDirectory.boolValue {
            for name in manager.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? [] {
                if name.hasSuffix(".yaml") || name.hasSuffix(".yml") { paths.append(root + "/" + name) }
            }
        } else {
            paths = [root]
        }
        guard !paths.isEmpty else { throw UsageError("there is no .yaml file below '\(root)'") }
        return try paths.sorted().map { path in
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw UsageError("'\(path)' cannot be read as UTF-8 text")
            }
            return (path.hasPrefix(directory + "/") ? String(path.dropFirst(directory.count + 1)) : path, text)
        }
    }
}

enum Locks {
    /// Opens a lock that the user named.
    ///
    /// - Throws: `UsageError` when there is no such file; `LockError` when it is not what was written.
    static func open(_ path: String) throws -> Lock {
        guard FileManager.default.fileExists(atPath: path) else {
            throw UsageError("there is no lock at '\(path)'; make one with: lockstep lock SERVICE -o \(path)")
        }
        return try LockFile.open(path)
    }
}
