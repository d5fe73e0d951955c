import Columns
import Features
import Formats
import Objects
import Parity
import Testing

@Suite struct ParityReportTests {
    private func comparison(differing: Bool = false, parts: Int = 1) -> ParityComparison {
        var comparison = ParityComparison(features: ["z", "a"])
        func side(_ x: Double) -> ParitySide {
            ParitySide(
                features: ["z", "a"].map { name in
                    let column = Column(.float64, [.float64(x), .float64(2)])
                    let statuses: [FeatureStatus] = [.present, .present]
                    return .init(name: name, view: "v_\(name)", column: column, statuses: statuses, eventTimes: [1, 1])
                }
            )
        }
        for part in 0..<parts {
            comparison.add(offline: side(1), online: side(differing ? 3 : 1), states: [:], firstRow: part * 2)
        }
        return comparison
    }

    private func report(
        _ comparison: ParityComparison,
        scope: ParityReport.Scope = .instant(at: "2013-10-01T00:00:00Z"),
        service: String = "delay_model@4"
    ) -> ParityReport {
        ParityReport(
            lock: Digest.of(Array("lock".utf8)),
            service: service,
            scope: scope,
            rows: Digest.of(Array("rows".utf8)),
            comparison: comparison
        )
    }

    @Test func documentIsCanonical() throws {
        let report = report(comparison(differing: true))
        let expected =
            #"{"asked":{"count":2,"digest":"sha256:bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e"},"#
            + #""causes":{"v_a":{"value":1},"v_z":{"value":1}},"#
            + #""features":{"a":{"invalid":0,"match":1,"mismatch":1,"offline_only":0,"online_only":0,"present":1},"#
            + #""z":{"invalid":0,"match":1,"mismatch":1,"offline_only":0,"online_only":0,"present":1}},"#
            + #""format":1,"lock":"sha256:0c030586945fe504b604ecc2e875c38ede400cd5cd73da9730302162e6b02c6f","#
            + #""passed":false,"scope":{"at":"2013-10-01T00:00:00Z"},"service":"delay_model@4"}"#
        #expect(String(decoding: report.document, as: UTF8.self) == expected)
        #expect(try JSON(parsing: report.document).encoded(canonical: true) == report.document)
        #expect(report.digest == Digest.of(report.document))
        #expect(report.digest.description == "sha256:df254c4fec22a790fb52e9186523887d3dfd4eec093a88b7d0e47fb87afb26d2")
    }

    @Test func theSameProofHasTheSameDigest() {
        #expect(report(comparison()).digest == report(comparison()).digest)
        let digests = [
            report(comparison()), report(comparison(differing: true)), report(comparison(parts: 2)),
            report(comparison(), service: "delay_model@5"),
            report(comparison(), scope: .instant(at: "2013-10-02T00:00:00Z")),
            report(comparison(), scope: .replay(from: "2013-10-01T00:00:00Z", to: "2013-10-02T00:00:00Z")),
        ].map(\.digest)
        #expect(Set(digests).count == digests.count)
    }

    @Test func onlyEqualSidesPass() throws {
        #expect(report(comparison()).passed)
        #expect(!report(comparison(differing: true)).passed)
        let passing = try JSON(parsing: report(comparison()).document)
        #expect(passing["passed"] == .bool(true))
        #expect(passing["causes"]?.members == [])
        let replay = report(comparison(), scope: .replay(from: "a", to: "b"))
        #expect(try JSON(parsing: replay.document)["scope"]?.text == #"{"from":"a","to":"b"}"#)
    }

    /// A comparison of no rows is no proof.
    @Test func nothingAskedIsNothingShown() throws {
        let empty = ParityComparison(features: ["a"])
        #expect(try JSON(parsing: report(empty).document)["asked"]?["count"] == .int(0))
    }
}
