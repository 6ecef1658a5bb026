// Loads many documents through the ordinary write path (translog included), with large group commits. Every write thread has a
// lane of its own, and takes its share of each batch in turn: while one seals a full buffer, or a batch is being made durable,
// the others go on with later batches. An id has always the same lane, so its operations keep their order.
//
// One caller at a time. At most `batchesMax` batches are in work; past it `load` waits for the oldest.

internal import Storage
import Synchronization

package final class BulkLoader: Sendable {
    private let node: Node
    private let index: Index
    private let shard: IndexShard
    private let lanes: [SerialLane]
    private let state = Mutex(State())

    private struct State {
        var committed = 0
        /// Oldest first.
        var batches: [Batch] = []
        var open = true
    }

    private struct Batch {
        let operations: Int
        let task: Task<(results: [WriteResult], failure: StorageError?), Never>
    }

    /// Of 8 MB each: more than what a thread takes while another seals its buffer, by estimate. Other numbers were not measured.
    private static let batchesMax = 4

    init(node: Node, index: Index) throws(EngineError) {
        (self.node, self.index) = (node, index)
        let shard = try index.shard()
        self.shard = shard
        lanes = shard.slots.map { _ in SerialLane(node.writers) }
        index.loads.wrappingAdd(1, ordering: .relaxed)
    }

    deinit { endLoad() }

    /// Takes the batch and returns when the next may come: results, in order, of the batches that have become durable meanwhile. Batches of
    /// 4 to 16 MB do well.
    package func load(_ operations: [WriteOperation]) async throws(EngineError) -> [WriteResult] {
        try node.checkOpen()
        let name = index.name
        let work = SharedBulk(operations.map { operation in
            var operation = operation
            operation.index = name
            return operation
        }, workers: lanes.count)
        let countdown = Countdown(lanes.count), shard = shard
        for (worker, lane) in lanes.enumerated() {
            lane.submit {
                work.run(worker, on: shard)
                countdown.finish()
            }
        }
        let task = Task<(results: [WriteResult], failure: StorageError?), Never> {
            await countdown.wait()
            let (results, position) = work.outcome
            do throws(StorageError) { try await shard.translog.whenDurable(position) } catch { return (results, error) }
            return (results, nil)
        }
        state.withLock { $0.batches.append(Batch(operations: operations.count, task: task)) }
        return try await settle(leaving: Self.batchesMax - 1)
    }

    /// Operations of this load that are durable now, refused ones among them: what `committed N` prints. Those before them are durable too.
    package var committed: Int { state.withLock { $0.committed } }

    /// Makes all durable and searchable, and flushes.
    /// - Returns: the results that `load` has not given yet.
    package func finish() async throws(EngineError) -> [WriteResult] {
        let results = try await settle(leaving: 0)
        let shard = shard
        try await node.writers.run { () throws(EngineError) in try shard.flush() }
        endLoad()
        return results
    }

    // MARK: -

    private func settle(leaving most: Int) async throws(EngineError) -> [WriteResult] {
        var results: [WriteResult] = []
        while true {
            let next = state.withLock { s in s.batches.count > most ? s.batches.removeFirst() : nil }
            guard let next else { return results }
            let outcome = await next.task.value
            if let failure = outcome.failure { throw shard.fail(failure) }
            state.withLock { $0.committed += next.operations }
            results += outcome.results
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

/// Waited for by one task, finished by several threads.
private final class Countdown: Sendable {
    private let state: Mutex<(left: Int, waiter: CheckedContinuation<Void, Never>?)>
    init(_ count: Int) { state = Mutex((count, nil)) }

    func finish() {
        state.withLock { s in
            s.left -= 1
            defer { if s.left == 0 { s.waiter = nil } }
            return s.left == 0 ? s.waiter : nil
        }?.resume()
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { s in
                if s.left > 0 { s.waiter = continuation }
                return s.left <= 0
            }
            if isDone { continuation.resume() }
        }
    }
}

extension Node {
    /// For loading much at once. Interval refreshes and
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
