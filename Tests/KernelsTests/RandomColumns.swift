import Columns

let everyType: [DataType] = [
    .bool, .int64, .float32, .float64, .string, .bytes, .timestamp, .vector(dimension: 3),
]

let keyTypes: [DataType] = [.bool, .int64, .string, .bytes, .timestamp]

/// A random value from a small domain, so that columns are full of ties; about one in `nullOneIn` is null.
func randomScalar(_ type: DataType, nullOneIn: Int, using generator: inout SeededGenerator) -> Scalar {
    if nullOneIn > 0, Int.random(in: 0..<nullOneIn, using: &generator) == 0 { return .null }
    switch type {
    case .bool: return .bool(Bool.random(using: &generator))
    case .int64: return .int64([.min, -1, 0, 1, 23, .max].randomElement(using: &generator) ?? 0)
    case .timestamp: return .timestamp(Int64.random(in: -2...2, using: &generator))
    case .float32: return .float32([-1.5, 0, 2.25].randomElement(using: &generator) ?? 0)
    case .float64: return .float64([-1.5, 0, 2.25].randomElement(using: &generator) ?? 0)
    case .string: return .string(["", "a", "ab", "abc", "b", "bc", "köln"].randomElement(using: &generator) ?? "")
    case .bytes: return .bytes([[], [0], [0, 0], [255, 1]].randomElement(using: &generator) ?? [])
    case .vector(let dimension):
        return .vector((0..<dimension).map { _ in Float(Int.random(in: -2...2, using: &generator)) })
    }
}

func randomColumn(_ type: DataType, count: Int, nullOneIn: Int, using generator: inout SeededGenerator) -> Column {
    Column(type, (0..<count).map { _ in randomScalar(type, nullOneIn: nullOneIn, using: &generator) })
}
