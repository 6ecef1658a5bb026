// A writer is stopped at each of its calls to the store, and another takes over; a writer sleeps through its lease and wakes up.

import Archive
import Storage
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
    private let inner: any ObjectStore, gate: SleepGate
    init(_ inner: any ObjectStore, before: Int) { (self.inner, gate) = (inner, SleepGate(before)) }

    /// True once it sleeps, false when the task ended before.
    func asleep(or task: Task<Void, any Error>) async -> Bool {
        let gate = gate
        Task { _ = await task.result; await gate.over() }
        return await gate.wait()
    }
    func wake() async { await gate.wake() }

    var place: String { inner.place }
    func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag {
        await gate.pass()
        return try await inner.put(key, bytes, ifAbsent: ifAbsent)
    }
    func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload { try await inner.upload(key, ifAbsent: ifAbsent) }
    func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] { try await inner.get(key) }
    func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] { try await inner.get(key, range) }
    func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead { try await inner.head(key) }
    func delete(_ key: String) async throws(ObjectStoreError) {
        await gate.pass()
        try await inner.delete(key)
    }
    func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage { try await inner.list(request) }
}
