// Loads many documents through the ordinary write path (translog included), with large group commits: while
// one batch is being made durable the next is indexed. One caller at a time.

import Synchronization
internal import Storage

package final class BulkLoader: Sendable {
    private let node: Node
    private let index: Index
    private let shard: IndexShard
    private let state = Mutex(State())

    private struct State {
        var done = 0
        var committed = 0
        /// Syncs under way: what they cover, and how it went.
        var syncs: [(operations: Int, task: Task<StorageError?, Never>)] = []
        var open = true
    }

    /// Bytes indexed and not yet durable, at most so many batches.
    private static let syncsMax = 2

    init(node: Node, index: Index) throws(EngineError) {
        (self.node, self.index) = (node, index)
        shard = try index.shard()
        index.loads.wrappingAdd(1, ordering: .relaxed)
    }

    deinit { endLoad() }

    /// Indexes the batch; returns when it is indexed, and durable up to `committed`. Batches of 4 to 16 MB do well.
    package func load(_ operations: [WriteOperation]) async throws(EngineError) -> [WriteResult] {
        try node.checkOpen()
        let shard = shard, name = index.name
        let named = operations.map { operation in
            var operation = operation
            operation.index = name
            return operation
        }
        let (results, position) = await node.writers.run { shard.bulk(named) }
        let translog = shard.translog
        let task = Task<StorageError?, Never> {
            do throws(StorageError) { try await translog.whenDurable(position) } catch { return error }
            return nil
        }
        state.withLock { s in
            s.done += operations.count
            s.syncs.append((s.done, task))
        }
        try await settle(leaving: Self.syncsMax - 1)
        return results
    }

    /// Operations of this load that are durable now: what `committed N` prints.
    package var committed: Int { state.withLock { $0.committed } }

    /// Makes all durable and searchable, and flushes.
    package func finish() async throws(EngineError) {
        try await settle(leaving: 0)
        let shard = shard
        try await node.writers.run { () throws(EngineError) in try shard.flush() }
        endLoad()
    }

    // MARK: -

    private func settle(leaving most: Int) async throws(EngineError) {
        while true {
            let next = state.withLock { s in s.syncs.count > most ? s.syncs.removeFirst() : nil }
            guard let next else { return }
            if let error = await next.task.value { throw shard.fail(error) }
            state.withLock { $0.committed = max($0.committed, next.operations) }
        }
    }

    private func endLoad() {
        let ended = state.withLock { s in
            defer { s.open = false }
            return s.open
        }
        if ended { index.loads.wrappingSubtract(1, ordering: .relaxed) }
    }
}

extension Node {
    /// For loading much at once: batches are indexed while earlier ones are being made durable. Interval refreshes and
    /// merges of the index wait until it is finished.
    /// - Parameter index: made with `creation` when it is not there.
    package func bulkLoader(_ index: String, creating creation: IndexCreation = IndexCreation()) async throws(EngineError) -> BulkLoader {
        try checkOpen()
        let found = try await writers.run { [self] () throws(EngineError) in
            try changes.locked { () throws(EngineError) in
                if let found = try catalogue.writeTarget(index) { return found }
                return try create(index, creation)
            }
        }
        return try BulkLoader(node: self, index: found)
    }
}
