import Columns

/// The typed tree as straight-line steps over vectors, equal subtrees computed once.
///
/// Every step computes all rows: an undefined row is a bit, not a trap, so that a branch not taken costs time and nothing
/// else. Steps that depend on literals only are computed when the plan is made.
struct Plan: Sendable {
    private struct Step: Sendable {
        let operation: Operation
        let type: ValueType
        let operands: [Int]
        let operandTypes: [ValueType]
        /// The value, where it does not depend on the batch.
        var constant: Vector?
        /// Steps whose values nobody reads after this one.
        var released: [Int] = []
    }

    private struct Key: Hashable {
        let operation: Operation
        let type: ValueType
        let operands: [Int]
    }

    private var steps: [Step] = []
    private let type: DataType
    let inputs: [(name: String, type: DataType)]

    /// - Precondition: the root is of a column's type.
    init(_ root: TypedNode) {
        guard case .data(let type) = root.type else { preconditionFailure("the root has no column type") }
        self.type = type
        var known: [Key: Int] = [:]
        var steps: [Step] = []
        _ = Self.lower(root, &steps, &known)
        var lastUse = [Int](repeating: steps.count - 1, count: steps.count)
        for (index, step) in steps.enumerated() {
            for operand in step.operands { lastUse[operand] = index }
        }
        for index in steps.indices where index < steps.count - 1 { steps[lastUse[index]].released.append(index) }
        self.steps = steps
        inputs = steps.compactMap { step in
            if case .column(let name) = step.operation, case .data(let type) = step.type { (name, type) } else { nil }
        }.sorted { $0.name < $1.name }
    }

    private static func lower(_ node: TypedNode, _ steps: inout [Step], _ known: inout [Key: Int]) -> Int {
        let operands = node.operands.map { lower($0, &steps, &known) }
        let key = Key(operation: node.operation, type: node.type, operands: operands)
        if let index = known[key] { return index }
        var step = Step(
            operation: node.operation,
            type: node.type,
            operands: operands,
            operandTypes: node.operands.map(\.type)
        )
        switch node.operation {
        case .column: break
        case .constant(let constant): step.constant = Vector(constant, node.type)
        default:
            let constants = operands.compactMap { steps[$0].constant }
            if constants.count == operands.count {
                var value = Kernel(step.operation, step.type, step.operandTypes, rows: 1).evaluate(constants)
                value.isConstant = true
                step.constant = value
            }
        }
        steps.append(step)
        known[key] = steps.count - 1
        return steps.count - 1
    }

    func evaluate(_ batch: RecordBatch) -> Evaluation {
        let rows = batch.rowCount
        var values = [Vector?](repeating: nil, count: steps.count)
        for (index, step) in steps.enumerated() {
            if let constant = step.constant {
                values[index] = constant
            } else if case .column(let name) = step.operation {
                guard let column = batch[name], .data(column.type) == step.type else {
                    preconditionFailure("the batch has no column '\(name)' of type \(step.type)")
                }
                if steps.count == 1 { return Evaluation(column: column, invalid: nil) }
                values[index] = Vector(column)
            } else {
                let operands = step.operands.compactMap { values[$0] }
                values[index] = Kernel(step.operation, step.type, step.operandTypes, rows: rows).evaluate(operands)
                for released in step.released { values[released] = nil }
            }
        }
        guard let last = values.last, let result = last else { preconditionFailure("a plan has at least one step") }
        var invalid: Bitmap?
        if let mask = result.invalidMask(rows), Masks.count(mask, rows: rows) > 0 {
            invalid = Bitmap(words: mask, count: rows)
        }
        return Evaluation(column: result.column(type, rows: rows), invalid: invalid)
    }
}
