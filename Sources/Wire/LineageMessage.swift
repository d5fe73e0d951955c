/// What a version was made from, and what was made with it: a graph, since there may be many ways between two versions.
public struct LineageMessage: Codable, Hashable, Sendable {
    public struct Node: Codable, Hashable, Sendable {
        /// `kind:name@number`, or `report:digest`: names the node in `uses`.
        public var id: String
        /// A version's kind, or `certificate` or `report` for a parity report that passed or did not.
        public var kind: String
        /// `name@number`; a report's digest.
        public var reference: String
        public var digest: String
        /// RFC 3339.
        public var createdAt: String

        public init(id: String, kind: String, reference: String, digest: String, createdAt: String) {
            self.id = id
            self.kind = kind
            self.reference = reference
            self.digest = digest
            self.createdAt = createdAt
        }
    }

    /// `user` uses `used`, as `role`.
    public struct Use: Codable, Hashable, Sendable {
        public var user: String
        public var used: String
        public var role: String

        public init(user: String, used: String, role: String) {
            self.user = user
            self.used = used
            self.role = role
        }
    }

    /// The node that was asked for.
    public var root: String
    public var nodes: [Node]
    public var uses: [Use]
    /// Whether there is more than the service follows.
    public var isTruncated: Bool

    public init(root: String, nodes: [Node], uses: [Use], isTruncated: Bool) {
        self.root = root
        self.nodes = nodes
        self.uses = uses
        self.isTruncated = isTruncated
    }
}
