// A writer is stopped at each of its calls to the store, and another takes over; a writer sleeps through its lease and wakes up.

import Archive
import Storage
import Synchronization
import Testing

@Suite("Stopped archive writers")
struct StoppedWriterTests {
    private static func first(_ bench: Bench) async throws { _ = try await bench.writer().upsert(SampleOrders.early[0..<30].map { SampleOrders.order($0) }) }

    private static func change(_ writer: TableWriter) async throws {
        _ = try await writer.upsert(SampleOrders.early[20..<40].map { SampleOrders.order($0, version: 2) })
        _ = try await writer.delete(SampleOrders.early[0..<10].compactMap { SampleOrders.order($0).key })
        _ = try await writer.clean(keeping: 1)
    }

    /// The table before, after the upsert, after the delete.
    private static let states: [[ArchivedOrder]] = {
        let a = SampleOrders.early[0..<30].map { SampleOrders.order($0) }, b = SampleOrders.early[0..<20].map { SampleOrders.order($0) } + SampleOrders.early[20..<40].map { SampleOrders.order($0, version: 2) }
        return [a, b, Array(b.dropFirst(10))].map { SampleOrders.sorted($0) }
    }()

    @Test("stopped before or after any change of the store, the table is as before or after; who takes over leaves nothing behind and goes on", arguments: [false, true])
    func everyCall(late: Bool) async throws {
        var state = 0, allowed = 0
        while true {
            let bench = Bench(buckets: 1)
            try await Self.first(bench)
            let stopping = StoppingStore(bench.store, allowed: allowed, late: late)
            var isWhole = true
            do { try await Self.change(try await bench.writer(over: stopping)) } catch { isWhole = false }
            let seen = SampleOrders.sorted(try await bench.table().snapshot().all().map(\.order))
            try await bench.writer().rollBack()
            let snapshot = try await bench.table().snapshot(), rows = SampleOrders.sorted(try await snapshot.all().map(\.order))
            let now = try #require(Self.states.firstIndex(of: rows), "after call \(allowed)")
            // A decided commit is finished by who takes over; else the table is what was seen.
            #expect(now >= state && Self.states[max(0, now - 1)...now].contains(seen), "after call \(allowed)")
            state = now
            try await Self.expectClean(bench, snapshot)
            try await Self.change(try await bench.writer())
            #expect(SampleOrders.sorted(try await bench.table().snapshot().all().map(\.order)) == Self.states[2])
            if isWhole { break }
            allowed += 1
            try #require(allowed < 500)
        }
        #expect(state == 2)
        #expect(allowed > 20)
    }

    /// No base file that no commit names, nothing begun.
    private static func expectClean(_ bench: Bench, _ snapshot: TableSnapshot) async throws {
        let keys = try await bench.store.listAll(prefix: "cold/orders/").map(\.key)
        var named: Set<String> = []
        for instant in snapshot.instants {
            let text = String(decoding: try await bench.store.get("cold/orders/.hoodie/\(instant).commit"), as: UTF8.self)
            for part in text.split(separator: "\"") where part.hasSuffix(".parquet") { named.insert("cold/orders/" + part) }
        }
        for key in keys where key.hasSuffix(".parquet") { #expect(named.contains(key), "\(key)") }
        for key in keys where key.hasSuffix(".inflight") { #expect(keys.contains(key.dropLast(9) + ".commit"), "\(key)") }
    }

    @Test("a writer that sleeps before any change through a take-over, and wakes up believing in its lease, changes nothing that is seen")
    func sleepers() async throws {
        var calls = 0
        while true {
            let bench = Bench(buckets: 1)
            try await Self.first(bench)
            let door = SleepingStore(bench.store, before: calls)
            let sleeper = try await bench.writer(over: door, lease: bench.lease.takeForgetful())
            let task = Task { _ = try await sleeper.upsert(SampleOrders.early[20..<40].map { SampleOrders.order($0, version: 2) }) }
            guard await door.asleep(or: task) else { break }
            let heir = try await bench.writer()
            try await heir.rollBack()
            _ = try await heir.upsert(SampleOrders.early[20..<40].map { SampleOrders.order($0, version: 3) })
            let before = try await bench.table().snapshot()
            await door.wake()
            _ = await task.result
            let after = try await bench.table().snapshot()
            #expect(after.slices == before.slices, "asleep before call \(calls)")
            _ = try await bench.writer().rollBack()
            #expect(try await bench.table().snapshot().slices == before.slices)
            try await Self.expectClean(bench, after)
            calls += 1
            try #require(calls < 100)
        }
        // requested, inflight, two slices, decision, commit.
        #expect(calls >= 6)
    }

    @Test("two who both hold a lease, each of another store: the one that does not know the other's last commit gives up, and nothing is lost")
    func twoLeases() async throws {
        let bench = Bench(buckets: 1), first = SampleOrders.early[0..<10].map { SampleOrders.order($0) }, second = SampleOrders.early[10..<20].map { SampleOrders.order($0) }
        let one = try await bench.writer(lease: bench.lease.takeForgetful())
        _ = try await one.upsert(first)
        let other = try await bench.writer(lease: bench.lease.takeForgetful())
        _ = try await other.upsert(second)
        let third = SampleOrders.early[20..<30].map { SampleOrders.order($0) }
        await #expect(throws: ArchiveError.self) { try await one.upsert(third) }
        #expect(SampleOrders.sorted(try await bench.table().snapshot().all().map(\.order)) == SampleOrders.sorted(first + second))
        // Having looked, it goes on.
        _ = try await one.upsert(third)
        #expect(SampleOrders.sorted(try await bench.table().snapshot().all().map(\.order)) == SampleOrders.sorted(first + second + third))
    }

    @Test("two who both hold a lease, each of another store, and each asleep before its decision: one commits, the other gives up, and nothing is lost")
    func twoAtOnce() async throws {
        let bench = Bench(buckets: 1), orders = SampleOrders.early[0..<30].map { SampleOrders.order($0) }
        let first = Array(orders[..<10]), second = Array(orders[10..<20]), third = Array(orders[20...])
        _ = try await bench.writer().upsert(first)
        let door = SleepingStore(bench.store, before: 0, of: "/.aux/isotherm/"), otherDoor = SleepingStore(bench.store, before: 0, of: "/.aux/isotherm/")
        let one = try await bench.writer(over: door, lease: bench.lease.takeForgetful())
        let other = try await bench.writer(over: otherDoor, lease: bench.lease.takeForgetful())
        // Both have looked before either begins.
        _ = try await one.snapshot()
        _ = try await other.snapshot()
        let task = Task { _ = try await one.upsert(second) }
        #expect(await door.asleep(or: task))
        let otherTask = Task { _ = try await other.upsert(third) }
        let isAsleep = await otherDoor.asleep(or: otherTask)
        await door.wake()
        try await task.value
        if isAsleep { await otherDoor.wake() }
        await #expect(throws: ArchiveError.self) { try await otherTask.value }
        #expect(SampleOrders.sorted(try await bench.table().snapshot().all().map(\.order)) == SampleOrders.sorted(first + second))
        let heir = try await bench.writer(lease: bench.lease.takeForgetful())
        _ = try await heir.upsert(third)
        let snapshot = try await bench.table().snapshot()
        #expect(SampleOrders.sorted(try await snapshot.all().map(\.order)) == SampleOrders.sorted(orders))
        try await Self.expectClean(bench, snapshot)
    }

    @Test("what another began and left makes a writer give up once: it clears that away, with what it began itself, before the next")
    func othersBegun() async throws {
        let bench = Bench(buckets: 1), orders = SampleOrders.early[0..<20].map { SampleOrders.order($0) }, writer = try await bench.writer()
        _ = try await writer.upsert(Array(orders[..<10]))
        let begun = "cold/orders/.hoodie/20250101000000000.commit.requested"
        try await bench.store.put(begun, [])
        await #expect(throws: ArchiveError.self) { try await writer.upsert(Array(orders[10...])) }
        _ = try await writer.upsert(Array(orders[10...]))
        let snapshot = try await bench.table().snapshot()
        #expect(SampleOrders.sorted(try await snapshot.all().map(\.order)) == SampleOrders.sorted(orders))
        #expect(try await bench.store.headIfPresent(begun) == nil && snapshot.pending.isEmpty)
        try await Self.expectClean(bench, snapshot)
    }

    @Test("clearing away what a dead writer left takes no file that somebody began to write meanwhile, and none that is not the table's")
    func othersFiles() async throws {
        let bench = Bench(buckets: 1)
        try await Self.first(bench)
        let foreign = "cold/orders/export/x.parquet", dead = "cold/orders/.hoodie/20250101000000000.commit.requested"
        try await bench.store.put(foreign, [1])
        try await bench.store.put(dead, [])
        let slice = try #require(try await bench.table().snapshot().current.first)
        let begun = "cold/orders/" + slice.path.replacing("\(slice.instant)", with: "20990101000000000")
        let hooked = ListingStore(bench.store) { [store = bench.store] in
            try await store.put("cold/orders/.hoodie/20990101000000000.commit.requested", [])
            try await store.put(begun, [1, 2])
        }
        _ = try? await bench.writer(over: hooked).rollBack()
        #expect(try await bench.store.headIfPresent(dead) == nil)
        #expect(try await bench.store.headIfPresent(begun) != nil)
        // Nobody goes on with it: who comes next takes it away, and leaves the stranger.
        _ = try await bench.writer().rollBack()
        #expect(try await bench.store.headIfPresent(begun) == nil)
        #expect(try await bench.store.headIfPresent(foreign) != nil)
        #expect(SampleOrders.sorted(try await bench.table().snapshot().all().map(\.order)) == Self.states[0])
    }

    @Test("a commit whose object got lost is put again from its decision, however much was cleaned since")
    func lostCommit() async throws {
        let bench = Bench(buckets: 1), writer = try await bench.writer(), month = SampleOrders.january + 31 * SampleOrders.day
        let orders = SampleOrders.early.map { SampleOrders.order($0) }, old = orders.filter { $0.placedAt < month }, young = orders.filter { $0.placedAt >= month }
        let instant = try #require(try await writer.upsert(old).instant)
        for part in 0..<4 { _ = try await writer.upsert(Array(young[part * 5..<part * 5 + 5])) }
        _ = try await writer.clean(keeping: 1)
        try await bench.store.delete("cold/orders/.hoodie/\(instant).commit")
        try await bench.writer().rollBack()
        #expect(SampleOrders.sorted(try await bench.table().snapshot().all().map(\.order)) == SampleOrders.sorted(old + young[0..<20]))
    }

    @Test("without the lease nothing is written")
    func lease() async throws {
        let bench = Bench(), old = try await bench.writer()
        _ = try await old.upsert([SampleOrders.order(1)])
        _ = try await bench.writer().upsert([SampleOrders.order(2)])
        await #expect(throws: ArchiveError.self) { try await old.upsert([SampleOrders.order(3)]) }
        await #expect(throws: ArchiveError.self) { try await old.clean(keeping: 1) }
        #expect(try await bench.table().snapshot().rowCount == 2)
    }
}

/// Sleeps before its n-th change until it is woken.
private actor SleepGate {
    private var left: Int
    private var sleeping: CheckedContinuation<Void, Never>?
    private var watcher: CheckedContinuation<Bool, Never>?
    private var isAsleep = false, isOver = false
    init(_ before: Int) { left = before }

    func pass() async {
        left -= 1
        guard left == -1 else { return }
        isAsleep = true
        watcher?.resume(returning: true)
        watcher = nil
        await withCheckedContinuation { sleeping = $0 }
    }
    func over() {
        isOver = true
        watcher?.resume(returning: false)
        watcher = nil
    }
    func wait() async -> Bool {
        if isAsleep || isOver { return isAsleep }
        return await withCheckedContinuation { watcher = $0 }
    }
    func wake() {
        sleeping?.resume()
        sleeping = nil
    }
}

private final class SleepingStore: ObjectStore {
    private let inner: any ObjectStore, gate: SleepGate, part: String
    /// - Parameter part: puts of other keys than those it is in do not count, nor does any delete; "" for all.
    init(_ inner: any ObjectStore, before: Int, of part: String = "") { (self.inner, gate, self.part) = (inner, SleepGate(before), part) }

    /// True once it sleeps, false when the task ended before.
    func asleep(or task: Task<Void, any Error>) async -> Bool {
        let gate = gate
        Task { _ = await task.result; await gate.over() }
        return await gate.wait()
    }
    func wake() async { await gate.wake() }

    var place: String { inner.place }
    func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag {
        if part.isEmpty || key.contains(part) { await gate.pass() }
        return try await inner.put(key, bytes, ifAbsent: ifAbsent)
    }
    func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload { try await inner.upload(key, ifAbsent: ifAbsent) }
    func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] { try await inner.get(key) }
    func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] { try await inner.get(key, range) }
    func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead { try await inner.head(key) }
    func delete(_ key: String) async throws(ObjectStoreError) {
        if part.isEmpty { await gate.pass() }
        try await inner.delete(key)
    }
    func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage { try await inner.list(request) }
}

/// After its first listing of everything something happens.
final class ListingStore: ObjectStore {
    private let inner: any ObjectStore
    private let after: Mutex<(@Sendable () async throws -> Void)?>
    init(_ inner: any ObjectStore, _ after: @escaping @Sendable () async throws -> Void) {
        self.inner = inner
        self.after = Mutex(after)
    }
    var place: String { inner.place }
    func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag { try await inner.put(key, bytes, ifAbsent: ifAbsent) }
    func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload { try await inner.upload(key, ifAbsent: ifAbsent) }
    func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] { try await inner.get(key) }
    func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] { try await inner.get(key, range) }
    func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead { try await inner.head(key) }
    func delete(_ key: String) async throws(ObjectStoreError) { try await inner.delete(key) }
    func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage {
        let page = try await inner.list(request)
        guard page.objects.contains(where: { $0.key.contains("/.hoodie/") }) else { return page }
        let hook = after.withLock { hook in
            defer { hook = nil }
            return hook
        }
        if let hook { do { try await hook() } catch { Issue.record(error) } }
        return page
    }
}
