/// The part of a content that a `Range` header asks for (RFC 9110, section 14).
enum ByteRange: Equatable {
    /// No header, or a unit that the service does not know: the whole content.
    case whole
    case part(Range<Int>)
    /// More than one range, one that begins past the end, or none that can be read.
    case unsatisfiable

    init(_ header: String?, size: Int) {
        guard let header, let unit = header.firstIndex(of: "="), header[..<unit].lowercased() == "bytes" else {
            self = .whole
            return
        }
        let range = header[header.index(after: unit)...].split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.trimmingSpaces() }
        guard range.count == 2, let bounds = Self.bounds(range[0], range[1], size: size) else {
            self = .unsatisfiable
            return
        }
        self = .part(bounds)
    }

    private static func bounds(_ first: String, _ last: String, size: Int) -> Range<Int>? {
        guard !first.isEmpty else {
            guard let count = number(last), count > 0, size > 0 else { return nil }
            return max(0, size - count)..<size
        }
        guard let first = number(first), first < size else { return nil }
        guard !last.isEmpty else { return first..<size }
        guard let last = number(last), last >= first else { return nil }
        return first..<min(last, size - 1) + 1
    }

    private static func number(_ text: String) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }
}

extension StringProtocol {
    fileprivate func trimmingSpaces() -> String {
        String(drop(while: { $0 == " " }).reversed().drop(while: { $0 == " " }).reversed())
    }
}
