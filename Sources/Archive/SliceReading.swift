// Reads of the base files: a person's orders in two ranged reads a file, everything in large ones.

import Parquet
import Storage
import Synchronization

/// What an answer cost.
package struct ReadCost: Hashable, Sendable {
    package var requests = 0, bytes = 0
    package init(requests: Int = 0, bytes: Int = 0) { (self.requests, self.bytes) = (requests, bytes) }
    package static func += (a: inout ReadCost, b: ReadCost) { a = ReadCost(requests: a.requests + b.requests, bytes: a.bytes + b.bytes) }
}

package struct ArchiveAnswer: Sendable {
    /// By placing, oldest first, then by key.
    package var rows: [ArchivedRow]
    package var cost: ReadCost
}

package struct ArchivedDocument: Sendable, Hashable {
    package var order: String, version: Int64, body: [UInt8]
}

extension TableSnapshot {
    /// The order, or nil. At most two ranged reads; one when the file's look-up index was read before.
    package func get(_ key: ArchivedOrder.Key) async throws(ArchiveError) -> (row: ArchivedRow?, cost: ReadCost) {
        guard let slice = slice(person: key.person, in: key.partition) else { return (nil, ReadCost()) }
        let found = try await orders(of: key.person, in: slice, [key.order])
        return (found.rows.first { $0.order.id == key.order }, found.cost)
    }

    /// A person's orders of these months, or of all that the table has; of these only, where they are named.
    package func ofPerson(_ person: String, partitions wanted: [Partition]? = nil, orders: Set<String>? = nil) async throws(ArchiveError) -> ArchiveAnswer {
        let slices = Set(wanted ?? partitions).sorted().compactMap { slice(person: person, in: $0) }
        var answer = ArchiveAnswer(rows: [], cost: ReadCost())
        let parts = await withTaskGroup(of: Result<Part, ArchiveError>.self) { group in
            var next = 0, parts: [Result<Part, ArchiveError>] = []
            while parts.count < slices.count {
                while next < slices.count, next - parts.count < Self.readsMax {
                    let slice = slices[next]
                    group.addTask { await self.part(person, slice, orders) }
                    next += 1
                }
                if let part = await group.next() { parts.append(part) }
            }
            return parts
        }
        for part in parts {
            let found = try part.get()
            answer.rows += found.rows
            answer.cost += found.cost
        }
        answer.rows.sort { ($0.order.placedAt, $0.order.id) < ($1.order.placedAt, $1.order.id) }
        return answer
    }

    private typealias Part = (rows: [ArchivedRow], cost: ReadCost)
    /// Files of one person that are read at once.
    private static let readsMax = 8

    private func part(_ person: String, _ slice: FileSlice, _ wanted: Set<String>?) async -> Result<Part, ArchiveError> {
        do throws(ArchiveError) { return .success(try await orders(of: person, in: slice, wanted)) } catch { return .failure(error) }
    }

    /// Every order, file by file, a row group at a time, with what was read so far. Stops when `visit` gives false.
    package func scan(partitions wanted: Set<Partition>? = nil, _ visit: ([ArchivedRow], ReadCost) async throws(ArchiveError) -> Bool) async throws(ArchiveError) {
        var cost = ReadCost()
        for slice in current where wanted?.contains(slice.partition) ?? true {
            let (file, meter) = try await table.file(slice)
            for group in file.metadata.rowGroups.indices {
                let rows = try await table.rows(of: group, in: file, slice)
                var sofar = cost
                sofar += meter.cost
                guard try await visit(rows, sofar) else { return }
            }
            cost += meter.cost
        }
    }

    /// The documents alone, file by file, a row group at a time, with what was read so far: for those that want many. Stops when `visit` gives false.
    package func scanDocuments(
        partitions wanted: Set<Partition>? = nil, _ visit: ([ArchivedDocument], ReadCost) async throws(ArchiveError) -> Bool
    ) async throws(ArchiveError) {
        typealias Leaf = OrderColumns.Leaf
        var cost = ReadCost()
        for slice in current where wanted?.contains(slice.partition) ?? true {
            let (file, meter) = try await table.file(slice), place = table.place + "/" + slice.path
            for group in file.metadata.rowGroups.indices {
                let columns = try await decoding(place) { () async throws(ParquetError) in
                    try await file.columns(of: group, leaves: [Leaf.order, Leaf.version, Leaf.body], gap: 1 << 20)
                }
                let count = columns[0].entryCount
                guard columns.allSatisfy({ $0.valueCount == count }) else { throw ArchiveError(.damaged, place: place, "an order without its document") }
                let documents = (0..<count).map { row in
                    ArchivedDocument(order: String(decoding: columns[0].bytes(row), as: UTF8.self), version: columns[1].int64(row), body: Array(columns[2].bytes(row)))
                }
                var sofar = cost
                sofar += meter.cost
                guard try await visit(documents, sofar) else { return }
            }
            cost += meter.cost
        }
    }

    private func orders(of person: String, in slice: FileSlice, _ wanted: Set<String>?) async throws(ArchiveError) -> (rows: [ArchivedRow], cost: ReadCost) {
        let meter = ReadMeter(), place = table.place + "/" + slice.path, key = Array(person.utf8)
        var lookup = table.lookups[slice.path]
        if lookup == nil {
            // An index that does not end within the first tail is in a larger one, or not there.
            for tail in [48 << 10, 1 << 20] where lookup == nil {
                lookup = try await decoding(place) { () async throws(ParquetError) in try await KeyLookup(table.source(slice, meter), schema: OrderColumns.schema, tail: tail) }
            }
            if let lookup { table.lookups[slice.path] = lookup }
        }
        if let lookup {
            // A kept index reads by the meter of who opened it, so its read is counted here, by what it will be.
            var cost = meter.cost
            cost += lookup.cost(of: key)
            let columns = try await decoding(place) { () async throws(ParquetError) in try await lookup.rows(key) }
            return (try Self.all(columns, wanted, place), cost)
        }
        let (file, fileMeter) = try await table.file(slice)
        var rows: [ArchivedRow] = []
        for group in file.metadata.rowGroups.indices {
            let maybe = try await decoding(place) { () async throws(ParquetError) in try await file.mayContain(key, leaf: OrderColumns.Leaf.person, group: group) }
            if maybe { rows += try await table.rows(of: group, in: file, slice, wanted).filter { $0.order.person == person } }
        }
        var cost = meter.cost
        cost += fileMeter.cost
        return (rows, cost)
    }

    private static func all(_ columns: [ColumnValues], _ wanted: Set<String>?, _ place: String) throws(ArchiveError) -> [ArchivedRow] {
        var reader = try OrderRows(columns, place: place), rows: [ArchivedRow] = []
        while let row = try reader.next(of: wanted) { rows.append(row) }
        return rows
    }
}

extension KeyLookup {
    /// What `rows` will read for a key.
    fileprivate func cost(of key: [UInt8]) -> ReadCost {
        let wanted = index.groups(for: key)
        guard let first = wanted.first, let last = wanted.last else { return ReadCost() }
        return ReadCost(requests: 1, bytes: index.groups[last].range.upperBound - index.groups[first].range.lowerBound)
    }
}

extension HudiTable {
    /// A slice to be read from begin to end: its bytes come 8 MiB at a time.
    func file(_ slice: FileSlice) async throws(ArchiveError) -> (ParquetFile, ReadMeter) {
        let meter = ReadMeter(), window = ReadWindow(source(slice, meter), byteCount: slice.byteCount)
        let source = ParquetSource(byteCount: slice.byteCount) { (range) async throws(ParquetError) in try await window.read(range) }
        return (try await open(source, slice), meter)
    }

    /// A slice of which some columns are wanted: what is read is what is asked for, or all of it where that is one small read.
    func sparseFile(_ slice: FileSlice) async throws(ArchiveError) -> (ParquetFile, ReadMeter) {
        if slice.byteCount <= Self.smallBytes { return try await file(slice) }
        let meter = ReadMeter()
        return (try await open(source(slice, meter), slice), meter)
    }

    private static let smallBytes = 512 << 10

    private func open(_ source: ParquetSource, _ slice: FileSlice) async throws(ArchiveError) -> ParquetFile {
        let place = place + "/" + slice.path
        let file = try await decoding(place) { () async throws(ParquetError) in try await ParquetFile.open(source) }
        guard file.metadata.rowCount == slice.rowCount, file.schema == OrderColumns.schema else {
            throw ArchiveError(.damaged, place: place, "other rows or columns than were committed")
        }
        return file
    }

    func rows(of group: Int, in file: ParquetFile, _ slice: FileSlice, _ wanted: Set<String>? = nil) async throws(ArchiveError) -> [ArchivedRow] {
        let place = place + "/" + slice.path
        let columns = try await decoding(place) { () async throws(ParquetError) in try await file.columns(of: group, gap: 1 << 20) }
        var reader = try OrderRows(columns, place: place), rows: [ArchivedRow] = []
        while let row = try reader.next(of: wanted) { rows.append(row) }
        return rows
    }

    fileprivate func source(_ slice: FileSlice, _ meter: ReadMeter) -> ParquetSource {
        ParquetSource(byteCount: slice.byteCount) { [store, key = key(slice.path)] (range) async throws(ParquetError) in
            meter.add(range.count)
            do throws(ObjectStoreError) { return try await store.get(key, range) } catch {
                // Taken away meanwhile, by a clean, or lost: whoever reads tells the one from the other by looking at the table again.
                if error.kind == .notFound || error.kind == .damaged { throw .damaged(error.description, offset: range.lowerBound) }
                throw .unreadable(error.description)
            }
        }
    }
}

final class ReadMeter: Sendable {
    private let state = Mutex(ReadCost())
    var cost: ReadCost { state.withLock { $0 } }
    func add(_ bytes: Int) { state.withLock { $0 += ReadCost(requests: 1, bytes: bytes) } }
}

/// Reads ahead: small neighbouring ranges come out of one large read.
private actor ReadWindow {
    private let source: ParquetSource, byteCount: Int
    private var start = 0, bytes: [UInt8] = []
    private static let bytesMax = 8 << 20

    init(_ source: ParquetSource, byteCount: Int) { (self.source, self.byteCount) = (source, byteCount) }

    func read(_ range: Range<Int>) async throws(ParquetError) -> [UInt8] {
        if range.lowerBound < start || range.upperBound > start + bytes.count {
            let isWhole = byteCount <= Self.bytesMax
            // The tail, which is read first, by itself.
            if !isWhole, range.upperBound == byteCount || range.count >= Self.bytesMax { return try await source.read(range) }
            let from = isWhole ? 0 : range.lowerBound
            bytes = try await source.read(from..<min(byteCount, from + Self.bytesMax))
            start = from
        }
        guard range.upperBound <= start + bytes.count else { return try await source.read(range) }
        return Array(bytes[range.lowerBound - start..<range.upperBound - start])
    }
}

/// Look-up indexes of files read before: files never change, so neither do they.
final class LookupCache: Sendable {
    private let state = Mutex<[String: KeyLookup]>([:])
    private static let countMax = 256

    subscript(path: String) -> KeyLookup? {
        get { state.withLock { $0[path] } }
        set { state.withLock { kept in
            if kept.count >= Self.countMax, kept[path] == nil, let one = kept.keys.first { kept[one] = nil }
            kept[path] = newValue
        } }
    }
}
