import Foundation
import NIOHTTP1
import Objects
import StoreTesting
import Testing

@testable import S3Objects

/// What the network and the service do to requests, and what a store makes of it.
@Suite(.serialized) struct S3FaultTests {
    private static let part = StoreKind.partSize

    /// The parts of a store on the server.
    private struct Fixture {
        let test: TestStore
        let store: S3ObjectStore
        let server: S3Server
        let bucket: String

        init(_ change: (inout S3Configuration) -> Void = { _ in }) async throws {
            let test = try await StoreKind.s3.make()
            let parts = try #require(test.server)
            var configuration = parts.configuration
            change(&configuration)
            self.test = test
            (server, bucket) = (parts.server, parts.bucket)
            store = S3ObjectStore(configuration)
        }

        func requests(_ text: String) async throws -> [String] {
            try await server.requests("/\(bucket)").filter { $0.contains(text) }
        }
    }

    @Test(arguments: [(500, "InternalError"), (503, "SlowDown"), (429, "TooManyRequests"), (400, "RequestTimeout")])
    func passingErrorsArePassedOver(_ status: Int, _ code: String) async throws {
        let fixture = try await Fixture()
        let bytes = lines(3_000)
        for method in ["PUT", "HEAD", "GET", "DELETE"] where method != "HEAD" || status >= 429 {
            try await fixture.server.fail(.status(status, code, method: method, match: fixture.bucket, times: 2))
        }
        let digest = try await fixture.store.put(bytes, encoding: .lz4)
        #expect(try await fixture.store.get(digest) == bytes)
        #expect(try await fixture.store.list(after: nil, limit: 5).count == 1)
        #expect(try await fixture.store.delete(digest))
        #expect(try await fixture.requests("PUT").count >= 3)
    }

    @Test func errorsThatDoNotPassAreTold() async throws {
        let fixture = try await Fixture { $0.retries.attempts = 3 }
        try await fixture.server.fail(.status(503, "SlowDown", method: "PUT", match: fixture.bucket, times: 3))
        let slow = await #expect(throws: S3Error.self) { try await fixture.store.put([1], encoding: .raw) }
        #expect(slow?.code == "SlowDown")
        #expect(try await fixture.requests("PUT").count == 4, "one for the bucket, three attempts")
        try await fixture.server.fail(.status(403, "AccessDenied", method: "PUT", match: fixture.bucket))
        let denied = await #expect(throws: S3Error.self) { try await fixture.store.put([2], encoding: .raw) }
        #expect(denied?.code == "AccessDenied")
        #expect(denied?.place.hasPrefix("s3://\(fixture.bucket)/stores/one/sha256/") == true)
        #expect(denied?.description.contains("s3:PutObject") == true)
        #expect(try await fixture.requests("PUT").count == 5)
        #expect(try await fixture.store.list(after: nil, limit: 5) == [])
    }

    @Test func aBucketThatIsNotThereIsNamed() async throws {
        let server = try S3Server.shared()
        var configuration = try S3Configuration(
            location: "s3://no-such-bucket-here/p",
            endpoint: server.endpoint,
            credentials: S3Server.credentials
        )
        configuration.retries.attempts = 2
        let store = S3ObjectStore(configuration)
        for error in [
            await #expect(throws: S3Error.self) { _ = try await store.put([1], encoding: .raw) },
            await #expect(throws: S3Error.self) { _ = try await store.get(Digest.of([1])) },
            await #expect(throws: S3Error.self) { _ = try await store.list(after: nil, limit: 1) },
        ] {
            #expect(error?.code == "NoSuchBucket")
            #expect(error?.description.contains("make the bucket") == true)
        }
    }

    @Test func wrongKeysAreRefused() async throws {
        for (credentials, code) in [
            (S3Credentials(accessKey: "testing", secretKey: "wrong"), "SignatureDoesNotMatch"),
            (S3Credentials(accessKey: "unknown", secretKey: "wrong"), "InvalidAccessKeyId"),
            (S3Credentials(accessKey: "testing", secretKey: "secret/of+testing", sessionToken: "t"), "InvalidToken"),
        ] {
            let fixture = try await Fixture { $0.credentials = credentials }
            let error = await #expect(throws: S3Error.self) { try await fixture.store.list(after: nil, limit: 1) }
            #expect(error?.code == code)
            #expect(error?.description.contains("secret/of") == false)
        }
    }

    @Test func nobodyListens() async throws {
        let started = ContinuousClock.now
        let fixture = try await Fixture {
            $0.endpoint = "http://127.0.0.1:1"
            $0.retries.limit = .milliseconds(400)
            $0.retries.pause = .milliseconds(200)
        }
        let error = await #expect(throws: S3Error.self) { try await fixture.store.contains(Digest.of([])) }
        #expect(error?.code == "NoAnswer")
        #expect(ContinuousClock.now - started < .seconds(30))
    }

    @Test func aSlowAnswerIsNotWaitedFor() async throws {
        let fixture = try await Fixture { $0.retries.attemptLimit = .seconds(4) }
        try await fixture.server.fail(.of("wait", method: "PUT", match: fixture.bucket, seconds: 60))
        let started = ContinuousClock.now
        let digest = try await fixture.store.put([1, 2], encoding: .raw)
        #expect(ContinuousClock.now - started < .seconds(50))
        try await fixture.store.verify(digest)
    }

    @Test(arguments: [-7_200.0, 7_200.0])
    func aClockThatIsWrongIsCorrectedOnce(_ seconds: Double) async throws {
        let fixture = try await Fixture()
        // The service's clock is far from ours from now on; it takes what is signed with its own.
        try await fixture.server.fail(.of("skew", match: fixture.bucket, times: 1_000, seconds: seconds))
        let digest = try await fixture.store.put(lines(50), encoding: .raw)
        #expect(try await fixture.store.get(digest) == lines(50))
        let refused = try await fixture.requests(" 403").count
        // Two HEADs may be on their way before the first answer tells.
        #expect((1...2).contains(refused))
    }

    @Test func anAnswerThatIsLost() async throws {
        let fixture = try await Fixture()
        try await fixture.server.fail(
            .of("lose", method: "PUT", match: fixture.bucket),
            .of("lose", method: "DELETE", match: fixture.bucket)
        )
        // The second attempt finds what the first has made.
        let digest = try await fixture.store.put(lines(70), encoding: .raw)
        #expect(try await fixture.requests("PUT").contains { $0.hasSuffix(" 412") })
        #expect(try await fixture.store.delete(digest))
        #expect(try await !fixture.store.contains(digest))
    }

    @Test(arguments: ObjectEncoding.allCases)
    func aDownloadGoesOnWhereItBroke(_ encoding: ObjectEncoding) async throws {
        let fixture = try await Fixture()
        let bytes = noise(3 * Self.part + 17, seed: 5)
        let digest = try await fixture.store.put(bytes, encoding: encoding)
        let name = digest.hex + (encoding == .lz4 ? ".lz4" : "")
        try await fixture.server.fail(.of("cut", method: "GET", match: name, times: 3))
        let target = fixture.test.directory.path + "/out"
        try await fixture.store.write(digest, to: target)
        #expect(try fixture.test.directory.read("out") == bytes)
        let gets = try await fixture.requests("GET").filter { $0.contains(digest.hex) }
        #expect(gets.filter { $0.hasSuffix(" 206") }.count >= 1, "\(gets)")
        // A part of it, too.
        try await fixture.server.fail(.of("cut", method: "GET", match: name, times: 2))
        let range = 1_000..<2 * Self.part + 3
        #expect(try await fixture.store.read(digest, range: range) == Array(bytes[range]))
        try await fixture.server.fail(.of("cut", method: "GET", match: name, times: 2))
        let path = try #require(try await fixture.store.localPath(digest))
        #expect([UInt8](try Data(contentsOf: URL(filePath: path))) == bytes)
    }

    @Test func aServiceWithoutConditions() async throws {
        let fixture = try await Fixture()
        try await fixture.server.fail(.status(501, "NotImplemented", method: "PUT", match: fixture.bucket))
        let digest = try await fixture.store.put([1], encoding: .raw)
        try await fixture.store.verify(digest)
        try await fixture.store.verify(try await fixture.store.put([2], encoding: .raw))
        // One refused with the condition, and two without it.
        #expect(try await fixture.requests("PUT").filter { $0.contains("sha256") }.count == 3)
    }

    // MARK: Large uploads

    @Test func partsAreSentAgain() async throws {
        let fixture = try await Fixture()
        let bytes = noise(4 * Self.part + 1, seed: 6)
        let digest = Digest.of(bytes)
        try await fixture.server.fail(
            .status(500, "InternalError", method: "PUT", match: "\(digest.hex)?partNumber=2", times: 2),
            .of("lose", method: "PUT", match: "\(digest.hex)?partNumber=3"),
            .status(503, "SlowDown", method: "POST", match: "\(digest.hex)?uploads="),
            .of("late", method: "POST", match: "\(digest.hex)?uploadId=")
        )
        #expect(try await fixture.store.put(bytes, encoding: .raw) == digest)
        #expect(try await fixture.store.get(digest) == bytes)
        #expect(try await fixture.store.removeUnfinished(before: .max) == 0)
    }

    @Test func aCompletionWhoseAnswerIsLost() async throws {
        let fixture = try await Fixture()
        let bytes = noise(2 * Self.part + 1, seed: 7)
        try await fixture.server.fail(
            .of("lose", method: "POST", match: "\(fixture.bucket)/stores/one/sha256/", times: 2)
        )
        let digest = try await fixture.store.put(bytes, encoding: .raw)
        #expect(try await fixture.store.get(digest) == bytes)
    }

    @Test func anUploadThatFailsIsAborted() async throws {
        let fixture = try await Fixture { $0.retries.attempts = 2 }
        let bytes = noise(4 * Self.part, seed: 8)
        try await fixture.server.fail(
            .status(403, "AccessDenied", method: "PUT", match: "\(Digest.of(bytes).hex)?partNumber=3")
        )
        let error = await #expect(throws: S3Error.self) { try await fixture.store.put(bytes, encoding: .raw) }
        #expect(error?.operation == "UploadPart")
        #expect(try await !fixture.store.contains(Digest.of(bytes)))
        #expect(try await fixture.store.removeUnfinished(before: .max) == 0)
        #expect(try await fixture.requests("DELETE").count == 1)
    }

    @Test func anUploadThatIsCancelledIsAborted() async throws {
        let fixture = try await Fixture()
        let bytes = noise(3 * Self.part, seed: 9)
        try await fixture.server.fail(
            .of("wait", method: "PUT", match: "\(Digest.of(bytes).hex)?partNumber=2", seconds: 60)
        )
        let task = Task { try await fixture.store.put(bytes, encoding: .raw) }
        while try await fixture.requests("partNumber=1").isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await !fixture.store.contains(Digest.of(bytes)))
        #expect(try await fixture.store.removeUnfinished(before: .max) == 0)
    }

    /// What a process that was killed has sent is not sent again, unless it is not the same.
    @Test(arguments: ObjectEncoding.allCases)
    func anUploadIsTakenUpAgain(_ encoding: ObjectEncoding) async throws {
        let fixture = try await Fixture()
        let bytes = noise(4 * Self.part + 99, seed: 10)
        let digest = Digest.of(bytes)
        let key = fixture.store.key(digest, encoding)
        // As the process would have left it: parts 1, 2 and 3 are there, the third damaged.
        var begin = S3Client.Call(operation: "CreateMultipartUpload", method: .POST, key: key)
        begin.query = [("uploads", "")]
        let begun = XMLElement(document: try await fixture.store.client.send(begin).body)
        let id = try #require(begun?["UploadId"])
        let source = try UploadSource(
            .bytes(bytes),
            digest: digest,
            size: bytes.count,
            encoding: encoding,
            partSize: Self.part
        )
        for _ in 1...3 {
            let part = try #require(try source.next())
            var content = part.bytes
            if part.number == 3 { content[5] ^= 1 }
            var call = S3Client.Call(operation: "UploadPart", method: .PUT, key: key, body: content)
            call.query = [("partNumber", String(part.number)), ("uploadId", id)]
            _ = try await fixture.store.client.send(call)
        }
        #expect(try await fixture.store.put(bytes, encoding: encoding) == digest)
        #expect(try await fixture.store.get(digest) == bytes)
        for (number, count) in [(1, 1), (2, 1), (3, 2), (4, 1), (5, 1)] {
            let sent = try await fixture.requests("PUT").filter { $0.contains("partNumber=\(number)&") }
            #expect(sent.count == count, "part \(number)")
        }
        #expect(try await fixture.store.removeUnfinished(before: .max) == 0)
    }

    /// A process killed in the middle of an upload leaves it to the next, which sends what is not there.
    @Test func aKilledUploadIsTakenUpAgain() async throws {
        let fixture = try await Fixture()
        let bytes = noise(33 << 20, seed: 13)
        try fixture.test.directory.write(bytes, to: "large")
        let arguments = ["s3://\(fixture.bucket)/stores/one", "file", fixture.test.directory.path + "/large"]
        // Of the five parts the last does not arrive in time.
        try await fixture.server.fail(
            .of("wait", method: "PUT", match: "\(Digest.of(bytes).hex)?partNumber=5", seconds: 60)
        )
        let first = try StoreTrial(arguments, environment: fixture.server.environment)
        func parts() async throws -> [String] {
            try await fixture.requests("PUT").filter { $0.contains("partNumber=") && $0.hasSuffix(" 200") }
        }
        while try await parts().count < 3 { try await Task.sleep(for: .milliseconds(20)) }
        first.kill()
        let sent = try await parts()
        #expect(try first.wait() == [])
        #expect(first.signal == SIGKILL)
        #expect(try await !fixture.store.contains(Digest.of(bytes)))

        let second = try StoreTrial(arguments, environment: fixture.server.environment)
        #expect(try second.wait() == ["\(Digest.of(bytes))"])
        try await fixture.store.verify(Digest.of(bytes))
        let all = try await parts()
        for part in sent { #expect(all.filter { $0 == part }.count == 1, "\(part)") }
        #expect(try await fixture.store.removeUnfinished(before: .max) == 0)
    }

    @Test func unfinishedUploadsAreRemovedByAge() async throws {
        let fixture = try await Fixture()
        for number in 0..<3 {
            let key = fixture.store.key(Digest.of([UInt8(number)]), .raw)
            var call = S3Client.Call(operation: "CreateMultipartUpload", method: .POST, key: key)
            call.query = [("uploads", "")]
            _ = try await fixture.store.client.send(call)
        }
        // The server says of every upload that it was begun on 2010-11-10 at 20:48:33.
        let begun: Int64 = 1_289_422_113_000_000
        #expect(try await fixture.store.removeUnfinished(before: begun) == 0)
        #expect(try await fixture.store.removeUnfinished(before: begun + 1) == 3)
        #expect(try await fixture.store.removeUnfinished(before: begun + 1) == 0)
    }

    // MARK: The cache

    @Test func anObjectIsFetchedOnce() async throws {
        let fixture = try await Fixture()
        let bytes = noise(300_000, seed: 12)
        let digest = try await fixture.store.put(bytes, encoding: .raw)
        let before = try await fixture.requests("GET").count
        let paths = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<16 { group.addTask { try await fixture.store.localPath(digest) } }
            return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(paths.count == 1)
        #expect(try await fixture.requests("GET").count == before + 1)
        // What is damaged in the cache is fetched anew.
        let path = try #require(paths.first ?? nil)
        let name = String(path.dropFirst(fixture.test.directory.path.count + 1))
        try fixture.test.directory.write([1, 2, 3], to: name)
        #expect(try await fixture.store.localPath(digest) == path)
        #expect(try fixture.test.directory.read(name) == bytes)
    }

    @Test func aTemporaryURLIsForAnyone() async throws {
        for kind in [StoreKind.s3, .s3VirtualHost] {
            let test = try await kind.make(prefix: "é a+b")
            let store = try #require(test.store as? S3ObjectStore)
            let digest = try await store.put(lines(900), encoding: .raw)
            var url = try await store.temporaryURL(digest, seconds: 60)
            #expect(!url.contains("secret"))
            if kind == .s3 {
                let answer = try await S3Server.shared().fetch(url)
                #expect(answer == lines(900))
                url.removeLast()
                await #expect(throws: S3Server.Failure.self) { try await S3Server.shared().fetch(url) }
            } else {
                #expect(url.contains("X-Amz-Security-Token="))
            }
            let compressed = try await store.put(lines(901), encoding: .lz4)
            await #expect(throws: ObjectError.self) { try await store.temporaryURL(compressed, seconds: 60) }
        }
    }
}
