// Passes everything on to another store, and counts it for the one answer that asks: many are made at once over the same store, and each tells what it cost.
//
// The meter travels with the task (`StoreMeter.measure`), into child tasks too. What is asked outside of one, as a mover does, is counted nowhere. `CountingObjectStore`
// counts everybody's calls together.

import Synchronization

/// What was asked of metered stores under it.
package final class StoreMeter: Sendable {
    package struct Reads: Hashable, Sendable {
        /// Calls, failed ones too, not tries: what a store repeats by itself is its own to tell.
        package var requests = 0
        /// Of bodies that were read.
        package var bytes = 0
    }
    @TaskLocal static var current: StoreMeter?
    private let state = Mutex(Reads())

    package init() {}

    package var reads: Reads { state.withLock { $0 } }

    /// Runs `body` under this meter, in place of one that it may stand under.
    package func measure<T, E: Error>(_ body: () async throws(E) -> T) async throws(E) -> T {
        // As a result, since `withValue` rethrows whatever comes as any error.
        let result = await Self.$current.withValue(self) { () async -> Result<T, E> in
            do throws(E) { return .success(try await body()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    func add(requests: Int, bytes: Int) { state.withLock { ($0.requests, $0.bytes) = ($0.requests + requests, $0.bytes + bytes) } }
}

package final class MeteredObjectStore: ObjectStore {
    private let inner: any ObjectStore

    package init(_ inner: any ObjectStore) { self.inner = inner }

    package var place: String { inner.place }

    package func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag {
        request()
        return try await inner.put(key, bytes, ifAbsent: ifAbsent)
    }

    /// One request, however many parts it has.
    package func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload {
        request()
        return try await inner.upload(key, ifAbsent: ifAbsent)
    }

    package func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] {
        request()
        return read(try await inner.get(key))
    }

    package func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] {
        // An empty range asks nobody.
        if !range.isEmpty { request() }
        return read(try await inner.get(key, range))
    }

    package func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead {
        request()
        return try await inner.head(key)
    }

    package func delete(_ key: String) async throws(ObjectStoreError) {
        request()
        try await inner.delete(key)
    }

    /// A page is a request.
    package func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage {
        self.request()
        return try await inner.list(request)
    }

    // MARK: -

    private func request() { StoreMeter.current?.add(requests: 1, bytes: 0) }

    private func read(_ bytes: [UInt8]) -> [UInt8] {
        StoreMeter.current?.add(requests: 0, bytes: bytes.count)
        return bytes
    }
}
