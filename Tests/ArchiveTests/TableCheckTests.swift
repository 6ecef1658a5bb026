// The whole-table check finds what was done to a table, and names it; a copy is the table.

import Archive
import Glibc
import IsothermTesting
import Storage
import Testing

@Suite("Table check and copy")
struct TableCheckTests {
    private static func bench() async throws -> Bench {
        let bench = Bench(), writer = try await bench.writer()
        _ = try await writer.upsert((0..<120).map { SampleOrders.order($0) })
        _ = try await writer.upsert(stride(from: 0, to: 120, by: 5).map { SampleOrders.order($0, version: 2) })
        _ = try await writer.delete(stride(from: 1, to: 120, by: 9).compactMap { SampleOrders.order($0).key })
        return bench
    }

    private static func report(_ bench: Bench, older: Bool = false) async throws -> TableReport {
        var check = TableCheck(try await bench.table(), includesOlder: older)
        return try await check.run { (_, _) throws(ArchiveError) in [] }
    }

    @Test("a sound table has no fault, and is counted whole", arguments: [false, true])
    func sound(older: Bool) async throws {
        let bench = try await Self.bench(), report = try await Self.report(bench, older: older), snapshot = try await bench.table().snapshot()
        #expect(report.faults.isEmpty)
        #expect(report.notes.isEmpty)
        #expect((report.rows, report.files, report.bytes, report.commits) == (snapshot.rowCount, snapshot.slices.count, snapshot.byteCount, 3))
        #expect(report.olderFiles == (older ? snapshot.older.count : 0))
        #expect(!snapshot.older.isEmpty && snapshot.strays.isEmpty && snapshot.pending.isEmpty)
        #expect(try await snapshot.commits().map(\.commit.operation) == [.upsert, .upsert, .delete])
    }

    /// ISOTHERM_ALL_FLIPS=1 flips every byte.
    @Test("any flipped byte of a file makes the check name that file")
    func flips() async throws {
        let bench = Bench(buckets: 1)
        _ = try await bench.writer().upsert(SampleOrders.early[0..<9].map { SampleOrders.order($0) })
        let slice = try #require(try await bench.table().snapshot().current.first), key = "cold/orders/" + slice.path
        let good = try await bench.store.get(key), all = getenv("ISOTHERM_ALL_FLIPS") != nil
        var quiet: [Int] = [], noted = 0, random = Seeded(3), places: [Int] = []
        var at = 0
        while at < good.count {
            places.append(at)
            at += all ? 1 : 1 + Int(random.next() % 120)
        }
        for at in places {
            var bad = good
            bad[at] ^= 1 << UInt8(random.next() % 8)
            try await bench.store.put(key, bad)
            let report = try await Self.report(bench)
            let named = report.faults.contains { $0.place.hasSuffix(slice.path) }, mentioned = report.notes.contains { $0.place.hasSuffix(slice.path) }
            if !named { if mentioned { noted += 1 } else { quiet.append(at) } }
        }
        #expect(quiet.isEmpty, "of \(good.count) bytes")
        if all { print("flips: \(places.count), \(noted) where no reader looks") }
        // Of all 9,306 flips 570 hit what no reader looks at: members of page heads, mostly.
        #expect(noted * 10 < places.count)
    }

    @Test("a cut file, a missing one, a cut commit, another decision and a lost partition mark are faults of their own place")
    func damage() async throws {
        let bench = try await Self.bench(), snapshot = try await bench.table().snapshot(), store = bench.store
        let slice = try #require(snapshot.current.first), instant = try #require(snapshot.instants.last)
        func expect(_ path: String, _ bytes: [UInt8]?, names: String, _ comment: Comment) async throws {
            let key = "cold/orders/" + path, good = try await store.get(key)
            if let bytes { try await store.put(key, bytes) } else { try await store.delete(key) }
            let report = try await Self.report(bench)
            #expect(report.faults.contains { $0.place.hasSuffix(names) }, comment)
            try await store.put(key, good)
        }
        let file = try await store.get("cold/orders/" + slice.path), commit = ".hoodie/\(instant).commit", decision = ".hoodie/.aux/isotherm/\(instant)"
        try await expect(slice.path, Array(file.dropLast()), names: slice.path, "a cut file")
        try await expect(slice.path, nil, names: slice.path, "a missing file")
        try await expect(slice.path, [UInt8](repeating: 7, count: file.count), names: slice.path, "no Parquet file")
        try await expect(commit, Array("{}".utf8), names: commit, "an empty commit")
        try await expect(decision, Array(#"{"rolled_back":true}"#.utf8), names: decision, "a commit that was rolled back")
        try await expect(slice.partition.path + "/.hoodie_partition_metadata", nil, names: slice.partition.path, "no mark")
        #expect(try await Self.report(bench).faults.isEmpty)
        try await store.put("cold/orders/\(slice.partition.path)/stray.parquet", [1])
        let report = try await Self.report(bench)
        #expect(report.faults.isEmpty && report.notes.count == 1)
    }

    @Test("a commit that was decided for and got lost is a fault, and no copy goes without it; one that is shown a moment later is none, nor one rolled back or forgotten")
    func lostCommit() async throws {
        let bench = try await Self.bench(), store = bench.store, instants = try await bench.table().snapshot().instants, instant = instants[1]
        let key = "cold/orders/.hoodie/\(instant).commit", good = try await store.get(key)
        try await store.delete(key)
        let snapshot = try await bench.table().snapshot()
        #expect(snapshot.lostCommits == [instant])
        #expect(try await Self.report(bench).faults.contains { $0.place.hasSuffix("\(instant).commit") && $0.what.contains("isotherm tier run") })
        func copy(_ asOf: HudiInstant?) async throws {
            var made = TableCopy(snapshot, to: FolderObjectStore(MemoryDirectory()), prefix: "orders")
            try await made.run(asOf: asOf)
        }
        await #expect(throws: ArchiveError.self) { try await copy(nil) }
        await #expect(throws: ArchiveError.self) { try await copy(instant) }
        try await copy(instants[0])
        // Its writer was between the two.
        let late = ListingStore(store) { _ = try await store.put(key, good) }
        var check = TableCheck(try await bench.table(over: late))
        let report = try await check.run { (_, _) throws(ArchiveError) in [] }
        #expect(report.faults.isEmpty)
        // What a stopped clean leaves of a commit, and a stopped roll-back.
        try await store.put("cold/orders/.hoodie/.aux/isotherm/20250101000000000", good)
        try await store.put("cold/orders/.hoodie/.aux/isotherm/20250102000000000", Array(#"{"rolled_back":true}"#.utf8))
        try await store.put("cold/orders/.hoodie/20250102000000000.commit.requested", [])
        #expect(try await Self.report(bench).faults.isEmpty)
        #expect(try await bench.table().snapshot().lostCommits.isEmpty)
    }

    @Test("a row in the wrong file, twice, or of another month is found though every checksum holds")
    func misplaced() async throws {
        // The same rows under another number of buckets: properties say so, the files do not.
        let bench = try await Self.bench(), key = "cold/orders/.hoodie/hoodie.properties", good = try await bench.store.get(key)
        let text = String(decoding: good, as: UTF8.self)
        try await bench.store.put(key, Array(text.replacing("isotherm.buckets=2", with: "isotherm.buckets=3").utf8))
        #expect(try await Self.report(bench).faults.contains { $0.what.contains("another file group") })
        try await bench.store.put(key, good)
        // An order written under another person once more: another group of the same table.
        var twin = SampleOrders.order(2)
        twin.person = "somebody else"
        while FileSlice.bucket(person: twin.person, of: 2) == FileSlice.bucket(person: SampleOrders.order(2).person, of: 2) { twin.person += "." }
        _ = try await bench.writer().upsert([twin])
        #expect(try await Self.report(bench).faults.contains { $0.what.contains("in another file too") })
    }

    // MARK: - Copies

    @Test("a copy has the same bytes and is a table; in part it is none; a place that is not empty is refused")
    func copies() async throws {
        let bench = try await Self.bench(), snapshot = try await bench.table().snapshot()
        // What is begun and what is stray does not go with it.
        try await bench.store.put("cold/orders/.hoodie/20991231000000000.commit.requested", [])
        try await bench.store.put("cold/orders/year=2026/month=1/stray.parquet", [1])
        let target = FolderObjectStore(MemoryDirectory())
        var copy = TableCopy(try await bench.table().snapshot(), to: target, prefix: "orders")
        try await copy.run()
        for entry in try await target.listAll(prefix: "") {
            #expect(try await target.get(entry.key) == bench.store.get("cold/" + entry.key), "\(entry.key)")
        }
        let there = try await HudiTable.open(target, prefix: "orders").snapshot()
        #expect(there.slices == snapshot.slices && there.instants == snapshot.instants)
        #expect(try await there.all() == snapshot.all())
        let missing = Set(try await bench.store.listAll(prefix: "").map { String($0.key.dropFirst(5)) }).subtracting(try await target.listAll(prefix: "").map(\.key))
        #expect(missing == ["orders/.hoodie/20991231000000000.commit.requested", "orders/year=2026/month=1/stray.parquet"])
        var again = TableCopy(snapshot, to: target, prefix: "other")
        await #expect(throws: ArchiveError.self) { try await again.run() }
        // Stopped at each of its writes.
        for allowed in 0..<copy.objects {
            let half = FolderObjectStore(MemoryDirectory())
            var stopped = TableCopy(snapshot, to: StoppingStore(half, allowed: allowed), prefix: "orders")
            await #expect(throws: ArchiveError.self) { try await stopped.run() }
            await #expect(throws: ArchiveError.self) { try await HudiTable.open(half, prefix: "orders") }
        }
    }

    @Test("a copy as of a commit is the table of then, and what was cleaned away is refused")
    func asOf() async throws {
        let bench = Bench(), writer = try await bench.writer()
        var states: [(HudiInstant, [ArchivedRow])] = []
        for round in 0..<4 {
            let result = try await writer.upsert(stride(from: round, to: 60, by: 3).map { SampleOrders.order($0, version: Int64(round + 1)) })
            states.append((try #require(result.instant), try await bench.table().snapshot().all()))
        }
        func copied(_ instant: HudiInstant) async throws -> [ArchivedRow] {
            let target = FolderObjectStore(MemoryDirectory())
            var copy = TableCopy(try await bench.table().snapshot(), to: target, prefix: "orders")
            try await copy.run(asOf: instant)
            return try await HudiTable.open(target, prefix: "orders").snapshot().all()
        }
        for (instant, rows) in states {
            #expect(try await copied(instant) == rows)
            #expect(try await copied(HudiInstant(milliseconds: instant.milliseconds + 1)) == rows)
        }
        _ = try await writer.clean(keeping: 2)
        for (instant, rows) in states[2...] { #expect(try await copied(instant) == rows) }
        for (instant, _) in states[..<2] { await #expect(throws: ArchiveError.self, "\(instant)") { try await copied(instant) } }
    }

    @Test("a month that was never touched again keeps its old commit: what other months were then is refused all the same, or is right")
    func asOfUneven() async throws {
        let bench = Bench(), writer = try await bench.writer()
        let all = (0..<400).map { SampleOrders.order($0) }, border = SampleOrders.january + 31 * SampleOrders.day
        let still = all.filter { $0.placedAt < border }, busy = (0..<400).filter { all[$0].placedAt >= border + 28 * SampleOrders.day }
        var states: [(HudiInstant, [ArchivedRow])] = []
        for round in 0..<15 {
            let orders = round == 0 ? still : busy[round * 3..<round * 3 + 20].map { SampleOrders.order($0, version: Int64(round + 1)) }
            states.append((try #require(try await writer.upsert(orders).instant), try await bench.table().snapshot().all()))
        }
        _ = try await writer.clean(keeping: 10)
        var right = 0
        for (instant, rows) in states {
            let target = FolderObjectStore(MemoryDirectory())
            var copy = TableCopy(try await bench.table().snapshot(), to: target, prefix: "orders")
            do throws(ArchiveError) { try await copy.run(asOf: instant) } catch {
                #expect(error.kind == .misuse)
                continue
            }
            #expect(try await HudiTable.open(target, prefix: "orders").snapshot().all() == rows, "\(instant)")
            right += 1
        }
        #expect(right >= 10 && right < 15)
    }
}
