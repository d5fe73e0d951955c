import Foundation
import Testing

@testable import Datasets

@Suite struct SnapshotPathTests {
    @Test(arguments: [
        "", "/", "/etc/passwd", "..", "../a", "a/..", "a/../b", ".", "./a", "a/.", "a//b", "a/", "a\u{0}b", "a/./b",
    ])
    func unsafePathsAreRefused(_ text: String) throws {
        #expect(throws: SnapshotError.self) { try SnapshotPath(text) }
    }

    @Test(arguments: ["a", "a/b", "...", "..a", ".env", "a b", "a\nb", "\\", "é/😀", "~", "-rf"])
    func safePathsAreKeptAsTheyAre(_ text: String) throws {
        #expect(try SnapshotPath(text).text.utf8.elementsEqual(text.utf8))
    }

    @Test func bytesDecideEquality() throws {
        let composed = try SnapshotPath("\u{E9}")
        let decomposed = try SnapshotPath("e\u{301}")
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(try SnapshotPath("a-b") < SnapshotPath("a/b"))
        #expect(try SnapshotPath("Z") < SnapshotPath("a"))
    }
}
