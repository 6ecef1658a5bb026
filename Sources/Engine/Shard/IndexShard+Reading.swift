// A document by id, and many operations at once.

internal import Segments
internal import Storage
import Synchronization

extension IndexShard {
    /// - Parameter realtime: also when not yet refreshed.
    package func get(_ id: String, index: String, realtime: Bool = true) throws(EngineError) -> DocumentResult? {
        counters.gets.wrappingAdd(1, ordering: .relaxed)
        if realtime {
            let stripe = versions.stripe(of: id)
            while true {
                let found: DocumentResult?? = try stripe.monitor.locked { () throws(EngineError) in
                    guard let current = try look(up: id, stripe), let place = current.place else { return .some(nil) }
                    guard let source = try source(at: place, patches: current.patches) else { return nil }
                    return DocumentResult(
                        index: index, id: id, version: current.version, seqNo: current.seqNo, primaryTerm: current.primaryTerm, routing: current.routing,
                        source: source)
                }
                if let found { return found }
                // Its buffer is being sealed.
                try checkUsable()
                seals.wait()
            }
        }
        do throws(StorageError) {
            for view in state.withLock({ $0.views }).reversed() {
                let columns = view.segment.columns
                guard let doc = try columns.doc(forID: id), view.live.map({ $0[Int(doc)] }) ?? true else { continue }
                return DocumentResult(
                    index: index, id: id, version: try columns.version(of: doc), seqNo: try columns.sequenceNumber(of: doc),
                    primaryTerm: try columns.primaryTerm(of: doc), routing: try columns.routing(of: doc), source: try columns.source(of: doc))
            }
        } catch { throw EngineError(error) }
        return nil
    }

    /// Runs operations, each with its own result; those of one id in the given order.
    /// - Returns: the results, and the translog position to wait for before acknowledging any.
    package func bulk(_ operations: [WriteOperation]) -> (results: [WriteResult], position: Int) {
        let bytes = operations.reduce(0) { $0 + $1.source.count }
        let workers = bytes >= settings.parallelBytesMin && pool != nil ? slots.count : 1
        let work = SharedBulk(operations, workers: workers)
        if workers > 1, let pool { pool.parallel(workers) { [self] in work.run($0, on: self) } } else { work.run(0, on: self) }
        return work.outcome
    }
}

/// A bulk request shared out to workers. An id is always the same worker's, so its operations keep their order, also over
/// requests, if each worker takes them in theirs.
final class SharedBulk: Sendable {
    private let operations: [WriteOperation]
    private let shares: [[Int]]
    private let state: Mutex<State>

    private struct State {
        var results: [WriteResult?]
        var position = 0
    }

    init(_ operations: [WriteOperation], workers: Int) {
        self.operations = operations
        shares = Self.shares(operations, workers)
        state = Mutex(State(results: [WriteResult?](repeating: nil, count: operations.count)))
    }

    func run(_ worker: Int, on shard: IndexShard) {
        let scratch = shard.borrowScratch()
        defer { shard.giveBack(scratch) }
        var done: [(Int, WriteResult)] = []
        done.reserveCapacity(shares[worker].count)
        var position = 0
        for i in shares[worker] {
            let (result, at) = shard.write(operations[i], scratch, worker)
            done.append((i, result))
            position = max(position, at)
        }
        state.withLock { s in
            for (i, result) in done { s.results[i] = result }
            s.position = max(s.position, position)
        }
    }

    /// Once every worker has run.
    var outcome: (results: [WriteResult], position: Int) { state.withLock { ($0.results.compactMap { $0 }, $0.position) } }

    /// Which worker does which operations: an id is always the same worker's, so its operations keep their order.
    private static func shares(_ operations: [WriteOperation], _ workers: Int) -> [[Int]] {
        if workers == 1 { return [Array(operations.indices)] }
        var shares = [[Int]](repeating: [], count: workers)
        for (i, operation) in operations.enumerated() {
            let worker = operation.id.map { Int(truncatingIfNeeded: VersionMap.hash($0) >> 8) & 0xFFFF } ?? i
            shares[worker % workers].append(i)
        }
        return shares
    }
}
