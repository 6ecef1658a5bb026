// A new slice of one file group: the slice before, merged with what changes. Both are sorted by person and order, so one walk does it, with one
// row group in memory.
//
//     key only in the slice before     carried over, with its commit time
//     key only in the changes          inserted; a delete of nothing does nothing
//     key in both                      the larger version wins, of equals the new one; the same order again changes nothing

import Parquet
import Storage

struct SliceMerge {
    private let table: HudiTable
    private let place: String
    private let changes: RowChanges
    private var next = 0
    private var output: SliceWriter
    private var upload: SliceUpload
    private(set) var inserts = 0, updates = 0, deletes = 0, unchanged = 0

    var isChanged: Bool { inserts + updates + deletes > 0 }

    init(_ table: HudiTable, path: String, writer: SliceWriter, changes: RowChanges) {
        (self.table, output) = (table, writer)
        place = table.place + "/" + path
        var changes = changes
        changes.sort()
        self.changes = changes
        upload = SliceUpload(table.store, table.key(path))
    }

    /// Writes the file, or nothing at all when nothing changes.
    /// - Returns: rows and bytes of the file; nil when nothing changed.
    mutating func run(_ before: FileSlice?) async throws(ArchiveError) -> (rows: Int, bytes: Int)? {
        do throws(ArchiveError) {
            if let before { try await walk(before) }
            while next < changes.count { try insert(); try await flush(1 << 20) }
            guard isChanged else {
                await upload.abort()
                return nil
            }
            try await output.finish()
            try await flush(0)
            let bytes = output.byteCount
            try await upload.finish()
            return (output.rowCount, bytes)
        } catch {
            await upload.abort()
            throw error
        }
    }

    // MARK: -

    private mutating func walk(_ before: FileSlice) async throws(ArchiveError) {
        let (file, _) = try await table.file(before)
        var last: RowKey?
        for group in file.metadata.rowGroups.indices {
            let columns = try await decoding(place) { () async throws(ParquetError) in try await file.columns(of: group, gap: 1 << 20) }
            let ends = try Self.keys(columns, after: last, place)
            while next < changes.count, changes.key(next) < ends.first { try insert() }
            let isTouched = next < changes.count && !(ends.last < changes.key(next))
            let isCarried = isTouched ? false : try output.carry(group: columns, lastPerson: ends.last.person)
            if !isCarried { try mergeRows(columns) }
            last = ends.last
            try await flush(1 << 20)
        }
    }

    private mutating func mergeRows(_ columns: [ColumnValues]) throws(ArchiveError) {
        typealias Leaf = OrderColumns.Leaf
        var cursor = RowCursor(columns), row = 0
        while cursor.next() {
            let key = RowKey(person: columns[Leaf.person].bytes(row), order: columns[Leaf.order].bytes(row))
            while next < changes.count, changes.key(next) < key { try insert() }
            try merge(cursor, key, version: columns[Leaf.version].int64(row))
            row += 1
        }
    }

    /// The first and last key of a row group that has keys and versions in every row and is sorted by them.
    private static func keys(_ columns: [ColumnValues], after last: RowKey?, _ place: String) throws(ArchiveError) -> (first: RowKey, last: RowKey) {
        typealias Leaf = OrderColumns.Leaf
        let persons = columns[Leaf.person], orders = columns[Leaf.order], count = persons.entryCount
        guard count > 0, [Leaf.person, Leaf.order, Leaf.version].allSatisfy({ columns[$0].valueCount == count }) else {
            throw ArchiveError(.damaged, place: place, "a row without a key")
        }
        let first = RowKey(person: persons.bytes(0), order: orders.bytes(0))
        var isSorted = last.map { $0 < first } ?? true
        for i in 1..<max(1, count) where isSorted {
            let before = persons.bytes(i - 1), person = persons.bytes(i)
            isSorted = before.elementsEqual(person) ? orders.bytes(i - 1).lexicographicallyPrecedes(orders.bytes(i)) : before.lexicographicallyPrecedes(person)
        }
        guard isSorted else { throw ArchiveError(.damaged, place: place, "the slice before is not sorted by person and order") }
        return (first, RowKey(person: persons.bytes(count - 1), order: orders.bytes(count - 1)))
    }

    private mutating func insert() throws(ArchiveError) {
        defer { next += 1 }
        guard case .put(let order) = changes.change(next) else { return }
        try output.add(order)
        inserts += 1
    }

    private mutating func merge(_ cursor: RowCursor, _ key: RowKey, version: Int64) throws(ArchiveError) {
        guard next < changes.count, changes.key(next) == key else { return try carry(cursor, key) }
        defer { next += 1 }
        switch changes.change(next) {
        case .delete(let most):
            if version > most {
                unchanged += 1
                return try carry(cursor, key)
            }
            deletes += 1
        case .put(let order):
            if order.version < version || (order.version == version && isSame(cursor, order)) {
                unchanged += 1
                return try carry(cursor, key)
            }
            try output.add(order)
            updates += 1
        }
    }

    private mutating func carry(_ cursor: RowCursor, _ key: RowKey) throws(ArchiveError) {
        try output.carry(cursor, person: key.person[...], order: String(decoding: key.order, as: UTF8.self))
    }

    /// The document says all that there is of an order of one version.
    private func isSame(_ cursor: RowCursor, _ order: ArchivedOrder) -> Bool {
        guard let body = cursor.value(OrderColumns.Leaf.body) else { return false }
        return cursor.columns[OrderColumns.Leaf.body].bytes(body).elementsEqual(order.body)
    }

    private mutating func flush(_ atLeast: Int) async throws(ArchiveError) {
        guard output.isCrowded || output.byteCount - upload.byteCount > atLeast || atLeast == 0 else { return }
        let ready = try await output.take()
        if !ready.isEmpty { try await upload.append(ready) }
    }
}

/// A file on its way to the store: small ones are put at once, others by parts.
private struct SliceUpload {
    private let store: any ObjectStore, key: String
    private var buffer: [UInt8] = []
    private var parts: (any ObjectUpload)?
    private(set) var byteCount = 0
    private static let putBytesMax = 16 << 20

    init(_ store: any ObjectStore, _ key: String) { (self.store, self.key) = (store, key) }

    mutating func append(_ bytes: [UInt8]) async throws(ArchiveError) {
        byteCount += bytes.count
        buffer += bytes
        guard buffer.count > Self.putBytesMax else { return }
        do throws(ObjectStoreError) {
            if parts == nil { parts = try await store.upload(key) }
            try await parts?.append(buffer)
        } catch { throw ArchiveError(error) }
        buffer = []
    }

    mutating func finish() async throws(ArchiveError) {
        do throws(ObjectStoreError) {
            guard let parts else { return _ = try await store.put(key, buffer) }
            try await parts.append(buffer)
            try await parts.finish()
        } catch { throw ArchiveError(error) }
    }

    func abort() async { await parts?.abort() }
}
