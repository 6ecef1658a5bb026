// Whether a file is, byte for byte, what the writer makes of its rows. Pages have checksums; the footer, the bloom filters and the pages' heads have none:
// writing the rows again finds what was changed in them.
//
// The same rows give the same bytes but for the packer: another version of it may pack otherwise. So where bytes differ, what the footers say is compared
// instead, with the places and sizes of packed pages left out.

package struct EncodingCheck {
    package enum Finding: Sendable, Equatable {
        case same
        /// What readers go by is the same; pages are packed otherwise, or have heads that say more, from this offset on.
        case packedOtherwise(from: Int)
        /// The file says something of its rows that is not so.
        case wrong(String, from: Int)
    }

    private let file: ParquetFile
    private var writer: ParquetWriter
    private var at = 0
    private var difference: Int?

    package init(_ file: ParquetFile, options: ParquetWriter.Options) throws(ParquetError) {
        self.file = file
        writer = try ParquetWriter(file.schema, options: options)
    }

    /// The next row group, all columns.
    package mutating func add(_ columns: [ColumnValues]) async throws(ParquetError) {
        for i in columns.indices { writer.columns[i].append(entries: 0..<columns[i].entryCount, firstValue: 0, of: columns[i]) }
        try writer.endRowGroup()
        try await compare(writer.take())
    }

    package mutating func finish(keyValues: [KeyValue]) async throws(ParquetError) -> Finding {
        try writer.finish(keyValues: keyValues)
        let size = writer.byteCount, end = writer.take()
        try await compare(end)
        if difference == nil, size != file.source.byteCount { difference = min(size, file.source.byteCount) }
        guard let difference else { return .same }
        let source = ParquetSource(byteCount: size) { (range) throws(ParquetError) in
            guard range.lowerBound >= size - end.count else { throw .misuse("pages are not kept") }
            return Array(end[range.lowerBound - (size - end.count)..<range.upperBound - (size - end.count)])
        }
        let made = try await ParquetFile.open(source, tail: min(end.count, 64 << 10))
        if let what = try await disagreement(made) { return .wrong(what, from: difference) }
        return .packedOtherwise(from: difference)
    }

    // MARK: -

    private mutating func compare(_ bytes: [UInt8]) async throws(ParquetError) {
        defer { at += bytes.count }
        guard difference == nil else { return }
        let stop = min(at + bytes.count, file.source.byteCount)
        let there = at < stop ? try await file.source.read(at..<stop) : []
        if let i = zip(bytes, there).enumerated().first(where: { $1.0 != $1.1 })?.offset { difference = at + i } else if there.count < bytes.count { difference = stop }
    }

    private func disagreement(_ made: ParquetFile) async throws(ParquetError) -> String? {
        let a = made.metadata, b = file.metadata
        if a.rowCount != b.rowCount || a.rowGroups.count != b.rowGroups.count { return "the footer counts other rows" }
        if a.typeOrdered != b.typeOrdered || a.rootName != b.rootName { return "the footer orders its columns otherwise" }
        func plain(_ metadata: FileMetadata) -> [KeyValue] { metadata.keyValues.filter { $0.key != LookupIndex.key } }
        if plain(a) != plain(b) { return "the footer's key values are other ones" }
        if let what = try lookup(a, b) { return what }
        for (g, (x, y)) in zip(a.rowGroups, b.rowGroups).enumerated() {
            for (c, (one, other)) in zip(x.columns, y.columns).enumerated() where Self.bare(one) != Self.bare(other) {
                return "what the footer says of column \(file.schema.leaves[c].name) in row group \(g)"
            }
            // The pages' heads count among what is unpacked, and are as long as checksum and packed size make them.
            if x.rowCount != y.rowCount || y.unpackedSize != y.columns.reduce(0, { $0 + $1.unpackedSize }) || x.sorting != y.sorting { return "what the footer says of row group \(g)" }
            if y.packedSize != y.columns.reduce(0, { $0 + $1.packedSize }) || y.fileOffset != y.columns.first?.range.lowerBound { return "the place of row group \(g)" }
            for c in x.columns.indices {
                guard let mine = x.columns[c].bloomFilter else { continue }
                guard let theirs = y.columns[c].bloomFilter, mine.count == theirs.count, try await made.source.read(mine) == file.source.read(theirs) else {
                    return "the bloom filter of column \(file.schema.leaves[c].name) in row group \(g)"
                }
            }
        }
        return nil
    }

    private func lookup(_ a: FileMetadata, _ b: FileMetadata) throws(ParquetError) -> String? {
        guard let mine = a.value(LookupIndex.key) else { return b.value(LookupIndex.key) == nil ? nil : "a look-up index where there is none" }
        guard let text = b.value(LookupIndex.key), case let theirs = try LookupIndex(text.utf8), case var wanted = try LookupIndex(mine.utf8) else { return "the look-up index is missing" }
        for (i, group) in b.rowGroups.enumerated() where wanted.groups.indices.contains(i) {
            if let first = group.columns.first, let last = group.columns.last { wanted.groups[i].range = first.range.lowerBound..<last.range.upperBound }
        }
        return wanted == theirs ? nil : "the look-up index is not that of the rows"
    }

    /// Without where it lies and how large it is, packed and with its pages' heads.
    private static func bare(_ chunk: ColumnChunk) -> ColumnChunk {
        var chunk = chunk
        (chunk.packedSize, chunk.unpackedSize, chunk.dataPageOffset) = (0, 0, 0)
        chunk.dictionaryPageOffset = chunk.dictionaryPageOffset == nil ? nil : 0
        chunk.bloomFilter = chunk.bloomFilter == nil ? nil : 0..<0
        chunk.offsetIndex = chunk.offsetIndex == nil ? nil : 0..<0
        chunk.columnIndex = chunk.columnIndex == nil ? nil : 0..<0
        return chunk
    }
}
