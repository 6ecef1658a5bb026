// Passes everything on to another store and counts it: what an answer cost, in requests and bytes.

import Synchronization

package final class CountingObjectStore: ObjectStore {
    package struct Counts: Hashable, Sendable {
        package var puts = 0, gets = 0, rangedGets = 0, heads = 0, deletes = 0, lists = 0
        /// Uploads begun; each `append` to one is counted by its bytes only.
        package var uploads = 0
        package var bytesWritten = 0, bytesRead = 0
        package var requests: Int { puts + gets + rangedGets + heads + deletes + lists + uploads }
        package init() {}
    }
    private let inner: any ObjectStore
    private let state = Mutex(Counts())

    package init(_ inner: any ObjectStore) { self.inner = inner }

    package var place: String { inner.place }
    /// Calls so far, failed ones too. Calls, not tries: what a store repeats by itself is its own to tell.
    package var counts: Counts { state.withLock { $0 } }

    package func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag {
        count { ($0.puts, $0.bytesWritten) = ($0.puts + 1, $0.bytesWritten + bytes.count) }
        return try await inner.put(key, bytes, ifAbsent: ifAbsent)
    }

    package func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload {
        count { $0.uploads += 1 }
        return CountingUpload(try await inner.upload(key, ifAbsent: ifAbsent)) { [self] bytes in count { $0.bytesWritten += bytes } }
    }

    package func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] {
        count { $0.gets += 1 }
        return read(try await inner.get(key))
    }

    package func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] {
        if !range.isEmpty { count { $0.rangedGets += 1 } }
        return read(try await inner.get(key, range))
    }

    package func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead {
        count { $0.heads += 1 }
        return try await inner.head(key)
    }

    package func delete(_ key: String) async throws(ObjectStoreError) {
        count { $0.deletes += 1 }
        try await inner.delete(key)
    }

    package func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage {
        count { $0.lists += 1 }
        return try await inner.list(request)
    }

    // MARK: -

    private func count(_ change: (inout Counts) -> Void) { state.withLock { change(&$0) } }

    private func read(_ bytes: [UInt8]) -> [UInt8] {
        count { $0.bytesRead += bytes.count }
        return bytes
    }
}

private final class CountingUpload: ObjectUpload {
    private let inner: any ObjectUpload
    private let count: @Sendable (Int) -> Void
    init(_ inner: any ObjectUpload, _ count: @escaping @Sendable (Int) -> Void) { (self.inner, self.count) = (inner, count) }

    func append(_ bytes: [UInt8]) async throws(ObjectStoreError) {
        count(bytes.count)
        try await inner.append(bytes)
    }
    func finish() async throws(ObjectStoreError) -> ObjectTag { try await inner.finish() }
    func abort() async { await inner.abort() }
}
