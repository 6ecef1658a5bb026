// Writes a Parquet file row group by row group. Pure: the bytes that are ready are taken with `take()` and put where the caller wants.
//
//     "PAR1"
//     row group 0: chunk of column 0 (dictionary page?, data pages), chunk of column 1, …
//     row group 1: …
//     bloom filters, by row group and column
//     ColumnIndex of every chunk, then OffsetIndex of every chunk
//     footer (FileMetaData), its length u32, "PAR1"
//
// The caller fills `columns`, one entry or more per row and column, and ends a row group with `endRowGroup`.
// Invariant: the same rows, options and key values give the same bytes.
//
// Source: the Parquet format (parquet-format: README "File format", parquet.thrift, PageIndex.md, BloomFilter.md, Encodings.md).

package struct ParquetWriter {
    package struct Options: Sendable {
        package var compression = Compression.zstd
        package var compressionLevel = 3
        /// A page of values is cut at the row where it passes this many bytes, unpacked,
        package var pageBytesMax = 1 << 20
        /// or this many rows.
        package var pageRowsMax = 20_000
        /// A chunk whose distinct values take more is written PLAIN.
        package var dictionaryBytesMax = 1 << 20
        /// ColumnIndex and OffsetIndex.
        package var pageIndex = true
        /// Columns with statistics of their smallest and largest value; nil means all. Each takes some 30 bytes of footer a row group.
        package var statisticsColumns: Set<String>?
        /// Columns (dotted paths) with a bloom filter.
        package var bloomColumns: Set<String> = []
        /// Columns whose values never repeat: no dictionary is tried.
        package var plainColumns: Set<String> = []
        /// A BYTE_ARRAY or FIXED_LEN_BYTE_ARRAY column, present in every row, by which the caller has sorted the rows of the whole file: a
        /// look-up index (LookupIndex.swift) is written for it.
        package var lookupColumn: String?
        /// By which the caller has sorted the rows of each row group.
        package var sorting: [SortingColumn] = []
        package var createdBy = "isotherm"
        /// What readers take.
        package var footerBytesMax = ParquetLimits().footerBytesMax
        package init() {}
    }

    package let schema: ParquetSchema
    package let options: Options
    /// The entries of the row group in the making, by leaf.
    package var columns: [ColumnValues]
    private var output: [UInt8] = Array("PAR1".utf8)
    private var taken = 0
    private var groups: [RowGroup] = []
    /// Of them, and of those taken out and not given back.
    private var sealedGroups = 0
    private var extras: [[EncodedChunk]] = []
    private let packer: Packer
    private var lookup: LookupIndex?

    package init(_ schema: ParquetSchema, options: Options = Options()) throws(ParquetError) {
        guard !schema.leaves.isEmpty else { throw .misuse("a Parquet schema needs a column") }
        for leaf in schema.leaves where leaf.type.physical == .int96 || leaf.type.physical == .float {
            throw .unsupported("writing \(leaf.type.physical) (column \(leaf.name))")
        }
        for name in options.bloomColumns.union(options.plainColumns).union(options.statisticsColumns ?? []) where schema.leaf(name) == nil { throw .misuse("no column \(name) in the schema") }
        if let name = options.lookupColumn {
            guard let leaf = schema.leaf(name), leaf.maxRepetition == 0, ValueOrder(leaf.type) == .bytes else {
                throw .misuse("look-up column \(name) is no flat column of bytes")
            }
            lookup = LookupIndex(schemaChecksum: LookupIndex.checksum(schema), compression: options.compression.rawValue, leaf: leaf.index)
        }
        packer = try Packer(options.compression, level: options.compressionLevel)
        (self.schema, self.options) = (schema, options)
        columns = schema.leaves.map { ColumnValues($0) }
    }

    /// Bytes of the file made so far.
    package var byteCount: Int { taken + output.count }
    package var rowCount: Int { groups.reduce(0) { $0 + $1.rowCount } }
    package var rowGroupCount: Int { groups.count }
    /// Of the entries of the row group in the making.
    package var heldBytes: Int {
        var sum = 0
        for i in columns.indices { sum += columns[i].byteCount }
        return sum
    }

    /// The bytes made since the last call, which are the file's next.
    package mutating func take() -> [UInt8] {
        taken += output.count
        defer { output = [] }
        return output
    }

    /// Writes what `columns` hold as a row group and empties them. Does nothing when they hold no row.
    /// - Throws: `misuse` when the columns differ in rows.
    package mutating func endRowGroup() throws(ParquetError) {
        guard let sealed = try sealRowGroup() else { return }
        add(try sealed.encoded(packer))
    }

    /// Takes the row group in the making out, to be encoded elsewhere; `columns` are empty then. Whoever asks gives it back with `add`, in turn and before
    /// `finish`. Nil when there is no row.
    /// - Parameter spare: emptied columns of an earlier row group, whose memory is used again.
    /// - Throws: `misuse` when the columns differ in rows.
    package mutating func sealRowGroup(spare: [ColumnValues]? = nil) throws(ParquetError) -> SealedGroup? {
        guard let rows = try checkedRows() else { return nil }
        return seal(rows, spare ?? schema.leaves.map { ColumnValues($0) })
    }

    /// Writes a row group that was taken out.
    package mutating func add(_ encoded: EncodedGroup) { add(encoded.chunks, of: encoded.group) }

    /// As `endRowGroup`, the columns encoded by `tasks` tasks at once. Same bytes.
    package mutating func endRowGroup(tasks: Int) async throws(ParquetError) {
        guard let rows = try checkedRows() else { return }
        let sealed = seal(rows, schema.leaves.map { ColumnValues($0) }), shared = SharedColumns(sealed.columns, options)
        let results = await withTaskGroup(of: [(Int, Result<EncodedChunk, ParquetError>)].self) { group in
            for _ in 0..<max(1, tasks) { group.addTask { shared.encodeSome() } }
            var all: [(Int, Result<EncodedChunk, ParquetError>)] = []
            for await some in group { all += some }
            return all
        }
        var chunks: [EncodedChunk] = []
        for (_, result) in results.sorted(by: { $0.0 < $1.0 }) { chunks.append(try result.get()) }
        add(chunks, of: sealed)
    }

    /// Writes what follows the row groups; `take()` then gives the file's last bytes.
    /// - Throws: `tooLarge` for a footer that our own reader would refuse.
    package mutating func finish(keyValues: [KeyValue] = []) throws(ParquetError) {
        guard sealedGroups == groups.count else { throw .misuse("\(sealedGroups - groups.count) row groups were taken out and not given back") }
        try endRowGroup()
        writeBloomFilters()
        writePageIndex()
        var metadata = FileMetadata()
        metadata.schema = schema
        metadata.rowCount = rowCount
        metadata.rowGroups = groups
        metadata.keyValues = keyValues
        metadata.createdBy = options.createdBy
        if let lookup { metadata.keyValues.append(KeyValue(LookupIndex.key, lookup.serialized)) }
        let footer = metadata.serialized
        guard footer.count <= options.footerBytesMax, groups.count * schema.leaves.count <= ParquetLimits().chunksMax, let length = UInt32(exactly: footer.count) else {
            throw .tooLarge("a footer of \(footer.count) bytes for \(groups.count) row groups, more than is read again: larger row groups, or fewer rows a file")
        }
        output += footer
        for k in 0..<4 { output.append(UInt8(truncatingIfNeeded: length >> UInt32(8 * k))) }
        output += Array("PAR1".utf8)
    }

    // MARK: -

    private func checkedRows() throws(ParquetError) -> Int? {
        let rows = columns[0].rowCount
        for column in columns where column.rowCount != rows || (column.leaf.maxRepetition > 0 && (column.repetitions.first ?? 0) != 0) {
            throw .misuse("column \(column.leaf.name) has \(column.rowCount) rows, column \(columns[0].leaf.name) \(rows)")
        }
        if rows > 0, let lookup { try checkSorted(columns[lookup.leaf], rows, after: lookup.lastKey) }
        return rows == 0 ? nil : rows
    }

    private func checkSorted(_ keys: ColumnValues, _ rows: Int, after last: [UInt8]) throws(ParquetError) {
        guard keys.valueCount == rows else { throw .misuse("look-up column \(keys.leaf.name) is absent in a row") }
        var before = last[...]
        for i in 0..<rows {
            let key = keys.bytes(i)
            guard !key.lexicographicallyPrecedes(before) else { throw .misuse("rows are not sorted by the look-up column \(keys.leaf.name)") }
            before = key
        }
    }

    private mutating func seal(_ rows: Int, _ empty: [ColumnValues]) -> SealedGroup {
        var first: [UInt8] = [], continues = false
        if let leaf = lookup?.leaf {
            first = Array(columns[leaf].bytes(0))
            continues = sealedGroups > 0 && lookup?.lastKey == first
            let last = Array(columns[leaf].bytes(rows - 1))
            lookup?.lastKey = last
        }
        sealedGroups += 1
        defer { columns = empty }
        return SealedGroup(columns: columns, rows: rows, options: options, firstKey: first, continues: continues)
    }

    private mutating func add(_ chunks: [EncodedChunk], of sealed: SealedGroup) {
        var group = RowGroup()
        group.rowCount = sealed.rows
        group.sorting = options.sorting
        group.fileOffset = byteCount
        var kept: [EncodedChunk] = []
        for var chunk in chunks {
            let base = byteCount
            output += chunk.bytes
            chunk.bytes = []
            chunk.metadata.dataPageOffset += base
            if chunk.metadata.dictionaryPageOffset != nil { chunk.metadata.dictionaryPageOffset = base }
            for i in chunk.pages.indices { chunk.pages[i].offset += base }
            group.unpackedSize += chunk.metadata.unpackedSize
            group.packedSize += chunk.metadata.packedSize
            group.columns.append(chunk.metadata)
            kept.append(chunk)
        }
        let entry = LookupIndex.Group(range: (group.fileOffset ?? 0)..<byteCount, rows: sealed.rows, firstKey: sealed.firstKey, continues: sealed.continues)
        lookup?.groups.append(entry)
        groups.append(group)
        extras.append(kept)
    }

    private mutating func writeBloomFilters() {
        for g in groups.indices {
            for c in groups[g].columns.indices {
                guard let filter = extras[g][c].bloomFilter else { continue }
                groups[g].columns[c].bloomFilter = append(filter.serialized)
            }
        }
    }

    private mutating func writePageIndex() {
        guard options.pageIndex else { return }
        for g in groups.indices {
            for c in groups[g].columns.indices {
                if let index = extras[g][c].columnIndex { groups[g].columns[c].columnIndex = append(index.serialized) }
            }
        }
        for g in groups.indices {
            for c in groups[g].columns.indices { groups[g].columns[c].offsetIndex = append(serialized(extras[g][c].pages)) }
        }
    }

    private mutating func append(_ bytes: [UInt8]) -> Range<Int> {
        let start = byteCount
        output += bytes
        return start..<byteCount
    }
}
