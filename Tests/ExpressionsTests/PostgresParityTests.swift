import Columns
import Expressions
import Testing

import class Foundation.ProcessInfo

/// The evaluator against PostgreSQL itself: random expressions over random rows, bit for bit.
///
/// Functions of the C library (`exp ln log sin cos tan power`) may differ by one unit in the last place. Where a row is
/// undefined PostgreSQL must raise, and the other way round; only beside `and`, `or` and what stands for them (see
/// `Expression`) may PostgreSQL raise for a row that has a value here.
@Suite struct PostgresParityTests {
    /// `LOCKSTEP_FUZZ_CASES=200000` compares that many expressions instead of a few thousand, each over 24 rows, and
    /// `LOCKSTEP_FUZZ_SEED` others.
    static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        let cases = environment["LOCKSTEP_FUZZ_CASES"].flatMap { UInt64($0) } ?? 5000
        let first = environment["LOCKSTEP_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
        return (0..<max((cases + 999) / 1000, 1)).map { first &+ $0 }
    }()

    @Test(arguments: seeds)
    func randomExpressionsAgree(seed: UInt64) throws {
        let oracle = try PostgresOracle.shared.get()
        let sample = Sample(seed: seed, rows: 24)
        let batch = sample.batch
        var generator = RandomExpressions(seed: seed)
        var cases: [(twin: Twin, kind: RandomExpressions.Kind)] = []
        for number in 0..<1000 {
            let kinds = RandomExpressions.Kind.ofColumns
            let kind = kinds[number % kinds.count]
            cases.append((generator.expression(kind, depth: 1 + number % 4), kind))
        }
        let questions = cases.map { "select pg_temp.ask($q$\($0.twin.theirs)$q$, '\($0.kind.rawValue)');" }
        let answers = try oracle.lines(([sample.script] + questions).joined(separator: "\n"))
        try #require(answers.count == cases.count)

        var compared = 0
        var undefined = 0
        var refused = 0
        for ((twin, kind), answer) in zip(cases, answers) {
            let expression: Expression
            do {
                expression = try Expression(twin.ours, schema: Sample.schema)
            } catch {
                refused += 1
                if !answer.hasPrefix("refused") {
                    Issue.record("PostgreSQL takes what we refuse:\n\(error)\n\(twin.theirs)")
                }
                continue
            }
            // Parentheses left out can change the type of the whole; the answer was then asked for as another one.
            if answer.hasPrefix("refused"), expression.type.description != kind.rawValue { continue }
            // The one cast that PostgreSQL does not have; parentheses left out can lead to it.
            if answer.hasPrefix("refused"), answer.contains("cannot cast type boolean to bigint") { continue }
            if answer.hasPrefix("refused") {
                Issue.record("PostgreSQL refuses what we take: \(twin.ours)\n\(answer)\n\(twin.theirs)")
                continue
            }
            let fields = answer.split(separator: "|", omittingEmptySubsequences: false)
            try #require(fields.count == sample.rows.count + 1)
            if !fields[0].isEmpty, fields[0] != kind.theirs, expression.type.description == kind.rawValue {
                Issue.record("\(twin.ours) is \(expression.type), in PostgreSQL \(fields[0])")
                continue
            }
            if expression.type.description != kind.rawValue { continue }
            let result = expression.evaluate(batch)
            for row in sample.rows.indices {
                compared += 1
                let isUndefined = result.invalid?[row] ?? false
                let ours = result.column[row]
                guard let theirs = Sample.answer(fields[row + 1], expression.type) else {
                    undefined += 1
                    if !isUndefined, !twin.hasLogic {
                        Issue.record(
                            "PostgreSQL raises, we give \(ours): \(twin.ours) for \(sample.values(of: expression.inputs, row))"
                        )
                    }
                    continue
                }
                if isUndefined {
                    Issue.record(
                        "undefined here, \(theirs) in PostgreSQL: \(twin.ours) for \(sample.values(of: expression.inputs, row))"
                    )
                } else if !Self.agree(ours, theirs, ulps: twin.hasLibrary ? 1 : 0) {
                    Issue.record(
                        "\(ours) here, \(theirs) in PostgreSQL: \(twin.ours) for \(sample.values(of: expression.inputs, row))"
                    )
                }
            }
        }
        #expect(compared > 10_000 && undefined > 500 && refused < 100)
    }

    static func agree(_ ours: Scalar, _ theirs: Scalar, ulps: Int64) -> Bool {
        if ours.isIdentical(to: theirs) { return true }
        guard ulps > 0, case .float64(let ours) = ours, case .float64(let theirs) = theirs else { return false }
        let distance = Int64(bitPattern: ours.bitPattern).subtractingReportingOverflow(
            Int64(bitPattern: theirs.bitPattern)
        )
        return ours.sign == theirs.sign && !distance.overflow && distance.partialValue.magnitude <= UInt64(ulps)
    }
}
