// Hot restored from a backup beside newer warm and cold: the directory is put in step with what lies there. No mover and no server may be running.
//
//     lease above every epoch seen ─ documents of cold, warm and staging: the later version wins (`CommandRunner.adopt`) ─ every order placed outside hot is read:
//     missing ones come from staging, or stay hot where hot still has them ─ copies that the directory does not name are removed ─ batches of before are ended ─
//     products are told anew to an index that knew a later outbox
//
// Invariants
//     1  Every document is looked at before any is removed.
//     2  Run again, from any stop, it ends the same.
//     3  What cannot be found anywhere is named, and its row in the directory stays. A document that cannot be read counts as one that is not there.

package import Orders
package import Storage
import Synchronization

package struct ReconcileReport: Sendable, Equatable {
    /// Documents looked at, by tier.
    package var documents: [Tier: Int] = [:]
    package var staged = 0
    /// Orders whose place or version the directory has anew.
    package var adopted = 0
    /// Put back into their tier from staging.
    package var reloaded = 0
    /// The directory said elsewhere, and only hot had them.
    package var keptHot = 0
    package var copiesRemoved = 0
    package var batchesEnded = 0
    /// Products told anew, since the product index knew a later outbox.
    package var products = 0
    /// Documents that cannot be read, passed over: whoever is missing one is looked for in staging.
    package var damaged = 0
    /// Nowhere to be found.
    package var lost: [OrderID] = []
    package init() {}
}

package actor TierReconciler {
    private let store: any TierStore
    private let shelves: [Tier: any OrderShelf]
    private let staging: any ObjectStore
    private let keys: any PersonKeys
    private let holder: String
    private let catalogue: CatalogueSearch?
    private let clock: @Sendable () -> Instant
    private var epoch: Int64 = 0
    private var report = ReconcileReport()
    private static let pageMax = 500

    package init(
        store: any TierStore, shelves: [any OrderShelf], staging: any ObjectStore, keys: any PersonKeys, holder: String, catalogue: CatalogueSearch? = nil,
        clock: @escaping @Sendable () -> Instant = { .now() }
    ) {
        (self.store, self.staging, self.keys, self.holder, self.catalogue, self.clock) = (store, staging, keys, holder, catalogue, clock)
        self.shelves = Dictionary(shelves.map { ($0.tier, $0) }, uniquingKeysWith: { a, _ in a })
    }

    package func run() async throws -> ReconcileReport {
        do { return try await reconcile() } catch {
            // Nobody has to wait for its end.
            if epoch > 0 { _ = try? await tell(.release(epoch: epoch)) }
            throw error
        }
    }

    private func reconcile() async throws -> ReconcileReport {
        report = ReconcileReport()
        var above: Int64 = 0
        for shelf in shelves.values {
            try await shelf.rebuild()
            above = max(above, try await shelf.newestEpoch())
        }
        epoch = try await tell(.lease(holder: holder, seconds: 3_600, takesOver: true, above: above)).recordVersion
        // The coldest first: what a mover had moved on, and not yet removed from where it was, is then where it went.
        for tier in [Tier.cold, .warm] {
            guard let shelf = shelves[tier] else { continue }
            try await shelf.scan { documents in try await self.adopt(documents, tier) }
        }
        try await adoptStaged()
        for tier in [Tier.warm, .cold] { try await readAll(tier) }
        for shelf in shelves.values { try await removeCopies(shelf) }
        for batch in try await store.openMoves() {
            try await tell(.end(batch.id, epoch: epoch))
            report.batchesEnded += 1
        }
        for shelf in shelves.values { try await shelf.tidy(epoch: epoch) }
        try await retellProducts()
        try await tell(.release(epoch: epoch))
        return report
    }

    // MARK: - What lies there

    private func adopt(_ documents: [[UInt8]], _ tier: Tier) async throws {
        report.documents[tier, default: 0] += documents.count
        for start in stride(from: 0, to: documents.count, by: Self.pageMax) { try await adopt(Array(documents[start..<min(start + Self.pageMax, documents.count)]), placed: tier) }
    }

    private func adopt(_ documents: [[UInt8]], placed tier: Tier) async throws {
        let open = documents.compactMap { bytes in Self.openPart(bytes).map { (person: $0.person, bytes: bytes) } }, known = try keys.find(open.map(\.person))
        report.damaged += documents.count - open.count
        var found: [FoundOrder] = []
        for (person, bytes) in open {
            let key = if let key = known[person] { key } else { try keys.state(of: person) }
            do throws(StoreError) { found.append(FoundOrder(document: try OrderDocument(parsing: bytes, key: key), tier: tier, digest: OrderDocument.digest(of: bytes))) } catch {
                guard case .damaged = error else { throw error }
                report.damaged += 1
            }
        }
        guard !found.isEmpty else { return }
        report.adopted += Int(clamping: try await tell(.adopt(found, keys: known, epoch: epoch)).recordVersion)
    }

    /// What was staged is later than the directory only where a tier was lost too: it is loaded again, then adopted.
    private func adoptStaged() async throws {
        try await StagedBatch.scan(staging) { documents, tier in
            guard let tier else { return }
            for start in stride(from: 0, to: documents.count, by: Self.pageMax) {
                try await self.adoptStaged(Array(documents[start..<min(start + Self.pageMax, documents.count)]), tier)
            }
        }
    }

    private func adoptStaged(_ documents: [[UInt8]], _ tier: Tier) async throws {
        report.staged += documents.count
        guard let shelf = shelves[tier] else { return }
        let parsed = documents.compactMap { bytes in Self.openPart(bytes).map { (order: $0, bytes: bytes) } }, placements = try await store.placements(parsed.map(\.order.id))
        let later = parsed.filter { one in placements[one.order.id].map { $0.version < one.order.version } ?? true }
        guard !later.isEmpty else { return }
        try await shelf.reload(later.map { ShelvedOrder(id: $0.order.id, version: $0.order.version, bytes: $0.bytes) }, epoch: epoch)
        report.reloaded += later.count
        try await adopt(later.map(\.bytes), placed: tier)
    }

    // MARK: - What should lie there

    /// Reads every order that the directory places in a tier.
    private func readAll(_ tier: Tier) async throws {
        var after: MoveKey?, missing: [OrderAddress] = []
        while true {
            let keys = try await store.placed(in: tier, after: after, limit: 5_000)
            guard let last = keys.last else { break }
            after = last
            let placements = try await store.placements(keys.map(\.order))
            let addresses = keys.compactMap { key in placements[key.order].map { OrderAddress(key.order, $0) } }
            let found = try await shelves[tier]?.read(addresses).documents ?? [:], known = try self.keys.find(addresses.map(\.person))
            for address in addresses {
                let key = if let key = known[address.person] { key } else { try self.keys.state(of: address.person) }
                // Opened: one that was damaged within is as good as none.
                guard let bytes = found[address.id], let order = (try? OrderDocument(parsing: bytes, key: key))?.order, order.id == address.id, order.version == address.version
                else {
                    missing.append(address)
                    continue
                }
            }
        }
        if !missing.isEmpty { try await find(missing, tier) }
    }

    private func find(_ missing: [OrderAddress], _ tier: Tier) async throws {
        let wanted = Dictionary(missing.map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
        let back = Mutex<Set<OrderID>>([])
        if let shelf = shelves[tier] {
            let epoch = epoch
            // A batch at a time, and read again: what the tier does not give back is not there.
            try await StagedBatch.scan(staging) { documents, _ in
                let known = back.withLock { $0 }
                var orders: [ShelvedOrder] = []
                for bytes in documents {
                    guard let order = Self.openPart(bytes) else { continue }
                    if wanted[order.id]?.version == order.version, !known.contains(order.id) { orders.append(ShelvedOrder(id: order.id, version: order.version, bytes: bytes)) }
                }
                if orders.isEmpty { return }
                try await shelf.reload(orders, epoch: epoch)
                let read = try await shelf.read(orders.compactMap { wanted[$0.id] }).documents
                let there = orders.filter { read[$0.id] == $0.bytes }.map(\.id)
                back.withLock { $0.formUnion(there) }
            }
        }
        let found = back.withLock { $0 }, rest = missing.map(\.id).filter { !found.contains($0) }
        report.reloaded += found.count
        for start in stride(from: 0, to: rest.count, by: Self.pageMax) {
            let some = Array(rest[start..<min(start + Self.pageMax, rest.count)])
            report.keptHot += Int(clamping: try await tell(.keepHot(some, epoch: epoch)).recordVersion)
            let now = try await store.placements(some)
            report.lost += some.filter { now[$0]?.tier != .hot }
        }
    }

    /// The product index follows the outbox by position; a restored one would be passed over until it has caught up.
    private func retellProducts() async throws {
        guard let catalogue, let known = UInt64(exactly: try catalogue.version()), known > (try await store.outboxPosition()) else { return }
        report.products = Int(clamping: try await tell(.retell(above: known, epoch: epoch)).recordVersion)
    }

    // MARK: - What should not

    private func removeCopies(_ shelf: any OrderShelf) async throws {
        let stale = Mutex<[ShelfKey]>([]), lost = Set(report.lost)
        try await shelf.scan { documents in
            let orders = documents.compactMap(Self.openPart)
            let placements = try await self.store.placements(orders.map(\.id))
            // Of a lost order an older copy is better than none.
            let keys = orders.filter { order in !lost.contains(order.id) && placements[order.id].map { $0.tier != shelf.tier || $0.version != order.version } ?? true }
            stale.withLock { $0 += keys.map { ShelfKey(OrderAddress($0), epoch: nil) } }
        }
        let keys = stale.withLock { $0 }
        for start in stride(from: 0, to: keys.count, by: 10_000) { try await shelf.remove(Array(keys[start..<min(start + 10_000, keys.count)]), epoch: epoch) }
        report.copiesRemoved += keys.count
    }

    private static func openPart(_ bytes: [UInt8]) -> Order? { try? OrderDocument(openPartOf: bytes).order }

    @discardableResult
    private func tell(_ command: MoveCommand) async throws -> StoreOutcome {
        try await store.perform(StoreCommand(.move(command), by: Caller(.service("reconcile"), .maintenance, at: clock())))
    }
}
