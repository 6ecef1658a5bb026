// All indexes of one data folder, and what can be done with them. Calls may come from anywhere; work that
// takes a processor or waits for a disk runs on the node's own threads, never on the caller's event loop.
//
//     Node.swift             opening, closing, searching
//     Node+Indexes.swift     creating, deleting, changing, resolving names
//     Node+Documents.swift   bulk, single writes, get
//     Snapshots/             snapshots of indexes on object stores, and restoring them
//     Upkeep.swift           refreshes, flushes and merges in the background

internal import JSON
package import QueryDSL
package import Search
package import Storage
import Synchronization

package struct NodeOptions: Sendable {
    /// Threads for searches and reads; writes have as many of their own.
    package var threads = 2
    /// Bytes of bulk requests in work at one time; past it a request is refused (429).
    package var bulkBytesInFlightMax = 256 << 20
    /// Bytes of documents in memory, over all indexes, before segments are sealed.
    package var bufferBytesMax = 192 << 20
    /// Merges, interval refreshes and flushes happen by themselves. Off in tests that want every step in hand.
    package var background = true
    package var autoCreateIndex = true
    package var snapshots = SnapshotOptions()
    /// Indexes that no expression stands for, neither a name nor a pattern: only who asks for their snapshot or document by name reaches them.
    package var concealed: Set<String> = []
    package init() {}
}

package final class Node: Sendable {
    package let options: NodeOptions
    /// Bit sets of filters, shared by all searches.
    package let filterCache = FilterCache()
    let root: any Directory
    let folder: any Directory
    let catalogue: Catalogue
    let writers: ThreadPool
    /// Also runs requests that are searches from end to end: what `run` is given on one of its threads is run there.
    package let searchers: ThreadPool
    let io: ThreadPool
    let bytesInFlight = Mutex(0)
    /// Taken around creating, deleting and aliasing.
    let changes = Monitor()
    let repositoryCatalogue: Repositories
    let snapshotWork = SnapshotWork()
    private let lock: any DirectoryLock
    private let upkeep: Upkeep?
    private let closed = Atomic<Bool>(false)

    private init(options: NodeOptions, root: any Directory, folder: any Directory, catalogue: Catalogue, pools: Pools, lock: any DirectoryLock) {
        (self.options, self.root, self.folder, self.catalogue, self.lock) = (options, root, folder, catalogue, lock)
        (writers, searchers, io) = (pools.writers, pools.searchers, pools.io)
        repositoryCatalogue = Repositories(root, options.snapshots)
        upkeep = options.background ? Upkeep(catalogue, bufferBytesMax: options.bufferBytesMax) : nil
    }

    struct Pools {
        let writers: ThreadPool, searchers: ThreadPool, io: ThreadPool
    }

    /// Opens every index of the folder, replaying what is not in a commit. A folder that another node has open is refused.
    package static func open(root: any Directory, options: NodeOptions = NodeOptions()) async throws(EngineError) -> Node {
        let searchers = ThreadPool(threads: options.threads, name: "search")
        do throws(EngineError) {
            return try await searchers.run { () throws(EngineError) in try open(root: root, options: options, searchers: searchers) }
        } catch {
            searchers.stop()
            throw error
        }
    }

    private static func open(root: any Directory, options: NodeOptions, searchers: ThreadPool) throws(EngineError) -> Node {
        let folder: any Directory, lock: any DirectoryLock, uuids: [String]
        do throws(StorageError) {
            lock = try root.lock("node.lock")
            folder = try root.directory("indexes")
            try root.sync()
            uuids = try folder.listDirectories()
        } catch { throw EngineError(error) }
        let pools = Pools(
            writers: ThreadPool(threads: max(2, options.threads), name: "write"), searchers: searchers, io: ThreadPool(threads: 2, name: "io"))
        let catalogue = Catalogue()
        let node = Node(options: options, root: root, folder: folder, catalogue: catalogue, pools: pools, lock: lock)
        do throws(EngineError) {
            try RestoreJournal.recover(root, folder)
            for uuid in uuids {
                guard let index = try Index.open(uuid, in: folder, node: node.parts) else {
                    try? folder.removeDirectory(uuid)
                    continue
                }
                catalogue.insert(index)
            }
        } catch {
            node.upkeep?.stop()
            pools.writers.stop()
            pools.io.stop()
            lock.release()
            throw error
        }
        return node
    }

    var parts: NodeParts {
        var shard = ShardSettings()
        shard.writers = max(1, options.threads)
        shard.bufferBytesMax = max(1 << 20, options.bufferBytesMax / shard.writers)
        return NodeParts(shardSettings: shard, writers: writers, io: io)
    }

    /// Makes everything durable and lets the folder go. Calls after it fail.
    package func close() async {
        guard closed.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else { return }
        upkeep?.stop()
        await snapshotWork.wait()
        await writers.run { [self] in for index in catalogue.all { try? index.opened?.close() } }
        writers.stop()
        searchers.stop()
        io.stop()
        lock.release()
    }

    func checkOpen() throws(EngineError) {
        if closed.load(ordering: .acquiring) { throw EngineError(.unavailable, "node_closed_exception", "the node is closing; try again when it is back") }
    }

    // MARK: - Search

    /// What a search of that index sees now. Cheap; hold it as long as one request needs it.
    package func snapshot(of index: String) throws(EngineError) -> IndexSnapshot { try catalogue.index(index).snapshot() }

    /// What an expression stands for, ready to be searched: snapshots, with the filters of the aliases they were reached by.
    package func targets(_ expression: String, _ options: IndexOptions = IndexOptions()) throws(EngineError) -> [SearchExecutor.Target] {
        try checkOpen()
        var targets: [SearchExecutor.Target] = []
        for resolved in try resolve(expression, options) {
            let index = try catalogue.index(resolved.name)
            targets.append(SearchExecutor.Target(index: index.name, snapshot: try index.snapshot(), filter: try Self.filter(resolved)))
        }
        return targets
    }

    /// A new one for each request: it fixes what `now` means.
    package func executor() -> SearchExecutor {
        SearchExecutor(now: wallMilliseconds(), filterCache: filterCache, monotonic: { UInt64(monotonicMilliseconds()) * 1_000_000 })
    }

    /// Searches all indexes the expression stands for, on the node's threads.
    package func search(_ expression: String, _ request: SearchRequest, _ options: IndexOptions = IndexOptions()) async throws -> SearchResponse {
        let targets = try targets(expression, options), executor = executor()
        return try await run { try executor.search(request, in: targets) }
    }

    package func count(_ expression: String, _ query: Query?, _ options: IndexOptions = IndexOptions()) async throws -> Int {
        let targets = try targets(expression, options), executor = executor()
        return try await run { try executor.count(query, in: targets) }
    }

    /// Runs any work on the node's search threads.
    package func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R { try await searchers.run(body) }

    private static func filter(_ resolved: ResolvedIndex) throws(EngineError) -> Query? {
        if resolved.filters.isEmpty { return nil }
        do throws(QueryError) {
            if resolved.filters.count == 1 { return try Query(json: .object(resolved.filters[0])) }
            let any = JSONObject([("should", .array(resolved.filters.map { .object($0) })), ("minimum_should_match", 1)])
            return try Query(json: .object(JSONObject([("bool", .object(any))])))
        } catch { throw EngineError(.badRequest, error.type, "the filter of an alias of [\(resolved.name)]: \(error.reason)") }
    }

    // MARK: - Upkeep

    package func refresh(_ expression: String, _ options: IndexOptions = IndexOptions()) async throws(EngineError) {
        try await each(expression, options) { shard throws(EngineError) in try shard.refresh() }
    }

    package func flush(_ expression: String, _ options: IndexOptions = IndexOptions()) async throws(EngineError) {
        try await each(expression, options) { shard throws(EngineError) in try shard.flush() }
    }

    /// Merges down to at most `segmentsMax` segments (or drops deleted documents only), then flushes.
    package func forceMerge(_ expression: String, segmentsMax: Int = 1) async throws(EngineError) {
        try await each(expression, IndexOptions()) { shard throws(EngineError) in
            try shard.forceMerge(segmentsMax: segmentsMax)
            try shard.flush()
        }
    }

    package func stats(_ index: String) throws(EngineError) -> IndexStats { try catalogue.index(index).shard().stats }

    /// Why an index cannot be used; nil when it can.
    package func failure(of index: String) -> EngineError? {
        do throws(EngineError) { return try catalogue.index(index).shard().failed } catch { return error }
    }

    /// Opens shards anew that failed, as the upkeep does every ten seconds.
    package func reopenFailed() async throws(EngineError) {
        try await writers.run { [self] () throws(EngineError) in for index in catalogue.all { try index.reopenIfFailed() } }
    }

    private func each(_ expression: String, _ options: IndexOptions, _ body: @escaping @Sendable (IndexShard) throws(EngineError) -> Void) async throws(EngineError) {
        try checkOpen()
        for resolved in try catalogue.resolve(expression, options) {
            let shard = try catalogue.index(resolved.name).shard()
            try await writers.run { () throws(EngineError) in try body(shard) }
        }
    }
}
