import Foundation
import Testing

@testable import Datasets

/// What git documents of ignore files, and what a reader of the manual would try.
@Suite struct IgnoreRulesTests {
    private func rules(_ root: String, _ others: [String: String] = [:]) -> IgnoreRules {
        var rules = IgnoreRules()
        rules.add(IgnorePatterns(Array(root.utf8)), in: [])
        for (directory, content) in others { rules.add(IgnorePatterns(Array(content.utf8)), in: Array(directory.utf8)) }
        return rules
    }

    /// Asks about a path; one that ends in a slash is a directory.
    private func ignores(_ rules: IgnoreRules, _ path: String) -> Bool {
        let isDirectory = path.hasSuffix("/")
        return rules.ignores(Array(isDirectory ? path.utf8.dropLast() : path.utf8[...]), isDirectory: isDirectory)
    }

    @Test(arguments: [
        // Lines.
        ("", "a", false), ("# a\na", "a", true), ("#a", "#a", false), ("\\#a", "#a", true), ("\n\n  \n", "a", false),
        ("\\!a", "!a", true), ("a \n", "a", true), ("a\\ \n", "a ", true), ("a\\ \n", "a", false), ("a\t", "a", false),
        ("a\r\nb\r\n", "a", true), ("a\r\nb\r\n", "b", true), ("a\r", "a", true), ("\u{FEFF}a", "a", true),
        ("a\0b", "a", true), ("a \\", "a \\", false), ("/", "a/", false), ("!", "a", false),
        // Where a pattern applies.
        ("hello.*", "x/y/hello.c", true), ("/hello.*", "hello.c", true), ("/hello.*", "a/hello.java", false),
        ("foo/", "foo/", true), ("foo/", "foo", false), ("foo/", "a/foo/", true), ("doc/frotz/", "doc/frotz/", true),
        ("doc/frotz/", "a/doc/frotz/", false), ("/doc/frotz", "doc/frotz", true), ("doc/frotz", "a/doc/frotz", false),
        ("foo/*", "foo/test.json", true), ("foo/*", "foo/bar/", true), ("foo/*.c", "foo/bar/hello.c", false),
        // Two stars.
        ("**/foo", "foo", true), ("**/foo", "a/b/foo", true), ("**/foo/bar", "a/foo/bar", true),
        ("**/foo/bar", "foo/x/bar", false), ("abc/**", "abc/x/y", true), ("abc/**", "abc/", false),
        ("a/**/b", "a/b", true), ("a/**/b", "a/x/b", true), ("a/**/b", "a/x/y/b", true), ("a/**/b", "a/xb", false),
        ("a**b/c", "axxb/c", true), ("x/a**b", "x/ay/b", false), ("**/**/a", "a", true), ("**\\/b", "b", false),
        // Globs.
        ("*.[oa]", "x.o", true), ("*.[!oa]", "x.o", false), ("*.[^oa]", "x.c", true), ("a?c", "abc", true),
        ("a?c", "a/c", false), ("[]-]x", "]x", true), ("[]-]x", "-x", true), ("[a-c]x", "bx", true),
        ("[[:digit:][:upper:]]*", "X1", true), ("[[:digit:]]", "a", false), ("[[:nope:]]", "n", false),
        ("[a", "[a", false),
        ("[\\]]x", "]x", true), ("a/[^x]b", "a//b", false), ("FOO", "foo", false), ("\\f\\o\\o", "foo", true),
        ("ü*", "über", true), ("?", "ü", false), ("??", "ü", true),
    ]) func onePattern(_ patterns: String, _ path: String, _ expected: Bool) {
        #expect(ignores(rules(patterns), path) == expected, "\(patterns.debugDescription) and \(path)")
    }

    @Test func theLastMatchingPatternDecides() {
        let rules = rules("*.log\n!keep.log\nkeep.log\n!keep.log\n")
        #expect(ignores(rules, "a.log"))
        #expect(!ignores(rules, "x/keep.log"))
    }

    @Test func nothingBelowAnIgnoredDirectoryIsIncludedAgain() throws {
        // The manual's example: ignore everything but foo/bar.
        let manual = rules("/*\n!/foo\n/foo/*\n!/foo/bar\n")
        #expect(ignores(manual, "x"))
        #expect(ignores(manual, "foo/y"))
        #expect(!ignores(manual, "foo/bar/"))
        #expect(!ignores(manual, "foo/bar/x"))
        let lost = rules("foo/\n!foo/bar\n", ["foo": "!*"])
        #expect(ignores(lost, "foo/bar"))
        let decision = try #require(lost.decision(Array("foo/bar".utf8), isDirectory: false))
        #expect(decision.line == 1)
        #expect(decision.pattern == Array("foo/".utf8))
        #expect(decision.path == Array("foo".utf8))
        #expect(decision.directory.isEmpty)
    }

    @Test func deeperFilesComeFirst() throws {
        let rules = rules("*.csv\n", ["data": "!*.csv\n/raw.csv\n", "data/x": "raw.csv"])
        #expect(ignores(rules, "a.csv"))
        #expect(!ignores(rules, "data/a.csv"))
        #expect(ignores(rules, "data/raw.csv"))
        #expect(!ignores(rules, "data/y/raw.csv"))
        #expect(ignores(rules, "data/x/raw.csv"))
        let decision = try #require(rules.decision(Array("data/raw.csv".utf8), isDirectory: false))
        #expect(decision.directory == Array("data".utf8))
        #expect(decision.line == 2)
    }

    @Test func namesAreBytes() {
        var rules = IgnoreRules()
        rules.add(IgnorePatterns([0xFF, 0x2A, 0x0A]), in: [])
        #expect(rules.ignores([0xFF, 0xC3], isDirectory: false))
        // Two spellings of one letter are two names.
        rules.add(IgnorePatterns(Array("é".utf8)), in: [])
        #expect(!rules.ignores(Array("e\u{301}".utf8), isDirectory: false))
    }

    @Test func starsDoNotBlowUp() {
        let name = Array(repeatElement("a", count: 200).joined().utf8)
        for pattern in [
            "a*a*a*a*a*a*a*a*a*a*a*a*b", String(repeating: "*a", count: 60) + "b", "**/**/**/**/*a*a*a*b/c",
        ] {
            let rules = rules(pattern)
            let clock = ContinuousClock()
            let time = clock.measure { #expect(!rules.ignores(name, isDirectory: false)) }
            #expect(time < .seconds(1))
        }
    }

    @Test func patternsOfAnyLength() {
        for length in [61, 62, 63, 64, 65, 200] {
            let pattern = "x/?" + String(repeating: "a", count: length) + "*b"
            let name = "x/c" + String(repeating: "a", count: length)
            let rules = rules(pattern)
            #expect(ignores(rules, name + "zzb"))
            #expect(!ignores(rules, name + "z/b"))
            #expect(!ignores(rules, name + "zzc"))
        }
    }
}
