import ArgumentParser
import Features
import Lockstep
import Wire

struct LineageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lineage",
        abstract: "Show what a version was made from, and what was made with it.",
        discussion: """
            Each line names a version and, in brackets, as what it is used. What was printed above is not followed again.

              lockstep lineage snapshot:flights@1
              lockstep lineage lock delay_model --up
            """
    )

    @Argument(
        help: ArgumentHelp(
            "name or name@number, after its kind where several kinds have the name: kind:name@number.",
            valueName: "reference"
        )
    )
    var words: [String]
    @Flag(help: "Only what it was made from.")
    var up = false
    @Flag(help: "Only what was made with it.")
    var down = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try Repository.find().client
        let (kind, reference) = try await Named.find(words, client: client)
        let direction = up == down ? "both" : up ? "up" : "down"
        let lineage = try await client.get(
            client.projectPath("versions/\(kind)/\(reference)/lineage?direction=\(direction)"),
            as: LineageMessage.self
        )
        if json { return try Terminal.json(lineage) }
        let tree = LineageTree(lineage)
        print(tree.title(lineage.root))
        if direction != "down" { tree.show("made from", up: true) }
        if direction != "up" { tree.show("used by", up: false) }
        if lineage.isTruncated { print("there is more: the service follows only so many versions") }
    }
}

/// A lineage as lines of text.
struct LineageTree {
    private let lineage: LineageMessage
    private let nodes: [String: LineageMessage.Node]
    private let used: [String: [LineageMessage.Use]]
    private let users: [String: [LineageMessage.Use]]

    init(_ lineage: LineageMessage) {
        self.lineage = lineage
        nodes = Dictionary(lineage.nodes.map { ($0.id, $0) }) { first, _ in first }
        used = Dictionary(grouping: lineage.uses, by: \.user)
        users = Dictionary(grouping: lineage.uses, by: \.used)
    }

    func title(_ id: String) -> String {
        guard let node = nodes[id] else { return id }
        let name = node.reference == node.digest ? short(node.digest) : "\(node.reference)  \(short(node.digest))"
        return "\(node.kind) \(name)"
    }

    func show(_ heading: String, up: Bool) {
        let lines = lines(up: up)
        print(lines.isEmpty ? "\(heading) nothing" : heading)
        for line in lines { print(line) }
    }

    /// One line for each use; a stack rather than recursion, since a lineage may be deeper than a thread's stack.
    func lines(up: Bool) -> [String] {
        var lines: [String] = []
        var seen: Set<String> = [lineage.root]
        var stack = children(of: lineage.root, up: up).reversed().map { (use: $0, depth: 1) }
        while let (use, depth) = stack.popLast() {
            let id = up ? use.used : use.user
            let below = children(of: id, up: up)
            let isNew = seen.insert(id).inserted
            let mark = !isNew && !below.isEmpty ? "  (see above)" : ""
            lines.append("\(String(repeating: "  ", count: depth))\(title(id))  [\(use.role)]\(mark)")
            if isNew { stack += below.reversed().map { (use: $0, depth: depth + 1) } }
        }
        return lines
    }

    private func children(of id: String, up: Bool) -> [LineageMessage.Use] {
        (up ? used[id] : users[id]) ?? []
    }
}
