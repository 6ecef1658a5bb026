// Writes the Parquet file of a file slice: rows in the order of their keys, new ones and ones carried over from the slice before.

import Parquet

struct SliceWriter {
    private var writer: ParquetWriter
    let name: String
    private let commit: HudiInstant, number: Int, place: String
    private var person: ArraySlice<UInt8> = []
    private var groupRows = 0
    private(set) var rowCount = 0
    private var firstKey: String?, lastKey: String?

    /// - Parameter number: of the file within its commit.
    init(name: String, commit: HudiInstant, number: Int, options: ParquetWriter.Options, place: String) throws(ArchiveError) {
        (self.name, self.commit, self.number, self.place) = (name, commit, number, place)
        writer = try encoding(place) { () throws(ParquetError) in try ParquetWriter(OrderColumns.schema, options: options) }
    }

    /// Bytes of the file so far.
    var byteCount: Int { writer.byteCount }

    mutating func add(_ order: ArchivedOrder) throws(ArchiveError) {
        try begin(Array(order.person.utf8)[...])
        OrderColumns.append(order, commit: commit, sequence: "\(commit)_\(number)_\(rowCount)", file: name, to: &writer.columns)
        note(order.id)
    }

    /// The row a cursor is at, as it is but for the file's name.
    mutating func carry(_ cursor: RowCursor, person: ArraySlice<UInt8>, order: String) throws(ArchiveError) {
        try begin(person)
        for leaf in cursor.columns.indices {
            if leaf == OrderColumns.Leaf.file { writer.columns[leaf].append(name) } else {
                writer.columns[leaf].append(entries: cursor.entries(leaf), firstValue: cursor.firstValue(leaf), of: cursor.columns[leaf])
            }
        }
        note(order)
    }

    /// A whole row group as it is but for the file's name, as a row group again. False, and nothing done, when the rows before it are too few to be
    /// a row group of their own.
    mutating func carry(group columns: [ColumnValues], lastPerson: [UInt8]) throws(ArchiveError) -> Bool {
        guard groupRows == 0 || groupRows >= OrderColumns.groupRowsMax / 4 else { return false }
        try endGroup()
        for leaf in columns.indices {
            if leaf == OrderColumns.Leaf.file { for _ in 0..<columns[leaf].entryCount { writer.columns[leaf].append(name) } } else {
                writer.columns[leaf].append(entries: 0..<columns[leaf].entryCount, firstValue: 0, of: columns[leaf])
            }
        }
        for i in 0..<columns[OrderColumns.Leaf.order].valueCount { note(columns[OrderColumns.Leaf.order].string(i)) }
        person = lastPerson[...]
        try endGroup()
        return true
    }

    /// The bytes that are ready, which are the file's next.
    mutating func take() -> [UInt8] { writer.take() }

    /// Then `take()` gives the file's last.
    mutating func finish() throws(ArchiveError) {
        try endGroup()
        var keys: [KeyValue] = []
        if let firstKey, let lastKey { keys = [KeyValue("hoodie_min_record_key", firstKey), KeyValue("hoodie_max_record_key", lastKey)] }
        do throws(ParquetError) { try writer.finish(keyValues: keys) } catch { throw ArchiveError(error, place: place) }
    }

    // MARK: -

    private mutating func begin(_ next: ArraySlice<UInt8>) throws(ArchiveError) {
        if groupRows > 0 {
            let bytes = writer.columns.reduce(0) { $0 + $1.byteCount }
            let isFull = groupRows >= OrderColumns.groupRowsMax || bytes >= OrderColumns.groupBytesMax
            let isOverfull = groupRows >= OrderColumns.groupStretchMax * OrderColumns.groupRowsMax || bytes >= OrderColumns.groupStretchMax * OrderColumns.groupBytesMax
            if isOverfull || (isFull && next != person) { try endGroup() }
        }
        person = next
    }

    private mutating func endGroup() throws(ArchiveError) {
        groupRows = 0
        do throws(ParquetError) { try writer.endRowGroup() } catch { throw ArchiveError(error, place: place) }
    }

    /// Record keys by their bytes, as Hudi's footer has them.
    private mutating func note(_ key: String) {
        groupRows += 1
        rowCount += 1
        if firstKey.map({ key.utf8.lexicographicallyPrecedes($0.utf8) }) ?? true { firstKey = key }
        if lastKey.map({ $0.utf8.lexicographicallyPrecedes(key.utf8) }) ?? true { lastKey = key }
    }
}
