import Expressions
import Formats
import Objects

/// One file that pins everything a model is trained and served on, by version and digest.
public struct Lock: Hashable, Sendable {
    /// One pinned object.
    public struct Pin: Hashable, Sendable {
        public var kind: Kind
        /// Always with a version number.
        public var reference: VersionReference
        /// The version's identity.
        public var digest: Digest
        /// The object that holds it, where that is not the identity itself: a definition's document, a snapshot's
        /// manifest.
        public var object: Digest?
        /// For a segment: the source version whose history it holds.
        public var source: VersionReference?
        /// For a segment: the sequences of its rows, inclusive.
        public var sequences: ClosedRange<Int64>?

        public init(
            kind: Kind,
            reference: VersionReference,
            digest: Digest,
            object: Digest? = nil,
            source: VersionReference? = nil,
            sequences: ClosedRange<Int64>? = nil
        ) {
            self.kind = kind
            self.reference = reference
            self.digest = digest
            self.object = object
            self.source = source
            self.sequences = sequences
        }
    }

    public static let formatVersion = 1

    public var project: String
    /// The feature service, with its version.
    public var service: VersionReference
    /// The semantics version of the feature language.
    public var language: Int
    public var pins: [Pin]

    public init(project: String, service: VersionReference, language: Int = Language.version, pins: [Pin]) {
        self.project = project
        self.service = service
        self.language = language
        self.pins = pins.sorted(by: Self.precedes)
    }

    private static func precedes(_ left: Pin, _ right: Pin) -> Bool {
        (left.kind.rawValue, left.reference.name, left.reference.number ?? 0)
            < (right.kind.rawValue, right.reference.name, right.reference.number ?? 0)
    }

    public func pins(of kind: Kind) -> [Pin] { pins.filter { $0.kind == kind } }

    /// The SHA-256 of the lock's text without its digest line.
    public var digest: Digest { Digest.of(Array(body(digest: nil).utf8)) }

    /// The file's text: canonical JSON with sorted names, one line for each pin.
    public var text: String { body(digest: digest) }

    private func body(digest: Digest?) -> String {
        var lines = ["{"]
        if let digest { lines.append("\"digest\":\(JSON.string(digest.description).text),") }
        lines.append("\"format\":\(Self.formatVersion),")
        lines.append("\"language\":\(language),")
        lines.append("\"pins\":[")
        for (position, pin) in pins.enumerated() {
            let text = String(decoding: pin.json.encoded(canonical: true), as: UTF8.self)
            lines.append(text + (position + 1 < pins.count ? "," : ""))
        }
        lines.append("],")
        lines.append("\"project\":\(JSON.string(project).text),")
        lines.append("\"service\":\(JSON.string(service.description).text)")
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Lock.Pin {
    var json: JSON {
        var members = [
            JSON.Member("kind", .string(kind.rawValue)), JSON.Member("ref", .string(reference.description)),
            JSON.Member("digest", .string(digest.description)),
        ]
        if let object { members.append(JSON.Member("object", .string(object.description))) }
        if let source { members.append(JSON.Member("source", .string(source.description))) }
        if let sequences {
            members.append(JSON.Member("sequences", .array([.int(sequences.lowerBound), .int(sequences.upperBound)])))
        }
        return .object(members)
    }

    init?(_ json: JSON) {
        let allowed = ["kind", "ref", "digest", "object", "source", "sequences"]
        guard let members = json.members, members.allSatisfy({ allowed.contains($0.name) }),
            let kind = json["kind"]?.string.flatMap(Kind.init(rawValue:)),
            let reference = json["ref"]?.string.flatMap({ VersionReference($0) }), reference.number != nil,
            let digest = json["digest"]?.string.flatMap({ Digest($0) })
        else { return nil }
        self.init(kind: kind, reference: reference, digest: digest)
        if let text = json["object"] {
            guard let object = text.string.flatMap({ Digest($0) }) else { return nil }
            self.object = object
        }
        if let text = json["source"] {
            guard let source = text.string.flatMap({ VersionReference($0) }), source.number != nil else { return nil }
            self.source = source
        }
        if let bounds = json["sequences"] {
            guard let numbers = bounds.array?.compactMap(\.int), numbers.count == 2, numbers[0] <= numbers[1] else {
                return nil
            }
            self.sequences = numbers[0]...numbers[1]
        }
    }
}

/// Why a lock is refused.
public struct LockError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

extension Lock {
    /// Reads a lock file and refuses one that is not exactly what was written.
    ///
    /// - Throws: `LockError` for a text that is not a lock, an unpinned reference, a digest that does not match, or
    ///   another semantics version of the feature language.
    public init(text: String, name: String) throws(LockError) {
        let json: JSON
        do {
            json = try JSON(parsing: text)
        } catch {
            throw LockError("\(name) is not a lock: \(error); make it again with: lockstep lock SERVICE -o \(name)")
        }
        guard json["format"]?.int == Int64(Self.formatVersion) else {
            throw LockError("\(name) has lock format \(json["format"]?.text ?? "none"), expected \(Self.formatVersion)")
        }
        guard let language = json["language"]?.int, let project = json["project"]?.string,
            let service = json["service"]?.string.flatMap({ VersionReference($0) }), service.number != nil,
            let elements = json["pins"]?.array, let stated = json["digest"]?.string.flatMap({ Digest($0) })
        else {
            throw LockError(
                "\(name) is not a lock: it lacks a project, a pinned service, pins or a digest; make it again"
            )
        }
        guard language == Int64(Language.version) else {
            throw LockError(
                "\(name) was made with version \(language) of the feature language, this program has \(Language.version); "
                    + "use the program it was made with, or make the lock again and retrain"
            )
        }
        var pins: [Pin] = []
        for element in elements {
            guard let pin = Pin(element) else {
                throw LockError(
                    "\(name) has a pin that cannot be read: \(element.text.prefix(200)); make the lock again"
                )
            }
            pins.append(pin)
        }
        self.init(project: project, service: service, language: Int(language), pins: pins)
        guard digest == stated, self.text == text else {
            throw LockError(
                "\(name) was changed after it was made: its content has digest \(digest), it states \(stated); "
                    + "restore it from version control, or make it again with: lockstep lock \(service.name)"
            )
        }
    }

    /// How two locks differ, one line for each pin.
    public static func differences(_ old: Lock, _ new: Lock) -> [String] {
        var lines: [String] = []
        func key(_ pin: Pin) -> String { "\(pin.kind.rawValue) \(pin.reference.name)" }
        let oldPins = Dictionary(grouping: old.pins, by: key)
        let newPins = Dictionary(grouping: new.pins, by: key)
        for name in Set(oldPins.keys).union(newPins.keys).sorted() {
            let before = oldPins[name] ?? []
            let after = newPins[name] ?? []
            guard before.map(\.digest) != after.map(\.digest) else { continue }
            func versions(_ pins: [Pin]) -> String {
                pins.isEmpty ? "none" : pins.map { "@\($0.reference.number ?? 0)" }.joined(separator: ",")
            }
            lines.append("\(name): locked \(versions(before)), now \(versions(after))")
        }
        return lines
    }
}
