#if DEBUG
    import Foundation
    import Objects
    import StoreTesting
    import Testing

    /// Every system call that a store makes fails once, and the store is whole after each.
    @Suite struct AnomalyTests {
        enum Failure: String, CaseIterable, CustomTestStringConvertible {
            case refused, reportedAfterwards, full

            var action: SystemFaults.Action {
                switch self {
                case .refused: .fail(EIO)
                case .reportedAfterwards: .failAfterwards(EIO)
                case .full: .fail(ENOSPC)
                }
            }

            var code: Int32 { self == .full ? ENOSPC : EIO }
            var testDescription: String { rawValue }
        }

        enum Work: String, CaseIterable, CustomTestStringConvertible {
            case putRaw, putCompressed, putLarge, putFile, putAgain, write, receive, adopt, adoptAgain, delete

            var testDescription: String { rawValue }

            private static let large = lines(1_200_000)
            private static let small = lines(3_000)

            /// The object that is there when the work begins.
            static let former = lines(500)

            var content: [UInt8] {
                switch self {
                case .putLarge, .putFile, .receive, .adopt: Self.large
                case .putRaw, .putCompressed: Self.small
                case .putAgain, .write, .adoptAgain, .delete: Self.former
                }
            }

            func perform(_ store: LocalObjectStore, _ directory: ScratchDirectory) async throws {
                let digest = Digest.of(content)
                switch self {
                case .putRaw, .putAgain: _ = try await store.put(content, encoding: .raw)
                case .putCompressed, .putLarge: _ = try await store.put(content, encoding: .lz4)
                case .putFile: _ = try await store.putFile(at: directory.path + "/input", encoding: .raw)
                case .write: try await store.write(digest, to: store.directory + "/out")
                case .receive:
                    let content = content
                    try await store.receive(digest, from: "elsewhere") { object in
                        for start in stride(from: 0, to: content.count, by: 500_000) {
                            try await object.write(Array(content[start..<min(start + 500_000, content.count)]))
                        }
                    }
                case .adopt, .adoptAgain:
                    // Staged by a writer, and still there if it was not taken over.
                    try directory.write(content, to: "store/tmp/packs-1/pack")
                    _ = try await store.adopt(store.directory + "/tmp/packs-1/pack", as: digest)
                case .delete: try await store.delete(digest)
                }
            }
        }

        @Test(arguments: Work.allCases, Failure.allCases)
        func everySystemCall(_ work: Work, _ failure: Failure) async throws {
            var position = 0
            var isComplete = false
            while !isComplete {
                position += 1
                let directory = try ScratchDirectory()
                try directory.write(work.content, to: "input")
                let store = LocalObjectStore(directory: directory.path + "/store")
                let former = try await store.put(Work.former, encoding: .raw)
                // The store syncs for an object that is there where it was changed within the last minute, and on a busy
                // machine this test may have waited longer.
                let file = "\(store.directory)/sha256/\(former.hex.prefix(2))/\(former.hex)"
                try #require(chmod(file, 0o444) == 0)
                let fault = SystemFaults(below: store.directory, at: position, failure.action)
                do {
                    try await fault.during { try await work.perform(store, directory) }
                    isComplete = true
                } catch let error as ObjectError {
                    guard case .system(_, _, failure.code) = error else { throw error }
                }
                if isComplete, fault.hasStruck {
                    // Only the removal of what is not needed any more may fail unnoticed.
                    #expect(fault.counted[position - 1].hasPrefix("unlink"), "\(fault.counted[position - 1])")
                    isComplete = false
                }

                // Another process finds whole objects only, and all those that were there.
                let other = LocalObjectStore(directory: store.directory)
                var digests: Set<Digest> = []
                try await other.forEachObject { object in
                    try await other.verify(object.digest)
                    digests.insert(object.digest)
                }
                if work != .delete { #expect(digests.contains(former)) }
                #expect(digests.subtracting([former, Digest.of(work.content)]).isEmpty)
                if FileManager.default.fileExists(atPath: store.directory + "/out") {
                    #expect(try directory.read("store/out") == work.content)
                }

                // The store works on, and what is left over can be taken away.
                try await work.perform(store, directory)
                if work == .delete {
                    #expect(try await !store.contains(former))
                } else {
                    try await other.verify(Digest.of(work.content))
                }
                _ = try await store.removeUnfinished(before: .max)
                let left = try directory.files().filter { $0.contains("tmp/") }
                #expect(left.isEmpty, "\(left)")
            }
            // It is a loop of many failures, not of none.
            #expect(position > ([.putAgain, .adoptAgain, .delete].contains(work) ? 1 : 5), "\(position)")
        }

        /// Killed in front of each system call, a process leaves whole objects only.
        @Test func killedAtEverySystemCall() async throws {
            let directory = try ScratchDirectory()
            var acknowledged: Set<String> = []
            for position in stride(from: 1, through: 60, by: 2) {
                let trial = try StoreTrial([directory.path + "/store", "kill", String(position)])
                let lines = try trial.wait()
                #expect(trial.signal == SIGKILL)
                acknowledged.formUnion(lines)
                try await Self.expectWhole(directory.path + "/store", has: acknowledged)
            }
            #expect(acknowledged.count >= 3)
        }

        /// Killed at random times, too, also several at once in one store.
        @Test func killedAtRandomTimes() async throws {
            let directory = try ScratchDirectory()
            var acknowledged: Set<String> = []
            for round in 0..<6 {
                let trials = try (0..<2).map { trial in
                    try StoreTrial([directory.path + "/store", "loop", String(round * 20 + trial * 7)])
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...400)))
                for trial in trials { trial.kill() }
                for trial in trials { acknowledged.formUnion(try trial.wait()) }
                try await Self.expectWhole(directory.path + "/store", has: acknowledged)
            }
            let store = LocalObjectStore(directory: directory.path + "/store")
            _ = try await store.removeUnfinished(before: .max)
            #expect(try directory.files().allSatisfy { !$0.contains("tmp/") })
        }

        /// A file system that has no room, as the operating system reports it.
        @Test func noRoomForALargeFile() async throws {
            let directory = try ScratchDirectory()
            let trial = try StoreTrial([directory.path + "/store", "limit", "300000"])
            let lines = try trial.wait()
            #expect(trial.signal == nil)
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("refused: cannot write \(directory.path)/store/tmp/") == true)
            #expect(lines.last == Digest.of([UInt8](repeating: 8, count: 100)).description)
            try await Self.expectWhole(directory.path + "/store", has: [lines[1]])
            #expect(try directory.files().count == 1)
        }

        private static func expectWhole(_ directory: String, has acknowledged: Set<String>) async throws {
            let store = LocalObjectStore(directory: directory)
            var found: Set<String> = []
            try await store.forEachObject { object in
                try await store.verify(object.digest)
                found.insert(object.digest.description)
            }
            #expect(acknowledged.subtracting(found).isEmpty, "what was acknowledged is there")
        }
    }
#endif
