import Objects

extension SnapshotManifest {
    /// Reads a manifest from JSON, checks its paths, and its digest if one is expected.
    ///
    /// Members that are not known are passed over. Manifests of format 1 are read as well.
    ///
    /// - Throws: ``SnapshotError``
    public init(json: [UInt8], expecting expected: Digest? = nil) throws(SnapshotError) {
        self = try json.withUnsafeBufferPointer { bytes throws(SnapshotError) in
            var cursor = JSONCursor(bytes)
            let manifest = try SnapshotManifest(&cursor)
            try cursor.finish()
            return manifest
        }
        if let expected {
            let found = digest
            if expected != found { throw .wrongDigest(expected: expected, found: found) }
        }
    }

    private init(_ cursor: inout JSONCursor) throws(SnapshotError) {
        var format: Int?
        var assets: [EntryMembers]?
        var code: CodeCapture?
        var environment: EnvironmentCapture?
        var parents: [Digest]?
        try cursor.object { (cursor, name) throws(SnapshotError) in
            switch name {
            case "format": format = try cursor.integer()
            case "assets":
                var entries: [EntryMembers] = []
                try cursor.array { (cursor) throws(SnapshotError) in entries.append(try EntryMembers(&cursor)) }
                assets = entries
            case "code": code = try CodeCapture(&cursor)
            case "environment": environment = try EnvironmentCapture(&cursor)
            case "parents":
                var digests: [Digest] = []
                try cursor.array { (cursor) throws(SnapshotError) in digests.append(try cursor.digest()) }
                parents = digests
            default: try cursor.skip()
            }
        }
        let version = try cursor.required(format, "format")
        guard version == Self.formatVersion || version == Self.firstFormat else {
            throw .malformedManifest(
                reason: "its format is \(version), this program reads \(Self.firstFormat) and \(Self.formatVersion)"
            )
        }
        try self.init(
            assets: try cursor.required(assets, "assets").map { (members) throws(SnapshotError) in
                guard let content = try members.content(cursor) else { throw cursor.fault("an asset has no content") }
                return AssetEntry(path: try members.path(cursor), content: content)
            },
            code: code,
            environment: try cursor.required(environment, "environment"),
            parents: try cursor.required(parents, "parents"),
            format: version
        )
    }
}

extension JSONCursor {
    fileprivate func required<Value>(_ value: Value?, _ name: String) throws(SnapshotError) -> Value {
        guard let value else { throw fault("'\(name)' is missing in an object that ends") }
        return value
    }

    /// A member that is text, or under another name the hexadecimal digits of bytes that are not UTF-8.
    fileprivate func bytes(_ text: [UInt8]?, _ hex: String?, _ name: String) throws(SnapshotError) -> [UInt8]? {
        guard let hex else { return text }
        guard text == nil, let bytes = HexText.bytes(hex), String(validating: bytes, as: UTF8.self) == nil else {
            throw fault("'\(name)_bytes' is not the digits of bytes that are not UTF-8, or stands beside '\(name)'")
        }
        return bytes
    }
}

/// The members of an entry as they stand in JSON.
private struct EntryMembers {
    var text: [UInt8]?
    var hex: String?
    var kind: String?
    var mode: FileMode?
    var size: Int?
    var digest: Digest?
    var chunks: Digest?
    var target: [UInt8]?
    var targetHex: String?
    var state: String?
    var commit: String?

    init(_ cursor: inout JSONCursor) throws(SnapshotError) {
        var members = EntryMembers()
        try cursor.object { (cursor, name) throws(SnapshotError) in
            switch name {
            case "path", "name": members.text = try cursor.utf8()
            case "path_bytes", "name_bytes": members.hex = try cursor.string()
            case "kind": members.kind = try cursor.string()
            case "mode":
                let text = try cursor.string()
                guard let mode = FileMode(text: text) else { throw cursor.fault("'\(text)' is not a mode") }
                members.mode = mode
            case "size": members.size = try cursor.integer()
            case "digest": members.digest = try cursor.digest()
            case "chunks": members.chunks = try cursor.digest()
            case "target": members.target = try cursor.utf8()
            case "target_bytes": members.targetHex = try cursor.string()
            case "state": members.state = try cursor.string()
            case "commit": members.commit = try cursor.string()
            default: try cursor.skip()
            }
        }
        self = members
    }

    private init() {}

    func path(_ cursor: JSONCursor) throws(SnapshotError) -> SnapshotPath {
        try SnapshotPath(bytes: try cursor.required(try cursor.bytes(text, hex, "path"), "path"))
    }

    func object(_ cursor: JSONCursor) throws(SnapshotError) -> ObjectReference {
        ObjectReference(
            size: try cursor.required(size, "size"),
            digest: try cursor.required(digest, "digest"),
            chunks: chunks
        )
    }

    /// `nil` for an entry without content: a deleted file.
    func content(_ cursor: JSONCursor) throws(SnapshotError) -> EntryContent? {
        switch kind {
        case "file": return .file(mode: try cursor.required(mode, "mode"), try object(cursor))
        case "directory": return .directory(mode: try cursor.required(mode, "mode"))
        case "symlink":
            let target = try cursor.required(try cursor.bytes(target, targetHex, "target"), "target")
            guard !target.isEmpty, !target.contains(0) else { throw cursor.fault("a symbolic link leads nowhere") }
            return .symbolicLink(target: target)
        // Format 1 has files only, and modes also of those that are deleted.
        case nil: return digest == nil ? nil : .file(mode: try cursor.required(mode, "mode"), try object(cursor))
        case .some(let kind): throw cursor.fault("'\(kind)' is not a kind")
        }
    }
}

extension CodeCapture {
    fileprivate init(_ cursor: inout JSONCursor) throws(SnapshotError) {
        var commit: String?
        var branch: String?
        var remote: String?
        var directory: String?
        var diff: ObjectReference?
        var files: [CodeFile]?
        var submodules: [Submodule] = []
        var unpushed: UnpushedCommits?
        try cursor.object { (cursor, name) throws(SnapshotError) in
            switch name {
            case "commit": commit = try cursor.string()
            case "branch": branch = try cursor.string()
            case "remote": remote = try cursor.string()
            case "directory": directory = try cursor.string()
            case "diff": diff = try EntryMembers(&cursor).object(cursor)
            case "files":
                var list: [CodeFile] = []
                try cursor.array { (cursor) throws(SnapshotError) in
                    let members = try EntryMembers(&cursor)
                    let word = try cursor.required(members.state, "state")
                    guard let state = CodeFile.State(rawValue: word) else {
                        throw cursor.fault("'\(word)' is not a state")
                    }
                    list.append(
                        CodeFile(path: try members.path(cursor), state: state, content: try members.content(cursor))
                    )
                }
                files = list
            case "submodules":
                try cursor.array { (cursor) throws(SnapshotError) in
                    let members = try EntryMembers(&cursor)
                    submodules.append(
                        Submodule(
                            path: try members.path(cursor),
                            commit: try cursor.required(members.commit, "commit")
                        )
                    )
                }
            case "unpushed":
                var commits: Int?
                var bundle: ObjectReference?
                try cursor.object { (cursor, name) throws(SnapshotError) in
                    switch name {
                    case "commits": commits = try cursor.integer()
                    case "bundle": bundle = try EntryMembers(&cursor).object(cursor)
                    default: try cursor.skip()
                    }
                }
                unpushed = UnpushedCommits(commits: try cursor.required(commits, "commits"), bundle: bundle)
            default: try cursor.skip()
            }
        }
        self.init(
            commit: commit,
            branch: branch,
            remote: remote,
            directory: directory,
            diff: diff,
            files: try cursor.required(files, "files"),
            submodules: submodules,
            unpushed: unpushed
        )
    }
}

extension EnvironmentCapture {
    fileprivate init(_ cursor: inout JSONCursor) throws(SnapshotError) {
        var system: String?
        var architecture: String?
        var swift: String?
        var lockFiles: [LockFile]?
        var variables: [Variable]?
        try cursor.object { (cursor, name) throws(SnapshotError) in
            switch name {
            case "os": system = try cursor.string()
            case "architecture": architecture = try cursor.string()
            case "swift": swift = try cursor.string()
            case "lock_files":
                var files: [LockFile] = []
                try cursor.array { (cursor) throws(SnapshotError) in
                    let members = try EntryMembers(&cursor)
                    files.append(LockFile(name: try members.path(cursor), object: try members.object(cursor)))
                }
                lockFiles = files
            case "variables":
                var list: [Variable] = []
                try cursor.array { (cursor) throws(SnapshotError) in
                    var name: String?
                    var value: String?
                    try cursor.object { (cursor, member) throws(SnapshotError) in
                        switch member {
                        case "name": name = try cursor.string()
                        case "value": value = try cursor.string()
                        default: try cursor.skip()
                        }
                    }
                    list.append(Variable(name: try cursor.required(name, "name"), value: value))
                }
                variables = list
            default: try cursor.skip()
            }
        }
        self.init(
            operatingSystem: system,
            architecture: try cursor.required(architecture, "architecture"),
            swiftVersion: swift,
            lockFiles: try cursor.required(lockFiles, "lock_files"),
            variables: try cursor.required(variables, "variables")
        )
    }
}
