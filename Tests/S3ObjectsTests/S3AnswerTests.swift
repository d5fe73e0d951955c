import Testing

@testable import S3Objects

/// What S3 writes: XML, times, errors.
@Suite struct S3AnswerTests {
    private func element(_ text: String) -> XMLElement? { XMLElement(document: Array(text.utf8)) }

    @Test func listsAreRead() throws {
        let list = try #require(
            element(
                """
                \u{FEFF}<?xml version="1.0" encoding="UTF-8"?>
                <!-- made by hand -->
                <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/" note='a > b'>
                  <Name>bucket</Name><Prefix/><IsTruncated>true</IsTruncated>
                  <Contents><Key>a &lt;b&gt; &amp;&quot;&apos;&#233;&#x1F600;</Key><Size>3</Size></Contents>
                  <x:Contents><Key><![CDATA[<c> & d]]></Key ><Size>4</Size></x:Contents>
                </ListBucketResult>

                """
            )
        )
        #expect(list.name == "ListBucketResult")
        #expect(list["Name"] == "bucket")
        #expect(list["Prefix"] == "")
        #expect(list["Missing"] == nil)
        #expect(list.all("Contents").map { $0["Key"] } == ["a <b> &\"'é😀", "<c> & d"])
        #expect(list.all("Contents").map { $0["Size"] } == ["3", "4"])
    }

    @Test(
        arguments: [
            "", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&unknown;</a>", "<a>&#xD800;</a>", "<a>&amp</a>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a><![CDATA[</a>", "<a x=\"></a>", "<>", "<a",
        ]
    )
    func whatIsNotXMLIsRefused(_ text: String) {
        #expect(element(text) == nil)
    }

    @Test func nestingHasAnEnd() {
        let depth = 100_000
        #expect(element(String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)) == nil)
    }

    /// No byte of a document, changed or cut off, does more than make it unreadable.
    @Test func damageIsSurvived() {
        let document = Array("<?xml version='1.0'?><a b=\"c\"><d>&amp;<![CDATA[e]]><!--f--></d><g/></a>".utf8)
        for position in document.indices {
            _ = XMLElement(document: Array(document[..<position]))
            for byte in [0, 0x22, 0x26, 0x2F, 0x3B, 0x3C, 0x3E, 0x80, 0xFF] as [UInt8] {
                var damaged = document
                damaged[position] = byte
                _ = XMLElement(document: damaged)
            }
        }
    }

    @Test func timesAreReadAndWritten() {
        let time = SigningTime(seconds: 1_369_353_601)
        #expect(time.stamp == "20130524T000001Z")
        #expect(time.day == "20130524")
        #expect(SigningTime(httpDate: "Fri, 24 May 2013 00:00:01 GMT") == time)
        #expect(SigningTime(timestamp: "2013-05-24T00:00:01.987Z") == time)
        #expect(SigningTime(timestamp: "2013-05-24T00:00:01Z") == time)
        for text in ["", "Fri, 24 May 2013", "Fri, 24 Mai 2013 00:00:01 GMT", "Fri, 24 May 2013 00:00 GMT"] {
            #expect(SigningTime(httpDate: text) == nil)
        }
        for text in ["", "2013-05-24", "2013-05-24T00:00:01", "2013-05T00:00:01Z"] {
            #expect(SigningTime(timestamp: text) == nil)
        }
    }

    @Test func errorsSayWhatToDo() {
        func error(_ status: Int, _ code: String, region: String? = nil) -> String {
            S3Error(
                status: status,
                code: code,
                message: "said so",
                operation: "GetObject",
                place: "s3://bucket/key",
                request: "4442587FB7D0A2F9",
                region: region
            ).description
        }
        #expect(
            error(403, "AccessDenied")
                == "GetObject of s3://bucket/key failed: the answer was 403 AccessDenied (said so); give these credentials "
                + "the right s3:GetObject to it; the service's name of the request is 4442587FB7D0A2F9"
        )
        #expect(error(301, "PermanentRedirect", region: "eu-central-1").contains("set AWS_REGION=eu-central-1"))
        #expect(error(404, "NoSuchBucket").contains("make the bucket"))
        #expect(error(403, "RequestTimeTooSkewed").contains("set the clock"))
        let silent = S3Error.unanswered("refused", operation: "PutObject", place: "s3://b/k")
        #expect(
            silent.description
                == "PutObject of s3://b/k failed: no answer came (refused); check the network, and S3_ENDPOINT where it is "
                + "set, then try again"
        )
        #expect(silent.isTransient)
        for (status, code) in [
            (503, "SlowDown"), (500, "InternalError"), (400, "RequestTimeout"), (429, "x"), (502, ""),
        ] {
            #expect(S3Error(status: status, code: code, message: "", operation: "", place: "").isTransient)
        }
        for (status, code) in [(403, "AccessDenied"), (404, "NoSuchKey"), (400, "InvalidRequest"), (412, "x")] {
            #expect(!S3Error(status: status, code: code, message: "", operation: "", place: "").isTransient)
        }
    }

    @Test func pausesAreWithinTheirBounds() {
        var retries = S3Retries()
        retries.pause = .milliseconds(100)
        retries.longestPause = .seconds(1)
        for (repetition, bound) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1_000), (60, 1_000)] {
            let pauses = (0..<200).map { _ in retries.pause(before: repetition) }
            #expect(pauses.allSatisfy { $0 >= .zero && $0 <= .milliseconds(bound) })
            // Random over all of it: none of 200 in the upper half has the chance 2^-200.
            #expect(pauses.contains { $0 > .milliseconds(bound / 2) })
            #expect(pauses.contains { $0 < .milliseconds(bound / 2) })
        }
    }
}
