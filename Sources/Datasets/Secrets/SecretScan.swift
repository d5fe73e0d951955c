import Objects

/// The scan of one file, whose content comes in pieces.
public struct SecretScan: Sendable {
    /// What became of a scan.
    public enum Outcome: Hashable, Sendable {
        /// Read to its end; the findings in order, empty for a clean file.
        case scanned([SecretFinding])
        /// A NUL stands in the first 8 KiB: no text.
        case skippedBinary
        /// More bytes than the scanner's bound.
        case skippedTooLarge
    }

    private static let binarySample = 8 << 10
    // Lines longer than this are scanned in parts of it, which share as much as a long token has.
    private static let lineLimit = 64 << 10
    private static let overlap = 4 << 10

    private let scanner: SecretScanner
    private let path: String
    private let form: SecretFileForm
    private var taken = 0
    private var skipped: Outcome?
    /// What has been taken and not scanned: the beginning of a line.
    private var carry: [UInt8] = []
    private var position = SecretPosition()
    private var findings: [SecretFinding] = []

    /// - Parameter path: the file's name, whose last component also says what form it has.
    public init(path: String, scanner: SecretScanner) {
        self.path = path
        self.scanner = scanner
        form = SecretFileForm(path: path)
    }

    /// Whether what follows makes no difference: the file is skipped.
    public var isOver: Bool { skipped != nil }

    /// Takes the content that follows.
    public mutating func take(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { take($0) }
    }

    /// Ends the scan.
    public mutating func finish() -> Outcome {
        if let skipped { return skipped }
        let rest = carry
        carry = []
        rest.withUnsafeBufferPointer { scan($0) }
        let reported = findings.filter { !scanner.allowed.allows($0) }
        return .scanned(reported.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
    }

    mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard skipped == nil else { return }
        if taken < Self.binarySample, bytes.prefix(Self.binarySample - taken).contains(0) {
            skipped = .skippedBinary
            return
        }
        taken += bytes.count
        guard taken <= scanner.sizeLimit else {
            skipped = .skippedTooLarge
            return
        }
        var bytes = bytes
        if !carry.isEmpty {
            let end = bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
            carry.append(contentsOf: bytes[..<end])
            bytes = UnsafeBufferPointer(rebasing: bytes[end...])
            guard carry.last == 0x0A || carry.count > Self.lineLimit else { return }
            let line = carry
            carry = []
            line.withUnsafeBufferPointer { scanLines($0) }
        }
        scanLines(bytes)
    }

    /// Scans whole lines, and keeps what follows the last of them.
    private mutating func scanLines(_ bytes: UnsafeBufferPointer<UInt8>) {
        var start = 0
        if let last = bytes.lastIndex(of: 0x0A) {
            scan(UnsafeBufferPointer(rebasing: bytes[...last]))
            start = last + 1
        }
        // Too long a line is not kept whole.
        while bytes.count - start > Self.lineLimit {
            let end = start + Self.lineLimit
            scan(UnsafeBufferPointer(rebasing: bytes[start..<end]), keeping: Self.overlap)
            start = end - Self.overlap
        }
        carry.append(contentsOf: bytes[start...])
    }

    private mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>, keeping overlap: Int = 0) {
        var region = SecretRegion(text: bytes, path: path, form: form, position: position)
        region.scan()
        position = region.position.advanced(over: bytes, keeping: overlap)
        findings += region.findings
    }
}

/// What a file's name says of its content.
enum SecretFileForm: Hashable, Sendable {
    case code
    /// Values stand without quotes.
    case configuration
    /// Words, of which `password` precedes one.
    case netrc
    /// `host:port:database:user:password`
    case pgpass

    init(path: String) {
        let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)).lowercased() } ?? ""
        let ending = name.utf8.lastIndex(of: UInt8(ascii: ".")).map { String(name[$0...]) } ?? ""
        let configurations: Set<String> = [
            ".env", ".ini", ".cfg", ".conf", ".config", ".properties", ".toml", ".yaml", ".yml", ".tfvars", ".npmrc",
            ".pypirc",
        ]
        if name == ".netrc" || name == "_netrc" {
            self = .netrc
        } else if name == ".pgpass" || name == "pgpass.conf" {
            self = .pgpass
        } else if configurations.contains(ending) || name.hasPrefix(".env") || name == "credentials"
            || name.hasPrefix("dockerfile")
        {
            self = .configuration
        } else {
            self = .code
        }
    }
}

/// How far a scan has come, and what it remembers of the lines before.
struct SecretPosition: Sendable {
    /// Bytes before the region.
    var offset = 0
    /// Lines that end before the region.
    var lines = 0
    /// Bytes of the region's first line that stand before the region.
    var column = 0
    /// Up to where findings have been reported.
    var reported = 0
    /// A private key has begun and none of its material has come.
    var privateKey: PrivateKey?
    /// Whether the last line before the region has the comment that allows secrets.
    var isAllowed = false

    struct PrivateKey: Sendable {
        let line: Int
        let column: Int
        let isAllowed: Bool
        /// How many more lines may come before the material.
        var patience = 8
    }

    func advanced(over bytes: UnsafeBufferPointer<UInt8>, keeping overlap: Int) -> SecretPosition {
        var next = self
        let count = bytes.count - overlap
        next.offset += count
        guard overlap == 0, let last = bytes.lastIndex(of: 0x0A) else {
            next.column += count
            return next
        }
        next.lines += SecretRegion.lineFeeds(bytes[...last])
        next.column = bytes.count - last - 1
        let start = bytes[..<last].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        next.isAllowed = SecretValue(bytes[start..<last]).contains(Array(SecretScanner.allowComment.utf8))
        return next
    }
}
