// The table against a dictionary.

import Archive
import IsothermTesting
import Storage
import Testing

@Suite("Archive table")
struct TableTests {
    @Test("a random history of upserts, deletes and cleans, opened anew each time, equals a dictionary's", arguments: UInt64(0)..<6)
    func history(seed: UInt64) async throws {
        var random = Seeded(seed), model: [String: ArchivedOrder] = [:], changed: [String: HudiInstant] = [:]
        let bench = Bench()
        for _ in 0..<8 {
            let writer = try await bench.writer(), count = Int(random.next() % 60) + 1
            switch random.next() % 5 {
            case 0:
                let keys = (0..<count).compactMap { _ in SampleOrders.order(Int(random.next() % 200)).key }
                let result = try await writer.delete(keys)
                let gone = Set(keys.map(\.order)).intersection(model.keys)
                #expect(result.deleted == gone.count)
                for id in gone { model[id] = nil }
            case 1:
                _ = try await writer.clean(keeping: Int(random.next() % 3) + 1)
            default:
                let orders = (0..<count).map { _ in SampleOrders.order(Int(random.next() % 200), version: Int64(random.next() % 4) + 1) }
                let result = try await writer.upsert(orders)
                for order in orders where (model[order.id]?.version ?? 0) <= order.version && model[order.id] != order {
                    model[order.id] = order
                    changed[order.id] = result.instant
                }
            }
            let snapshot = try await bench.table().snapshot(), rows = try await snapshot.all()
            #expect(SampleOrders.sorted(rows.map(\.order)) == SampleOrders.sorted(model.values))
            for row in rows { #expect(row.commitTime == changed[row.order.id]) }
            #expect(snapshot.rowCount == model.count)
            #expect(rows.allSatisfy { row in snapshot.current.contains { $0.name == row.file } })
            try await lookUps(snapshot, model, &random)
        }
    }

    private func lookUps(_ snapshot: TableSnapshot, _ model: [String: ArchivedOrder], _ random: inout Seeded) async throws {
        for _ in 0..<10 {
            let order = SampleOrders.order(Int(random.next() % 220)), key = try #require(order.key)
            let found = try await snapshot.get(key)
            #expect(found.row?.order == model[order.id])
            #expect(found.cost.requests <= 2)
            let theirs = try await snapshot.ofPerson(order.person)
            let wanted = model.values.filter { $0.person == order.person }.sorted { ($0.placedAt, $0.id) < ($1.placedAt, $1.id) }
            #expect(theirs.rows.map(\.order) == wanted)
            let some = Set(wanted.map(\.id).filter { _ in random.next() % 2 == 0 })
            #expect(try await snapshot.ofPerson(order.person, orders: some).rows.map(\.order) == wanted.filter { some.contains($0.id) })
        }
    }

    @Test("what is there already is not written again")
    func idempotent() async throws {
        let bench = Bench(), writer = try await bench.writer(), orders = (0..<50).map { SampleOrders.order($0, version: 3) }
        let first = try await writer.upsert(orders)
        #expect((first.inserted, first.updated, first.unchanged) == (50, 0, 0))
        let before = try await bench.table().snapshot()
        let again = try await writer.upsert(orders), older = try await writer.upsert((0..<50).map { SampleOrders.order($0, version: 2) })
        #expect(again.instant == nil && again.unchanged == 50)
        #expect(older.instant == nil && older.unchanged == 50)
        let nothing = try await writer.delete([ArchivedOrder.Key(order: "none", person: "none", partition: try #require(Partition(year: 2020, month: 1)))])
        #expect(nothing.instant == nil)
        #expect(try await bench.table().snapshot().slices == before.slices)
        #expect(try await bench.table().snapshot().instants == before.instants)
    }

    @Test("only the file groups of what changes are written, and only they")
    func groups() async throws {
        let bench = Bench(), writer = try await bench.writer()
        _ = try await writer.upsert((0..<300).map { SampleOrders.order($0) })
        let before = try await bench.table().snapshot()
        let result = try await writer.upsert([SampleOrders.order(7, version: 2)])
        let after = try await bench.table().snapshot()
        #expect(result.updated == 1)
        #expect(result.files.count == 1)
        #expect(after.slices.filter { before.slices[$0.key] != $0.value }.count == 1)
    }

    @Test("a file of many row groups is merged at its begin, between and at its end; row groups nothing changes in are carried over whole")
    func manyGroups() async throws {
        let bench = Bench(buckets: 1)
        func order(_ n: Int, _ version: Int64 = 1) -> ArchivedOrder {
            var order = SampleOrders.order(n, version: version, people: 700)
            order.placedAt = SampleOrders.january + Int64(n)
            return order
        }
        var model: [String: ArchivedOrder] = [:]
        for n in 0..<3_000 where n % 3 != 0 { model[order(n).id] = order(n) }
        _ = try await bench.writer().upsert(Array(model.values))
        let sorted = model.values.sorted { ($0.person, $0.id) < ($1.person, $1.id) }
        for place in [0, 1, sorted.count / 3, sorted.count / 2, sorted.count - 1] {
            var changed = sorted[place]
            (changed.version, changed.body) = (5, Array("changed".utf8))
            let result = try await bench.writer().upsert([changed])
            #expect((result.inserted, result.updated) == (0, 1))
            model[changed.id] = changed
            #expect(SampleOrders.sorted(try await bench.table().snapshot().all().map(\.order)) == SampleOrders.sorted(model.values))
        }
        for n in stride(from: 0, to: 3_000, by: 300) { model[order(n).id] = order(n) }
        _ = try await bench.writer().upsert(stride(from: 0, to: 3_000, by: 300).map { order($0) })
        _ = try await bench.writer().delete(sorted[500..<1_500].compactMap(\.key))
        for gone in sorted[500..<1_500] { model[gone.id] = nil }
        let snapshot = try await bench.table().snapshot()
        #expect(SampleOrders.sorted(try await snapshot.all().map(\.order)) == SampleOrders.sorted(model.values))
        for person in Set(sorted.map(\.person)).sorted().prefix(60) {
            let found = try await snapshot.ofPerson(person).rows.map(\.order)
            #expect(found == model.values.filter { $0.person == person }.sorted { ($0.placedAt, $0.id) < ($1.placedAt, $1.id) })
        }
    }

    @Test("orders that the table cannot hold are refused before anything is written")
    func refused() async throws {
        let bench = Bench(), writer = try await bench.writer()
        var early = SampleOrders.order(1), nameless = early, dear = early, binary = early
        early.placedAt = -1
        nameless.person = ""
        (dear.totalMinor, dear.currencyDecimals) = (.max, 2)
        binary.body = [0xFF]
        for bad in [early, nameless, dear, binary] {
            await #expect(throws: ArchiveError.self) { try await writer.upsert([SampleOrders.order(2), bad]) }
        }
        #expect(try await bench.table().snapshot().instants.isEmpty)
    }

    @Test("a cut commit, a missing slice and a shortened one are errors, not older rows")
    func damage() async throws {
        let bench = Bench(), writer = try await bench.writer()
        _ = try await writer.upsert((0..<40).map { SampleOrders.order($0) })
        let result = try await writer.upsert((0..<40).map { SampleOrders.order($0, version: 2) })
        let instant = try #require(result.instant), commit = "cold/orders/.hoodie/\(instant).commit", good = try await bench.store.get(commit)
        for length in stride(from: 0, to: good.count, by: 397) {
            try await bench.store.put(commit, Array(good[..<length]))
            await #expect(throws: ArchiveError.self, "cut at \(length)") { try await bench.table().snapshot() }
        }
        try await bench.store.put(commit, good)
        let slice = "cold/orders/" + (try #require(result.files.first)).path, bytes = try await bench.store.get(slice)
        try await bench.store.put(slice, Array(bytes.dropLast()))
        await #expect(throws: ArchiveError.self) { try await bench.table().snapshot() }
        try await bench.store.delete(slice)
        await #expect(throws: ArchiveError.self) { try await bench.table().snapshot() }
        try await bench.store.put(slice, bytes)
        #expect(try await bench.table().snapshot().rowCount == 40)
    }

    @Test("a commit larger than any of ours is refused before it is read")
    func largeCommit() async throws {
        let bench = Bench(), instant = try #require(try await bench.writer().upsert([SampleOrders.order(1)]).instant)
        try await bench.store.put("cold/orders/.hoodie/\(instant).commit", [UInt8](repeating: 0x20, count: HudiCommit.bytesMax + 1))
        let counting = CountingObjectStore(bench.store)
        await #expect(throws: ArchiveError.self) { try await bench.table(over: counting).snapshot() }
        #expect(counting.counts.bytesRead < 1 << 20)
    }

    @Test("an epoch that no lease rises to, in the name of a file that somebody put there, is not the newest")
    func foreignEpochs() async throws {
        let bench = Bench(buckets: 1)
        _ = try await bench.writer().upsert([SampleOrders.order(1)])
        let slice = try #require(try await bench.table().snapshot().current.first)
        for epoch in [Int64.max, 1 << 49] {
            let path = slice.path.replacing("_0-1-", with: "_0-\(epoch)-")
            #expect(path != slice.path)
            try await bench.store.put("cold/orders/" + path, [1])
        }
        #expect(try await bench.table().snapshot().newestEpoch == 1)
    }

    @Test("another's table is refused by name")
    func others() async throws {
        let bench = Bench(), key = "cold/orders/.hoodie/hoodie.properties"
        _ = try await bench.table()
        let text = String(decoding: try await bench.store.get(key), as: UTF8.self)
        for (from, to) in [("version=6", "version=8"), ("COPY_ON_WRITE", "MERGE_ON_READ"), ("isotherm.buckets=2", "x=2"), ("checksum=", "checksum=1")] {
            #expect(text.contains(from))
            let bytes = Array(text.split(separator: from, maxSplits: 1, omittingEmptySubsequences: false).joined(separator: to).utf8)
            try await bench.store.put(key, bytes)
            await #expect(throws: ArchiveError.self, "\(to)") { try await bench.table() }
        }
        try await bench.store.put(key, Array(text.utf8))
        try await bench.store.put("cold/orders/.hoodie/20260101000000000.replacecommit", [])
        await #expect(throws: ArchiveError.self) { try await bench.table().snapshot() }
    }
}
