import CArrow
import Columns
import Formats
import Testing

@Suite struct ArrowCTests {
    /// How often structures made by `counted` were released.
    private final class Count {
        var arrays = 0
        var schemas = 0
    }

    private func exported(_ batch: RecordBatch) -> (ArrowArray, ArrowSchema) {
        var (array, schema) = (ArrowArray(), ArrowSchema())
        ArrowC.export(batch, &array, &schema)
        return (array, schema)
    }

    @Test(arguments: NullPattern.allCases)
    func batchesAndColumnsComeBack(_ nulls: NullPattern) throws {
        for rows in [0, 1, 63, 64, 65, 200] {
            let batch = randomBatch(rows: rows, nulls: nulls, isVaried: true, seed: UInt64(rows))
            var (array, schema) = exported(batch)
            let found = try ArrowC.importBatch(&array, &schema)
            let fault = difference(found, batch)
            #expect(fault == nil)
            #expect(array.release == nil)
            #expect(schema.release == nil)
            for (field, column) in zip(batch.schema.fields, batch.columns) {
                ArrowC.export(column, named: field.name, &array, &schema)
                #expect(try ArrowC.importColumn(&array, &schema).validity == column.validity)
                #expect(array.release == nil)
                #expect(schema.release == nil)
            }
        }
    }

    @Test func whatIsExportedFollowsTheInterface() throws {
        let batch = RecordBatch([
            "s": Column(.string, [.string("ab"), .null, .string("c")]),
            "v": Column(.vector(dimension: 2), [.vector([1, 2]), .null, .vector([3, 4])]),
            "t": Column(.timestamp, [.timestamp(7), .timestamp(8), .timestamp(9)]),
        ])
        var (array, schema) = exported(batch)
        defer {
            array.release?(&array)
            schema.release?(&schema)
        }
        #expect(String(cString: schema.format) == "+s")
        let formats = (0..<3).compactMap { schema.children[$0].map { String(cString: $0.pointee.format) } }
        #expect(formats == ["U", "+w:2", "tsu:UTC"])
        #expect(schema.children[1]?.pointee.children[0].map { String(cString: $0.pointee.name) } == "item")
        #expect(schema.children[0]?.pointee.flags == Int64(ARROW_FLAG_NULLABLE))
        #expect(array.length == 3)
        #expect(array.n_buffers == 1)
        #expect(array.buffers[0] == nil)
        let text = try #require(array.children[0]?.pointee)
        #expect(text.null_count == 1)
        #expect(text.buffers[0]?.loadUnaligned(as: UInt8.self) == 0b101)
        let ends = try #require(text.buffers[1])
        #expect((0..<4).map { ends.load(fromByteOffset: 8 * $0, as: Int64.self) } == [0, 2, 2, 3])
        for place in 0..<3 {
            let column = try #require(array.children[place]?.pointee)
            for index in 0..<Int(column.n_buffers) {
                if let address = column.buffers[index] { #expect(Int(bitPattern: address) % 64 == 0) }
            }
        }
        // No column has a null, so no bitmap is given.
        #expect(array.children[2]?.pointee.buffers[0] == nil)
    }

    @Test func aColumnMovedOutOutlivesItsBatch() throws {
        let batch = RecordBatch([
            "x": Column(.int64, [.int64(1), .null]), "y": Column(.string, [.string("a"), .string("b")]),
        ])
        var (array, schema) = exported(batch)
        // The interface's way to move: copy the structure, and mark the original as released.
        var movedArray = try #require(array.children[1]?.pointee)
        array.children[1]?.pointee.release = nil
        var movedSchema = try #require(schema.children[1]?.pointee)
        schema.children[1]?.pointee.release = nil
        array.release(&array)
        schema.release(&schema)
        #expect(array.release == nil)
        #expect(try ArrowC.importColumn(&movedArray, &movedSchema) == batch["y"])
        #expect(movedArray.release == nil)
    }

    @Test func rowsBeforeAnOffsetAreLeftOut() throws {
        let batch = randomBatch(rows: 150, nulls: .some, isVaried: true, seed: 5)
        for (offset, length) in [(0, 10), (1, 149), (63, 65), (64, 1), (150, 0)] {
            let expected = batch.columns.map { column in
                Column(column.type, (offset..<offset + length).map { column[$0] })
            }
            // Once the batch starts late, once its columns do.
            var (array, schema) = exported(batch)
            (array.offset, array.length) = (Int64(offset), Int64(length))
            #expect(try ArrowC.importBatch(&array, &schema).columns.map(\.validity) == expected.map(\.validity))
            (array, schema) = exported(batch)
            array.length = Int64(length)
            for place in 0..<Int(array.n_children) {
                array.children[place]?.pointee.offset = Int64(offset)
                array.children[place]?.pointee.length = Int64(length)
                array.children[place]?.pointee.null_count = -1
            }
            let found = try ArrowC.importBatch(&array, &schema)
            let sliced = RecordBatch(schema: batch.schema, columns: expected, rowCount: length)
            let fault = difference(found, sliced)
            #expect(fault == nil)
        }
    }

    /// Structures whose release is counted, with the damage that `change` does.
    private func released(
        _ batch: RecordBatch,
        _ change: (inout ArrowArray, inout ArrowSchema) -> Void
    ) -> (Count, ArrowImportError?) {
        let count = Count()
        var inner = exported(batch)
        var (array, schema) = (inner.0, inner.1)
        array.private_data = Unmanaged.passUnretained(count).toOpaque()
        schema.private_data = Unmanaged.passUnretained(count).toOpaque()
        array.release = { array in
            guard let array, let data = array.pointee.private_data else { return }
            Unmanaged<Count>.fromOpaque(data).takeUnretainedValue().arrays += 1
            array.pointee.release = nil
        }
        schema.release = { schema in
            guard let schema, let data = schema.pointee.private_data else { return }
            Unmanaged<Count>.fromOpaque(data).takeUnretainedValue().schemas += 1
            schema.pointee.release = nil
        }
        change(&array, &schema)
        defer {
            inner.0.release?(&inner.0)
            inner.1.release?(&inner.1)
        }
        do throws(ArrowImportError) {
            _ = try ArrowC.importBatch(&array, &schema)
            return (count, nil)
        } catch {
            return (count, error)
        }
    }

    @Test func bothStructuresAreReleasedOnceAlsoOnErrors() throws {
        let batch = RecordBatch(["x": Column(.string, [.string("a"), .null])])
        let changes: [((inout ArrowArray, inout ArrowSchema) -> Void, String?)] = [
            ({ _, _ in }, nil),
            ({ array, _ in array.n_children = 2 }, "an array has 2 columns, its schema 1"),
            ({ array, _ in array.length = 3 }, "column 'x': a column of 2 rows in a batch of 3"),
            ({ array, _ in array.length = -1 }, "an array of -1 rows from 0, 0 null"),
            ({ array, _ in array.children[0]?.pointee.n_buffers = 2 }, "has 2 buffers"),
            ({ array, _ in array.children[0]?.pointee.null_count = 2 }, "1 rows are null, not 2 as it says"),
            ({ array, _ in array.children[0]?.pointee.buffers[2] = nil }, "buffer 2 of 1 bytes is missing"),
            ({ _, schema in schema.n_children = 0 }, "an array has 1 columns, its schema 0"),
        ]
        for (change, detail) in changes {
            let (count, error) = released(batch, change)
            #expect(count.arrays == 1)
            #expect(count.schemas == 1)
            #expect(detail == nil ? error == nil : error?.description.contains(detail ?? "") == true, "\(detail ?? "")")
        }
    }

    @Test func formatsThatAreNotReadAreNamed() throws {
        for (format, detail) in [
            ("+s", "its type is struct<>, which is not read"), ("tiM", "its type is interval, which is not read"),
            ("tsu:", "without a time zone"), ("?", "its format is '?', which is not known"), ("w:x", "its format is"),
            ("w:-1", "values of -1 bytes"), ("d:10,2,7", "a decimal of 7 bits"), ("+l", "it has 0 child fields"),
        ] {
            let batch = RecordBatch(["x": Column(.int64, [.int64(1)])])
            let error = format.withCString { text in
                released(batch) { _, schema in
                    schema.children[0]?.pointee.format = text
                }.1
            }
            #expect(error?.description.contains(detail) == true, "\(format): \(error?.description ?? "no error")")
        }
    }

    @Test func streamsComeBackAndTellTheirErrors() throws {
        struct Failure: Error, CustomStringConvertible {
            var description: String { "the disk is gone" }
        }
        final class Held {}
        let batch = randomBatch(rows: 40, nulls: .some, isVaried: true, seed: 6)
        var stream = ArrowArrayStream()
        weak var held: Held?
        func export(_ count: Int, failing: Bool) {
            let object = Held()
            held = object
            var given = 0
            ArrowC.export(batch.schema, &stream) {
                withExtendedLifetime(object) {}
                given += 1
                if given > count, failing { throw Failure() }
                return given > count ? nil : batch
            }
        }
        export(3, failing: false)
        #expect(held != nil)
        let names = batch.schema.fields.map(\.name)
        let found = try ArrowC.importStream(&stream, columns: names.reversed())
        #expect(found.rowCount == 120)
        #expect(found.schema.fields.map(\.name) == names.reversed())
        #expect((80..<120).allSatisfy { found.columns[8][$0].isIdentical(to: batch.columns[0][$0 - 80]) })
        #expect(stream.release == nil)
        #expect(held == nil)
        export(1, failing: true)
        let error = #expect(throws: ArrowImportError.self) { try ArrowC.importStream(&stream) }
        #expect(error?.description == "cannot import Arrow data: the stream reports: the disk is gone")
        #expect(held == nil)
        export(0, failing: false)
        #expect(try ArrowC.importStream(&stream).rowCount == 0)
        let again = #expect(throws: ArrowImportError.self) { try ArrowC.importStream(&stream) }
        #expect(again?.detail == "the stream is released already")
    }
}
