/// Instants as RFC 3339 text; values are microseconds since 1970-01-01T00:00:00Z.
public enum Instant {
    /// The instant in UTC with the fewest fraction digits that lose nothing (0, 3 or 6).
    ///
    /// - Returns: `nil` for an instant outside the years 0000 to 9999, which RFC 3339 cannot write.
    public static func text(_ microseconds: Int64) -> String? {
        var bytes: [UInt8] = []
        return appendTimestampText(of: microseconds, to: &bytes) ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// Reads an RFC 3339 instant.
    ///
    /// - Parameter naive: what a time without an offset means.
    /// - Returns: `nil` for anything else, a refused time without an offset among them.
    public static func parse(_ text: String, naive: NaiveTimestamps.Rule = .refuse) -> Int64? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { bytes in try? parseTimestamp(bytes, naive: naive) }
    }
}
