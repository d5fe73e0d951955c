/// Collects the rows of a column whose type is known only at run time.
///
/// For control paths: formats and kernels that know the type fill typed storage directly.
public struct ColumnBuilder: Sendable {
    public let type: DataType
    private var bools: [Bool] = []
    private var integers: [Int64] = []
    private var floats: [Float] = []
    private var doubles: [Double] = []
    private var binary = BinaryBuilder()
    private var validity = ValidityBuilder()

    public init(_ type: DataType) { self.type = type }

    public var count: Int {
        switch type {
        case .string, .bytes: binary.count
        default: validity.count
        }
    }

    public mutating func appendNull() {
        switch type {
        case .bool: bools.append(false)
        case .int64, .timestamp: integers.append(0)
        case .float32: floats.append(0)
        case .float64: doubles.append(0)
        case .string, .bytes:
            binary.appendNull()
            return
        case .vector(let dimension): floats.append(contentsOf: repeatElement(0, count: dimension))
        }
        validity.append(false)
    }

    /// Appends a value.
    ///
    /// - Precondition: the value is null or of the builder's type.
    public mutating func append(_ value: Scalar) {
        switch (value, type) {
        case (.null, _):
            appendNull()
            return
        case (.bool(let value), .bool): bools.append(value)
        case (.int64(let value), .int64), (.timestamp(let value), .timestamp): integers.append(value)
        case (.float32(let value), .float32): floats.append(value)
        case (.float64(let value), .float64): doubles.append(value)
        case (.string(let value), .string):
            binary.append(value.utf8)
            return
        case (.bytes(let value), .bytes):
            binary.append(value)
            return
        case (.vector(let elements), .vector(let dimension)) where elements.count == dimension:
            floats.append(contentsOf: elements)
        default: preconditionFailure("a \(value) does not belong in a column of type \(type)")
        }
        validity.append(true)
    }

    public func finish() -> Column {
        switch type {
        case .bool: .bool(PrimitiveColumn(bools, validity: validity.finish()))
        case .int64: .int64(PrimitiveColumn(integers, validity: validity.finish()))
        case .float32: .float32(PrimitiveColumn(floats, validity: validity.finish()))
        case .float64: .float64(PrimitiveColumn(doubles, validity: validity.finish()))
        case .string: .string(binary.finish())
        case .bytes: .bytes(binary.finish())
        case .timestamp: .timestamp(PrimitiveColumn(integers, validity: validity.finish()))
        case .vector(let dimension):
            .vector(VectorColumn(dimension: dimension, values: floats, validity: validity.finish()))
        }
    }
}

extension Column {
    /// A column of the given values.
    ///
    /// - Precondition: each value is null or of type `type`.
    public init(_ type: DataType, _ values: [Scalar]) {
        var builder = ColumnBuilder(type)
        for value in values { builder.append(value) }
        self = builder.finish()
    }
}
