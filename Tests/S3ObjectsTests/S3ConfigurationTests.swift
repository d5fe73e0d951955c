import Foundation
import StoreTesting
import Testing

@testable import S3Objects

@Suite struct S3ConfigurationTests {
    private let keys = ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "hush", "HOME": "/nowhere"]

    private func configuration(
        _ location: String,
        _ environment: [String: String] = [:]
    ) throws -> S3Configuration {
        try S3Configuration(location: location, environment: keys.merging(environment) { $1 })
    }

    @Test func locations() throws {
        for (location, bucket, prefix) in [
            ("s3://bucket", "bucket", ""), ("s3://bucket/", "bucket", ""), ("s3://bucket/a", "bucket", "a/"),
            ("s3://bucket//a/b é//", "bucket", "a/b é/"), ("s3://my.bucket-1/x", "my.bucket-1", "x/"),
        ] {
            let found = try configuration(location)
            #expect(found.bucket == bucket)
            #expect(found.prefix == prefix)
        }
        for location in [
            "", "/dir", "s3:/bucket", "s3://", "s3://B_ucket!", "s3://ab", "s3://bucket/../x", "s3://bucket/.",
        ] {
            #expect(throws: S3ConfigurationError.self, "\(location)") { try configuration(location) }
        }
    }

    @Test func theEnvironment() throws {
        let plain = try configuration("s3://bucket/p")
        #expect(plain.region == "us-east-1")
        #expect(plain.endpoint == nil)
        #expect(plain.addressing == .virtual)
        #expect(try configuration("s3://my.bucket").addressing == .path)
        let full = try configuration(
            "s3://bucket",
            [
                "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "x", "S3_ENDPOINT": "http://127.0.0.1:9000/",
                "AWS_ENDPOINT_URL": "http://other", "AWS_SESSION_TOKEN": "t",
            ]
        )
        #expect(full.region == "eu-west-1")
        #expect(full.endpoint == "http://127.0.0.1:9000")
        #expect(full.addressing == .path)
        #expect(full.credentials.sessionToken == "t")
        #expect(try configuration("s3://bucket", ["AWS_ENDPOINT_URL": "https://h"]).endpoint == "https://h")
        let virtual = ["AWS_ENDPOINT_URL_S3": "https://h", "S3_ADDRESSING": "virtual"]
        #expect(try configuration("s3://bucket", virtual).addressing == .virtual)
        #expect(throws: S3ConfigurationError.self) { try configuration("s3://bucket", ["S3_ADDRESSING": "both"]) }
        for endpoint in ["127.0.0.1:9000", "ftp://x", "http://", "http://h/path", "http://user@h"] {
            #expect(throws: S3ConfigurationError.self) { try configuration("s3://bucket", ["S3_ENDPOINT": endpoint]) }
        }
    }

    @Test func theSharedFiles() throws {
        let directory = try ScratchDirectory()
        try directory.write(
            """
            # a comment
            [default]
            aws_access_key_id = D
            aws_secret_access_key=def=ault
            [ other ]
            AWS_ACCESS_KEY_ID = O
            aws_secret_access_key = other
              aws_session_token = token
            [empty]
            """,
            to: ".aws/credentials"
        )
        try directory.write("[default]\nregion = eu-north-1\n[profile other]\nregion=ap-south-1\n", to: ".aws/config")
        func found(_ environment: [String: String]) throws -> S3Configuration {
            try S3Configuration(
                location: "s3://bucket",
                environment: environment.merging(["HOME": directory.path]) { own, _ in own }
            )
        }
        let standard = try found([:])
        #expect(standard.credentials.accessKey == "D")
        #expect(standard.credentials.secretKey == "def=ault")
        #expect(standard.credentials.sessionToken == nil)
        #expect(standard.region == "eu-north-1")
        let other = try found(["AWS_PROFILE": "other"])
        #expect(other.credentials.accessKey == "O")
        #expect(other.credentials.secretKey == "other")
        #expect(other.credentials.sessionToken == "token")
        #expect(other.region == "ap-south-1")
        // The environment comes first.
        #expect(try found(keys.filter { $0.key != "HOME" }).credentials.accessKey == "A")
        for profile in ["empty", "absent"] {
            let error = #expect(throws: S3ConfigurationError.self) { try found(["AWS_PROFILE": profile]) }
            #expect(error?.description.contains("'\(profile)'") == true)
        }
    }

    @Test func credentialsAreNotPrinted() throws {
        let credentials = S3Credentials(accessKey: "visible?", secretKey: "hush", sessionToken: "token")
        let configuration = try S3Configuration(location: "s3://bucket", credentials: credentials)
        var dumped = ""
        dump(configuration, to: &dumped)
        let texts = ["\(credentials)", String(reflecting: credentials), "\(configuration)", "\([credentials])", dumped]
        for text in texts {
            for secret in ["visible?", "hush", "token"] { #expect(!text.contains(secret)) }
        }
    }
}
