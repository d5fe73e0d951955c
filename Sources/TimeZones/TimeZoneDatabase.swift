import Glibc

/// The system's time zone database: one TZif file (RFC 8536) for each zone.
enum TimeZoneDatabase {
    /// Where systems keep it; `TZDIR` in the environment comes first.
    private static let directories = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"]
    /// No zone's file is nearly as large.
    private static let sizeLimit = 1 << 20

    static func rules(_ name: String) throws(TimeZoneError) -> TimeZoneRules {
        let unknown = TimeZoneError(
            name: name,
            detail: "is not in this system's time zone database; use a name such as America/New_York or UTC"
        )
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.allSatisfy({ isNamePart($0) }) else { throw unknown }
        var directories = Self.directories
        if let own = getenv("TZDIR") { directories.insert(String(cString: own), at: 0) }
        for directory in directories {
            guard let bytes = file("\(directory)/\(name)") else { continue }
            guard let rules = TimeZoneFile.rules(bytes, name: name) else {
                throw TimeZoneError(
                    name: name,
                    detail: "has a damaged entry in \(directory); install the system's package tzdata again"
                )
            }
            return rules
        }
        if file("\(directories[0])/Etc/UTC") == nil, !directories.contains(where: { access($0, R_OK) == 0 }) {
            throw TimeZoneError(name: name, detail: "is not known, as there is no time zone database; install tzdata")
        }
        throw unknown
    }

    /// Whether bytes are a step of a zone's name: never `..`, empty or hidden.
    private static func isNamePart(_ part: Substring.UTF8View.SubSequence) -> Bool {
        guard let first = part.first, first != UInt8(ascii: ".") else { return false }
        return part.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"):
                true
            default: false
            }
        }
    }

    /// The bytes of a regular file that is no larger than any zone's; `nil` for everything else.
    private static func file(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= sizeLimit else {
            return nil
        }
        let size = Int(status.st_size)
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let received = read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if received < 0, errno == EINTR { continue }
                if received <= 0 { return }
                count += received
            }
        }
        return bytes.count == size ? bytes : nil
    }
}
