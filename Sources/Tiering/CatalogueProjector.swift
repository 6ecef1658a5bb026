// Keeps the product index in step with the store: reads the outbox in order, writes new products as documents, prices and stock as patches, and notes in the
// index how far it came. A version is an outbox position.
//
//     outbox after v ─ at most batchMax rows ─ folded per product ─ Node.follow(upTo: last row) ─ visible, and the version with it
//
// The fold keeps the last level of each product: rows carry levels, not differences, so reading a row twice changes nothing. A new or changed product is read
// whole from the store, which may be newer than the row: later rows then say the same again.
//
// Invariants
//     1  A row's effect is in the index before the version says so; the version never goes back.
//     2  After a crash the index stands at the version that it kept; rows after it are read again.
//     3  A product that the index refuses (its attributes contradict the mapping, say) is left out and counted, and does not stop the others.

internal import Engine
package import Orders
import Synchronization

package final class CatalogueProjector: Sendable {
    package struct Progress: Sendable, Equatable {
        /// Outbox rows read, products written whole, partial updates.
        package var rows = 0, documents = 0, updates = 0
        /// Products the index refused, and what it said last.
        package var refused = 0
        package var lastRefusal: String?
        /// Of the last time it failed, to be tried again.
        package var failure: String?
        package init() {}
    }

    private let store: any OrderStore
    private let index: ProductIndex
    private let catalogue: CatalogueSearch
    private let state = Mutex(State())
    private let batchMax: Int
    /// How long the outbox is left alone after a batch that was not full, when nobody wakes the projector.
    private let idle: Duration
    /// Between two times that the index's log is made durable; before, a crash costs reading rows again.
    private static let syncInterval = Duration.seconds(1)

    private struct State {
        var progress = Progress()
        var synced = ContinuousClock.now
        var woken = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    package init(
        store: any OrderStore, catalogue: CatalogueSearch, batchMax: Int = 1_000, idle: Duration = .milliseconds(20)
    ) {
        (self.store, self.catalogue, index) = (store, catalogue, catalogue.index)
        (self.batchMax, self.idle) = (batchMax, idle)
    }

    package var progress: Progress { state.withLock { $0.progress } }

    /// Makes the index when it is not there. One that somebody else made is left alone.
    package func prepare() async throws {
        do throws(EngineError) {
            let mapping = try catalogue.node.snapshot(of: index.name).mapping
            if mapping.field("available")?.updatable == true { return }
        } catch {
            guard error.type == "index_not_found_exception" else { throw error }
            do throws(EngineError) { _ = try await catalogue.node.createIndex(index.name, index.creation) } catch {
                guard error.type == "resource_already_exists_exception" else { throw error }
            }
            return
        }
        throw EngineError(
            .conflict, "foreign_index_exception",
            "the index [\(index.name)] is not the shop's product index (its [available] is no updatable column): give it another name, and the shop makes its own")
    }

    /// Follows the outbox until the task is cancelled. What fails is tried again after a pause.
    package func run() async {
        while !Task.isCancelled {
            do {
                // Not at once again after a few rows: what comes in the meantime is folded, and one refresh shows it all.
                while !Task.isCancelled { if try await step() < batchMax { await rest(idle) } }
            } catch {
                // A read that the cancellation broke off is no failure.
                if Task.isCancelled { return }
                state.withLock { $0.progress.failure = "\(error)" }
                await rest(.milliseconds(500))
            }
        }
    }

    /// There may be new rows: whoever has committed one says so, and saves the idle time.
    package func wake() {
        let sleeper = state.withLock { s in
            s.woken = s.sleeper == nil
            defer { s.sleeper = nil }
            return s.sleeper
        }
        sleeper?.resume()
    }

    /// One batch.
    /// - Returns: rows read; 0: the index stands where the outbox does.
    package func step() async throws -> Int {
        let before = UInt64(clamping: try catalogue.version())
        let rows = try await store.outbox(after: before, limit: batchMax)
        guard let last = rows.last else { return 0 }
        // Not before there is something to put in: a server without a shop has no index of its own.
        try await prepare()
        let operations = try await operations(for: rows)
        let durably = state.withLock { s in
            let now = ContinuousClock.now
            guard now - s.synced >= Self.syncInterval else { return false }
            s.synced = now
            return true
        }
        let results = try await catalogue.node.follow(index.name, operations, upTo: Int64(clamping: last.position), durably: durably)
        catalogue.reached()
        state.withLock { s in
            s.progress.rows += rows.count
            s.progress.failure = nil
            for result in results {
                switch (result.error, result.action) {
                case (let error?, _):
                    s.progress.refused += 1
                    s.progress.lastRefusal = "\(result.id): \(error.reason)"
                case (nil, .index): s.progress.documents += 1
                default: s.progress.updates += 1
                }
            }
        }
        return rows.count
    }

    // MARK: -

    private func operations(for rows: [OutboxEntry]) async throws -> [WriteOperation] {
        var whole: Set<ProductID> = [], changes: [ProductID: ProductIndex.Change] = [:]
        for row in rows {
            for (id, level) in row.stock { changes[id, default: .init()].available = level }
            switch row.change {
            case .product(let id): whole.insert(id)
            case .price(let id, let price): changes[id, default: .init()].price = price
            case .popularity(let levels): for (id, kept) in levels { changes[id, default: .init()].kept = kept }
            default: break
            }
        }
        var operations: [WriteOperation] = []
        operations.reserveCapacity(whole.count + changes.count)
        for id in whole.sorted() {
            // It has all the changes of these rows, and perhaps some of later ones, which come again.
            if let product = try await product(id) { operations.append(index.document(product)) }
        }
        for (id, change) in changes.sorted(by: { $0.key < $1.key }) where !whole.contains(id) { operations.append(index.update(id, change)) }
        return operations
    }

    private func product(_ id: ProductID) async throws(StoreError) -> Product? {
        do throws(StoreError) { return try await store.product(id) } catch {
            if case .notFound = error { return nil }
            throw error
        }
    }

    private func rest(_ time: Duration) async {
        let timer = Task { [self] in
            do { try await Task.sleep(for: time) } catch { return }
            wake()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { s in
                    defer { s.woken = false }
                    if s.woken || Task.isCancelled { return true }
                    s.sleeper = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: { wake() }
        timer.cancel()
    }
}
