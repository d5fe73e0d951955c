import Columns
import Testing

@Suite struct ScalarTests {
    private static let quietNaN = Double(bitPattern: 0x7FF8_0000_0000_0001)

    /// One value of each kind, no two identical.
    private static let distinct: [Scalar] = [
        .null, .bool(false), .bool(true), .int64(0), .int64(-1), .int64(.max), .timestamp(0), .timestamp(.min),
        .float32(0), .float32(-0.0), .float32(.nan), .float32(.infinity), .float32(.leastNonzeroMagnitude),
        .float64(0), .float64(-0.0), .float64(.nan), .float64(-.infinity), .float64(0.1), .float64(0.1.nextUp),
        .string(""), .string("a"), .string("A"), .bytes([]), .bytes([0]), .bytes([0, 0]),
        .vector([0]), .vector([-0.0]), .vector([.nan]), .vector([0, 0]), .vector([0, -0.0]),
    ]

    @Test func identityTellsEveryTwoValuesApart() {
        for (left, a) in Self.distinct.enumerated() {
            for (right, b) in Self.distinct.enumerated() {
                #expect(a.isIdentical(to: b) == (left == right), "\(a) and \(b)")
            }
        }
    }

    @Test func everyNaNIsTheSame() {
        #expect(Scalar.float64(.nan).isIdentical(to: .float64(Self.quietNaN)))
        #expect(Scalar.float64(-.nan).isIdentical(to: .float64(.signalingNaN)))
        #expect(Scalar.float32(.nan).isIdentical(to: .float32(-.nan)))
        #expect(Scalar.vector([1, .nan]).isIdentical(to: .vector([1, -.nan])))
        #expect(!Scalar.float64(.nan).isIdentical(to: .null))
        #expect(!Scalar.vector([1, .nan]).isIdentical(to: .vector([.nan, 1])))
    }

    /// A composed and a decomposed letter are equal to Swift and different bytes to everything that reads them.
    @Test func textIsIdenticalOnlyByteForByte() {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        #expect(composed == decomposed)
        #expect(!Scalar.string(composed).isIdentical(to: .string(decomposed)))
        #expect(Scalar.string(composed).isIdentical(to: .string("\u{E9}")))
    }

    @Test func equalityFollowsIEEE754() {
        #expect(Scalar.float64(-0.0) == .float64(0))
        #expect(Scalar.float64(.nan) != .float64(.nan))
    }

    @Test func typesAndNulls() {
        #expect(Scalar.null.type == nil)
        #expect(Scalar.null.isNull)
        #expect(!Scalar.float64(.nan).isNull)
        #expect(!Scalar.string("").isNull)
        #expect(Scalar.vector([1, 2]).type == .vector(dimension: 2))
        #expect(Scalar.timestamp(1).type == .timestamp)
    }
}

@Suite struct DataTypeTests {
    @Test(arguments: [
        DataType.bool, .int64, .float32, .float64, .string, .bytes, .timestamp, .vector(dimension: 1),
        .vector(dimension: 768),
    ]) func spellingRoundTrips(type: DataType) {
        #expect(DataType(type.description) == type)
    }

    @Test func dimensionsAreBounded() {
        #expect(DataType("vector<float32, 65536>") == .vector(dimension: DataType.maximumDimension))
        #expect(DataType("vector<float32, 65537>") == nil)
        #expect(DataType("vector<float32, 9223372036854775807>") == nil)
    }

    @Test func keysCompareExactly() {
        let keys = [DataType.bool, .int64, .float32, .float64, .string, .bytes, .timestamp, .vector(dimension: 2)]
            .filter(\.isKey)
        #expect(keys == [.bool, .int64, .string, .bytes, .timestamp])
    }

    @Test func spacesBeforeADimensionAreFree() {
        #expect(DataType("vector<float32,8>") == .vector(dimension: 8))
        #expect(DataType("vector<float32,   8>") == .vector(dimension: 8))
    }

    @Test(arguments: [
        "", "Bool", "int", "int32", "double", "text", "vector", "vector<float32>", "vector<float32,>",
        "vector<float32, 0>",
        "vector<float32, -1>", "vector<float32, +8>", "vector<float32, 8.0>", "vector<float32, 8 >",
        "vector<float64, 8>",
        "vector<float32, 99999999999999999999>", " int64", "int64 ", "vector<float32, ٨>",
    ]) func othersAreNotTypes(spelling: String) {
        #expect(DataType(spelling) == nil)
    }

    @Test func numbersAreNumeric() {
        let numeric = [DataType.bool, .int64, .float32, .float64, .string, .bytes, .timestamp, .vector(dimension: 2)]
            .filter(\.isNumeric)
        #expect(numeric == [.int64, .float32, .float64])
    }
}
