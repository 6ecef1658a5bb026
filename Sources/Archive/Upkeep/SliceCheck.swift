// Reads one file of the table from its first byte to its last, and holds it against what it must be.
//
//     1  Every page has its checksum and decodes; the file is, byte for byte, what the writer makes of its rows (Parquet/EncodingCheck).
//     2  Hudi's columns say of each row what is so: key, partition, file, a commit no later than the file's.
//     3  A row belongs here: its month is the partition's, its person's bucket the file group's; keys rise and none comes twice.
//     4  Amounts are whole minor units of the currency; as many lines as `line_count` says.

import Parquet

struct SliceCheck {
    private let table: HudiTable, slice: FileSlice, place: String
    private var last: RowKey?
    private var firstKey: String?, lastKey: String?
    private(set) var fault: String?
    private(set) var note: String?
    private(set) var cost = ReadCost()

    init(_ table: HudiTable, _ slice: FileSlice) { (self.table, self.slice, place) = (table, slice, table.place + "/" + slice.path) }

    /// Gives the rows of each row group that has no fault. Ends at the first fault.
    /// - Throws: what keeps the file from being read: damage, or a store that does not answer.
    mutating func run(_ visit: ([ArchivedRow]) async throws(ArchiveError) -> Void) async throws(ArchiveError) {
        let (file, meter) = try await table.file(slice)
        var encoding = try await decoding(place) { () async throws(ParquetError) in try EncodingCheck(file, options: OrderColumns.options) }
        for group in file.metadata.rowGroups.indices {
            let columns = try await decoding(place) { () async throws(ParquetError) in try await file.columns(of: group, gap: 1 << 20) }
            let rows = try check(columns, group)
            cost = meter.cost
            if fault != nil { return }
            do throws(ParquetError) { try await encoding.add(columns) } catch { throw ArchiveError(error, place: place) }
            try await visit(rows)
        }
        var keys: [KeyValue] = []
        if let firstKey, let lastKey { keys = [KeyValue("hoodie_min_record_key", firstKey), KeyValue("hoodie_max_record_key", lastKey)] }
        let finding: EncodingCheck.Finding
        do throws(ParquetError) { finding = try await encoding.finish(keyValues: keys) } catch { throw ArchiveError(error, place: place) }
        cost = meter.cost
        switch finding {
        case .same: break
        case .packedOtherwise(let offset): note = "sound, but packed otherwise than this build packs, from offset \(offset) on: another version's, or changed where no reader looks"
        case .wrong(let what, let offset): fault = "\(what) is not what the rows say, from offset \(offset) on"
        }
    }

    // MARK: -

    private mutating func check(_ columns: [ColumnValues], _ group: Int) throws(ArchiveError) -> [ArchivedRow] {
        typealias Leaf = OrderColumns.Leaf
        let firsts = [Leaf.sequence, Leaf.recordKey, Leaf.partition, Leaf.file, Leaf.decimals, Leaf.total, Leaf.paid, Leaf.refunded, Leaf.lineCount, Leaf.year, Leaf.month]
        let count = columns[Leaf.order].entryCount
        guard firsts.allSatisfy({ columns[$0].valueCount == count }) else {
            fault = "a row without a value it must have, in row group \(group)"
            return []
        }
        var reader = try OrderRows(columns, place: place), rows: [ArchivedRow] = []
        while let row = try reader.next() {
            if let what = what(row, columns, rows.count) {
                fault = "row \(rows.count) of row group \(group): \(what)"
                return []
            }
            rows.append(row)
        }
        return rows
    }

    private mutating func what(_ row: ArchivedRow, _ columns: [ColumnValues], _ i: Int) -> String? {
        typealias Leaf = OrderColumns.Leaf
        let order = row.order
        if columns[Leaf.recordKey].string(i) != order.id { return "the record key is not the order's" }
        if columns[Leaf.partition].string(i) != slice.partition.path { return "the partition path is another's" }
        if row.file != slice.name { return "the file name is another's" }
        if row.commitTime > slice.instant { return "a commit later than its file" }
        if columns[Leaf.year].int32(i) != slice.partition.year || columns[Leaf.month].int32(i) != slice.partition.month { return "year and month are another partition's" }
        guard let key = order.key else { return "placed in no month" }
        if key.partition != slice.partition { return "placed in another month than its partition's" }
        if FileSlice.fileID(key.partition, bucket: FileSlice.bucket(person: order.person, of: table.buckets)) != slice.fileID { return "its person belongs to another file group" }
        let place = RowKey(key)
        if let last, !(last < place) { return last == place ? "an order that is there twice" : "not sorted by person and order" }
        last = place
        let factor = Amount.factor(order.currencyDecimals)
        for leaf in [Leaf.total, Leaf.paid, Leaf.refunded] where columns[leaf].decimal(i) % factor != 0 { return "an amount that is no whole minor unit of its currency" }
        if Int(columns[Leaf.lineCount].int32(i)) != order.lines.count { return "line_count is not the number of its lines" }
        if firstKey.map({ order.id.utf8.lexicographicallyPrecedes($0.utf8) }) ?? true { firstKey = order.id }
        if lastKey.map({ $0.utf8.lexicographicallyPrecedes(order.id.utf8) }) ?? true { lastKey = order.id }
        return nil
    }
}
