// Reads a Parquet file: ours, and others' that use the same part of the format (docs/formats/parquet.md).
//
// Opening takes one read of the file's tail when the footer lies within it, else two. After that each call reads what it says.

package struct ParquetFile: Sendable {
    package let source: ParquetSource
    package let metadata: FileMetadata
    package let limits: ParquetLimits

    package var schema: ParquetSchema { metadata.schema }

    /// - Parameter tail: bytes read at first.
    package static func open(_ source: ParquetSource, tail: Int = 64 << 10, limits: ParquetLimits = ParquetLimits()) async throws(ParquetError) -> ParquetFile {
        let end = try await FileTail(source, tail)
        guard end.footer.count <= limits.footerBytesMax else { throw .tooLarge("a footer of \(end.footer.count) bytes") }
        let bytes = end.holdsFooter ? end.footerBytes : try await source.read(end.footer)
        let metadata = try FileMetadata(reading: bytes, base: end.footer.lowerBound, limits: limits)
        try checkPlaces(metadata, before: end.footer.lowerBound)
        return ParquetFile(source: source, metadata: metadata, limits: limits)
    }

    /// All rows of a row group: the columns `leaves`, or all. Neighbouring chunks come in one read.
    package func columns(of group: Int, leaves: [Int]? = nil, gap: Int = 64 << 10) async throws(ParquetError) -> [ColumnValues] {
        let row = try rowGroup(group), wanted = try checked(leaves)
        let parts = try await source.read(wanted.map { row.columns[$0].range }, gap: gap)
        var columns: [ColumnValues] = [], held = 0
        for (leaf, bytes) in zip(wanted, parts) {
            let chunk = row.columns[leaf]
            var decoder = try ChunkDecoder(schema.leaves[leaf], compression: chunk.compression, limits: limits.after(held))
            var at = 0
            while at < bytes.count { at = try decoder.page(bytes, at: at, end: bytes.count, base: chunk.range.lowerBound) }
            guard decoder.rowCount == row.rowCount, decoder.values.entryCount == chunk.valueCount else {
                throw .damaged("column \(schema.leaves[leaf].name) has \(decoder.rowCount) rows, its row group \(row.rowCount)", offset: chunk.range.lowerBound)
            }
            held += decoder.values.byteCount
            columns.append(decoder.values)
        }
        return columns
    }

    /// The rows `rows` of a row group by the page index: only the pages that hold them (and dictionaries) are read. Without an offset index
    /// the whole chunks are.
    package func columns(of group: Int, rows: Range<Int>, leaves: [Int]? = nil, gap: Int = 16 << 10) async throws(ParquetError) -> [ColumnValues] {
        let row = try rowGroup(group), wanted = try checked(leaves)
        guard rows.lowerBound >= 0, rows.upperBound <= row.rowCount else { throw .misuse("rows \(rows) of a row group of \(row.rowCount)") }
        guard wanted.allSatisfy({ row.columns[$0].offsetIndex != nil }) else {
            return try await columns(of: group, leaves: wanted).map { $0.rows(rows) }
        }
        let indexes = try await source.read(wanted.map { row.columns[$0].offsetIndex ?? 0..<0 }, gap: gap)
        var ranges: [Range<Int>] = [], firstRows: [Int] = []
        for (leaf, bytes) in zip(wanted, indexes) {
            let chunk = row.columns[leaf], pages = try pageLocations(reading: bytes, base: chunk.offsetIndex?.lowerBound ?? 0)
            let first = pages.lastIndex { $0.firstRow <= rows.lowerBound } ?? 0
            let last = pages.lastIndex { $0.firstRow < max(rows.upperBound, rows.lowerBound + 1) } ?? 0
            let stop = pages[last].offset + pages[last].size
            guard pages[0].offset >= chunk.range.lowerBound, stop <= chunk.range.upperBound, stop > pages[first].offset else { throw .damaged("page beyond its column chunk", offset: pages[first].offset) }
            ranges.append(chunk.dictionaryPageOffset == nil ? 0..<0 : chunk.range.lowerBound..<pages[0].offset)
            ranges.append(pages[first].offset..<stop)
            firstRows.append(pages[first].firstRow)
        }
        let parts = try await source.read(ranges, gap: gap)
        var columns: [ColumnValues] = [], held = 0
        for (i, leaf) in wanted.enumerated() {
            var decoder = try ChunkDecoder(schema.leaves[leaf], compression: row.columns[leaf].compression, limits: limits.after(held))
            for part in [2 * i, 2 * i + 1] {
                var at = 0
                while at < parts[part].count { at = try decoder.page(parts[part], at: at, end: parts[part].count, base: ranges[part].lowerBound) }
            }
            let start = rows.lowerBound - firstRows[i]
            guard start >= 0, start + rows.count <= decoder.rowCount else { throw .damaged("pages with fewer rows than the page index says", offset: ranges[2 * i + 1].lowerBound) }
            let column = decoder.values.rows(start..<start + rows.count)
            held += column.byteCount
            columns.append(column)
        }
        return columns
    }

    /// Whether a value may be in a row group: by the chunk's statistics, then (one read) its bloom filter. The value is in PLAIN form
    /// without a length.
    package func mayContain(_ value: [UInt8], leaf: Int, group: Int) async throws(ParquetError) -> Bool {
        let chunk = try rowGroup(group).columns[leaf], order = ValueOrder(schema.leaves[leaf].type)
        if order != .none, metadata.typeOrdered.indices.contains(leaf), metadata.typeOrdered[leaf], let statistics = chunk.statistics {
            if let min = statistics.min, order.less(value, min) { return false }
            if let max = statistics.max, order.less(max, value) { return false }
        }
        guard let range = chunk.bloomFilter, !range.isEmpty, range.count <= limits.pageBytesMax else { return true }
        return try await BloomFilter(serialized: source.read(range)).contains(value)
    }

    /// The column index of a chunk, nil where it has none. One read.
    package func columnIndex(leaf: Int, group: Int) async throws(ParquetError) -> ColumnIndex? {
        guard let range = try rowGroup(group).columns[leaf].columnIndex else { return nil }
        return try await ColumnIndex(reading: source.read(range), base: range.lowerBound)
    }

    /// The pages of a chunk, nil where it has no offset index. One read.
    package func pages(leaf: Int, group: Int) async throws(ParquetError) -> [PageLocation]? {
        guard let range = try rowGroup(group).columns[leaf].offsetIndex else { return nil }
        return try await pageLocations(reading: source.read(range), base: range.lowerBound)
    }

    // MARK: -

    /// Column chunks lie within the data, and no two share a byte: no checksum covers the footer, so a changed offset could show one column's
    /// values as another's.
    private static func checkPlaces(_ metadata: FileMetadata, before end: Int) throws(ParquetError) {
        let ranges = metadata.rowGroups.flatMap { $0.columns.map(\.range) }.sorted { $0.lowerBound < $1.lowerBound }
        var last = 4
        for range in ranges {
            guard range.lowerBound >= last, range.upperBound <= end else { throw .damaged("column chunk beyond the file's data, or over another", offset: range.lowerBound) }
            last = range.upperBound
        }
    }

    private func rowGroup(_ i: Int) throws(ParquetError) -> RowGroup {
        guard metadata.rowGroups.indices.contains(i) else { throw .misuse("row group \(i) of \(metadata.rowGroups.count)") }
        return metadata.rowGroups[i]
    }

    private func checked(_ leaves: [Int]?) throws(ParquetError) -> [Int] {
        guard let leaves else { return Array(schema.leaves.indices) }
        guard leaves.allSatisfy({ schema.leaves.indices.contains($0) }) else { throw .misuse("a column beyond the schema's \(schema.leaves.count)") }
        return leaves
    }
}

/// The end of a file: where its footer lies, and the bytes read with it.
struct FileTail {
    let footer: Range<Int>
    let bytes: [UInt8]
    private let start: Int

    init(_ source: ParquetSource, _ tail: Int) async throws(ParquetError) {
        let size = source.byteCount
        guard size >= 12 else { throw .damaged("too short to be a Parquet file", offset: 0) }
        start = max(0, size - max(8, tail))
        let bytes = try await source.read(start..<size)
        self.bytes = bytes
        let end = bytes.count
        guard bytes[(end - 4)...].elementsEqual("PAR1".utf8) else {
            if bytes[(end - 4)...].elementsEqual("PARE".utf8) { throw .unsupported("an encrypted footer") }
            throw .damaged("no PAR1 at the end", offset: size - 4)
        }
        let length = (0..<4).reduce(0) { $0 | Int(bytes[end - 8 + $1]) << (8 * $1) }
        guard length <= size - 12 else { throw .damaged("footer longer than the file", offset: size - 8) }
        footer = size - 8 - length..<size - 8
    }

    var holdsFooter: Bool { footer.lowerBound >= start }
    var footerBytes: [UInt8] { Array(bytes[max(0, footer.lowerBound - start)..<footer.upperBound - start]) }
}
