import Columns

/// What the footer says of a row group.
struct ParquetWrittenRowGroup {
    var rowCount: Int
    var chunks: [ParquetWrittenChunk] = []
}

/// Writes the file metadata (parquet.thrift, FileMetaData).
struct ParquetFooterWriter {
    /// Who wrote the file, in the form that readers parse to work around known faults of a writer.
    ///
    /// The number is the writer's own: it changes when the bytes for the same rows do.
    static let createdBy = "lockstep version 1.0.0"

    let schema: Schema
    let options: ParquetOptions
    let rowGroups: [ParquetWrittenRowGroup]

    func bytes() -> [UInt8] {
        var thrift = ThriftWriter()
        var metadata = options.metadata
        for field in schema.fields {
            if case .vector(let dimension) = field.type {
                metadata.append((ParquetWriter.dimensionPrefix + field.name, String(dimension)))
            }
        }
        thrift.structureElement { thrift in
            thrift.int32(1, 2)
            writeSchema(&thrift)
            thrift.int64(3, rowGroups.reduce(0) { $0 + $1.rowCount })
            thrift.list(4, of: .structure, count: rowGroups.count)
            for (ordinal, group) in rowGroups.enumerated() { write(group, ordinal: ordinal, &thrift) }
            if !metadata.isEmpty {
                thrift.list(5, of: .structure, count: metadata.count)
                for (key, value) in metadata {
                    thrift.structureElement {
                        $0.string(1, key)
                        $0.string(2, value)
                    }
                }
            }
            thrift.string(6, Self.createdBy)
            // TypeDefinedOrder for each leaf: without it readers ignore the bounds.
            thrift.list(7, of: .structure, count: schema.count)
            for _ in schema.fields { thrift.structureElement { $0.structure(1) { _ in } } }
        }
        return thrift.bytes
    }

    private func writeSchema(_ thrift: inout ThriftWriter) {
        let nodeCount = schema.fields.reduce(1) { count, field in
            if case .vector = field.type { count + 3 } else { count + 1 }
        }
        thrift.list(2, of: .structure, count: nodeCount)
        thrift.structureElement {
            $0.string(4, "schema")
            $0.int32(5, schema.count)
        }
        for field in schema.fields {
            if case .vector = field.type {
                thrift.structureElement {
                    $0.int32(3, ParquetRepetition.optional.rawValue)
                    $0.string(4, field.name)
                    $0.int32(5, 1)
                    $0.int32(6, 3)
                    $0.structure(10) { $0.structure(3) { _ in } }
                }
                thrift.structureElement {
                    $0.int32(3, ParquetRepetition.repeated.rawValue)
                    $0.string(4, "list")
                    $0.int32(5, 1)
                }
                thrift.structureElement {
                    $0.int32(1, ParquetType.float.rawValue)
                    $0.int32(3, ParquetRepetition.required.rawValue)
                    $0.string(4, "element")
                }
                continue
            }
            thrift.structureElement {
                $0.int32(1, physicalType(field.type).rawValue)
                $0.int32(3, ParquetRepetition.optional.rawValue)
                $0.string(4, field.name)
                switch field.type {
                case .string:
                    $0.int32(6, 0)
                    $0.structure(10) { $0.structure(1) { _ in } }
                case .timestamp:
                    $0.int32(6, 10)
                    $0.structure(10) {
                        $0.structure(8) {
                            $0.bool(1, true)
                            $0.structure(2) { $0.structure(2) { _ in } }
                        }
                    }
                default: break
                }
            }
        }
    }

    private func physicalType(_ type: DataType) -> ParquetType {
        switch type {
        case .bool: .boolean
        case .int64, .timestamp: .int64
        case .float32, .vector: .float
        case .float64: .double
        case .string, .bytes: .byteArray
        }
    }

    private func write(_ group: ParquetWrittenRowGroup, ordinal: Int, _ thrift: inout ThriftWriter) {
        thrift.structureElement { thrift in
            thrift.list(1, of: .structure, count: group.chunks.count)
            for (field, chunk) in zip(schema.fields, group.chunks) { write(chunk, field, &thrift) }
            thrift.int64(2, group.chunks.reduce(0) { $0 + $1.uncompressedSize })
            thrift.int64(3, group.rowCount)
            if !options.sortedBy.isEmpty {
                thrift.list(4, of: .structure, count: options.sortedBy.count)
                for name in options.sortedBy {
                    thrift.structureElement {
                        // The position of the leaf, which is the field's: each has one.
                        $0.int32(1, schema.position(of: name) ?? 0)
                        $0.bool(2, false)
                        $0.bool(3, false)
                    }
                }
            }
            thrift.int64(5, group.chunks.first?.start ?? 4)
            thrift.int64(6, group.chunks.reduce(0) { $0 + $1.compressedSize })
            // The ordinal is a 16-bit field; files with more row groups leave it out.
            if ordinal <= Int16.max { thrift.int16(7, ordinal) }
        }
    }

    private func write(_ chunk: ParquetWrittenChunk, _ field: Field, _ thrift: inout ThriftWriter) {
        thrift.structureElement { thrift in
            // Zero, since no metadata stands outside the footer.
            thrift.int64(2, 0)
            thrift.structure(3) { thrift in
                thrift.int32(1, physicalType(field.type).rawValue)
                let hasDictionary = chunk.dictionarySize != nil
                let encodings: [ParquetEncoding] = hasDictionary ? [.plain, .rle, .rleDictionary] : [.plain, .rle]
                thrift.list(2, of: .int32, count: encodings.count)
                for encoding in encodings { thrift.element(encoding.rawValue) }
                var path = [field.name]
                if case .vector = field.type { path += ["list", "element"] }
                thrift.list(3, of: .binary, count: path.count)
                for name in path { thrift.element(Array(name.utf8)) }
                thrift.int32(4, options.compression.codec.rawValue)
                thrift.int64(5, chunk.valueCount)
                thrift.int64(6, chunk.uncompressedSize)
                thrift.int64(7, chunk.compressedSize)
                thrift.int64(9, chunk.start + (chunk.dictionarySize ?? 0))
                if hasDictionary { thrift.int64(11, chunk.start) }
                thrift.structure(12) { write(chunk.statistics, &$0) }
                writePageCounts(chunk, &thrift)
            }
        }
    }

    private func write(_ statistics: ParquetWrittenStatistics, _ thrift: inout ThriftWriter) {
        thrift.int64(3, statistics.nullCount)
        if let distinctCount = statistics.distinctCount { thrift.int64(4, distinctCount) }
        guard let bounds = statistics.bounds else { return }
        if let maximum = bounds.maximum { thrift.binary(5, maximum) }
        thrift.binary(6, bounds.minimum)
        if bounds.maximum != nil { thrift.bool(7, bounds.isMaximumExact) }
        thrift.bool(8, bounds.isMinimumExact)
    }

    /// How many pages have which encoding: from it a reader knows that a dictionary holds all of a chunk's values.
    private func writePageCounts(_ chunk: ParquetWrittenChunk, _ thrift: inout ThriftWriter) {
        var counts: [(kind: ParquetPageHeader.Kind, encoding: ParquetEncoding, count: Int)] = []
        if chunk.dictionarySize != nil { counts.append((.dictionary, .plain, 1)) }
        counts.append((.data, chunk.dictionarySize == nil ? .plain : .rleDictionary, chunk.dataPageCount))
        thrift.list(13, of: .structure, count: counts.count)
        for entry in counts {
            thrift.structureElement {
                $0.int32(1, entry.kind.rawValue)
                $0.int32(2, entry.encoding.rawValue)
                $0.int32(3, entry.count)
            }
        }
    }
}
