import Objects

/// The digest of a file, read in bounded memory.
enum FileDigest {
    /// - Throws: `ObjectError.system` when the file cannot be read.
    static func of(_ path: String) throws -> (digest: Digest, size: Int) { try Digest.ofFile(path) }
}
