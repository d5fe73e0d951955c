import CArrow
import Columns

/// The Arrow C data interface and C stream interface: tables to and from other libraries in the same process.
///
/// Exported types are those that `ArrowWriter` writes. Values are copied once, in either direction: the address of a
/// Swift array's elements holds only while a call borrows it, so that it cannot be given away.
///
/// https://arrow.apache.org/docs/format/CDataInterface.html
public enum ArrowC {
    /// Fills in the structures with a record batch, as a struct array.
    ///
    /// What the structures held before is not released. The consumer releases both, in any order and from any thread,
    /// and may move them and the columns inside them.
    ///
    /// - Complexity: O(bytes): one copy of the values, in one allocation.
    public static func export(
        _ batch: RecordBatch,
        _ array: UnsafeMutablePointer<ArrowArray>,
        _ schema: UnsafeMutablePointer<ArrowSchema>
    ) {
        export(batch.schema, schema)
        export(batch, array)
    }

    /// Fills in the structures with one column.
    public static func export(
        _ column: Column,
        named name: String,
        _ array: UnsafeMutablePointer<ArrowArray>,
        _ schema: UnsafeMutablePointer<ArrowSchema>
    ) {
        schema.initialize(to: ArrowCSchema.field(name, column.type))
        let body = ArrowBodyWriter([column])
        var place = ArrowCArray.Place()
        array.initialize(to: ArrowCArray.column(column.type, body, &place))
    }

    /// Fills in a stream of the batches that `next` gives, until it gives `nil`.
    ///
    /// What `next` throws reaches the consumer as an error of the stream. The consumer releases the stream.
    ///
    /// - Precondition: the batches have the schema.
    public static func export(
        _ schema: Schema,
        _ stream: UnsafeMutablePointer<ArrowArrayStream>,
        next: @escaping () throws -> RecordBatch?
    ) {
        stream.initialize(to: ArrowCStream.stream(schema, next))
    }

    static func export(_ schema: Schema, _ target: UnsafeMutablePointer<ArrowSchema>) {
        target.initialize(to: ArrowCSchema.table(schema))
    }

    static func export(_ batch: RecordBatch, _ target: UnsafeMutablePointer<ArrowArray>) {
        target.initialize(to: ArrowCArray.table(batch, ArrowBodyWriter(batch.columns)))
    }
}
