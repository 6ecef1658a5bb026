// Searches of the product index that say at which version their answer stands, and that wait for one.
//
// The gate: the version is that of the very snapshot that is searched. Asked before or after, it would be another snapshot's, and a search could show the
// last unit of a product after its sale was acknowledged.

package import Engine
package import QueryDSL
package import Search
import Synchronization

package struct CatalogueAnswer: Sendable {
    /// Everything the store committed up to there is in the answer.
    package let version: Int64
    package let response: SearchResponse
}

package enum CatalogueError: Error, Equatable, CustomStringConvertible {
    /// 503: the index did not come to the version in time. Ask again, or without.
    case behind(wanted: Int64, version: Int64, waitedMilliseconds: Int)

    package var status: Int { 503 }
    package var description: String {
        switch self {
        case .behind(let wanted, let version, let waited):
            "the product index stands at version \(version) and did not reach min_version \(wanted) within \(waited) ms: ask again, or without min_version"
        }
    }
}

package final class CatalogueSearch: Sendable {
    package let node: Node
    package let index: ProductIndex
    /// No request waits longer.
    package static let waitMax = Duration.seconds(30)
    private let waiting = Mutex(Waiting())

    private struct Waiting {
        var next = 0
        var waiters: [Int: (version: Int64, continuation: CheckedContinuation<Void, Never>)] = [:]
        /// Those not waiting yet; without those that were cancelled or timed out before they began to.
        var coming: Set<Int> = []
    }

    package init(node: Node, index: ProductIndex = ProductIndex()) { (self.node, self.index) = (node, index) }

    /// Where a search would stand now; 0 when the index is not there yet.
    package func version() throws -> Int64 {
        do { return try node.snapshot(of: index.name).externalVersion } catch where error.type == "index_not_found_exception" { return 0 }
    }

    /// Searches the newest snapshot, or one that has at least `minVersion`.
    /// - Throws: `CatalogueError.behind`, when the index does not come to it within `wait`.
    package func search(_ request: SearchRequest, minVersion: Int64? = nil, wait: Duration = .seconds(5)) async throws -> CatalogueAnswer {
        let snapshot = try await snapshot(minVersion: minVersion, wait: wait)
        let target = SearchExecutor.Target(index: index.name, snapshot: snapshot), executor = node.executor()
        let response = try await node.run { try executor.search(request, in: [target]) }
        return CatalogueAnswer(version: snapshot.externalVersion, response: response)
    }

    /// The newest snapshot, once it has at least `minVersion`. Its `externalVersion` is the version of every answer made from it.
    package func snapshot(minVersion: Int64? = nil, wait: Duration = .seconds(5)) async throws -> IndexSnapshot {
        let begun = ContinuousClock.now, deadline = begun + min(wait, Self.waitMax)
        while true {
            let snapshot = try node.snapshot(of: index.name)
            guard let minVersion, snapshot.externalVersion < minVersion else { return snapshot }
            guard ContinuousClock.now < deadline, !Task.isCancelled else {
                let waited = (ContinuousClock.now - begun).components
                throw CatalogueError.behind(
                    wanted: minVersion, version: snapshot.externalVersion, waitedMilliseconds: Int(waited.seconds * 1000 + waited.attoseconds / 1_000_000_000_000_000))
            }
            await sleep(until: minVersion, or: deadline)
        }
    }

    /// The index has moved on: those who wait for where it stands now look again.
    package func reached() {
        guard let now = try? version() else { return }
        let woken = waiting.withLock { w in
            let ready = w.waiters.filter { $0.value.version <= now }
            for key in ready.keys { w.waiters[key] = nil }
            return ready.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    // MARK: -

    /// Returns when the version is there, when the time is over, or for no reason.
    private func sleep(until version: Int64, or deadline: ContinuousClock.Instant) async {
        let ticket = waiting.withLock { w in
            w.next += 1
            w.coming.insert(w.next)
            return w.next
        }
        let timer = Task { [self] in
            do { try await Task.sleep(until: deadline) } catch { return }
            leave(ticket)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let left = waiting.withLock { w in
                    if w.coming.remove(ticket) == nil { return true }
                    w.waiters[ticket] = (version, continuation)
                    return false
                }
                if left { return continuation.resume() }
                // It may have come between the look and the wait.
                reached()
            }
        } onCancel: { leave(ticket) }
        timer.cancel()
    }

    private func leave(_ ticket: Int) {
        let continuation = waiting.withLock { w in
            w.coming.remove(ticket)
            return w.waiters.removeValue(forKey: ticket)?.continuation
        }
        continuation?.resume()
    }
}
