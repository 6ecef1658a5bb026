// Nodes, stores and comparisons for the tests of snapshots.

import Engine
import IsothermTesting
import JSON
import QueryDSL
import Search
import Segments
import Storage
import Synchronization
import Testing

func nodeInMemory(_ root: any Directory = MemoryDirectory(), background: Bool = false) async throws -> Node {
    var options = NodeOptions()
    options.background = background
    options.bufferBytesMax = 8 << 20
    return try await Node.open(root: root, options: options)
}

func memoryStore() -> FolderObjectStore { FolderObjectStore(MemoryDirectory()) }

func repository(_ store: any ObjectStore, packs: Bool = true) -> SnapshotRepository { SnapshotRepository(name: "repo", store, packs: packs) }

extension ObjectStore {
    /// Another store in memory with the same objects.
    func copied() async throws -> FolderObjectStore {
        let copy = memoryStore()
        for entry in try await listAll(prefix: "") { try await copy.put(entry.key, try await get(entry.key)) }
        return copy
    }
}

extension Node {
    /// Every live document of an index, a line each, by id: version, sequence number, source.
    func contents(_ index: String) async throws -> [String] {
        try await refresh(index)
        var lines: [String] = []
        for view in try snapshot(of: index).segments {
            let columns = view.segment.columns
            for doc in 0..<UInt32(view.docCount) where view.live?[Int(doc)] ?? true {
                lines.append("\(try columns.id(of: doc)) \(try columns.version(of: doc)) \(try columns.sequenceNumber(of: doc)) \(String(decoding: try columns.source(of: doc), as: UTF8.self))")
            }
        }
        return lines.sorted()
    }

    /// Hits of some searches with their scores, as text.
    func answers(_ index: String) async throws -> [String] {
        var lines: [String] = []
        for query in [#"{"match":{"title":"red shoe"}}"#, #"{"range":{"price":{"gte":20,"lt":60}}}"#, #"{"match_phrase":{"title":"blue hat"}}"#] {
            let request = try SearchRequest(json: try JSONValue.parse("{\"size\":1000,\"query\":\(query)}"))
            let response = try await search(index, request)
            lines.append("\(response.total?.value ?? -1) " + response.hits.map { "\($0.id) \($0.score ?? 0)" }.joined(separator: ", "))
        }
        return lines
    }

    func fill(_ index: String, _ range: Range<Int>, title: String = "red shoe") async throws {
        let colours = ["red shoe", "blue hat", "blue shoe and hat"]
        _ = try await bulk(range.map { n in
            WriteOperation(.index, index: index, id: "\(n)", source: Array("{\"title\":\"\(colours[n % 3]) \(title) \(n % 17)\",\"price\":\(n % 100),\"stock\":\(n)}".utf8))
        })
    }
}

let shopMapping = #"{"properties":{"title":{"type":"text"},"price":{"type":"integer"},"stock":{"type":"integer","updatable":true}}}"#

/// Fails or stops at one of its calls. "Late": the call is done and its answer lost.
final class FaultyStore: ObjectStore {
    enum Fault: Sendable, CaseIterable { case once, onceLate, stop, stopLate }
    private let inner: any ObjectStore
    /// Nil: nothing fails, `meanwhile` comes before the call.
    private let fault: Fault?
    private let at: Int
    /// Only calls that change something count.
    private let changesOnly: Bool
    /// What others do at the call; with `onceLate` before its answer is missed.
    private let meanwhile: @Sendable () async -> Void
    private let count = Mutex(0)

    init(_ inner: any ObjectStore, _ fault: Fault? = .once, at: Int = .max, changesOnly: Bool = false, meanwhile: @escaping @Sendable () async -> Void = {}) {
        (self.inner, self.fault, self.at, self.changesOnly, self.meanwhile) = (inner, fault, at, changesOnly, meanwhile)
    }

    var place: String { inner.place }
    var calls: Int { count.withLock { $0 } }

    private func call<R>(changes: Bool, _ body: () async throws(ObjectStoreError) -> R) async throws(ObjectStoreError) -> R {
        let n = count.withLock { n in
            if changes || !changesOnly { n += 1 }
            return n
        }
        let lost = ObjectStoreError(.unavailable, place: place, "lost", mayHaveBeenApplied: true), isOurs = changes || !changesOnly
        switch fault {
        case .once where n == at && isOurs: throw ObjectStoreError(.unavailable, place: place, "refused")
        case .onceLate where n == at && isOurs:
            _ = try await body()
            await meanwhile()
            throw lost
        case .stop where n >= at && (isOurs || n > at): throw lost
        case .stopLate where n == at && isOurs:
            _ = try await body()
            throw lost
        case .stopLate where n > at || (n == at && !isOurs): throw lost
        case nil where n == at && isOurs:
            await meanwhile()
            return try await body()
        default: return try await body()
        }
    }

    func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag {
        try await call(changes: true) { () async throws(ObjectStoreError) in try await self.inner.put(key, bytes, ifAbsent: ifAbsent) }
    }
    func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload {
        try await call(changes: true) { () async throws(ObjectStoreError) in try await self.inner.upload(key, ifAbsent: ifAbsent) }
    }
    func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] {
        try await call(changes: false) { () async throws(ObjectStoreError) in try await self.inner.get(key) }
    }
    func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] {
        try await call(changes: false) { () async throws(ObjectStoreError) in try await self.inner.get(key, range) }
    }
    func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead {
        try await call(changes: false) { () async throws(ObjectStoreError) in try await self.inner.head(key) }
    }
    func delete(_ key: String) async throws(ObjectStoreError) {
        try await call(changes: true) { () async throws(ObjectStoreError) in try await self.inner.delete(key) }
    }
    func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage {
        try await call(changes: false) { () async throws(ObjectStoreError) in try await self.inner.list(request) }
    }
}
