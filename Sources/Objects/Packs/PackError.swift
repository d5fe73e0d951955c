/// Why a pack could not be written or read.
///
/// What the operating system refuses is an `ObjectError`.
public enum PackError: Error, Hashable, Sendable {
    /// The bytes at an offset are not what the format says.
    case damaged(pack: String, offset: Int, reason: String)
    /// An entry decodes to content of another digest.
    case corrupt(Digest, found: Digest, pack: String, offset: Int)
    /// The index names no such content.
    case missing(Digest, pack: String)
    /// The pack's bytes have another digest than its name.
    case wrongName(expected: Digest, found: Digest, pack: String)
    /// Written by a version that this one does not know.
    case unsupportedVersion(UInt8, pack: String)
    /// Content that one entry may not hold.
    case contentTooLarge(size: Int, maximum: Int)
    /// An earlier error left the pack in progress incomplete.
    case writerFailed(directory: String)
}

extension PackError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .damaged(let pack, let offset, let reason):
            "pack \(pack) is damaged at byte \(offset): \(reason); \(Self.remedy)"
        case .corrupt(let digest, let found, let pack, let offset):
            "pack \(pack) holds at byte \(offset) content of the digest \(found), not \(digest); \(Self.remedy)"
        case .missing(let digest, let pack):
            "pack \(pack) does not hold \(digest); look in another pack, or put the content again"
        case .wrongName(let expected, let found, let pack):
            "pack \(pack) has the digest \(found), not \(expected); \(Self.remedy)"
        case .unsupportedVersion(let version, let pack):
            "pack \(pack) has the format version \(version), not \(PackFormat.version); read it with a newer lockstep"
        case .contentTooLarge(let size, let maximum):
            "content of \(size) bytes is more than a pack's entry holds, \(maximum); divide it into chunks"
        case .writerFailed(let directory):
            "the pack being written in \(directory) was given up after an error; mend what it reported, then start anew"
        }
    }

    private static let remedy =
        "restore the pack from a backup or another store, or put the original files again"
}
