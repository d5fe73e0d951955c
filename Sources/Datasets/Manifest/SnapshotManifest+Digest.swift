import Objects

extension SnapshotManifest {
    /// The snapshot's identity: equal content, equal digest.
    ///
    /// Written with `CanonicalEncoder`, fields in this order. `digest(domain)` is the SHA-256 of the encoder's version
    /// byte, the domain and the value; every list is in the order of its entries' path or name bytes.
    ///
    /// ```
    /// snapshot     digest("lockstep.snapshot")             { format: int, assets: digest, code: digest | null,
    ///                                                        environment: digest, parents: [digest] }
    /// assets       digest("lockstep.snapshot.assets")      [ { path: bytes, kind: string, mode: int | null,
    ///                                                          size: int | null, digest: digest | null,
    ///                                                          target: bytes | null } ]
    /// code         digest("lockstep.snapshot.code")        { commit: string | null, directory: string | null,
    ///                                                        diff: digest | null,
    ///                                                        files: [ { path: bytes, state: string, kind: string | null,
    ///                                                                   mode, size, digest, target } ],
    ///                                                        submodules: [ { path: bytes, commit: string } ] }
    /// environment  digest("lockstep.snapshot.environment") { os: string | null, architecture: string,
    ///                                                        swift: string | null,
    ///                                                        lock_files: [ { name: bytes, size: int, digest: digest } ],
    ///                                                        variables: [ { name: string, value: string | null } ] }
    /// ```
    ///
    /// Format 1 has in assets { path: string, mode: string, size, digest }, in code { path: string, state, mode: string,
    /// size, digest } and no submodules, and in the environment names as strings.
    ///
    /// The code's branch and remote are labels that move without a byte changing, and a bundle of unpushed commits holds
    /// nothing that the commit does not name: they are recorded but not hashed. Nor is where bytes are stored.
    public var digest: Digest {
        var encoder = CanonicalEncoder()
        encoder.record(5)
        encoder.field("format")
        encoder.int(format)
        encoder.field("assets")
        encoder.digest(assetsDigest)
        encoder.field("code")
        encoder.digest(code?.digest(format: format))
        encoder.field("environment")
        encoder.digest(environment.digest(format: format))
        encoder.field("parents")
        encoder.list(parents.count)
        for parent in parents { encoder.digest(parent) }
        return encoder.digest(domain: "lockstep.snapshot")
    }

    /// The data root: the identity of the assets alone.
    public var assetsDigest: Digest {
        var encoder = CanonicalEncoder()
        encoder.list(assets.count)
        for asset in assets {
            encoder.record(format == Self.firstFormat ? 4 : 6)
            encoder.path(asset.path, format: format)
            encoder.content(asset.content, format: format)
        }
        return encoder.digest(domain: "lockstep.snapshot.assets")
    }
}

extension CodeCapture {
    /// The code root: the identity of the code alone, without branch, remote and bundle.
    public func digest(format: Int = SnapshotManifest.formatVersion) -> Digest {
        let isFirst = format == SnapshotManifest.firstFormat
        var encoder = CanonicalEncoder()
        encoder.record(isFirst ? 4 : 5)
        encoder.field("commit")
        encoder.string(commit)
        encoder.field("directory")
        encoder.string(directory)
        encoder.field("diff")
        encoder.digest(diff?.digest)
        encoder.field("files")
        encoder.list(files.count)
        for file in files {
            encoder.record(isFirst ? 5 : 7)
            encoder.path(file.path, format: format)
            encoder.field("state")
            encoder.string(file.state.rawValue)
            encoder.content(file.content, format: format)
        }
        if !isFirst {
            encoder.field("submodules")
            encoder.list(submodules.count)
            for submodule in submodules {
                encoder.record(2)
                encoder.path(submodule.path, format: format)
                encoder.field("commit")
                encoder.string(submodule.commit)
            }
        }
        return encoder.digest(domain: "lockstep.snapshot.code")
    }
}

extension EnvironmentCapture {
    /// The environment root: the identity of the environment alone.
    public func digest(format: Int = SnapshotManifest.formatVersion) -> Digest {
        var encoder = CanonicalEncoder()
        encoder.record(5)
        encoder.field("os")
        encoder.string(operatingSystem)
        encoder.field("architecture")
        encoder.string(architecture)
        encoder.field("swift")
        encoder.string(swiftVersion)
        encoder.field("lock_files")
        encoder.list(lockFiles.count)
        for file in lockFiles {
            encoder.record(3)
            encoder.path(file.name, field: "name", format: format)
            encoder.field("size")
            encoder.int(file.size)
            encoder.field("digest")
            encoder.digest(file.digest)
        }
        encoder.field("variables")
        encoder.list(variables.count)
        for variable in variables {
            encoder.record(2)
            encoder.field("name")
            encoder.string(variable.name)
            encoder.field("value")
            encoder.string(variable.value)
        }
        return encoder.digest(domain: "lockstep.snapshot.environment")
    }
}

extension CanonicalEncoder {
    fileprivate mutating func path(_ path: SnapshotPath, field name: String = "path", format: Int) {
        field(name)
        if format == SnapshotManifest.firstFormat { string(path.text) } else { bytes(path.bytes) }
    }

    /// The fields of what stands at a path; `nil` for a deleted file.
    fileprivate mutating func content(_ content: EntryContent?, format: Int) {
        let object = content?.object
        if format == SnapshotManifest.firstFormat {
            field("mode")
            string("\(content?.mode ?? .regular)")
            field("size")
            int(object?.size ?? 0)
            field("digest")
            digest(object?.digest)
            return
        }
        field("kind")
        string(content?.kind)
        field("mode")
        if let mode = content?.mode { int(Int(mode.bits)) } else { null() }
        field("size")
        if let object { int(object.size) } else { null() }
        field("digest")
        digest(object?.digest)
        field("target")
        if case .symbolicLink(let target) = content { bytes(target) } else { null() }
    }
}
