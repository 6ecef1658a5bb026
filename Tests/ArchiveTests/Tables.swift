// Writers, clocks and stores for the archive's tests.

import Archive
import Storage
import Synchronization

/// Rises by a second a look.
final class Clock: Sendable {
    private let state: Mutex<Int64>
    init(_ start: Int64 = 1_775_000_000_000_000) { state = Mutex(start) }
    func now() -> Int64 { state.withLock { $0 += 1_000_000; return $0 } }
}

/// A lease that can be taken away.
final class Lease: Sendable {
    private let state = Mutex<Int64>(0)
    func take() -> WriterLease {
        let epoch = state.withLock { $0 += 1; return $0 }
        return WriterLease(epoch: epoch) { [self] in state.withLock { $0 == epoch } }
    }
    /// One who believes what its own memory says.
    func takeForgetful() -> WriterLease { WriterLease(epoch: take().epoch) { true } }
}

final class Chance: Sendable {
    private let state = Mutex<UInt32>(0)
    func next() -> UInt32 { state.withLock { $0 += 1; return $0 } }
}

struct Bench {
    let store: any ObjectStore
    var clock = Clock(), lease = Lease(), chance = Chance()
    let buckets: Int
    init(_ store: any ObjectStore = FolderObjectStore(MemoryDirectory()), buckets: Int = 2) { (self.store, self.buckets) = (store, buckets) }

    func table(over store: (any ObjectStore)? = nil) async throws -> HudiTable {
        try await HudiTable.openOrCreate(store ?? self.store, prefix: "cold/orders", buckets: buckets)
    }

    /// A new writer, which takes the lease.
    func writer(over store: (any ObjectStore)? = nil, lease: WriterLease? = nil) async throws -> TableWriter {
        TableWriter(try await table(over: store), lease: lease ?? self.lease.take(), now: { [clock] in clock.now() }, chance: { [chance] in chance.next() })
    }
}

/// Does its first `allowed` calls, then nothing any more: a process that was stopped. With `late`, the call at the border is done and its answer lost.
final class StoppingStore: ObjectStore {
    private let inner: any ObjectStore
    private let left: Mutex<Int>
    private let late: Bool
    private let count = Mutex(0)
    init(_ inner: any ObjectStore, allowed: Int = .max, late: Bool = false) {
        (self.inner, self.late) = (inner, late)
        left = Mutex(allowed)
    }

    var place: String { inner.place }
    /// Calls that change something.
    var calls: Int { count.withLock { $0 } }
    private var stopped: ObjectStoreError { ObjectStoreError(.unavailable, place: place, "stopped", mayHaveBeenApplied: true) }

    private func changing<R>(_ body: () async throws(ObjectStoreError) -> R) async throws(ObjectStoreError) -> R {
        count.withLock { $0 += 1 }
        let remaining = left.withLock { n in
            defer { n = max(-1, n - 1) }
            return n
        }
        if remaining > 0 { return try await body() }
        if remaining == 0, late { _ = try await body() }
        throw stopped
    }

    private func reading() throws(ObjectStoreError) { if left.withLock({ $0 }) < 0 { throw stopped } }

    func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag {
        try await changing { () async throws(ObjectStoreError) in try await self.inner.put(key, bytes, ifAbsent: ifAbsent) }
    }
    func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload { try await inner.upload(key, ifAbsent: ifAbsent) }
    func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] { try reading(); return try await inner.get(key) }
    func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] { try reading(); return try await inner.get(key, range) }
    func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead { try reading(); return try await inner.head(key) }
    func delete(_ key: String) async throws(ObjectStoreError) { try await changing { () async throws(ObjectStoreError) in try await self.inner.delete(key) } }
    func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage { try reading(); return try await inner.list(request) }
}

extension TableSnapshot {
    func all() async throws -> [ArchivedRow] {
        var rows: [ArchivedRow] = []
        try await scan { (part, _) async throws(ArchiveError) in
            rows += part
            return true
        }
        return rows
    }
}
