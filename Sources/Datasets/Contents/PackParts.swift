import FoundationEssentials
import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Parts of a pack that is elsewhere, fetched by range.
///
/// They come into a file of the pack's size with holes where nothing was asked for, which has no name any more once it is
/// open. Every content is verified as it is read, so that what was not asked for cannot be taken for content.
enum PackParts {
    /// Parts nearer to one another than this are fetched as one: what lies between costs less than another request.
    private static let gap = 256 << 10
    /// How many requests are under way at a time.
    private static let width = 4

    /// What to fetch for some entries, in order; `nil` where that is more than half of the pack, and the whole of it is
    /// worth keeping.
    static func ranges(of entries: [PackEntry], packSize: Int) -> [Range<Int>]? {
        var ranges: [Range<Int>] = []
        var total = 0
        for range in entries.map(\.range).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound + gap {
                let end = max(last.upperBound, range.upperBound)
                total += end - last.upperBound
                ranges[ranges.count - 1] = last.lowerBound..<end
            } else {
                ranges.append(range)
                total += range.count
            }
        }
        return total * 2 > packSize ? nil : ranges
    }

    static func fetch(
        _ ranges: [Range<Int>],
        of pack: PackReference,
        _ index: PackIndex,
        from objects: any ObjectStore
    ) async throws -> PackReader {
        let path = FileManager.default.temporaryDirectory.path + "/lockstep-\(UUID().uuidString).parts"
        let file = try await fileWork.run { try SparseFile(path, size: pack.size) }
        _ = try await concurrently(ranges, width: width) { range in
            var offset = range.lowerBound
            try await objects.stream(pack.digest, range: range) { piece in
                try await fileWork.run { [offset] in try file.write(piece, at: offset) }
                offset += piece.count
            }
        }
        // Its name is there until the reader has it open.
        return try withExtendedLifetime(file) { try PackReader(path: path, index: index) }
    }
}

/// A file of a size with nothing in it, that is removed when released.
private final class SparseFile: Sendable {
    private let path: String
    private let descriptor: Int32

    init(_ path: String, size: Int) throws(SnapshotError) {
        descriptor = SystemCall.openFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileStatus.error("create", path) }
        self.path = path
        guard SystemCall.setSize(descriptor, path, size) == 0 else { throw FileStatus.error("write", path) }
    }

    deinit {
        close(descriptor)
        _ = SystemCall.remove(path)
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(SnapshotError) {
        let count = bytes.withUnsafeBytes { SystemCall.write($0, to: descriptor, path, at: offset) }
        guard count >= 0 else { throw FileStatus.error("write", path) }
    }
}
