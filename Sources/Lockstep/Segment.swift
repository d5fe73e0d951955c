import Columns
import Features
import Formats
import Objects
import Synchronization

/// A pinned segment of history, open for reading, and the verification of its digest.
///
/// Verification hashes the very bytes that are read, and may take its time beside the reading: what comes of a read must not
/// be given out before `verify` has returned. Damage that a read meets first is an error like any other, so that error too
/// gives way to what `verify` finds.
final class Segment: Sendable {
    let file: ParquetFile
    private let digest: Digest
    private let name: String
    /// Started when it is first asked for.
    private let verification: Mutex<Task<Void, any Error>?>

    /// Opens a segment that is yet to be verified.
    ///
    /// - Throws: `ObjectError` where the file cannot be opened because its bytes are not those of the digest.
    convenience init(path: String, digest: Digest, schema: Schema) async throws {
        do {
            try self.init(try ParquetFile(path: path), name: path, digest: digest, schema: schema, verification: nil)
        } catch {
            let found = try FileDigest.of(path).digest
            guard found == digest else { throw ObjectError.corrupt(digest, found: found, path: path) }
            throw error
        }
    }

    /// Opens a segment whose bytes are known to be those of the digest.
    convenience init(verified bytes: [UInt8], name: String, digest: Digest, schema: Schema) throws {
        let file = try ParquetFile(bytes: bytes, name: name)
        try self.init(file, name: name, digest: digest, schema: schema, verification: Task {})
    }

    private init(
        _ file: ParquetFile,
        name: String,
        digest: Digest,
        schema: Schema,
        verification: Task<Void, any Error>?
    ) throws {
        for field in schema.fields where file.schema.type(of: field.name) != field.type {
            let found = file.schema.type(of: field.name).map { "is \($0) in the file" } ?? "is not in the file"
            throw PinError(
                "column '\(field.name)' of segment '\(name)' \(found), expected \(field.type); seal the history again"
            )
        }
        var file = file
        // The digest of the whole says more.
        file.verifiesChecksums = false
        self.file = file
        self.digest = digest
        self.name = name
        self.verification = Mutex(verification)
    }

    /// Returns when the segment's bytes have been found to be those of its digest; they are hashed once, on one thread.
    ///
    /// - Throws: `ObjectError.corrupt`.
    func verify() async throws { try await beginVerifying().value }

    /// Hashes the segment while the caller does something else.
    @discardableResult
    func beginVerifying() -> Task<Void, any Error> {
        verification.withLock { verification in
            let task = verification ?? Task { try self.hash() }
            verification = task
            return task
        }
    }

    private func hash() throws {
        let found = file.withBytes { Digest.of($0) }
        guard found == digest else { throw ObjectError.corrupt(digest, found: found, path: name) }
    }
}
