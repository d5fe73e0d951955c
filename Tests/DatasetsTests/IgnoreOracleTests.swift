import Foundation
import Testing

@testable import Datasets

/// Random ignore files in random trees: every path is ignored exactly if `git check-ignore` says so.
@Suite struct IgnoreOracleTests {
    /// A tree with its ignore files, below a directory of its own.
    private struct Case {
        var directories: Set<String> = []
        var files: Set<String> = []
        var ignoreFiles: [String: [UInt8]] = [:]
    }

    private static let letters = [
        "a", "b", "ab", "ba", "aab", "a.b", "b]", "[a", "-", "a b", "b ", "!a", "#b", "a\\b", "é",
    ]

    private static func randomCase(_ random: inout SeededGenerator) -> Case {
        var result = Case()
        func name(_ random: inout SeededGenerator) -> String { letters[Int(random.next() % UInt64(letters.count))] }
        var directories = [""]
        for _ in 0..<(3 + Int(random.next() % 6)) {
            let parent = directories[Int(random.next() % UInt64(directories.count))]
            let path = parent + name(&random)
            if !result.directories.contains(path) {
                result.directories.insert(path)
                directories.append(path + "/")
            }
        }
        for _ in 0..<14 {
            let path = directories[Int(random.next() % UInt64(directories.count))] + name(&random)
            if !result.directories.contains(path) { result.files.insert(path) }
        }
        result.ignoreFiles[""] = ignoreFile(&random)
        for directory in directories.dropFirst() where random.next() % 3 == 0 {
            result.ignoreFiles[String(directory.dropLast())] = ignoreFile(&random)
        }
        return result
    }

    private static func ignoreFile(_ random: inout SeededGenerator) -> [UInt8] {
        let pieces = [
            "a", "b", "a", "b", "/", "/", "*", "*", "**", "**/", "/**", "/**/", "?", "[ab]", "[!a]", "[^b]", "[a-b]",
            "[]-]",
            "[[:alpha:]]", "[[:punct:][:space:]]", "[[:nope:]]", "[", "]", "-", "!", "#", "\\", "\\*", "\\ ", " ",
            "***", "[\\]a]",
            "[a-", "[[a]", "[:alpha:]", "[[:alpha]", "[b-a]", "[!-a]", "[a\\-b]", ".", "é", "\\!", "[--b]", "\\/",
        ]
        var bytes: [UInt8] = random.next() % 20 == 0 ? [0xEF, 0xBB, 0xBF] : []
        for _ in 0..<(1 + random.next() % 5) {
            if random.next() % 4 == 0 { bytes += Array("!".utf8) }
            if random.next() % 4 == 0 { bytes += Array("/".utf8) }
            for _ in 0..<(1 + random.next() % 5) {
                bytes += Array(pieces[Int(random.next() % UInt64(pieces.count))].utf8)
            }
            if random.next() % 5 == 0 { bytes += Array("/".utf8) }
            switch random.next() % 12 {
            case 0: bytes += Array("  \n".utf8)
            case 1: bytes += Array("\r\n".utf8)
            case 2: bytes += Array("\n\n# x\n".utf8)
            case 3: bytes += [0x00, 0x61, 0x0A]
            default: bytes += Array("\n".utf8)
            }
        }
        if random.next() % 4 == 0 { bytes.removeLast() }
        return bytes
    }

    @Test func asGitCheckIgnoreSays() async throws {
        let workspace = try Workspace()
        var random = SeededGenerator(seed: 2_024)
        var paths: [String] = []
        var expected: [Bool] = []
        let files = FileManager.default
        for number in 0..<500 {
            let root = "tree/c\(number)"
            let one = Self.randomCase(&random)
            try files.createDirectory(atPath: workspace(root), withIntermediateDirectories: true)
            for directory in one.directories {
                try files.createDirectory(atPath: workspace("\(root)/\(directory)"), withIntermediateDirectories: true)
            }
            for file in one.files { #expect(files.createFile(atPath: workspace("\(root)/\(file)"), contents: nil)) }
            var rules = IgnoreRules()
            for (directory, content) in one.ignoreFiles {
                let name = directory.isEmpty ? root : "\(root)/\(directory)"
                #expect(files.createFile(atPath: workspace("\(name)/.gitignore"), contents: Data(content)))
                rules.add(IgnorePatterns(content), in: Array(directory.utf8))
            }
            for path in (one.directories.union(one.files)).sorted() {
                paths.append("c\(number)/\(path)")
                let isDirectory = one.directories.contains(path)
                expected.append(rules.ignores(Array(path.utf8), isDirectory: isDirectory))
            }
        }
        try await workspace.git(in: "tree", "init", "-q")
        let ignored = try await checkIgnore(paths, in: workspace("tree"))
        var differences = 0
        for (path, isIgnored) in zip(paths, expected) where ignored.contains(path) != isIgnored {
            differences += 1
            if differences < 10 { Issue.record("\(path): git says \(!isIgnored)") }
        }
        #expect(differences == 0)
        #expect(paths.count > 5_000)
        #expect((paths.count / 10..<paths.count * 9 / 10).contains(ignored.count))
    }

    private func checkIgnore(_ paths: [String], in directory: String) async throws -> Set<String> {
        let input = directory + "/../input"
        try Data(paths.flatMap { Array($0.utf8) + [0] }).write(to: URL(filePath: input))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["git", "-C", directory, "check-ignore", "--no-index", "-z", "--stdin"]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"]
        ) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: input))
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try #require(try pipe.fileHandleForReading.readToEnd())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return Set([UInt8](output).split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
