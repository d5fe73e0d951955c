import Columns
import Expressions
import Features
import Formats
import Kernels
import Postgres
import Testing

extension Integration {
    /// Windows held to PostgreSQL: the rendered SQL, run by the database over the same history and spine.
    @Suite struct WindowOracleTests {
        private static let fields = [
            Field("k", .string), Field("g", .int64), Field("x", .float64), Field("t", .string), Field("b", .bool),
        ]

        /// Features and how far apart their values may be, relatively: a database rounds sums step by step.
        private static let features: [(expression: String, type: DataType, tolerance: Double)] = [
            ("count(*) over 7us", .int64, 0), ("count(x) over 7us", .int64, 0),
            ("count(*) filter (where b) over 5us", .int64, 0), ("sum(g) over 9us", .int64, 0),
            ("sum(g * 2 + 1) filter (where g > 1 or b is null) over 9us", .int64, 0),
            ("sum(x) over 9us", .float64, 1e-12),
            ("avg(x) over 9us", .float64, 1e-12), ("avg(g) over 11us", .float64, 1e-12),
            ("stddev(x) over 11us", .float64, 1e-9), ("min(x) over 7us", .float64, 0), ("max(x) over 7us", .float64, 0),
            ("min(t) over 7us", .string, 0), ("max(t) over 7us", .string, 0), ("first(x) over 7us", .float64, 0),
            ("last(t) over 7us", .string, 0), ("last(g) filter (where x > 0) over 11us", .int64, 0),
            ("count(distinct g) over 9us", .int64, 0), ("count(distinct t) over 9us", .int64, 0),
            ("approx_quantile(x, 0.25) over 9us", .float64, 0), ("approx_quantile(g, 0.9) over 20us", .int64, 0),
            ("coalesce(sum(g) over 3us, 0) > count(*) over 9us", .bool, 0),
            ("max(x) over 20us - min(x) over 20us", .float64, 0),
        ]

        private func plan() throws -> ViewPlan {
            try ViewPlan(
                FeatureView(
                    name: "v",
                    entities: ["e"],
                    source: "s",
                    features: Self.features.enumerated().map {
                        Feature(name: "f\($0)", type: $1.type, expression: $1.expression)
                    }
                ),
                entities: [Entity(name: "e", joinKeys: [Field("k", .string)])],
                source: Source(
                    name: "s",
                    columns: Self.fields + [Field("at", .timestamp)],
                    eventTime: .column("at")
                )
            )
        }

        @Test(arguments: [UInt64(1), 2, 3]) func postgresAgrees(seed: UInt64) throws {
            var random = SeededGenerator(state: seed)
            func maybe<Value>(_ value: Value) -> Value? { Int.random(in: 0..<5, using: &random) == 0 ? nil : value }
            let count = 200
            let keys = (0..<count).map { _ in maybe(["a", "b", "é", ""].randomElement(using: &random) ?? "") }
            let g = (0..<count).map { _ in maybe(Int64.random(in: -3...3, using: &random)) }
            let odd = [Double.nan, .infinity, -0.0, 0.0, 1e-300]
            // Odd numbers for one key only: a sum with infinities is where PostgreSQL and exact sums may both say NaN.
            let x = keys.map { key in
                maybe(
                    key == "é" && Bool.random(using: &random)
                        ? odd.randomElement(using: &random) ?? 0 : Double.random(in: -100...100, using: &random)
                )
            }
            let t = (0..<count).map { _ in maybe(["", "A", "a", "ab", "ß", "z"].randomElement(using: &random) ?? "") }
            let b = (0..<count).map { _ in maybe(Bool.random(using: &random)) }
            let event = (0..<count).map { _ in Int64.random(in: 0..<30, using: &random) }
            let known = event.map { $0 + (Bool.random(using: &random) ? 0 : Int64.random(in: 0..<6, using: &random)) }
            let sequence = (0..<Int64(count)).map { $0 }
            func texts(_ values: [String?]) -> Column { Column(.string, values.map { $0.map(Scalar.string) ?? .null }) }
            let history = RecordBatch(
                schema: Schema(Self.fields + SourcePlan.historyFields),
                columns: [
                    texts(keys), .int64(PrimitiveColumn(g, zero: 0)), .float64(PrimitiveColumn(x, zero: 0)), texts(t),
                    .bool(PrimitiveColumn(b, zero: false)), .timestamp(PrimitiveColumn(event)),
                    .timestamp(PrimitiveColumn(known)), .int64(PrimitiveColumn(sequence)),
                ],
                rowCount: count
            )
            let spine: [(key: String?, time: Int64)] = (0..<38).flatMap { time in
                ["a", "b", "é", "", "unseen"].map { ($0, Int64(time)) }
            }
            let plan = try plan()
            let spineKeys = plan.keys(
                RecordBatch(schema: Schema([Self.fields[0]]), columns: [texts(spine.map(\.key))], rowCount: spine.count)
            )
            let ours = ViewHistory(plan, rows: history).join(spineKeys, at: spine.map(\.time))

            let connection = try Connection(try TemporaryCluster.shared().makeDatabase())
            _ = try connection.execute("set timezone = 'UTC'")
            _ = try connection.execute(
                """
                create temporary table history (k text collate "C", g bigint, x double precision, t text collate "C",
                    b boolean, __event_time timestamptz, __known_at timestamptz, __sequence bigint)
                """
            )
            func null(_ value: (some Any)?, _ parameter: Parameter) -> Parameter { value == nil ? .null : parameter }
            for row in 0..<count {
                _ = try connection.execute(
                    "insert into history values ($1::text, $2::bigint, $3::float8, $4::text, $5::boolean, $6, $7, $8)",
                    [
                        null(keys[row], .text(keys[row] ?? "")), null(g[row], .int64(g[row] ?? 0)),
                        null(x[row], .double(x[row] ?? 0)), null(t[row], .text(t[row] ?? "")),
                        null(b[row], .bool(b[row] ?? false)), .timestamp(event[row]), .timestamp(known[row]),
                        .int64(sequence[row]),
                    ]
                )
            }
            _ = try connection.execute(
                "create temporary table spine (place bigint, key text collate \"C\", at timestamptz)"
            )
            for (place, row) in spine.enumerated() {
                _ = try connection.execute(
                    "insert into spine values ($1, $2::text, $3)",
                    [.int64(Int64(place)), null(row.key, .text(row.key ?? "")), .timestamp(row.time)]
                )
            }
            let table = SQLHistory(table: "history", keys: [(column: "k", spine: "s.key")], time: "s.at")
            for (feature, definition) in Self.features.enumerated() {
                let expression = plan.features.expressions[feature]
                let sql = try expression.sql(.postgres, history: table, isExact: false)
                let rows = try connection.query("select \(sql) as value from spine s order by place")
                for (place, row) in rows.enumerated() {
                    let found = ours.features[feature].column[place]
                    let wanted: Scalar =
                        switch definition.type {
                        case .int64: try row.int64IfPresent(0).map(Scalar.int64) ?? .null
                        case .bool: try row.boolIfPresent(0).map(Scalar.bool) ?? .null
                        case .string: try row.textIfPresent(0).map(Scalar.string) ?? .null
                        default: try row.doubleIfPresent(0).map(Scalar.float64) ?? .null
                        }
                    #expect(
                        Self.agree(found, wanted, definition.tolerance),
                        "\(definition.expression) for \(spine[place]): \(found), PostgreSQL \(wanted)"
                    )
                }
            }
        }

        private static func agree(_ left: Scalar, _ right: Scalar, _ tolerance: Double) -> Bool {
            guard case .float64(let left) = left, case .float64(let right) = right else {
                return left.isIdentical(to: right)
            }
            if left.isNaN || right.isNaN { return left.isNaN && right.isNaN }
            return left == right || abs(left - right) <= tolerance * max(abs(left), abs(right), 1)
        }

        /// A database may order text otherwise than by its bytes.
        @Test func textIsOrderedByItsBytes() throws {
            let table = SQLHistory(table: "history", keys: [(column: "k", spine: "s.key")], time: "s.at")
            for function in ["min", "max"] {
                let expression = try Expression(
                    "\(function)(t) over 7d",
                    schema: Schema(Self.fields),
                    windows: .allowed
                )
                let sql = try expression.sql(.postgres, history: table)
                #expect(sql.contains("\(function)(\"t\" collate \"C\")"), "\(sql)")
                #expect(!(try expression.sql(.duckDB, history: table)).contains("collate"))
            }
        }

        /// What is not the same to the bit is not written as if it were.
        @Test func whatMayDifferIsRefused() throws {
            let table = SQLHistory(table: "history", keys: [(column: "k", spine: "s.key")], time: "s.at")
            let schema = Schema(Self.fields)
            func error(_ text: String, _ dialect: SQLDialect, _ history: SQLHistory?) -> String? {
                #expect(throws: SQLRenderingError.self) {
                    try Expression(text, schema: schema, windows: .allowed).sql(dialect, history: history)
                }?.construct
            }
            #expect(error("sum(x) over 7d", .postgres, table) == "sum over 7d")
            #expect(error("avg(g) over 7d", .duckDB, table) == "avg over 7d")
            #expect(error("count(*) over 7d", .spark, table) == "count(*) over 7d")
            #expect(error("count(*) over 7d", .postgres, nil) == "count(*) over 7d, without a table of history,")
        }
    }
}
