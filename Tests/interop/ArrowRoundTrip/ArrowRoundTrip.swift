import CArrow
import Columns
import Formats

// What a program in another language calls to pass Arrow data through Lockstep's columns and get it back. Each function
// takes over what it is given, fills in what it gives, and returns nil or the text of an error, which the caller frees.

private func text(_ error: any Error) -> UnsafeMutablePointer<CChar> {
    let bytes = Array("\(error)".utf8) + [0]
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (place, byte) in bytes.enumerated() { text[place] = CChar(bitPattern: byte) }
    return text
}

@_cdecl("lockstep_free_text")
public func freeText(_ text: UnsafeMutablePointer<CChar>) { text.deallocate() }

@_cdecl("lockstep_round_trip_batch")
public func roundTripBatch(
    _ array: UnsafeMutableRawPointer,
    _ schema: UnsafeMutableRawPointer,
    _ arrayOut: UnsafeMutableRawPointer,
    _ schemaOut: UnsafeMutableRawPointer
) -> UnsafeMutablePointer<CChar>? {
    do {
        let batch = try ArrowC.importBatch(
            array.assumingMemoryBound(to: ArrowArray.self),
            schema.assumingMemoryBound(to: ArrowSchema.self),
            naiveTimestamps: .utc
        )
        ArrowC.export(
            batch,
            arrayOut.assumingMemoryBound(to: ArrowArray.self),
            schemaOut.assumingMemoryBound(to: ArrowSchema.self)
        )
        return nil
    } catch {
        return text(error)
    }
}

@_cdecl("lockstep_round_trip_column")
public func roundTripColumn(
    _ array: UnsafeMutableRawPointer,
    _ schema: UnsafeMutableRawPointer,
    _ arrayOut: UnsafeMutableRawPointer,
    _ schemaOut: UnsafeMutableRawPointer
) -> UnsafeMutablePointer<CChar>? {
    do {
        let column = try ArrowC.importColumn(
            array.assumingMemoryBound(to: ArrowArray.self),
            schema.assumingMemoryBound(to: ArrowSchema.self),
            naiveTimestamps: .utc
        )
        ArrowC.export(
            column,
            named: "column",
            arrayOut.assumingMemoryBound(to: ArrowArray.self),
            schemaOut.assumingMemoryBound(to: ArrowSchema.self)
        )
        return nil
    } catch {
        return text(error)
    }
}

/// Gives the stream's rows back twice, as two batches; after `failAfter` batches the stream fails.
@_cdecl("lockstep_round_trip_stream")
public func roundTripStream(
    _ stream: UnsafeMutableRawPointer,
    _ streamOut: UnsafeMutableRawPointer,
    _ failAfter: Int
) -> UnsafeMutablePointer<CChar>? {
    struct Failure: Error, CustomStringConvertible {
        var description: String { "the stream was told to fail" }
    }
    do {
        let batch = try ArrowC.importStream(
            stream.assumingMemoryBound(to: ArrowArrayStream.self),
            naiveTimestamps: .utc
        )
        var given = 0
        ArrowC.export(batch.schema, streamOut.assumingMemoryBound(to: ArrowArrayStream.self)) {
            if given == failAfter { throw Failure() }
            given += 1
            return given <= 2 ? batch : nil
        }
        return nil
    } catch {
        return text(error)
    }
}
