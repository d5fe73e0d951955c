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
    /// assets       digest("lockstep.snapshot.assets")      [ { path: string, mode: string, size: int, digest: digest } ]
    /// code         digest("lockstep.snapshot.code")        { commit: string | null, directory: string | null,
    ///                                                        diff: digest | null,
    ///                                                        files: [ { path: string, state: string, mode: string,
    ///                                                                   size: int, digest: digest | null } ] }
    /// environment  digest("lockstep.snapshot.environment") { os: string | null, architecture: string,
    ///                                                        swift: string | null,
    ///                                                        lock_files: [ { name: string, size: int, digest: digest } ],
    ///                                                        variables: [ { name: string, value: string | null } ] }
    /// ```
    ///
    /// The code's branch and remote are labels that move without a byte changing: they are recorded but not hashed.
    public var digest: Digest {
        var encoder = CanonicalEncoder()
        encoder.record(5)
        encoder.field("format")
        encoder.int(Self.formatVersion)
        encoder.field("assets")
        encoder.digest(assetsDigest)
        encoder.field("code")
        encoder.digest(code?.digest)
        encoder.field("environment")
        encoder.digest(environment.digest)
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
            encoder.record(4)
            encoder.field("path")
            encoder.string(asset.path.text)
            encoder.field("mode")
            encoder.string(asset.mode.rawValue)
            encoder.field("size")
            encoder.int(asset.size)
            encoder.field("digest")
            encoder.digest(asset.digest)
        }
        return encoder.digest(domain: "lockstep.snapshot.assets")
    }
}

extension CodeCapture {
    /// The code root: the identity of the code alone, without branch and remote.
    public var digest: Digest {
        var encoder = CanonicalEncoder()
        encoder.record(4)
        encoder.field("commit")
        encoder.string(commit)
        encoder.field("directory")
        encoder.string(directory)
        encoder.field("diff")
        encoder.digest(diff?.digest)
        encoder.field("files")
        encoder.list(files.count)
        for file in files {
            encoder.record(5)
            encoder.field("path")
            encoder.string(file.path.text)
            encoder.field("state")
            encoder.string(file.state.rawValue)
            encoder.field("mode")
            encoder.string(file.mode.rawValue)
            encoder.field("size")
            encoder.int(file.size)
            encoder.field("digest")
            encoder.digest(file.digest)
        }
        return encoder.digest(domain: "lockstep.snapshot.code")
    }
}

extension EnvironmentCapture {
    /// The environment root: the identity of the environment alone.
    public var digest: Digest {
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
            encoder.field("name")
            encoder.string(file.name.text)
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
