import Columns

/// Random rows rich in edges, for us and for PostgreSQL.
struct Sample {
    static let columns: [(name: String, kind: RandomExpressions.Kind, type: DataType)] = [
        ("b", .bool, .bool), ("d", .bool, .bool),
        ("i", .int64, .int64), ("j", .int64, .int64), ("k", .int64, .int64),
        ("r", .float32, .float32), ("q", .float32, .float32),
        ("x", .float64, .float64), ("y", .float64, .float64), ("z", .float64, .float64),
        ("s", .string, .string), ("u", .string, .string),
        ("g", .bytes, .bytes), ("h", .bytes, .bytes),
        ("t", .timestamp, .timestamp), ("v", .timestamp, .timestamp),
    ]
    static let schema = Schema(columns.map { Field($0.name, $0.type) })

    let rows: [[Scalar]]

    init(seed: UInt64, rows count: Int) {
        var random = SeededGenerator(seed: seed)
        rows = (0..<count).map { _ in
            Self.columns.map { $0.kind == .interval ? .null : Self.value($0.kind, &random) }
        }
    }

    func batch(_ range: Range<Int>) -> RecordBatch {
        let columns = Self.columns.enumerated().map { offset, column in
            Column(column.type, rows[range].map { $0[offset] })
        }
        return RecordBatch(schema: Self.schema, columns: columns, rowCount: range.count)
    }

    var batch: RecordBatch { batch(rows.indices) }

    /// The values of one row that an expression reads, for messages.
    func values(of names: [String], _ row: Int) -> String {
        zip(Self.columns, rows[row]).filter { names.contains($0.0.name) }.map { "\($0.name) = \($1)" }
            .joined(separator: ", ")
    }

    // MARK: Values

    private static let strings = [
        "", " ", "a", "A", "abc", "ABC", "a%", "a_", "%", "\\", "a\\", "é", "aé", "日本語", "ÀÉ", "  pad ", "ab ab ab",
        "0",
        "\\x61ff", "\\101", "ab,c,,d", "ääää", "\u{1F600}x", "é!%", "-0", "\\\\",
        "12", " -7 ", "1e3", "nan", "-Infinity", "true", "off", "9223372036854775808", "1.5", "-0", "it's", "1e400",
    ]

    /// Around daylight saving changes, leap days, the epoch, the first year and both ends of PostgreSQL's range.
    private static let timestamps: [Int64] = [
        0, -1, 1, 999_999, 1_362_898_800_000_000, 1_362_898_799_999_999, 1_383_458_400_000_000, 1_383_461_999_999_999,
        951_782_400_000_000, 951_868_799_999_999, 1_709_164_800_000_000, -2_208_988_800_000_000,
        -62_135_596_800_000_000, -62_135_596_800_000_001, -62_167_219_200_000_000, -210_866_803_200_000_000,
        1_711_846_800_000_000, 1_729_990_799_999_999, 1_728_142_200_000_000, 1_325_239_200_000_000,
        1_362_899_000_000_000, 1_383_456_600_000_000, 1_706_659_200_000_000, 1_709_251_199_999_999,
        9_000_000_000_000_000_000, 946_684_799_999_999, 1_704_067_200_000_000, 1_735_689_599_999_999,
    ]

    private static func value(_ kind: RandomExpressions.Kind, _ random: inout SeededGenerator) -> Scalar {
        if Int.random(in: 0..<6, using: &random) == 0 { return .null }
        let isEdge = Bool.random(using: &random)
        switch kind {
        case .bool: return .bool(Bool.random(using: &random))
        case .int64:
            let edges: [Int64] = [0, 1, -1, 2, .max, .min, .max - 1, 1 << 53 + 1, -(1 << 31), 3_037_000_500]
            return .int64(
                edges.randomElement(using: &random).flatMap { isEdge ? $0 : nil }
                    ?? .random(in: -20...20, using: &random)
            )
        case .float32:
            let edges: [Float] = [
                0, -0.0, 1, -1, .nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0.1, 2.5,
            ]
            return .float32(
                edges.randomElement(using: &random).flatMap { isEdge ? $0 : nil }
                    ?? .random(in: -10...10, using: &random)
            )
        case .float64:
            let edges: [Double] = [
                0, -0.0, 1, -1, .nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0.5, 1.5,
                2.5, -2.5, 0x1p63, -0x1p63, 710, -746, 1e16, 0.1,
            ]
            return .float64(
                edges.randomElement(using: &random).flatMap { isEdge ? $0 : nil }
                    ?? .random(in: -10...10, using: &random)
            )
        case .string: return .string(strings.randomElement(using: &random) ?? "")
        case .bytes:
            let values: [[UInt8]] = [[], [0], [0xFF, 0], [0x5C, 0x61], [0x61, 0x62, 0x63], [0xC3, 0xA9], [0x80]]
            return .bytes(values.randomElement(using: &random) ?? [])
        case .timestamp, .interval, .wall:
            let random = Int64.random(in: -4_000_000_000_000_000...4_000_000_000_000_000, using: &random)
            return .timestamp(isEdge ? timestamps[Int(random.magnitude % UInt64(timestamps.count))] : random)
        }
    }

    // MARK: PostgreSQL

    /// For one session: a table of the rows, and `pg_temp.ask`, which gives an expression's type and its value or failure for every row.
    var script: String {
        let definitions = Self.columns.map { "\($0.name) \($0.kind.theirs)" }.joined(separator: ", ")
        let inserts = rows.enumerated().map { number, row in
            "(\(number), \(row.map(Self.literal).joined(separator: ", ")))"
        }
        return """
            create temporary table sample (number int primary key, \(definitions));
            insert into sample values \(inserts.joined(separator: ",\n"));
            create function pg_temp.literal(value anyelement) returns anyelement volatile language plpgsql as
                $$ begin return value; end $$;
            create function pg_temp.ask(expression text, kind text) returns text language plpgsql as $$
            declare
                row int;
                query text;
                answer text;
                type text;
                result text := '';
            begin
                query := 'select ' || case kind
                    when 'bool' then '(' || expression || ')::text'
                    when 'int64' then '(' || expression || ')::text'
                    when 'float32' then 'encode(float4send(' || expression || '), ''hex'')'
                    when 'float64' then 'encode(float8send(' || expression || '), ''hex'')'
                    when 'bytes' then 'encode(' || expression || ', ''hex'')'
                    when 'string' then 'encode(convert_to(' || expression || ', ''UTF8''), ''hex'')'
                    else 'encode(timestamptz_send(' || expression || '), ''hex'')' end
                    || ' from sample where number = $1';
                for row in 0..\(rows.count - 1) loop
                    begin
                        if type is null then
                            execute 'select pg_typeof(' || expression || ') from sample where number = $1' into type using row;
                        end if;
                        execute query into answer using row;
                        result := result || '|' || coalesce('=' || answer, 'N');
                    exception
                        when syntax_error or undefined_function or datatype_mismatch or ambiguous_function
                            or cannot_coerce or indeterminate_datatype or undefined_column then
                            return 'refused ' || sqlstate || ' ' || sqlerrm;
                        when others then result := result || '|E';
                    end;
                end loop;
                return coalesce(type, '') || result;
            end $$;
            """
    }

    private static func literal(_ value: Scalar) -> String {
        switch value {
        case .bool(let value): "\(value)"
        case .int64(let value): "'\(value)'::int8"
        case .float32(let value): "'\(value)'::float4"
        case .float64(let value): "'\(value)'::float8"
        case .string(let value):
            "'\(value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
        case .bytes(let value):
            "'\\x\(value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())'::bytea"
        case .timestamp(let value):
            "timestamptz 'epoch' + \(value / 86_400_000_000) * interval '1 day'"
                + " + interval '\(value % 86_400_000_000) microseconds'"
        default: "null"
        }
    }

    /// What PostgreSQL's answer says about a row; `nil` where it failed.
    static func answer(_ text: Substring, _ type: DataType) -> Scalar? {
        if text == "E" { return nil }
        if text == "N" { return .null }
        let value = text.dropFirst()
        switch type {
        case .bool: return .bool(value == "true")
        case .int64: return Int64(value).map { .int64($0) }
        case .float32: return UInt32(value, radix: 16).map { .float32(Float(bitPattern: $0)) }
        case .float64: return UInt64(value, radix: 16).map { .float64(Double(bitPattern: $0)) }
        case .timestamp:
            // PostgreSQL counts from 2000; its last 30 years lie past our 64 bits, which is undefined here.
            return UInt64(value, radix: 16).flatMap { bits in
                let (time, isOver) = Int64(bitPattern: bits).addingReportingOverflow(946_684_800_000_000)
                return isOver ? nil : .timestamp(time)
            }
        default:
            let digits = Array(value.utf8)
            let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
            }
            return type == .bytes ? .bytes(bytes) : .string(String(decoding: bytes, as: UTF8.self))
        }
    }
}
