// The structures of parquet.thrift as bytes. Field numbers are those of that file.

extension Statistics {
    func write(to out: inout ThriftWriter) {
        if let nullCount { out.i64(3, Int64(nullCount)) }
        if let max { out.binary(5, max) }
        if let min { out.binary(6, min) }
        if let maxIsExact { out.bool(7, maxIsExact) }
        if let minIsExact { out.bool(8, minIsExact) }
        if let nanCount { out.i64(9, Int64(nanCount)) }
    }
}

extension PageHeader {
    var serialized: [UInt8] {
        var out = ThriftWriter()
        out.element { out in
            out.i32(1, type)
            out.i32(2, Int32(clamping: unpackedSize))
            out.i32(3, Int32(clamping: packedSize))
            if let crc { out.i32(4, Int32(bitPattern: crc)) }
            if type == PageType.dictionary.rawValue {
                out.structure(7) { out in
                    out.i32(1, Int32(clamping: valueCount))
                    out.i32(2, encoding)
                }
            } else {
                out.structure(5) { out in
                    out.i32(1, Int32(clamping: valueCount))
                    out.i32(2, encoding)
                    out.i32(3, definitionEncoding)
                    out.i32(4, repetitionEncoding)
                }
            }
        }
        return out.bytes
    }
}

extension ColumnChunk {
    func write(to out: inout ThriftWriter) {
        out.i64(2, 0)
        out.structure(3) { out in metadata(to: &out) }
        if let offsetIndex {
            out.i64(4, Int64(offsetIndex.lowerBound))
            out.i32(5, Int32(clamping: offsetIndex.count))
        }
        if let columnIndex {
            out.i64(6, Int64(columnIndex.lowerBound))
            out.i32(7, Int32(clamping: columnIndex.count))
        }
    }

    private func metadata(to out: inout ThriftWriter) {
        out.i32(1, type)
        out.list(2, .i32, count: encodings.count)
        for encoding in encodings { out.element(Int64(encoding)) }
        out.list(3, .binary, count: path.count)
        for part in path { out.element(Array(part.utf8)) }
        out.i32(4, compression)
        out.i64(5, Int64(valueCount))
        out.i64(6, Int64(unpackedSize))
        out.i64(7, Int64(packedSize))
        out.i64(9, Int64(dataPageOffset))
        if let dictionaryPageOffset { out.i64(11, Int64(dictionaryPageOffset)) }
        if let statistics { out.structure(12) { out in statistics.write(to: &out) } }
        if dictionaryPageOffset != nil { encodingStatistics(to: &out) }
        if let bloomFilter {
            out.i64(14, Int64(bloomFilter.lowerBound))
            out.i32(15, Int32(clamping: bloomFilter.count))
        }
    }

    /// Tells parquet-mr that every data page uses the dictionary, so that it may filter by it.
    private func encodingStatistics(to out: inout ThriftWriter) {
        out.list(13, .structure, count: 2)
        for (page, encoding, count) in [(PageType.dictionary, Encoding.plain, 1), (.data, .rleDictionary, dataPages)] {
            out.element { out in
                out.i32(1, page.rawValue)
                out.i32(2, encoding.rawValue)
                out.i32(3, Int32(clamping: count))
            }
        }
    }
}

extension RowGroup {
    func write(to out: inout ThriftWriter) {
        out.list(1, .structure, count: columns.count)
        for column in columns { out.element { out in column.write(to: &out) } }
        out.i64(2, Int64(unpackedSize))
        out.i64(3, Int64(rowCount))
        if !sorting.isEmpty {
            out.list(4, .structure, count: sorting.count)
            for column in sorting {
                out.element { out in
                    out.i32(1, Int32(clamping: column.leaf))
                    out.bool(2, column.descending)
                    out.bool(3, column.nullsFirst)
                }
            }
        }
        if let fileOffset { out.i64(5, Int64(fileOffset)) }
        out.i64(6, Int64(packedSize))
    }
}

extension FileMetadata {
    var serialized: [UInt8] {
        var out = ThriftWriter()
        out.element { out in
            out.i32(1, 2)
            schemaElements(to: &out)
            out.i64(3, Int64(rowCount))
            out.list(4, .structure, count: rowGroups.count)
            for group in rowGroups { out.element { out in group.write(to: &out) } }
            if !keyValues.isEmpty {
                out.list(5, .structure, count: keyValues.count)
                for pair in keyValues {
                    out.element { out in
                        out.binary(1, Array(pair.key.utf8))
                        out.binary(2, Array(pair.value.utf8))
                    }
                }
            }
            if let createdBy { out.binary(6, Array(createdBy.utf8)) }
            out.list(7, .structure, count: schema.leaves.count)
            for _ in schema.leaves { out.element { out in out.structure(1) { _ in } } }
        }
        return out.bytes
    }

    private func schemaElements(to out: inout ThriftWriter) {
        func count(_ node: ParquetSchema.Node) -> Int {
            guard case .group(let children, _) = node.content else { return 1 }
            return children.reduce(1) { $0 + count($1) }
        }
        func write(_ node: ParquetSchema.Node, to out: inout ThriftWriter) {
            out.element { out in node.write(to: &out) }
            if case .group(let children, _) = node.content { for child in children { write(child, to: &out) } }
        }
        out.list(2, .structure, count: schema.fields.reduce(1) { $0 + count($1) })
        out.element { out in
            out.binary(4, Array(rootName.utf8))
            out.i32(5, Int32(clamping: schema.fields.count))
        }
        for field in schema.fields { write(field, to: &out) }
    }
}

extension ParquetSchema.Node {
    /// One SchemaElement; the children's follow it.
    func write(to out: inout ThriftWriter) {
        switch content {
        case .group(let children, let kind):
            out.i32(3, repetition.rawValue)
            out.binary(4, Array(name.utf8))
            out.i32(5, Int32(clamping: children.count))
            switch kind {
            case .plain: break
            case .list:
                out.i32(6, 3)
                out.structure(10) { out in out.structure(3) { _ in } }
            case .map:
                out.i32(6, 1)
                out.structure(10) { out in out.structure(2) { _ in } }
            }
        case .leaf(let type):
            out.i32(1, type.physical.rawValue)
            if type.physical == .fixedLengthByteArray { out.i32(2, Int32(clamping: type.length)) }
            out.i32(3, repetition.rawValue)
            out.binary(4, Array(name.utf8))
            if let logical = type.logical { Self.write(logical, to: &out) }
        }
    }

    private static func write(_ logical: ColumnType.Logical, to out: inout ThriftWriter) {
        if let old = logical.convertedType { out.i32(6, old) }
        if case .decimal(let precision, let scale) = logical {
            out.i32(7, Int32(clamping: scale))
            out.i32(8, Int32(clamping: precision))
        }
        guard logical.thriftID != 0 else { return }
        out.structure(10) { out in
            out.structure(logical.thriftID) { out in
                switch logical {
                case .decimal(let precision, let scale):
                    out.i32(1, Int32(clamping: scale))
                    out.i32(2, Int32(clamping: precision))
                case .timestampMicros:
                    out.bool(1, true)
                    out.structure(2) { out in out.structure(2) { _ in } }
                case .integer(let bits, let signed):
                    out.i8(1, UInt8(clamping: bits))
                    out.bool(2, signed)
                default: break
                }
            }
        }
    }
}

extension ColumnType.Logical {
    /// Its number in the union LogicalType; 0 for none.
    var thriftID: Int16 {
        switch self {
        case .string: 1
        case .enumeration: 4
        case .decimal: 5
        case .date: 6
        case .timestampMicros: 8
        case .integer: 10
        case .json: 12
        case .uuid: 14
        case .other: 0
        }
    }

    var convertedType: Int32? {
        switch self {
        case .string: 0
        case .enumeration: 4
        case .decimal: 5
        case .date: 6
        case .timestampMicros: 10
        case .json: 19
        case .integer(let bits, let signed): [8: 0, 16: 1, 32: 2, 64: 3][bits].map { (signed ? 15 : 11) + $0 }
        case .uuid, .other: nil
        }
    }
}

extension ColumnIndex {
    var serialized: [UInt8] {
        var out = ThriftWriter()
        out.element { out in
            out.list(1, .yes, count: nullPages.count)
            for page in nullPages { out.element(page) }
            out.list(2, .binary, count: min.count)
            for value in min { out.element(value) }
            out.list(3, .binary, count: max.count)
            for value in max { out.element(value) }
            out.i32(4, order.rawValue)
            out.list(5, .i64, count: nullCounts.count)
            for count in nullCounts { out.element(Int64(count)) }
        }
        return out.bytes
    }
}

func serialized(_ locations: [PageLocation]) -> [UInt8] {
    var out = ThriftWriter()
    out.element { out in
        out.list(1, .structure, count: locations.count)
        for page in locations {
            out.element { out in
                out.i64(1, Int64(page.offset))
                out.i32(2, Int32(clamping: page.size))
                out.i64(3, Int64(page.firstRow))
            }
        }
    }
    return out.bytes
}
