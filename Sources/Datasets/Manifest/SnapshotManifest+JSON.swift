import Objects

extension SnapshotManifest {
    /// The manifest's file: UTF-8, sorted keys, one line per entry, the same bytes for the same manifest.
    public var canonicalJSON: [UInt8] {
        CanonicalJSON.members([
            "format": .integer(Int64(format)),
            "assets": .array(
                assets.map { .encoded(EntryLine.of($0.path, $0.content, hasKind: format != Self.firstFormat)) }
            ),
            "code": code?.json(format: format),
            "environment": environment.json,
            "parents": .array(parents.map { .string($0.description) }),
        ]).encoded
    }
}

/// The line of one entry, its members in the order of their names.
private enum EntryLine {
    static func of(_ path: SnapshotPath, _ content: EntryContent?, state: String? = nil, hasKind: Bool) -> [UInt8] {
        var line: [UInt8] = []
        let object = content?.object
        line.reserveCapacity(path.bytes.count + (object?.chunks == nil ? 144 : 228))
        line.append(UInt8(ascii: "{"))
        if let chunks = object?.chunks {
            line.append(contentsOf: "\"chunks\":\"".utf8)
            chunks.appendText(to: &line)
            line.append(contentsOf: "\",".utf8)
        }
        if let object {
            line.append(contentsOf: "\"digest\":\"".utf8)
            object.digest.appendText(to: &line)
            line.append(contentsOf: "\",".utf8)
        }
        if hasKind, let content {
            line.append(contentsOf: "\"kind\":\"".utf8)
            line.append(contentsOf: content.kind.utf8)
            line.append(contentsOf: "\",".utf8)
        }
        if let mode = content?.mode ?? (hasKind ? nil : .regular) {
            line.append(contentsOf: "\"mode\":\"".utf8)
            for shift: UInt16 in [9, 6, 3, 0] { line.append(UInt8(ascii: "0") + UInt8(mode.bits >> shift & 7)) }
            line.append(contentsOf: "\",".utf8)
        }
        append(path.bytes, "path", to: &line)
        if object != nil || !hasKind {
            line.append(contentsOf: ",\"size\":".utf8)
            line.append(contentsOf: String(object?.size ?? 0).utf8)
        }
        if let state {
            line.append(contentsOf: ",\"state\":\"".utf8)
            line.append(contentsOf: state.utf8)
            line.append(UInt8(ascii: "\""))
        }
        if case .symbolicLink(let target) = content {
            line.append(UInt8(ascii: ","))
            append(target, "target", to: &line)
        }
        line.append(UInt8(ascii: "}"))
        return line
    }

    /// A member whose value is text, or under another name the digits of bytes that are not UTF-8.
    private static func append(_ bytes: [UInt8], _ name: StaticString, to line: inout [UInt8]) {
        let isText = bytes.isUTF8
        line.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { line.append(contentsOf: $0) }
        line.append(contentsOf: isText ? "\":".utf8 : "_bytes\":".utf8)
        CanonicalJSON.append(isText ? bytes : Array(HexText.of(bytes).utf8), to: &line)
    }
}

/// Bytes as lower-case hexadecimal digits, for names that are not UTF-8.
enum HexText {
    static func of(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// `nil` unless `text` is pairs of lower-case digits.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0, text == text.lowercased() else { return nil }
        var bytes: [UInt8] = []
        for position in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[position..<position + 2], as: UTF8.self), radix: 16),
                digits[position] != UInt8(ascii: "+")
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

extension ObjectReference {
    fileprivate var members: [String: CanonicalJSON?] {
        [
            "size": .integer(Int64(size)), "digest": .string(digest.description),
            "chunks": chunks.map { .string($0.description) },
        ]
    }
}

extension CodeCapture {
    fileprivate func json(format: Int) -> CanonicalJSON {
        .members([
            "commit": commit.map { .string($0) },
            "branch": branch.map { .string($0) },
            "remote": remote.map { .string($0) },
            "directory": directory.map { .string($0) },
            "diff": diff.map { .members($0.members) },
            "files": .array(
                files.map { file in
                    .encoded(
                        EntryLine.of(
                            file.path,
                            file.content,
                            state: file.state.rawValue,
                            hasKind: format != SnapshotManifest.firstFormat
                        )
                    )
                }
            ),
            "submodules": submodules.isEmpty
                ? nil
                : .array(
                    submodules.map { submodule in
                        .members([
                            "commit": .string(submodule.commit),
                            "path": submodule.path.utf8.map { .string($0) },
                            "path_bytes": submodule.path.utf8 == nil ? .string(HexText.of(submodule.path.bytes)) : nil,
                        ])
                    }
                ),
            "unpushed": unpushed.map { unpushed in
                .members([
                    "commits": .integer(Int64(unpushed.commits)),
                    "bundle": unpushed.bundle.map { .members($0.members) },
                ])
            },
        ])
    }
}

extension EnvironmentCapture {
    fileprivate var json: CanonicalJSON {
        .members([
            "os": operatingSystem.map { .string($0) },
            "architecture": .string(architecture),
            "swift": swiftVersion.map { .string($0) },
            "lock_files": .array(
                lockFiles.map { file in
                    var members = file.object.members
                    members["name"] = file.name.utf8.map { .string($0) }
                    if file.name.utf8 == nil { members["name_bytes"] = .string(HexText.of(file.name.bytes)) }
                    return .members(members)
                }
            ),
            "variables": .array(
                variables.map { variable in
                    .members([
                        "name": .string(variable.name),
                        "value": variable.value.map { .string($0) },
                    ])
                }
            ),
        ])
    }
}
