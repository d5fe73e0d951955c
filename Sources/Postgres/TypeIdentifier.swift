/// The object identifiers of the built-in types, fixed by PostgreSQL's `pg_type.dat`.
enum TypeIdentifier {
    static let inferred: UInt32 = 0
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamptz: UInt32 = 1184
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802
    static let boolArray: UInt32 = 1000
    static let byteaArray: UInt32 = 1001
    static let textArray: UInt32 = 1009
    static let int8Array: UInt32 = 1016
    static let float8Array: UInt32 = 1022
    static let timestamptzArray: UInt32 = 1185

    /// The name SQL uses, for messages.
    static func sqlName(_ identifier: UInt32) -> String {
        names[identifier] ?? "type with oid \(identifier)"
    }

    private static let names: [UInt32: String] = [
        bool: "boolean", bytea: "bytea", name: "name", int8: "bigint", int2: "smallint", int4: "integer", text: "text",
        oid: "oid", json: "json", float4: "real", float8: "double precision", bpchar: "character",
        varchar: "character varying", timestamptz: "timestamp with time zone", uuid: "uuid", jsonb: "jsonb",
        boolArray: "boolean[]", byteaArray: "bytea[]", textArray: "text[]", int8Array: "bigint[]",
        float8Array: "double precision[]", timestamptzArray: "timestamp with time zone[]", 1007: "integer[]",
        1082: "date", 1114: "timestamp without time zone", 1186: "interval", 1700: "numeric", 2278: "void",
    ]
}
