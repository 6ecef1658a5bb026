// The structures of parquet.thrift read back. What is not known is skipped; what must be there and is not, or is out of range, is damage.

extension Statistics {
    init(reading reader: inout ThriftReader, _ field: ThriftReader.Field) throws(ParquetError) {
        self.init()
        var found = Statistics()
        try reader.structure(field) { (reader, field) throws(ParquetError) in
            switch field.id {
            case 3: found.nullCount = try reader.count(field)
            case 5: found.max = try reader.binary(field)
            case 6: found.min = try reader.binary(field)
            case 7: found.maxIsExact = try reader.bool(field)
            case 8: found.minIsExact = try reader.bool(field)
            case 9: found.nanCount = try reader.count(field)
            default: try reader.skip(field)
            }
        }
        self = found
    }
}

extension PageHeader {
    init(reading reader: inout ThriftReader, limits: ParquetLimits) throws(ParquetError) {
        var found = PageHeader(), hasBody = false
        found.type = -1
        found.packedSize = -1
        found.unpackedSize = -1
        try reader.structure { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1: found.type = try reader.i32(field)
            case 2: found.unpackedSize = try reader.count(field)
            case 3: found.packedSize = try reader.count(field)
            case 4: found.crc = UInt32(bitPattern: try reader.i32(field))
            case 5, 7:
                hasBody = true
                let isData = field.id == 5
                try reader.structure(field) { (reader, field) throws(ParquetError) in
                    switch field.id {
                    case 1: found.valueCount = try reader.count(field)
                    case 2: found.encoding = try reader.i32(field)
                    case 3 where isData: found.definitionEncoding = try reader.i32(field)
                    case 4 where isData: found.repetitionEncoding = try reader.i32(field)
                    default: try reader.skip(field)
                    }
                }
            default: try reader.skip(field)
            }
        }
        if found.type == PageType.dataV2.rawValue { throw .unsupported("data page version 2") }
        guard found.type == PageType.data.rawValue || found.type == PageType.dictionary.rawValue || found.type == PageType.index.rawValue else { throw reader.damaged("page of an unknown type") }
        guard found.packedSize >= 0, found.unpackedSize >= 0, hasBody || found.type == PageType.index.rawValue else { throw reader.damaged("page header without its sizes") }
        guard found.unpackedSize <= limits.pageBytesMax else { throw .tooLarge("a page of \(found.unpackedSize) bytes") }
        guard found.valueCount <= limits.chunkEntriesMax else { throw .tooLarge("a page of \(found.valueCount) entries") }
        self = found
    }
}

extension ColumnChunk {
    /// Encodings, and names of a path: there are ten, and schemas nest less deep.
    private static let namesMax = 64

    init(reading reader: inout ThriftReader) throws(ParquetError) {
        var found = ColumnChunk(), seen = false, external = false, encrypted = false
        var offsetIndex = (0, 0), columnIndex = (0, 0)
        try reader.structure { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1:
                external = true
                try reader.skip(field)
            case 3:
                seen = true
                try found.readMetadata(&reader, field)
            case 4: offsetIndex.0 = try reader.count(field)
            case 5: offsetIndex.1 = try reader.count(field)
            case 6: columnIndex.0 = try reader.count(field)
            case 7: columnIndex.1 = try reader.count(field)
            case 8, 9:
                encrypted = true
                try reader.skip(field)
            default: try reader.skip(field)
            }
        }
        if external { throw .unsupported("columns in another file") }
        if encrypted { throw .unsupported("encrypted columns") }
        guard seen else { throw reader.damaged("column chunk without metadata") }
        if offsetIndex.1 > 0 { found.offsetIndex = offsetIndex.0..<offsetIndex.0 + offsetIndex.1 }
        if columnIndex.1 > 0 { found.columnIndex = columnIndex.0..<columnIndex.0 + columnIndex.1 }
        self = found
    }

    private mutating func readMetadata(_ reader: inout ThriftReader, _ field: ThriftReader.Field) throws(ParquetError) {
        var found = self, bloom = (0, 0)
        try reader.structure(field) { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1: found.type = try reader.i32(field)
            case 2:
                try reader.list(field, of: 5) { (reader, _) throws(ParquetError) in
                    guard found.encodings.count < Self.namesMax else { throw reader.damaged("column chunk of more than \(Self.namesMax) encodings") }
                    found.encodings.append(try reader.i32Element())
                }
            case 3:
                try reader.list(field, of: 8) { (reader, _) throws(ParquetError) in
                    guard found.path.count < Self.namesMax else { throw reader.damaged("column path of more than \(Self.namesMax) names") }
                    found.path.append(String(decoding: try reader.binaryElement(), as: UTF8.self))
                }
            case 4: found.compression = try reader.i32(field)
            case 5: found.valueCount = try reader.count(field)
            case 6: found.unpackedSize = try reader.count(field)
            case 7: found.packedSize = try reader.count(field)
            case 9: found.dataPageOffset = try reader.count(field)
            case 11: found.dictionaryPageOffset = try reader.count(field)
            case 12: found.statistics = try Statistics(reading: &reader, field)
            case 14: bloom.0 = try reader.count(field)
            case 15: bloom.1 = try reader.count(field)
            default: try reader.skip(field)
            }
        }
        // Some writers give 0 for "no dictionary".
        if found.dictionaryPageOffset == 0 { found.dictionaryPageOffset = nil }
        if bloom.0 > 0 { found.bloomFilter = bloom.0..<bloom.0 + bloom.1 }
        self = found
    }
}

extension RowGroup {
    init(reading reader: inout ThriftReader, leaves: Int) throws(ParquetError) {
        var found = RowGroup()
        try reader.structure { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1:
                // What is there is counted, not the list's elements: a field may come again.
                try reader.list(field, of: 12) { (reader, _) throws(ParquetError) in
                    guard found.columns.count < leaves else { throw reader.damaged("row group of more columns than the schema's \(leaves)") }
                    found.columns.append(try ColumnChunk(reading: &reader))
                }
            case 2: found.unpackedSize = try reader.count(field)
            case 3: found.rowCount = try reader.count(field)
            case 4:
                try reader.list(field, of: 12) { (reader, _) throws(ParquetError) in
                    guard found.sorting.count < leaves else { throw reader.damaged("row group sorted by more columns than the schema's \(leaves)") }
                    var column = SortingColumn(leaf: -1)
                    try reader.structElement { (reader, field) throws(ParquetError) in
                        switch field.id {
                        case 1: column.leaf = try reader.count(field, max: leaves)
                        case 2: column.descending = try reader.bool(field)
                        case 3: column.nullsFirst = try reader.bool(field)
                        default: try reader.skip(field)
                        }
                    }
                    found.sorting.append(column)
                }
            case 5: found.fileOffset = try reader.count(field)
            case 6: found.packedSize = try reader.count(field)
            default: try reader.skip(field)
            }
        }
        guard found.columns.count == leaves else { throw reader.damaged("row group of \(found.columns.count) columns, schema of \(leaves)") }
        self = found
    }
}

extension FileMetadata {
    /// - Parameter base: where `bytes` begin in the file, for errors.
    package init(reading bytes: [UInt8], base: Int, limits: ParquetLimits) throws(ParquetError) {
        self.init()
        var found = FileMetadata(), elements: [SchemaElement] = [], haveSchema = false
        var reader = ThriftReader(bytes, base: base)
        try reader.structure { (reader, field) throws(ParquetError) in
            switch field.id {
            case 2:
                guard !haveSchema else { throw reader.damaged("a second schema") }
                try reader.list(field, of: 12) { (reader, i) throws(ParquetError) in
                    guard i < limits.schemaElementsMax else { throw .tooLarge("a schema of more than \(limits.schemaElementsMax) elements") }
                    elements.append(try SchemaElement(reading: &reader))
                }
                (found.rootName, found.schema) = try SchemaElement.tree(elements, depthMax: limits.schemaDepthMax)
                haveSchema = true
            case 3: found.rowCount = try reader.count(field)
            case 4:
                guard haveSchema else { throw reader.damaged("row groups before the schema") }
                let leaves = found.schema.leaves.count
                try reader.list(field, of: 12) { (reader, _) throws(ParquetError) in
                    guard (found.rowGroups.count + 1) * leaves <= limits.chunksMax else { throw .tooLarge("more than \(limits.chunksMax) column chunks") }
                    found.rowGroups.append(try RowGroup(reading: &reader, leaves: leaves))
                }
            case 5:
                // Each takes many times its one byte in memory.
                try reader.list(field, of: 12) { (reader, _) throws(ParquetError) in
                    guard found.keyValues.count < limits.schemaElementsMax else { throw .tooLarge("more than \(limits.schemaElementsMax) key values") }
                    found.keyValues.append(try KeyValue(reading: &reader))
                }
            case 6: found.createdBy = try reader.string(field)
            case 7:
                try reader.list(field, of: 12) { (reader, _) throws(ParquetError) in
                    guard found.typeOrdered.count < limits.schemaElementsMax else { throw .tooLarge("more than \(limits.schemaElementsMax) column orders") }
                    found.typeOrdered.append(try Self.isTypeOrder(&reader))
                }
            case 8, 9: throw .unsupported("encryption")
            default: try reader.skip(field)
            }
        }
        guard haveSchema else { throw .damaged("footer without a schema", offset: base) }
        for group in found.rowGroups {
            for (chunk, leaf) in zip(group.columns, found.schema.leaves) where chunk.type != leaf.type.physical.rawValue || chunk.path != leaf.path {
                throw .damaged("column chunk of another column than \(leaf.name)", offset: base)
            }
        }
        self = found
    }

    private static func isTypeOrder(_ reader: inout ThriftReader) throws(ParquetError) -> Bool {
        var yes = false
        try reader.structElement { (reader, field) throws(ParquetError) in
            yes = field.id == 1
            try reader.skip(field)
        }
        return yes
    }
}

extension KeyValue {
    init(reading reader: inout ThriftReader) throws(ParquetError) {
        var found = KeyValue("", "")
        try reader.structElement { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1: found.key = try reader.string(field)
            case 2: found.value = try reader.string(field)
            default: try reader.skip(field)
            }
        }
        self = found
    }
}

/// One element of the flattened schema.
struct SchemaElement {
    var type: Int32?
    var length = 0
    var repetition: Int32?
    var name = ""
    var children: Int?
    var converted: Int32?
    var scale = 0
    var precision = 0
    var logical: ColumnType.Logical?
    var groupKind = ParquetSchema.GroupKind.plain

    init(reading reader: inout ThriftReader) throws(ParquetError) {
        try reader.structure { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1: type = try reader.i32(field)
            case 2: length = try reader.count(field, max: 1 << 20)
            case 3: repetition = try reader.i32(field)
            case 4: name = try reader.string(field)
            case 5: children = try reader.count(field, max: 1 << 20)
            case 6: converted = try reader.i32(field)
            case 7: scale = try reader.count(field, max: 1000)
            case 8: precision = try reader.count(field, max: 1000)
            case 10: try readLogical(&reader, field)
            default: try reader.skip(field)
            }
        }
    }

    private mutating func readLogical(_ reader: inout ThriftReader, _ field: ThriftReader.Field) throws(ParquetError) {
        var found: ColumnType.Logical?, kind = ParquetSchema.GroupKind.plain
        try reader.structure(field) { (reader, field) throws(ParquetError) in
            let id = field.id
            var first = 0, second = 0, flag = false, unit: Int16 = 0
            try reader.structure(field) { (reader, field) throws(ParquetError) in
                switch (id, field.id) {
                case (5, 1): first = try reader.count(field, max: 1000)
                case (5, 2): second = try reader.count(field, max: 1000)
                case (8, 1), (7, 1): flag = try reader.bool(field)
                case (8, 2), (7, 2):
                    try reader.structure(field) { (reader, field) throws(ParquetError) in
                        unit = field.id
                        try reader.skip(field)
                    }
                case (10, 2): flag = try reader.bool(field)
                default: try reader.skip(field)
                }
            }
            switch id {
            case 1: found = .string
            case 2: kind = .map
            case 3: kind = .list
            case 4: found = .enumeration
            case 5: found = .decimal(precision: second, scale: first)
            case 6: found = .date
            case 8: found = flag && unit == 2 ? .timestampMicros : .other("TIMESTAMP of another unit, or without UTC")
            case 10: found = .integer(bits: 0, signed: flag)
            case 12: found = .json
            case 14: found = .uuid
            default: found = .other("logical type \(id)")
            }
        }
        (logical, groupKind) = (found, kind)
    }

    /// The tree from its depth-first list.
    static func tree(_ elements: [SchemaElement], depthMax: Int) throws(ParquetError) -> (root: String, ParquetSchema) {
        guard let root = elements.first, let count = root.children else { throw .damaged("schema without a root", offset: 0) }
        var at = 1
        let fields = try nodes(elements, count, &at, depth: 0, depthMax)
        guard at == elements.count else { throw .damaged("schema with elements left over", offset: 0) }
        let schema = ParquetSchema(fields)
        guard !schema.leaves.isEmpty else { throw .unsupported("a schema without columns") }
        return (root.name, schema)
    }

    private static func nodes(_ elements: [SchemaElement], _ count: Int, _ at: inout Int, depth: Int, _ depthMax: Int) throws(ParquetError) -> [ParquetSchema.Node] {
        guard depth < depthMax else { throw .tooLarge("a schema nested more than \(depthMax) deep") }
        var nodes: [ParquetSchema.Node] = []
        for _ in 0..<count {
            guard at < elements.count else { throw .damaged("schema shorter than it says", offset: 0) }
            let element = elements[at]
            at += 1
            guard let raw = element.repetition, let repetition = ParquetSchema.Repetition(rawValue: raw) else { throw .unsupported("a repetition type other than required, optional and repeated") }
            if let children = element.children, element.type == nil {
                let kind = element.converted == 3 ? .list : element.converted == 1 || element.converted == 2 ? .map : element.groupKind
                nodes.append(.init(element.name, repetition, .group(try self.nodes(elements, children, &at, depth: depth + 1, depthMax), kind)))
            } else {
                nodes.append(.init(element.name, repetition, .leaf(try element.columnType())))
            }
        }
        return nodes
    }

    private func columnType() throws(ParquetError) -> ColumnType {
        guard let type, let physical = ColumnType.Physical(rawValue: type) else { throw .unsupported("a physical type unknown to us (column \(name))") }
        let isFixed = physical == .fixedLengthByteArray
        guard !isFixed || length > 0 else { throw .damaged("fixed column \(name) of no length", offset: 0) }
        return ColumnType(physical, length: isFixed ? length : 0, logical: logical ?? convertedLogical)
    }

    /// What files say that know no LogicalType.
    private var convertedLogical: ColumnType.Logical? {
        switch converted {
        case nil, 15?, 16?, 17?, 18?: nil
        case 0?: .string
        case 4?: .enumeration
        case 5?: .decimal(precision: precision, scale: scale)
        case 6?: .date
        case 10?: .timestampMicros
        case 19?: .json
        case 11?, 12?, 13?, 14?: .integer(bits: 0, signed: false)
        case let other?: .other("converted type \(other)")
        }
    }
}

/// The pages of a chunk from its OffsetIndex.
func pageLocations(reading bytes: [UInt8], base: Int) throws(ParquetError) -> [PageLocation] {
    var reader = ThriftReader(bytes, base: base), pages: [PageLocation] = []
    try reader.structure { (reader, field) throws(ParquetError) in
        guard field.id == 1 else { return try reader.skip(field) }
        try reader.list(field, of: 12) { (reader, _) throws(ParquetError) in
            var page = PageLocation(offset: 0, size: 0, firstRow: 0)
            try reader.structElement { (reader, field) throws(ParquetError) in
                switch field.id {
                case 1: page.offset = try reader.count(field)
                case 2: page.size = try reader.count(field)
                case 3: page.firstRow = try reader.count(field)
                default: try reader.skip(field)
                }
            }
            guard page.firstRow > pages.last?.firstRow ?? -1, page.offset > pages.last?.offset ?? -1 else { throw reader.damaged("pages out of order") }
            pages.append(page)
        }
    }
    guard pages.first?.firstRow == 0 else { throw .damaged("page index that does not begin at row 0", offset: base) }
    return pages
}

extension ColumnIndex {
    package init(reading bytes: [UInt8], base: Int) throws(ParquetError) {
        self.init()
        var reader = ThriftReader(bytes, base: base), found = ColumnIndex()
        try reader.structure { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1: try reader.list(field, of: 1) { (reader, _) throws(ParquetError) in found.nullPages.append(try reader.boolElement()) }
            case 2: try reader.list(field, of: 8) { (reader, _) throws(ParquetError) in found.min.append(try reader.binaryElement()) }
            case 3: try reader.list(field, of: 8) { (reader, _) throws(ParquetError) in found.max.append(try reader.binaryElement()) }
            case 4: found.order = Order(rawValue: try reader.i32(field)) ?? .unordered
            case 5: try reader.list(field, of: 6) { (reader, _) throws(ParquetError) in found.nullCounts.append(Int(clamping: try reader.i64Element())) }
            default: try reader.skip(field)
            }
        }
        guard found.min.count == found.nullPages.count, found.max.count == found.nullPages.count else { throw .damaged("column index of uneven lists", offset: base) }
        self = found
    }
}
