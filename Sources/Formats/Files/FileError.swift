import Glibc

/// A file operation the system refused.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: String
    /// What was tried, as a verb: "open", "read", "write".
    public let operation: String
    /// The system's `errno`.
    public let code: Int32

    init(_ operation: String, _ path: String, code: Int32 = errno) {
        self.path = path
        self.operation = operation
        self.code = code
    }

    public var description: String {
        "cannot \(operation) '\(path)': \(String(cString: strerror(code)))"
    }
}
