import Columns

/// How one top-level field of an Arrow schema is read: the one mapping of types, for files, streams and C data.
enum ArrowReading {
    case decoded(ArrowDecoding)
    /// The reason the column cannot be read.
    case refused(String)
}

/// A field and what its values become.
struct ArrowDecoding: Sendable {
    enum Target: Hashable, Sendable {
        case type(DataType)
        /// A vector as long as the first list that has elements.
        case measuredVector
    }

    let field: ArrowField
    let target: Target
    /// What the field's timestamps mean if they name no time zone.
    let naive: NaiveTimestamps.Rule

    static let uuidExtension = "arrow.uuid"

    /// How the entries of the field's dictionary are read.
    var entries: ArrowDecoding {
        var field = field
        field.dictionary = nil
        return ArrowDecoding(field: field, target: target, naive: naive)
    }
}

extension ArrowReading {
    /// - Parameter requested: the type asked for; `nil` for the one that follows from the field's.
    init(_ field: ArrowField, requested: DataType?, naive: NaiveTimestamps.Rule) {
        do throws(Refusal) {
            let (target, others) = try Self.targets(field, naive)
            guard let requested, target != .type(requested) else {
                self = .decoded(ArrowDecoding(field: field, target: target, naive: naive))
                return
            }
            if case .vector = requested, target == .measuredVector || field.type == .null {
                self = .decoded(ArrowDecoding(field: field, target: .type(requested), naive: naive))
                return
            }
            guard others.contains(requested) else {
                throw Refusal("its type is \(field.typeText), which cannot be read as \(requested)")
            }
            self = .decoded(ArrowDecoding(field: field, target: .type(requested), naive: naive))
        } catch {
            self = .refused(error.reason)
        }
    }

    private struct Refusal: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    /// What a field becomes, and what else it can become on request.
    private static func targets(
        _ field: ArrowField,
        _ naive: NaiveTimestamps.Rule
    ) throws(Refusal) -> (ArrowDecoding.Target, others: [DataType]) {
        func refuseNaive() throws(Refusal) {
            if naive == .refuse {
                throw Refusal(
                    "its type is \(field.typeText), without a time zone; write it as UTC, or declare a time zone"
                )
            }
        }
        switch field.type {
        case .null:
            return (.type(.string), [.bool, .int64, .float32, .float64, .bytes, .timestamp])
        case .bool: return (.type(.bool), [])
        // Every 32-bit integer is a double; a 64-bit one need not be.
        case .int(let bits, _): return (.type(.int64), bits <= 32 ? [.float64] : [])
        case .float(bits: 64): return (.type(.float64), [])
        case .float: return (.type(.float32), [.float64])
        case .utf8, .utf8View: return (.type(.string), [.bytes])
        case .fixedSizeBinary(width: 16) where field.extensionName == ArrowDecoding.uuidExtension:
            return (.type(.string), [.bytes])
        case .binary, .binaryView, .fixedSizeBinary: return (.type(.bytes), [.string])
        case .timestamp(_, let zone):
            if zone == nil { try refuseNaive() }
            return (.type(.timestamp), [])
        case .date:
            try refuseNaive()
            return (.type(.timestamp), [])
        case .time, .duration: return (.type(.int64), [])
        case .decimal(let precision, let scale, _):
            guard abs(scale) <= 1_024 else { throw Refusal("its type is \(field.typeText), which is not read") }
            if scale == 0, precision <= 18 { return (.type(.int64), [.string, .float64]) }
            return (.type(.string), scale == 0 ? [.int64, .float64] : [.float64])
        case .fixedSizeList(let count):
            try checkElements(field)
            guard (1...DataType.maximumDimension).contains(count) else {
                throw Refusal("its vectors have \(count) elements, and may have 1 to \(DataType.maximumDimension)")
            }
            return (.type(.vector(dimension: count)), [])
        case .list:
            try checkElements(field)
            return (.measuredVector, [])
        case .interval, .listView, .structure, .map, .union, .runEndEncoded:
            throw Refusal("its type is \(field.typeText), which is not read")
        }
    }

    private static func checkElements(_ field: ArrowField) throws(Refusal) {
        guard let element = field.children.first, element.type == .float(bits: 32), element.dictionary == nil else {
            throw Refusal(
                "its type is \(field.typeText); only lists of float can be read, as vectors; cast its elements"
            )
        }
    }
}
