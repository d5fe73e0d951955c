import Columns
import Foundation
import Testing

@testable import Formats

/// Damaged files never crash, hang or take memory without bound: they read, or throw an error that names the file.
@Suite struct ParquetFuzzReadingTests {
    private static let foreign = [
        ForeignFiles.snappy, ForeignFiles.pagesV2, ForeignFiles.required, ForeignFiles.encodings,
        ForeignFiles.encodingsV2, ForeignFiles.codecGzip, ForeignFiles.codecZstd, ForeignFiles.codecLz4,
        ForeignFiles.types, ForeignFiles.legacyTypes, ForeignFiles.nested, ForeignFiles.duckdb, ForeignFiles.empty,
    ]

    /// Files of our own writer too, without checksums, which would hide the decoders.
    private static func files() throws -> [[UInt8]] {
        let batch = randomBatch(rows: 30, nulls: .some, isVaried: false, seed: 4)
        let options = ParquetOptions(pageChecksums: false, rowGroupRows: 20)
        return try foreign + [Parquet.encode([batch], options: options)]
    }

    /// Reads all that can be read of a file, each column alone.
    private func readAll(_ bytes: [UInt8]) throws {
        do {
            let file = try ParquetFile(bytes: bytes, name: "damaged.parquet", naiveTimestamps: .utc)
            _ = file.layout
            _ = file.rowGroups(mayContain: file.schema.fields.map { ColumnRange($0.name, from: .int64(0)) })
            for field in file.schema.fields {
                do {
                    _ = try file.read(columns: [field.name])
                } catch {
                    #expect(error.file == "damaged.parquet")
                    #expect(error.detail.contains("column '\(field.name)'"))
                }
            }
        } catch let error as MalformedFile {
            #expect(error.file == "damaged.parquet")
        }
    }

    @Test func everyTruncationThrows() throws {
        for bytes in [ForeignFiles.required, ForeignFiles.codecZstd, ForeignFiles.empty, ForeignFiles.duckdb] {
            for length in 0..<bytes.count {
                #expect(throws: MalformedFile.self) {
                    try ParquetFile(bytes: Array(bytes[..<length]), name: "damaged.parquet")
                }
            }
        }
    }

    @Test func damageThrowsAndNeverTraps() throws {
        let files = try Self.files()
        let cases = ProcessInfo.processInfo.environment["LOCKSTEP_FUZZ_CASES"].flatMap { Int($0) } ?? 2_500
        var random = SeededGenerator(seed: 77)
        for round in 0..<cases {
            var bytes = files[round % files.count]
            // A third of the cases spare the pages, and a third the footer.
            let footer = bytes.count - 8 - Int(bytes[bytes.count - 8]) - Int(bytes[bytes.count - 7]) << 8
            let places =
                switch round / files.count % 3 {
                case 0: 4..<bytes.count
                case 1: footer..<bytes.count
                default: 4..<max(footer, 5)
                }
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let place = Int.random(in: places, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] ^= 1 << UInt8(random.next() % 8)
                case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF][Int(random.next() % 6)]
                default: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                }
            }
            try readAll(bytes)
        }
    }

    /// A page's bytes cut, repeated or moved, with its sizes made to fit, get past the checks of sizes.
    @Test func decodersHoldAgainstAnyBytes() throws {
        var random = SeededGenerator(seed: 78)
        let encodings: [(ParquetType, ParquetEncoding)] = [
            (.int32, .plain), (.int64, .deltaBinaryPacked), (.int32, .deltaBinaryPacked),
            (.byteArray, .plain), (.byteArray, .deltaLengthByteArray), (.byteArray, .deltaByteArray),
            (.fixedLengthByteArray, .deltaByteArray), (.double, .byteStreamSplit), (.boolean, .rle),
            (.boolean, .plain), (.byteArray, .rleDictionary), (.int64, .rleDictionary), (.int96, .plain),
        ]
        for round in 0..<1_500 {
            let (type, encoding) = encodings[round % encodings.count]
            let rows = Int.random(in: 0..<70, using: &random)
            var assembly = ParquetAssembly(type, rowCount: rows, repetition: round % 2 == 0 ? .required : .optional)
            assembly.length = type == .fixedLengthByteArray ? 3 : nil
            if encoding == .rleDictionary {
                let count = Int.random(in: 0..<5, using: &random)
                let entry = type == .int64 ? plain([7] as [Int64]) : plain([1] as [UInt32]) + [65]
                assembly.append(.dictionary, .plain, count: count, (0..<count).flatMap { _ in entry })
            }
            let size = Int.random(in: 0..<60, using: &random)
            // Small numbers are more often legal.
            let body = (0..<size).map { _ in
                let byte = UInt8(truncatingIfNeeded: random.next())
                return byte % 3 == 0 ? byte : byte % 9
            }
            assembly.append(
                .data,
                encoding,
                count: rows,
                round % 4 < 2 ? body : plain([2] as [UInt32]) + [UInt8(rows << 1), 1] + body
            )
            try readAll(assembly.bytes)
        }
    }
}
