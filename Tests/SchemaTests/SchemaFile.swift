import Formats
import FoundationEssentials
import Yams

/// The files of `schemas/`, found from this file's own place.
enum SchemaFile {
    static func json(_ name: String) throws -> JSON { try JSON(parsing: text(name)) }

    static func yaml(_ name: String) throws -> JSON { try documents(text(name))[0] }

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: repository.appending(components: "schemas", name), encoding: .utf8)
    }

    static var repository: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    /// The definition files of the examples, by their path in the repository.
    static func exampleDefinitions() throws -> [(path: String, text: String)] {
        let manager = FileManager.default
        let examples = repository.appending(components: "examples")
        return try manager.contentsOfDirectory(atPath: examples.path).sorted().flatMap { example in
            let features = examples.appending(components: example, "features")
            guard manager.fileExists(atPath: features.path) else { return [(path: String, text: String)]() }
            return try manager.contentsOfDirectory(atPath: features.path).sorted().filter { $0.hasSuffix(".yaml") }.map
            {
                (
                    "examples/\(example)/features/\($0)",
                    try String(contentsOf: features.appending(components: $0), encoding: .utf8)
                )
            }
        }
    }

    /// The documents of a YAML text as an editor sees them: YAML 1.2's core schema.
    static func documents(_ text: String) throws -> [JSON] {
        let parser = try Parser(yaml: text)
        var documents: [JSON] = []
        while let node = try parser.nextRoot() { documents.append(value(node)) }
        return documents
    }

    private static func value(_ node: Node) -> JSON {
        switch node {
        case .scalar(let scalar): scalar.style == .plain ? plain(scalar.string) : .string(scalar.string)
        case .sequence(let sequence): .array(sequence.map(value))
        case .mapping(let mapping): .object(mapping.map { JSON.Member($0.key.scalar?.string ?? "", value($0.value)) })
        case .alias: .null
        }
    }

    private static func plain(_ text: String) -> JSON {
        switch text {
        case "", "~", "null": .null
        case "true", "false": .bool(text == "true")
        default:
            text.first.map { "+-.0123456789".contains($0) } == true && Double(text) != nil
                ? .number(text) : .string(text)
        }
    }
}

extension JSON {
    /// The value with one member of it, at any depth, changed in every way that `change` gives.
    func variants(_ change: (JSON) -> [JSON]) -> [JSON] {
        var variants = change(self)
        switch self {
        case .array(let elements):
            for (position, element) in elements.enumerated() {
                for variant in element.variants(change) {
                    var copy = elements
                    copy[position] = variant
                    variants.append(.array(copy))
                }
            }
        case .object(let members):
            for (position, member) in members.enumerated() {
                for variant in member.value.variants(change) {
                    var copy = members
                    copy[position].value = variant
                    variants.append(.object(copy))
                }
            }
        default: break
        }
        return variants
    }

    /// The object without each of its members in turn.
    var withoutEachMember: [JSON] {
        guard let members else { return [] }
        return members.indices.map { position in
            var copy = members
            copy.remove(at: position)
            return .object(copy)
        }
    }

    func adding(_ name: String, _ value: JSON) -> [JSON] { members.map { [.object($0 + [Member(name, value)])] } ?? [] }
}
