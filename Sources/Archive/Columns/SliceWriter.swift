// Writes the Parquet file of a file slice: rows in the order of their keys, new ones and ones carried over from the slice before.
//
// Full row groups are encoded by tasks of their own while the next rows are gathered; `take` waits for them in turn, and for all but a few at most.

import Parquet

struct SliceWriter {
    private var writer: ParquetWriter
    let name: String
    private let stamp: OrderColumns.Stamp, place: String
    private var underway: [Task<Result<EncodedGroup, ParquetError>, Never>] = []
    private var spare: [ColumnValues]?
    /// Row groups being encoded, or waiting for their turn: what is in memory is bounded by them.
    private static let underwayMax = 3
    private var person: ArraySlice<UInt8> = []
    private var groupRows = 0
    private(set) var rowCount = 0
    private var firstKey: String?, lastKey: String?

    /// - Parameter number: of the file within its commit.
    init(name: String, commit: HudiInstant, number: Int, options: ParquetWriter.Options, place: String) throws(ArchiveError) {
        (self.name, self.place) = (name, place)
        stamp = OrderColumns.Stamp(commit: commit, number: number, file: name)
        writer = try encoding(place) { () throws(ParquetError) in try ParquetWriter(OrderColumns.schema, options: options) }
    }

    /// More row groups are under way than there may be: the next `take` waits for some.
    var isCrowded: Bool { underway.count > Self.underwayMax }
    /// Bytes of the file so far, without row groups under way.
    var byteCount: Int { writer.byteCount }

    mutating func add(_ order: ArchivedOrder) throws(ArchiveError) {
        try begin(Array(order.person.utf8)[...])
        OrderColumns.append(order, stamp, row: rowCount, to: &writer.columns)
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
    mutating func take() async throws(ArchiveError) -> [UInt8] {
        try await join(leaving: Self.underwayMax)
        return writer.take()
    }

    /// Then `take()` gives the file's last.
    mutating func finish() async throws(ArchiveError) {
        try endGroup()
        try await join(leaving: 0)
        var keys: [KeyValue] = []
        if let firstKey, let lastKey { keys = [KeyValue("hoodie_min_record_key", firstKey), KeyValue("hoodie_max_record_key", lastKey)] }
        do throws(ParquetError) { try writer.finish(keyValues: keys) } catch {
            guard case .tooLarge(let what) = error else { throw ArchiveError(error, place: place) }
            throw ArchiveError(.unsupported, place: place, "\(what). The month has too many orders for one file: make the table with more `archive.buckets`")
        }
    }

    // MARK: -

    private mutating func begin(_ next: ArraySlice<UInt8>) throws(ArchiveError) {
        if groupRows > 0 {
            let bytes = writer.heldBytes
            let isFull = groupRows >= OrderColumns.groupRowsMax || bytes >= OrderColumns.groupBytesMax
            let isOverfull = groupRows >= OrderColumns.groupStretchMax * OrderColumns.groupRowsMax || bytes >= OrderColumns.groupStretchMax * OrderColumns.groupBytesMax
            if isOverfull || (isFull && next != person) { try endGroup() }
        }
        person = next
    }

    private mutating func endGroup() throws(ArchiveError) {
        groupRows = 0
        do throws(ParquetError) {
            guard let sealed = try writer.sealRowGroup(spare: spare) else { return }
            spare = nil
            underway.append(Task { Result { () throws(ParquetError) in try sealed.encoded() } })
        } catch { throw ArchiveError(error, place: place) }
    }

    private mutating func join(leaving most: Int) async throws(ArchiveError) {
        while underway.count > most {
            let encoded = await underway.removeFirst().value
            do throws(ParquetError) {
                let group = try encoded.get()
                writer.add(group)
                if spare == nil { spare = group.emptied() }
            } catch { throw ArchiveError(error, place: place) }
        }
    }

    /// Record keys by their bytes, as Hudi's footer has them.
    private mutating func note(_ key: String) {
        groupRows += 1
        rowCount += 1
        if firstKey.map({ key.utf8.lexicographicallyPrecedes($0.utf8) }) ?? true { firstKey = key }
        if lastKey.map({ $0.utf8.lexicographicallyPrecedes(key.utf8) }) ?? true { lastKey = key }
    }
}
