import Formats

/// The part of JSON Schema 2020-12 that the project's schemas use; a keyword outside it is a fault of the schema.
struct JSONSchema {
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    private static let annotations: Set = [
        "$schema", "$defs", "title", "description", "examples", "example", "default", "format",
    ]
    private static let schemaKeywords: Set = [
        "additionalProperties", "propertyNames", "items", "not", "if", "then", "else",
    ]
    private static let listKeywords: Set = ["allOf", "anyOf", "oneOf"]
    private static let assertions: Set = [
        "$ref", "type", "enum", "const", "pattern", "minimum", "maximum", "minItems", "maxItems", "uniqueItems",
        "required",
        "properties", "minProperties", "maxProperties",
    ]

    private let document: JSON
    private let schema: JSON

    /// - Parameter pointer: where the schema stands in the document, as a `$ref` would name it.
    /// - Throws: for an unknown keyword or a reference to nothing.
    init(_ document: JSON, at pointer: String = "#") throws {
        guard let schema = Self.resolve(pointer, in: document) else {
            throw Fault(description: "there is no schema at \(pointer)")
        }
        self.document = document
        self.schema = schema
        try check(schema, at: pointer)
    }

    /// What is wrong with a value; empty for a valid one.
    func faults(_ value: JSON) -> [String] { faults(value, schema, at: "") }

    // MARK: The schema itself

    private func check(_ schema: JSON, at place: String) throws {
        if schema.bool != nil { return }
        guard let members = schema.members else { throw Fault(description: "\(place) is not a schema") }
        for member in members {
            let place = "\(place)/\(member.name)"
            switch member.name {
            case "$defs", "properties":
                for child in member.value.members ?? [] { try check(child.value, at: "\(place)/\(child.name)") }
            case _ where Self.schemaKeywords.contains(member.name): try check(member.value, at: place)
            case _ where Self.listKeywords.contains(member.name):
                for (position, child) in (member.value.array ?? []).enumerated() {
                    try check(child, at: "\(place)/\(position)")
                }
            case "$ref":
                guard let pointer = member.value.string, Self.resolve(pointer, in: document) != nil else {
                    throw Fault(description: "\(place) refers to nothing")
                }
            case "pattern": _ = try Self.regex(member.value.string ?? "")
            default:
                guard Self.assertions.contains(member.name) || Self.annotations.contains(member.name) else {
                    throw Fault(description: "\(place) is a keyword that this validator does not check")
                }
            }
        }
    }

    private static func resolve(_ pointer: String, in document: JSON) -> JSON? {
        guard pointer.hasPrefix("#") else { return nil }
        return pointer.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
    }

    private static func regex(_ pattern: String) throws -> Regex<AnyRegexOutput> {
        try Regex(pattern).matchingSemantics(.unicodeScalar)
    }

    // MARK: A value

    private func faults(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
        if let always = schema.bool { return always ? [] : ["\(place): nothing may stand here"] }
        var found: [String] = []
        func require(_ holds: Bool, _ message: @autoclosure () -> String) {
            if !holds { found.append("\(place): \(message())") }
        }
        for keyword in schema.members ?? [] {
            let argument = keyword.value
            switch keyword.name {
            case "$ref":
                if let target = argument.string.flatMap({ Self.resolve($0, in: document) }) {
                    found += faults(value, target, at: place)
                }
            case "type":
                let types = argument.array?.compactMap(\.string) ?? argument.string.map { [$0] } ?? []
                require(types.contains { Self.isOfType(value, $0) }, "is not \(types.joined(separator: " or "))")
            case "enum":
                require((argument.array ?? []).contains { Self.areEqual($0, value) }, "is none of \(argument.text)")
            case "const": require(Self.areEqual(argument, value), "is not \(argument.text)")
            case "not": require(!faults(value, argument, at: place).isEmpty, "is what it must not be")
            case "allOf": for part in argument.array ?? [] { found += faults(value, part, at: place) }
            case "anyOf":
                require(
                    (argument.array ?? []).contains { faults(value, $0, at: place).isEmpty },
                    "fits none of the forms"
                )
            case "oneOf":
                let count = (argument.array ?? []).count { faults(value, $0, at: place).isEmpty }
                require(count == 1, "fits \(count) of the forms, expected one")
            case "if":
                let branch = faults(value, argument, at: place).isEmpty ? "then" : "else"
                if let branch = schema[branch] { found += faults(value, branch, at: place) }
            default: found += assertionFaults(value, keyword.name, argument, schema, at: place)
            }
        }
        return found
    }

    /// The keywords that look at one type of value only.
    private func assertionFaults(
        _ value: JSON,
        _ keyword: String,
        _ argument: JSON,
        _ schema: JSON,
        at place: String
    ) -> [String] {
        let limit = argument.int.map { Int($0) } ?? 0
        var holds = true
        switch (keyword, value) {
        case ("pattern", .string(let text)):
            if let pattern = argument.string, let regex = try? Self.regex(pattern) { holds = text.contains(regex) }
        case ("minimum", .number(let text)): holds = (Double(text) ?? 0) >= Double(limit)
        case ("maximum", .number(let text)): holds = (Double(text) ?? 0) <= Double(limit)
        case ("minItems", .array(let elements)): holds = elements.count >= limit
        case ("maxItems", .array(let elements)): holds = elements.count <= limit
        case ("uniqueItems", .array(let elements)): holds = Set(elements).count == elements.count
        case ("minProperties", .object(let members)): holds = members.count >= limit
        case ("maxProperties", .object(let members)): holds = members.count <= limit
        case ("required", .object):
            return (argument.array ?? []).compactMap(\.string).filter { value[$0] == nil }.map {
                "\(place): has no '\($0)'"
            }
        case ("items", .array(let elements)):
            return elements.enumerated().flatMap { faults($1, argument, at: "\(place)/\($0)") }
        case ("properties", .object(let members)):
            return members.flatMap { member in
                argument[member.name].map { faults(member.value, $0, at: "\(place)/\(member.name)") } ?? []
            }
        case ("additionalProperties", .object(let members)):
            return members.filter { schema["properties"]?[$0.name] == nil }
                .flatMap { faults($0.value, argument, at: "\(place)/\($0.name)") }
        case ("propertyNames", .object(let members)):
            return members.flatMap { faults(.string($0.name), argument, at: "\(place), the name '\($0.name)'") }
        default: return []
        }
        return holds ? [] : ["\(place): breaks \(keyword) \(argument.text)"]
    }

    private static func isOfType(_ value: JSON, _ type: String) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .number(let text): type == "number" || type == "integer" && Int64(text) != nil
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    private static func areEqual(_ left: JSON, _ right: JSON) -> Bool {
        if case .number(let first) = left, case .number(let second) = right { return Double(first) == Double(second) }
        return left == right
    }
}
