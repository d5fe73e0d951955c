import Columns

/// A function of one value that the caller brings, called as `name(x, argument)`: `bin(wind_speed, wind_bins)`.
///
/// The argument is a name or a string literal that picks the function while the expression is planned; at run time it
/// takes no part. The planner converts the first operand to `input` as it does for its own functions (int64 and float32
/// widen to float64), and the result is int64.
///
/// Two functions are equal when all but their code is: `identity` has to tell apart what computes different values, for
/// example by the digest of fitted edges. It is part of an expression's canonical bytes.
public struct ExternalFunction: Sendable {
    /// The name it is called by.
    public let name: String
    /// The second argument that picks it, as written: `wind_bins` or `'wind_bins@3'`.
    public let argument: String
    public let input: DataType
    public let identity: [UInt8]
    let evaluate: @Sendable (Column) -> Column

    /// - Parameter evaluate: Called once for each batch with a column of `input`; nulls stand for null and for undefined
    ///   rows alike.
    /// - Precondition: `evaluate` gives an int64 column with one row for each row it is given, and a row's result depends
    ///   on that row alone.
    public init(
        name: String,
        argument: String,
        input: DataType,
        identity: [UInt8],
        evaluate: @escaping @Sendable (Column) -> Column
    ) {
        self.name = name
        self.argument = argument
        self.input = input
        self.identity = identity
        self.evaluate = evaluate
    }
}

extension ExternalFunction: Hashable {
    public static func == (left: ExternalFunction, right: ExternalFunction) -> Bool {
        left.name == right.name && left.argument == right.argument && left.input == right.input
            && left.identity == right.identity
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(argument)
        hasher.combine(identity)
    }
}

extension Kernel {
    /// A row without a value stays without, whatever the function says of null.
    func external(_ function: ExternalFunction, _ operand: Vector) -> Vector {
        let count = operand.isConstant ? 1 : rows
        let input = operand.column(function.input, rows: count)
        let output = function.evaluate(input)
        precondition(
            output.type == .int64 && output.count == count,
            "\(function.name)(…, \(function.argument)) gave \(output.count) rows of \(output.type) for \(count) rows"
        )
        var result = Vector(output)
        if let valid = operand.validMask(count) {
            result.validity.valid = result.validity.valid.map { Masks.and($0, valid) } ?? valid
        }
        result.validity.invalid = operand.invalidMask(count)
        result.isConstant = operand.isConstant
        return result
    }
}
