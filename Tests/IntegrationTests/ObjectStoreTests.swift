import AsyncHTTPClient
import Foundation
import Lockstep
import NIOCore
import NIOHTTP1
import Objects
import Postgres
import StoreTesting
import Testing
import Wire

extension Integration {
    /// The service with its objects in a directory, and in S3.
    @Suite struct ObjectStoreTests {
        /// Runs a test against a service whose objects are in `place`.
        private func withService(
            _ place: ObjectPlace,
            _ body: (ServiceFixture, S3Server, String) async throws -> Void
        ) async throws {
            let server = try S3Server.shared()
            try await ServiceFixture.run(place: place) { (fixture) async throws in
                try await body(fixture, server, fixture.placed.bucket ?? "no bucket")
                let kept = (try? FileManager.default.subpathsOfDirectory(atPath: fixture.placed.cache)) ?? []
                #expect(kept.allSatisfy { !$0.contains("tmp/") }, "uploads are left over")
            }
        }

        @Test func aTrainingSetIsTheSame() async throws {
            let data = GeneratedData(seed: 7)
            var digests: [Digest] = []
            for place in ObjectPlace.allCases {
                try await withService(place) { (fixture, server, bucket) async throws in
                    try await fixture.prepare(data)
                    expectWords(try await fixture.repository.lockstep("verify"), "lockstep.lock", "objects verified")
                    try await fixture.repository.lockstep("training-set", "--spine", "spine.csv", "-o", "out.parquet")
                    digests.append(Digest.of(try fixture.repository.bytes("out.parquet")))
                    let kept = try await server.requests("PUT /\(bucket)/objects of é/sha256/")
                    #expect(kept.isEmpty == (place == .directory))
                    if place == .s3 { #expect(!FileManager.default.fileExists(atPath: fixture.objects)) }
                }
            }
            #expect(digests[0] == digests[1])
        }

        private struct Answer {
            let status: Int
            let headers: HTTPHeaders
            let body: [UInt8]
        }

        private func ask(
            _ fixture: ServiceFixture,
            _ digest: Digest,
            _ method: HTTPMethod = .GET,
            range: String? = nil
        ) async throws -> Answer {
            var request = HTTPClientRequest(url: "\(fixture.client.url)/v1/objects/\(digest)")
            request.method = method
            if let range { request.headers.add(name: "range", value: range) }
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            return Answer(
                status: Int(response.status.code),
                headers: response.headers,
                body: Array(try await response.body.collect(upTo: 1 << 30).readableBytesView)
            )
        }

        @Test(arguments: ObjectPlace.allCases, ObjectEncoding.allCases)
        func objectsAndRanges(_ place: ObjectPlace, _ encoding: ObjectEncoding) async throws {
            try await withService(place) { (fixture, _, _) async throws in
                let scratch = try ScratchDirectory()
                let store = RemoteObjectStore(client: fixture.client, cache: scratch.path + "/cache")
                for size in [0, 1, 900_000, 3_000_001] {
                    let bytes = noise(size, seed: UInt64(size))
                    try scratch.write(bytes, to: "in")
                    let stored = try await store.putFile(at: scratch.path + "/in", encoding: encoding)
                    let digest = Digest.of(bytes)
                    #expect(stored.digest == digest && stored.size == size)

                    let head = try await ask(fixture, digest, .HEAD)
                    #expect(head.status == 200)
                    #expect(head.headers["content-length"] == ["\(size)"])
                    #expect(head.headers["accept-ranges"] == ["bytes"])
                    let whole = try await ask(fixture, digest)
                    #expect(whole.status == 200)
                    #expect(whole.body == bytes)
                    if size > 200 {
                        for (range, expected) in [
                            ("bytes=0-0", 0..<1), ("bytes=100-", 100..<size), ("bytes=-5", size - 5..<size),
                            ("bytes=10-2500000", 10..<2_500_001), ("Bytes=3-4", 3..<5),
                            ("bytes=-99999999", 0..<size),
                        ] {
                            let part = try await ask(fixture, digest, range: range)
                            let wanted = expected.clamped(to: 0..<size)
                            #expect(part.status == 206, "\(range)")
                            #expect(part.body == Array(bytes[wanted]), "\(range)")
                            #expect(
                                part.headers["content-range"]
                                    == ["bytes \(wanted.lowerBound)-\(wanted.upperBound - 1)/\(size)"]
                            )
                        }
                    }
                    for range in ["bytes=\(size)-", "bytes=5-4", "bytes=0-1,3-4", "bytes=", "bytes=a-b", "bytes=-0"] {
                        let refused = try await ask(fixture, digest, range: range)
                        #expect(refused.status == 416, "\(range)")
                        #expect(refused.headers["content-range"] == ["bytes */\(size)"])
                        #expect(try WireCoding.decode(Problem.self, from: refused.body).type == "unsatisfiable-range")
                    }
                    #expect(try await ask(fixture, digest, range: "lines=1-2").status == 200)

                    // Through the client: first from the service, then from its cache.
                    #expect(try await store.size(digest) == size)
                    for _ in 0..<2 {
                        #expect(
                            try await store.read(digest, range: 3..<700)
                                == Array(bytes[(3..<700).clamped(to: 0..<size)])
                        )
                        #expect(try await store.read(digest, range: size + 1..<size + 9) == [])
                        #expect(try await store.get(digest) == bytes)
                    }
                    var streamed: [UInt8] = []
                    try await store.stream(digest) { streamed += $0 }
                    #expect(streamed == bytes)
                    try await store.verify(digest)
                    try await store.write(digest, to: scratch.path + "/out")
                    #expect(try scratch.read("out") == bytes)
                }
                let absent = Digest.of([1, 2, 3])
                #expect(try await !store.contains(absent))
                #expect(try await ask(fixture, absent).status == 404)
                #expect(try await ask(fixture, absent, .HEAD).body == [])
            }
        }

        /// Bytes sent under another name are refused, and nothing of them stays.
        @Test(arguments: ObjectPlace.allCases)
        func bytesOfAnotherName(_ place: ObjectPlace) async throws {
            try await withService(place) { (fixture, _, _) async throws in
                let digest = Digest.of([1])
                let error = await #expect(throws: ClientError.self) {
                    try await fixture.client.send(.PUT, "/v1/objects/\(digest)", body: noise(2_000_000, seed: 1))
                }
                guard case .refused(let problem) = error else { return }
                #expect(problem.type == "corrupt-object" && problem.status == 422)
                #expect(try await ask(fixture, digest, .HEAD).status == 404)
                let left = (try? FileManager.default.contentsOfDirectory(atPath: fixture.objects + "/tmp")) ?? []
                #expect(left == [])
            }
        }

        /// An object that is damaged in the store is never taken for whole, however large it is.
        @Test func aDamagedObject() async throws {
            try await withService(.directory) { (fixture, _, _) async throws in
                let scratch = try ScratchDirectory()
                let store = RemoteObjectStore(client: fixture.client, cache: scratch.path + "/cache")
                for size in [5_000, 3_000_000] {
                    let bytes = noise(size, seed: 2)
                    let digest = try await store.put(bytes, encoding: .raw)
                    try fixture.flipBit(digest.hex)
                    await #expect(throws: (any Error).self) { _ = try await store.get(digest) }
                    await #expect(throws: (any Error).self) { try await store.verify(digest) }
                    await #expect(throws: (any Error).self) {
                        try await store.write(digest, to: scratch.path + "/out")
                    }
                    #expect(!(try scratch.files().contains("out")))
                    #expect(try scratch.files().filter { $0.contains(digest.hex) } == [])
                    try fixture.restore(digest.hex, Data(bytes))
                    #expect(try await store.get(digest) == bytes)
                }
            }
        }

        @Test func anObjectIsFetchedOnceAndMended() async throws {
            try await withService(.s3) { (fixture, server, bucket) async throws in
                let scratch = try ScratchDirectory()
                let store = RemoteObjectStore(client: fixture.client, cache: scratch.path + "/cache")
                let bytes = noise(2_000_000, seed: 3)
                let digest = try await store.put(bytes, encoding: .raw)
                func fetches() async throws -> Int {
                    try await server.requests("GET /\(bucket)").filter { $0.contains(digest.hex) }.count
                }
                let before = try await fetches()
                let paths = try await withThrowingTaskGroup(of: String?.self) { group in
                    for _ in 0..<12 { group.addTask { try await store.localPath(digest) } }
                    return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
                }
                #expect(paths.count == 1)
                #expect(try await fetches() == before + 1)
                // What is damaged in the cache is fetched anew.
                let name = try #require(try scratch.files().first { $0.hasSuffix(digest.hex) })
                try scratch.write([1], to: name)
                #expect(try await store.get(digest) == bytes)
                #expect(try scratch.read(name) == bytes)
            }
        }

        @Test func aStoreThatIsNotThereIsSaid() async throws {
            let server = try S3Server.shared()
            try await ServiceFixture.run(
                location: "s3://no-such-bucket-at-all",
                environment: server.environment
            ) { (fixture) async throws in
                let error = await #expect(throws: ClientError.self) {
                    try await fixture.client.send(.PUT, "/v1/objects/\(Digest.of([1]))", body: [1])
                }
                guard case .refused(let problem) = error else { return }
                #expect(problem.status == 503 && problem.type == "storage-unreachable")
                expectWords(problem.detail, "NoSuchBucket", "s3://no-such-bucket-at-all/", "make the bucket")
            }
        }

        @Test func settingsThatCannotBeUsedAreSaid() async throws {
            let scratch = try ScratchDirectory()
            for (store, environment, words) in [
                ("s3://x", ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"], ["'x'", "3 to 63"]),
                (
                    "s3://bucket/p",
                    ["AWS_ACCESS_KEY_ID": "", "HOME": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/no/file"],
                    ["AWS_ACCESS_KEY_ID", "/no/file"]
                ),
            ] {
                let database = try TemporaryCluster.shared().makeDatabase()
                let outcome = try await Program.run(
                    ["serve", "--port", "\(try ServiceFixture.freePort())"],
                    in: scratch.path,
                    environment: environment.merging(["DATABASE_URL": database, "OBJECT_STORE": store]) { $1 }
                )
                #expect(outcome.code == 2)
                for word in words { expectWords(outcome.errors, word) }
            }
        }
    }
}
