import Expressions
import TimeZones
import Yams

/// One YAML value with its place, read with errors that say where and what was expected.
struct YAMLReader {
    let node: Node
    let file: String
    /// What the value is, for messages: `ttl of feature view 'airport_weather'`.
    let subject: String

    func error(_ message: String) -> DefinitionError {
        let place = node.mark.map { "\(file):\($0.line):\($0.column)" } ?? file
        return DefinitionError(place: place, message: message)
    }

    func child(_ node: Node, _ subject: String) -> YAMLReader { YAMLReader(node: node, file: file, subject: subject) }

    private var found: String {
        switch node {
        case .scalar(let scalar): "'\(scalar.string.prefix(60))'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// The members of a mapping, in order.
    ///
    /// - Parameter allowed: the names that may stand here; `nil` allows any.
    func members(allowed: [String]? = nil) throws(DefinitionError) -> [(name: String, value: YAMLReader)] {
        guard let mapping = node.mapping else { throw error("\(subject) must be a mapping, found \(found)") }
        var members: [(name: String, value: YAMLReader)] = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string else { throw error("\(subject) has a member whose name is not a word") }
            if let allowed, !allowed.contains(name) {
                throw child(key, subject).error(
                    "\(subject) has no member '\(name)'\(suggestion(for: name, among: allowed)) (it may have \(allowed.joined(separator: ", ")))"
                )
            }
            if members.contains(where: { $0.name == name }) {
                throw child(key, subject).error("\(subject) has '\(name)' twice")
            }
            members.append((name, child(value, "\(name) of \(subject)")))
        }
        return members
    }

    func list() throws(DefinitionError) -> [YAMLReader] {
        guard let sequence = node.sequence else { throw error("\(subject) must be a list, found \(found)") }
        var readers: [YAMLReader] = []
        for element in sequence { readers.append(child(element, subject)) }
        return readers
    }

    func text() throws(DefinitionError) -> String {
        guard let scalar = node.scalar else { throw error("\(subject) must be text, found \(found)") }
        return scalar.string
    }

    func name() throws(DefinitionError) -> String {
        let text = try text()
        guard isName(text) else {
            throw error(
                "\(subject) is '\(text)', which is not a name; use letters, digits, '_', '-' and '.', beginning with a letter or '_'"
            )
        }
        return text
    }

    func integer(in range: ClosedRange<Int>) throws(DefinitionError) -> Int {
        let text = try text()
        guard let value = Int(text), range.contains(value) else {
            throw error(
                "\(subject) must be a whole number from \(range.lowerBound) to \(range.upperBound), found '\(text)'"
            )
        }
        return value
    }

    func number() throws(DefinitionError) -> Double {
        let text = try text()
        guard let value = Double(text) else { throw error("\(subject) must be a number, found '\(text)'") }
        return value
    }

    func timeSpan() throws(DefinitionError) -> TimeSpan {
        let text = try text()
        guard let span = TimeSpan(text) else {
            throw error("\(subject) must be a length of time such as 90s, 10m, 3h or 7d, found '\(text)'")
        }
        return span
    }

    func timeZone() throws(DefinitionError) -> TimeZoneRules {
        let text = try text()
        do {
            return try TimeZoneRules.named(text)
        } catch {
            throw self.error("\(subject): \(error)")
        }
    }

    func featureReference() throws(DefinitionError) -> FeatureReference {
        let text = try text()
        guard let reference = FeatureReference(text) else {
            throw error("\(subject) must be view:feature, found '\(text)'")
        }
        return reference
    }
}
