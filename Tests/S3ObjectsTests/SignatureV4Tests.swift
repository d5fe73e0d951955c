import Objects
import Testing

@testable import S3Objects

/// Signatures against those that AWS has published.
@Suite struct SignatureV4Tests {
    @Test(arguments: SignatureV4Vectors.suite)
    func theSuiteOfAWS(_ vector: SignatureV4Vectors.Vector) throws {
        let signer = SignatureV4(
            credentials: S3Credentials(
                accessKey: "AKIDEXAMPLE",
                secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
            ),
            region: "us-east-1",
            service: "service",
            pathRule: .normalized
        )
        let request = SignatureV4.Request(
            method: vector.method,
            path: vector.path,
            query: vector.query,
            headers: vector.headers,
            payload: Digest.of(Array(vector.body.utf8)).hex
        )
        let time = SigningTime(seconds: 1_440_938_160)
        let canonical = signer.canonicalRequest(request)
        #expect(Digest.of(Array(canonical.utf8)).hex == vector.canonical, "\(canonical)")
        #expect(
            signer.stringToSign(request, at: time)
                == """
                AWS4-HMAC-SHA256
                20150830T123600Z
                20150830/us-east-1/service/aws4_request
                \(vector.canonical)
                """
        )
        #expect(signer.signature(request, at: time) == vector.signature)
        let signed = Set(vector.headers.map { $0.name.lowercased() }).sorted().joined(separator: ";")
        #expect(
            signer.authorization(request, at: time)
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=\(signed), Signature=\(vector.signature)"
        )
    }

    // The examples of the S3 API Reference, "Signature Calculations for the Authorization Header" and "… Using Query
    // Parameters": their own keys, 2013-05-24.
    private let signer = SignatureV4(
        credentials: S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE",
            secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        ),
        region: "us-east-1"
    )
    private let time = SigningTime(seconds: 1_369_353_600)
    private static let host = "examplebucket.s3.amazonaws.com"
    private static let empty = Digest.of([]).hex

    private func signature(
        _ method: String,
        _ path: String,
        query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [],
        payload: String = empty
    ) -> String {
        let common = [
            (name: "Host", value: Self.host), (name: "x-amz-content-sha256", value: payload),
            (name: "x-amz-date", value: "20130524T000000Z"),
        ]
        let request = SignatureV4.Request(
            method: method,
            path: path,
            query: query,
            headers: common + headers,
            payload: payload
        )
        return signer.signature(request, at: time)
    }

    @Test func theExamplesOfS3() {
        #expect(
            signature("GET", "/test.txt", headers: [("Range", "bytes=0-9")])
                == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
        #expect(
            signature(
                "PUT",
                "/test$file.text",
                headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
                payload: Digest.of(Array("Welcome to Amazon S3.".utf8)).hex
            ) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        )
        #expect(
            signature("GET", "/", query: [("lifecycle", "")])
                == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        )
        #expect(
            signature("GET", "/", query: [("max-keys", "2"), ("prefix", "J")])
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        )
    }

    @Test func thePresignedExampleOfS3() {
        let request = SignatureV4.Request(
            method: "GET",
            path: "/test.txt",
            headers: [("host", Self.host)],
            payload: ""
        )
        #expect(
            signer.presignedQuery(request, at: time, seconds: 86_400)
                == "X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        )
    }

    /// S3 takes a key as it is, where the suite's service resolves dots and slashes.
    @Test func aKeyOfS3IsVerbatim() {
        let request = SignatureV4.Request(method: "GET", path: "/a//./../b c+é%", payload: "p")
        #expect(signer.canonicalRequest(request).hasPrefix("GET\n/a//./../b%20c%2B%C3%A9%25\n\n"))
    }

    @Test func percentEncodingRoundTrips() {
        let text = String((0..<0x250).compactMap(Unicode.Scalar.init).map(Character.init))
        #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
        #expect(PercentEncoding.encode("-._~/é", keep: "/") == "-._~/%C3%A9")
        #expect(PercentEncoding.decode("a+b%2Bc%zz%4") == "a b+c%zz%4")
    }
}
