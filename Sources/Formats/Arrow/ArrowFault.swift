/// What is wrong with Arrow data, before it is known which file or producer it came from.
struct ArrowFault: Error {
    var reason = MalformedFile.Reason.malformed
    let detail: String
    /// The byte position in the file, where there is a file.
    var position: Int?

    init(_ detail: String, at position: Int? = nil) {
        self.detail = detail
        self.position = position
    }

    static func unsupported(_ detail: String, at position: Int? = nil) -> ArrowFault {
        var fault = ArrowFault(detail, at: position)
        fault.reason = .unsupported
        return fault
    }

    func file(_ name: String) -> MalformedFile {
        MalformedFile(reason, file: name, format: "Arrow", offset: position, detail)
    }
}
