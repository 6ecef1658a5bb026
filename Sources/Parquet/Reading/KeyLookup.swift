// Finds the rows of a key with the fewest ranged reads: the tail, then the row groups that hold the key as one range.

package struct KeyLookup: Sendable {
    private let source: ParquetSource
    private let schema: ParquetSchema
    private let limits: ParquetLimits
    package let index: LookupIndex

    /// One read: the file's tail, which must hold the index.
    /// - Returns: nil when the file has no look-up index in its last `tail` bytes, or one of another schema.
    package init?(_ source: ParquetSource, schema: ParquetSchema, tail: Int = 48 << 10, limits: ParquetLimits = ParquetLimits()) async throws(ParquetError) {
        let end = try await FileTail(source, tail)
        guard let text = Self.indexText(end.footerBytes) else { return nil }
        index = try LookupIndex(text)
        guard index.schemaChecksum == LookupIndex.checksum(schema), schema.leaves.indices.contains(index.leaf) else { return nil }
        for group in index.groups where group.range.upperBound > end.footer.lowerBound || group.rows > limits.chunkEntriesMax {
            throw .damaged("look-up index points beyond the file's data", offset: end.footer.lowerBound)
        }
        (self.source, self.schema, self.limits) = (source, schema, limits)
    }

    /// The rows with this key, all columns, in the file's order; none where the key is not there. One read at most.
    package func rows(_ key: [UInt8]) async throws(ParquetError) -> [ColumnValues] {
        let wanted = index.groups(for: key)
        var found = schema.leaves.map { ColumnValues($0) }
        guard let first = wanted.first, let last = wanted.last else { return found }
        let start = index.groups[first].range.lowerBound
        let bytes = try await source.read(start..<index.groups[last].range.upperBound)
        for group in index.groups[wanted] {
            let columns = try decode(bytes, group, base: start)
            guard let rows = try Self.rows(of: key, in: columns[index.leaf], at: group.range.lowerBound) else { continue }
            for i in columns.indices { found[i].append(rows: rows, of: columns[i]) }
        }
        return found
    }

    // MARK: -

    /// The rows with this key. One run, since only a file in the order of its keys has a look-up index: more are damage, and each would cost a walk over all columns.
    private static func rows(of key: [UInt8], in keys: ColumnValues, at offset: Int) throws(ParquetError) -> Range<Int>? {
        guard keys.leaf.maxRepetition == 0 else { throw .unsupported("a look-up by a column of a list") }
        var run: Range<Int>?, cursor = RowCursor([keys])
        while cursor.next() {
            guard let value = cursor.value(0), keys.bytes(value).elementsEqual(key) else { continue }
            if let run, run.upperBound != cursor.row { throw .damaged("rows that are not sorted by the look-up column \(keys.leaf.name)", offset: offset) }
            run = (run?.lowerBound ?? cursor.row)..<cursor.row + 1
        }
        return run
    }

    /// All columns of one row group, page by page: each column ends with the row group's last row.
    private func decode(_ bytes: [UInt8], _ group: LookupIndex.Group, base: Int) throws(ParquetError) -> [ColumnValues] {
        var at = group.range.lowerBound - base
        let end = group.range.upperBound - base
        var columns: [ColumnValues] = [], held = 0
        for leaf in schema.leaves {
            var decoder = try ChunkDecoder(leaf, compression: index.compression, limits: limits.after(held))
            repeat { at = try decoder.page(bytes, at: at, end: end, base: base) } while decoder.rowCount < group.rows
            guard decoder.rowCount == group.rows else { throw .damaged("column \(leaf.name) with more rows than its row group", offset: base + at) }
            held += decoder.values.byteCount
            columns.append(decoder.values)
        }
        guard at == end else { throw .damaged("row group longer than its columns", offset: base + at) }
        return columns
    }

    /// The value of the last key value, found from its key backwards: the footer's begin may not be among the bytes.
    private static func indexText(_ footer: [UInt8]) -> ArraySlice<UInt8>? {
        let name = Array(LookupIndex.key.utf8)
        // A KeyValue: field 1 (0x18), length, key, field 2 (0x18), length, value.
        let head = [0x18, UInt8(name.count)] + name + [0x18]
        guard footer.count > head.count else { return nil }
        var at = footer.count - head.count - 1
        while at >= 0 {
            if footer[at] == 0x18, footer[at..<at + head.count].elementsEqual(head) {
                var length = 0, shift = 0, next = at + head.count
                while next < footer.count, shift <= 28 {
                    length |= Int(footer[next] & 0x7F) << shift
                    shift += 7
                    next += 1
                    if footer[next - 1] < 0x80 { return length <= footer.count - next ? footer[next..<next + length] : nil }
                }
                return nil
            }
            at -= 1
        }
        return nil
    }
}
