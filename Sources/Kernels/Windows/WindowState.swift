import Columns

/// What is kept of some rows so that an aggregate over them and others can be finished later: a tile of a window.
///
/// States of disjoint sets of rows merge in any order and grouping, and finish to the same bits as the batch kernel
/// gives for all the rows at once: both end in the same exact numbers and the same rounding. States of the same rows
/// are equal, and encode to equal bytes.
///
/// A state is small (a sum at most some 320 bytes, moments some 880), but for `countDistinct` and `quantile`, which keep
/// every different value once.
public struct WindowState: Hashable, Sendable {
    public let function: WindowFunction
    /// The type of the column; `nil` for `countRows`.
    public let type: DataType?
    var content: Content

    enum Content: Hashable, Sendable {
        case count(Int)
        case sum(ExactSum)
        case moments(ExactMoments)
        case extremum(WindowValue?)
        case end(WindowEnd?)
        /// How often each value occurs; always once for `countDistinct`.
        case values([WindowValue: Int])
    }

    /// The state of no rows.
    ///
    /// - Throws: where the function is not defined on the type, or a fraction is out of range.
    public init(_ function: WindowFunction, of type: DataType?) throws(WindowError) {
        guard function.resultType(of: type) != nil else { throw .undefined(function, type) }
        if case .quantile(let fraction) = function, !(0...1).contains(fraction) {
            throw .fractionOutOfRange(fraction)
        }
        self.function = function
        self.type = type
        self.content =
            switch function {
            case .countRows, .count: .count(0)
            case .sum, .average: .sum(ExactSum())
            case .standardDeviation: .moments(ExactMoments())
            case .minimum, .maximum: .extremum(nil)
            case .first, .last: .end(nil)
            case .countDistinct, .quantile: .values([:])
            }
    }

    /// Adds a row.
    ///
    /// Rows at equal times need different sequences: a tie of all three goes to the row added later.
    ///
    /// - Parameter value: the row's value in the column; anything for `countRows`.
    /// - Precondition: the value is null or of the state's type.
    public mutating func add(_ value: Scalar, eventTime: Int64, knownTime: Int64, sequence: Int64) {
        precondition(type == nil || value.isNull || value.type == type, "\(value) was added to a state of \(self)")
        switch function {
        case .countRows, .first, .last: break
        default: if value.isNull { return }
        }
        let old = content
        // Held twice, sums and values would be copied by the addition.
        content = .count(0)
        switch old {
        case .count(let count): content = .count(count + 1)
        case .sum(var sum):
            switch value {
            case .int64(let value): sum.add(value)
            case .float32(let value): sum.add(Double(value))
            case .float64(let value): sum.add(value)
            default: break
            }
            content = .sum(sum)
        case .moments(var moments):
            switch value {
            case .int64(let value): moments.add(value)
            case .float32(let value): moments.add(Double(value))
            case .float64(let value): moments.add(value)
            default: break
            }
            content = .moments(moments)
        case .extremum(let extremum): content = .extremum(furthest(extremum, WindowValue(value)))
        case .end(let end):
            let row = WindowEnd(eventTime: eventTime, knownTime: knownTime, sequence: sequence, value: value)
            content = .end(furthest(end, row))
        case .values(var values):
            values[WindowValue(value), default: 0] +=
                function == .countDistinct && values[WindowValue(value)] != nil ? 0 : 1
            content = .values(values)
        }
    }

    /// Adds the rows of another state, none of which may be in this one.
    ///
    /// - Throws: where the states are of different functions or types; this one is unchanged then.
    public mutating func merge(_ other: WindowState) throws(WindowError) {
        guard function == other.function, type == other.type else {
            throw .unequalStates(description, other.description)
        }
        let old = content
        content = .count(0)
        switch (old, other.content) {
        case (.count(let left), .count(let right)): content = .count(left + right)
        case (.sum(var sum), .sum(let right)):
            sum.merge(right)
            content = .sum(sum)
        case (.moments(var moments), .moments(let right)):
            moments.merge(right)
            content = .moments(moments)
        case (.extremum(let left), .extremum(let right)): content = .extremum(furthest(left, right))
        case (.end(let left), .end(let right)): content = .end(furthest(left, right))
        case (.values(var values), .values(let right)):
            values.merge(right) { function == .countDistinct ? 1 : $0 + $1 }
            content = .values(values)
        default: preconditionFailure("two states of \(self) have different contents")
        }
    }

    private func furthest(_ left: WindowValue?, _ right: WindowValue?) -> WindowValue? {
        guard let left, let right else { return left ?? right }
        return (function == .minimum) == (right < left) ? right : left
    }

    private func furthest(_ left: WindowEnd?, _ right: WindowEnd?) -> WindowEnd? {
        guard let left, let right else { return left ?? right }
        return (function == .first) == (right.place < left.place) ? right : left
    }

    /// The aggregate of the rows added so far, and whether it is undefined, and so null, where PostgreSQL raises.
    public func finish() -> (value: Scalar, isInvalid: Bool) {
        switch content {
        case .count(let count): return (.int64(Int64(count)), false)
        case .sum(let sum):
            if sum.count == 0 { return (.null, false) }
            if function == .average { return (sum.mean.map(Scalar.float64) ?? .null, false) }
            if type == .int64 { return (sum.integer.map(Scalar.int64) ?? .null, sum.integer == nil) }
            return (sum.value.map(Scalar.float64) ?? .null, sum.value == nil)
        case .moments(let moments):
            guard let deviation = moments.standardDeviation else { return (.null, false) }
            return deviation == .infinity ? (.null, true) : (.float64(deviation), false)
        case .extremum(let extremum): return (extremum?.scalar(type) ?? .null, false)
        case .end(let end): return (end?.value ?? .null, false)
        case .values(let values):
            guard case .quantile(let fraction) = function else { return (.int64(Int64(values.count)), false) }
            var entry = entryOfQuantile(fraction, count: values.values.reduce(0, +))
            for (value, count) in values.sorted(by: { $0.key < $1.key }) {
                entry -= count
                if entry <= 0 { return (value.scalar(type), false) }
            }
            return (.null, false)
        }
    }
}

extension WindowState: CustomStringConvertible {
    public var description: String { "\(function) of \(type.map(\.description) ?? "rows")" }
}

/// A value that compares: by its ordinal, or by its bytes.
enum WindowValue: Hashable, Comparable, Sendable {
    case ordinal(Int64)
    case bytes([UInt8])

    /// - Precondition: the value is neither null nor a vector.
    init(_ value: Scalar) {
        switch value {
        case .bool(let value): self = .ordinal(value ? 1 : 0)
        case .int64(let value), .timestamp(let value): self = .ordinal(value)
        case .float32(let value): self = .ordinal(Kernels.ordinal(Double(value)))
        case .float64(let value): self = .ordinal(Kernels.ordinal(value))
        case .string(let value): self = .bytes(Array(value.utf8))
        case .bytes(let value): self = .bytes(value)
        case .null, .vector: preconditionFailure("\(value) has no order")
        }
    }

    func scalar(_ type: DataType?) -> Scalar {
        switch (self, type) {
        case (.ordinal(let ordinal), .bool): .bool(ordinal != 0)
        case (.ordinal(let ordinal), .timestamp): .timestamp(ordinal)
        case (.ordinal(let ordinal), .float32): .float32(Float(double(ofOrdinal: ordinal)))
        case (.ordinal(let ordinal), .float64): .float64(double(ofOrdinal: ordinal))
        case (.ordinal(let ordinal), _): .int64(ordinal)
        case (.bytes(let bytes), .string): .string(String(decoding: bytes, as: UTF8.self))
        case (.bytes(let bytes), _): .bytes(bytes)
        }
    }

    static func < (left: WindowValue, right: WindowValue) -> Bool {
        switch (left, right) {
        case (.ordinal(let left), .ordinal(let right)): left < right
        case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
        case (.ordinal, .bytes): true
        case (.bytes, .ordinal): false
        }
    }
}

/// The first or last row: its place in the order of rows, and its value.
struct WindowEnd: Hashable, Sendable {
    let eventTime: Int64
    let knownTime: Int64
    let sequence: Int64
    let value: Scalar

    var place: (Int64, Int64, Int64) { (eventTime, knownTime, sequence) }

    static func == (left: WindowEnd, right: WindowEnd) -> Bool {
        left.place == right.place && left.value.isIdentical(to: right.value)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(eventTime)
        hasher.combine(knownTime)
        hasher.combine(sequence)
    }
}
