@testable import Formats

/// A Parquet file put together by hand: one leaf, and pages as a test wants them.
struct ParquetAssembly {
    var type = ParquetType.int32
    var length: Int?
    var repetition = ParquetRepetition.required
    var convertedType: Int?
    var codec = ParquetCodec.uncompressed
    var rowCount: Int
    /// The groups around the leaf and the leaf itself, from the top; where `nil`, the leaf alone, called `c`.
    var nodes: [(name: String, repetition: ParquetRepetition, isList: Bool)]?
    var valueCount: Int?
    /// Headers and bodies of all pages, one after the other.
    var pages: [UInt8] = []

    init(_ type: ParquetType = .int32, rowCount: Int, repetition: ParquetRepetition = .required) {
        self.type = type
        self.rowCount = rowCount
        self.repetition = repetition
    }

    mutating func append(
        _ kind: ParquetPageHeader.Kind,
        _ encoding: ParquetEncoding,
        count: Int,
        levels: ParquetEncoding = .rle,
        uncompressedSize: Int? = nil,
        _ body: [UInt8]
    ) {
        var header = ThriftWriter()
        header.structureElement { header in
            header.int32(1, kind.rawValue)
            header.int32(2, uncompressedSize ?? body.count)
            header.int32(3, body.count)
            switch kind {
            case .data:
                header.structure(5) {
                    $0.int32(1, count)
                    $0.int32(2, encoding.rawValue)
                    $0.int32(3, levels.rawValue)
                    $0.int32(4, levels.rawValue)
                }
            case .index: header.structure(6) { _ in }
            case .dictionary:
                header.structure(7) {
                    $0.int32(1, count)
                    $0.int32(2, encoding.rawValue)
                }
            case .dataV2: preconditionFailure("tests of version 2 take files of other writers")
            }
        }
        pages += header.bytes + body
    }

    /// The whole file; its footer says nothing of a dictionary.
    var bytes: [UInt8] {
        let nodes = nodes ?? [("c", repetition, false)]
        var thrift = ThriftWriter()
        thrift.structureElement { thrift in
            thrift.int32(1, 1)
            thrift.list(2, of: .structure, count: nodes.count + 1)
            thrift.structureElement {
                $0.string(4, "schema")
                $0.int32(5, 1)
            }
            for (depth, node) in nodes.enumerated() {
                let isLeaf = depth == nodes.count - 1
                thrift.structureElement {
                    if isLeaf { $0.int32(1, type.rawValue) }
                    if isLeaf, let length { $0.int32(2, length) }
                    $0.int32(3, node.repetition.rawValue)
                    $0.string(4, node.name)
                    if !isLeaf { $0.int32(5, 1) }
                    if node.isList { $0.int32(6, 3) }
                    if isLeaf, let convertedType { $0.int32(6, convertedType) }
                }
            }
            thrift.int64(3, rowCount)
            thrift.list(4, of: .structure, count: 1)
            thrift.structureElement { thrift in
                thrift.list(1, of: .structure, count: 1)
                thrift.structureElement {
                    $0.structure(3) { thrift in
                        thrift.int32(1, type.rawValue)
                        thrift.list(2, of: .int32, count: 0)
                        thrift.list(3, of: .binary, count: nodes.count)
                        for node in nodes { thrift.element(Array(node.name.utf8)) }
                        thrift.int32(4, codec.rawValue)
                        thrift.int64(5, valueCount ?? rowCount)
                        thrift.int64(6, pages.count)
                        thrift.int64(7, pages.count)
                        thrift.int64(9, 4)
                    }
                }
                thrift.int64(2, pages.count)
                thrift.int64(3, rowCount)
            }
        }
        let footer = thrift.bytes
        let size = withUnsafeBytes(of: UInt32(footer.count).littleEndian) { Array($0) }
        return Array("PAR1".utf8) + pages + footer + size + Array("PAR1".utf8)
    }
}

/// The little-endian bytes of values, one after the other.
func plain<Value: BitwiseCopyable>(_ values: [Value]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
}
