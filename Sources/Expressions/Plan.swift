import Columns

/// The typed tree as straight-line steps over vectors, equal subtrees computed once.
///
/// An undefined row is a bit, not a trap, so a step may compute all rows, and the cheap ones do: a branch not taken costs
/// time and nothing else. Functions that cost much more than a load are computed where a branch of `case` or `coalesce`
/// reads them (measured on `case when a > 0.5 then ln(1 + b) / nullif(c, 0) else coalesce(a, b) * 2 end`: leaving the
/// unread half of the logarithms out saves a third of the whole, gathering the rows of every step instead costs more than
/// it saves). Steps that depend on literals only are computed when the plan is made.
struct Plan: Sendable {
    private struct Step: Sendable {
        let operation: Operation
        let type: ValueType
        let operands: [Int]
        let operandTypes: [ValueType]
        /// The value, where it does not depend on the batch.
        var constant: Vector?
        /// A long list of literals that the one operand is looked up in, instead of the operation.
        var membership: Membership?
        /// The rows that are read, where not all are and it pays to know.
        var guardian: Int?
        /// Steps whose values nobody reads after this one.
        var released: [Int] = []
    }

    /// Rows that one operand of a `case` or `coalesce` is read for.
    private struct Guardian: Hashable {
        /// The step that reads.
        let reader: Int
        let operand: Int
        /// Which rows the reader is read for.
        let outer: Int?
    }

    private struct Key: Hashable {
        let operation: Operation
        let type: ValueType
        let operands: [Int]
    }

    private var steps: [Step] = []
    private var guardians: [Guardian] = []
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
        guardians = Self.guarded(&steps)
        self.steps = steps
        inputs = steps.compactMap { step in
            if case .column(let name) = step.operation, case .data(let type) = step.type { (name, type) } else { nil }
        }.sorted { $0.name < $1.name }
    }

    private static func lower(_ node: TypedNode, _ steps: inout [Step], _ known: inout [Key: Int]) -> Int {
        if case .window(let window) = node.operation {
            return lower(TypedNode(.column(window.column), node.type), &steps, &known)
        }
        if let (value, membership) = membership(node) {
            let operand = lower(value, &steps, &known)
            var step = Step(operation: node.operation, type: .bool, operands: [operand], operandTypes: [value.type])
            step.membership = membership
            steps.append(step)
            return steps.count - 1
        }
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

    /// A disjunction that compares one value with many literals, as `in` is read.
    private static func membership(_ node: TypedNode) -> (TypedNode, Membership)? {
        guard case .apply(.or) = node.operation, node.operands.count >= Membership.minimum,
            let value = node.operands[0].operands.first, !value.isLiteral
        else { return nil }
        var items: [Vector] = []
        items.reserveCapacity(node.operands.count)
        for operand in node.operands {
            guard case .apply(.equal) = operand.operation, operand.operands[1].isLiteral, operand.operands[0] == value
            else { return nil }
            var steps: [Step] = []
            var known: [Key: Int] = [:]
            _ = lower(operand.operands[1], &steps, &known)
            guard let item = steps.last?.constant else { return nil }
            items.append(item)
        }
        return Membership(items).map { (value, $0) }
    }

    /// Finds for each costly step the rows it is read for.
    private static func guarded(_ steps: inout [Step]) -> [Guardian] {
        var guardians: [Guardian] = []
        var known: [Guardian: Int] = [:]
        // What each step is read for: absent until a reader is seen, then one guardian or, as `nil`, all rows.
        var reads = [Int??](repeating: nil, count: steps.count)
        if let last = steps.indices.last { reads[last] = .some(nil) }
        for index in steps.indices.reversed() {
            let step = steps[index]
            let own = reads[index] ?? nil
            if step.operation.isCostly { steps[index].guardian = own }
            for (place, operand) in step.operands.enumerated() {
                var read = own
                if step.membership == nil, step.operation.isConditional(place, of: step.operands.count) {
                    let guardian = Guardian(reader: index, operand: place, outer: own)
                    let number = known[guardian] ?? guardians.count
                    if number == guardians.count {
                        guardians.append(guardian)
                        known[guardian] = number
                    }
                    read = number
                }
                if let other = reads[operand], other != read { read = nil }
                reads[operand] = .some(read)
            }
        }
        return guardians
    }

    func evaluate(_ batch: RecordBatch) -> Evaluation {
        let rows = batch.rowCount
        var values = [Vector?](repeating: nil, count: steps.count)
        var masks: [Int: Mask] = [:]
        for (index, step) in steps.enumerated() {
            if let constant = step.constant {
                values[index] = constant
            } else if case .column(let name) = step.operation {
                guard let column = batch[name], .data(column.type) == step.type else {
                    preconditionFailure("the batch has no column '\(name)' of type \(step.type)")
                }
                if steps.count == 1 { return Evaluation(column: column, invalid: nil) }
                values[index] = Vector(column)
            } else if let membership = step.membership {
                values[index] = values[step.operands[0]].map { membership.contains($0, rows: rows) }
                for released in step.released { values[released] = nil }
            } else {
                let operands = step.operands.compactMap { values[$0] }
                let needed = step.guardian.map { mask($0, values, &masks, rows) }
                let kernel = Kernel(step.operation, step.type, step.operandTypes, rows: rows, needed: needed)
                values[index] = kernel.evaluate(operands)
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

    /// The rows a guardian stands for.
    ///
    /// The operands it asks come before the one it guards, so they are computed.
    private func mask(_ number: Int, _ values: [Vector?], _ masks: inout [Int: Mask], _ rows: Int) -> Mask {
        if let mask = masks[number] { return mask }
        let guardian = guardians[number]
        let reader = steps[guardian.reader]
        var result = guardian.outer.map { mask($0, values, &masks, rows) } ?? Masks.all(true, rows: rows)
        func operand(_ place: Int) -> Vector {
            guard let value = values[reader.operands[place]] else { preconditionFailure("a step is out of order") }
            return value
        }
        if case .apply(.coalesce) = reader.operation {
            for place in 0..<guardian.operand {
                if let valid = operand(place).validMask(rows) {
                    result = Masks.andNot(result, valid)
                } else {
                    result = Masks.all(false, rows: rows)
                }
            }
        } else {
            let isLast = guardian.operand == reader.operands.count - 1
            for place in stride(from: 0, through: isLast ? guardian.operand - 2 : guardian.operand - 1, by: 2) {
                let condition = operand(place)
                let bits = condition.bits(rows)
                let isTrue = condition.validMask(rows).map { Masks.and(bits, $0) } ?? bits
                result = place == guardian.operand - 1 ? Masks.and(result, isTrue) : Masks.andNot(result, isTrue)
            }
        }
        masks[number] = result
        return result
    }
}

extension TypedNode {
    /// Whether no column is read.
    fileprivate var isLiteral: Bool {
        switch operation {
        case .column, .window: return false
        default: break
        }
        return operands.allSatisfy(\.isLiteral)
    }
}

extension Operation {
    /// Whether leaving rows out is worth a look at their bits.
    fileprivate var isCostly: Bool {
        guard case .apply(let function) = self else { return false }
        return switch function {
        case .exponential, .naturalLogarithm, .naturalLogarithmOnePlus, .decimalLogarithm, .cubeRoot, .sine, .cosine,
            .tangent, .cotangent, .arcSine, .arcCosine, .arcTangent, .hyperbolicSine, .hyperbolicCosine,
            .hyperbolicTangent, .areaHyperbolicSine, .areaHyperbolicCosine, .areaHyperbolicTangent:
            true
        // Computed everywhere, but only the rows that are read are asked whether they failed.
        case .add, .subtract, .multiply, .divide: true
        default: false
        }
    }

    /// Whether an operand is read for some rows only: a result of `case`, or what stands behind the first of `coalesce`.
    fileprivate func isConditional(_ place: Int, of count: Int) -> Bool {
        switch self {
        case .apply(.choose): place == count - 1 || place % 2 == 1
        case .apply(.coalesce): place > 0
        default: false
        }
    }
}
