// Takes orders from tier to tier, a batch at a time, in steps that can be stopped anywhere and gone on with.
//
//     select ids by policy ─ dump documents ─ journal: selected ─ stage documents, then manifest ─ journal: staged ─ load durably ─ read back, compare digests
//     ─ journal: verified ─ FLIP (one transaction: every order that is still as it was dumped) ─ the tier before lets go ─ copies of those left out are removed ─
//     journal: done ─ ... staging expires ─ staging cleared, journal row forgotten
//
// Invariants
//     1  Nothing is flipped before its bytes were read back from where they go; nothing is removed before it was flipped.
//     2  Every write to the store carries the lease's epoch: a mover that slept through a takeover changes nothing there. What it still loads is a copy that nobody reads.
//     3  Stopped before or after any write, the next run ends in the same tiers: before `staged` the batch is given up, after it is gone on with.

package import Orders
package import Storage

/// Every write of a mover, in the order of a batch's life: where tests stop it, before and after.
package enum MoverWrite: String, Sendable, CaseIterable {
    case lease, begin, stageOrders, stageManifest, staged, load, verified, flip, removeFromSource, purge, removeStale, done, clearStaging, forget, abandon, stageCopies, removeCopies, forgetCopies, tidy, release
}

package struct MoverReport: Sendable, Equatable {
    package var batches = 0, resumed = 0, abandoned = 0
    package var moved = 0
    /// Had changed since they were dumped: next time.
    package var changed = 0
    package var bytes = 0
    /// Cannot lie in the next tier, as it would say: they stay.
    package var refused = 0, refusal = ""
    /// Copies removed that recalls had left.
    package var copies = 0
    /// Of the policy, to a tier that is not there.
    package var withoutShelf: [Tier] = []
    package init() {}
}

package enum MoverError: Error, Equatable, CustomStringConvertible {
    /// What the next tier gave back is not what was loaded; nothing was flipped.
    case verificationFailed(batch: MoveID, orders: Int)
    case noShelf(Tier)

    package var description: String {
        switch self {
        case .verificationFailed(let batch, let orders): "batch \(batch): \(orders) orders read back are not what was loaded; nothing was moved"
        case .noShelf(let tier): "a batch goes to or from \(tier.rawValue), which is not set up"
        }
    }
}

package actor OrderMover {
    package struct Setting: Sendable {
        package var pace = MoverPace()
        /// In whose name the lease is taken: of its own for each process.
        package var holder: String
        package var leaseSeconds: Int64 = 60
        /// The caller knows that no other mover is alive (it holds the data folder's lock).
        package var takesOver = false
        /// The clock of journal and lease; a policy's `now` is given to `run`.
        package var clock: @Sendable () -> Instant = { Instant.now() }
        /// Called before (true) and after (false) every write; what it throws stops the mover there.
        package var seam: @Sendable (MoverWrite, Bool) async throws -> Void = { _, _ in }
        package init(holder: String) { self.holder = holder }
    }

    private let store: any TierStore
    private let shelves: [Tier: any OrderShelf]
    private let staging: any ObjectStore
    private let keys: any PersonKeys
    private let setting: Setting
    private var epoch: Int64 = 0
    private var report = MoverReport()
    private var loads = 0
    /// A batch is cut here, so that it is a bounded object.
    private static let batchBytesMax = 32 << 20

    package init(store: any TierStore, shelves: [any OrderShelf], staging: any ObjectStore, keys: any PersonKeys, setting: Setting) {
        (self.store, self.staging, self.keys, self.setting) = (store, staging, keys, setting)
        self.shelves = Dictionary(shelves.map { ($0.tier, $0) }, uniquingKeysWith: { a, _ in a })
    }

    /// Goes on with what was begun, then moves all that the policy says, then clears staging that expired.
    /// - Parameter now: the moment whose ages count.
    package func run(_ policy: TierPolicy, at now: Instant) async throws -> MoverReport {
        report = MoverReport()
        for shelf in shelves.values { try await shelf.prepare() }
        try await takeLease()
        for batch in try await store.openMoves() { try await resume(batch) }
        for from in [Tier.warm, .hot] where from == .hot || shelves[from] != nil {
            for (selection, to) in policy.moves(from: from, at: now) { try await move(selection, to: to) }
        }
        try await sweepCopies()
        for shelf in shelves.values { try await tidy(shelf) }
        try await sweep()
        try await tell(.release, .release(epoch: epoch))
        return report
    }

    // MARK: - One selection

    private func move(_ selection: MoveSelection, to: Tier) async throws {
        guard shelves[to] != nil else {
            if try await store.countMovable(selection) > 0, !report.withoutShelf.contains(to) { report.withoutShelf.append(to) }
            return
        }
        var after: MoveKey?, isAgain = false
        while !Task.isCancelled {
            let begun = ContinuousClock.now
            let keys = try await store.movable(selection, after: after, limit: setting.pace.batch(to: to))
            guard let last = keys.last else { return }
            let held = epoch, orders = try await dump(keys.map(\.order), from: selection.from, to: to)
            try await takeLease()
            // The lease was lost and is held anew: what was read is from before. Once more at most, should reading take longer than a lease.
            if epoch != held, !isAgain {
                isAgain = true
                continue
            }
            isAgain = false
            // Cut by size, the rest is in the next batch.
            after = orders.isCut ? keys.first { $0.order == orders.last } ?? last : last
            guard !orders.dumped.isEmpty else { continue }
            try await begin(orders.dumped, from: selection.from, to: to)
            try await rest(since: begun, orders: orders.dumped.count)
        }
    }

    private func dump(_ ids: [OrderID], from: Tier, to: Tier) async throws -> (dumped: [ShelvedOrder], last: OrderID?, isCut: Bool) {
        var dumped: [ShelvedOrder] = [], bytes = 0, last: OrderID?
        for start in stride(from: 0, to: ids.count, by: 1_000) {
            let some = Array(ids[start..<min(start + 1_000, ids.count)])
            for order in try await documents(some, from: from) {
                bytes += order.bytes.count
                if bytes > Self.batchBytesMax, !dumped.isEmpty { return (dumped.sorted { $0.id < $1.id }, last, true) }
                if let fault = fault(of: order, to) { refuse(order.id, fault) } else { dumped.append(order) }
                last = order.id
            }
        }
        return (dumped.sorted { $0.id < $1.id }, last, false)
    }

    private func documents(_ ids: [OrderID], from: Tier) async throws -> [ShelvedOrder] {
        if from == .hot {
            let documents = try await store.documents(ids).filter(\.isSettled)
            // Durable before anything sealed with them goes anywhere.
            let keys = try keys.make(for: documents.map(\.order.person))
            return try documents.compactMap { document in
                guard let key = keys[document.order.person] else { return nil }
                return ShelvedOrder(id: document.order.id, version: document.order.version, bytes: try document.bytes(sealedWith: key), document: document)
            }
        }
        guard let shelf = shelves[from] else { throw MoverError.noShelf(from) }
        let placements = try await store.placements(ids).filter { $0.value.tier == from }
        let found = try await shelf.read(placements.map { OrderAddress($0.key, $0.value) }).documents
        let states = try keys.find(placements.values.map(\.person))
        var orders: [ShelvedOrder] = []
        for id in ids {
            guard let at = placements[id] else { continue }
            guard let bytes = found[id] else {
                refuse(id, "its document is not in \(from.rawValue); `isotherm tier reconcile` looks for it in staging")
                continue
            }
            // Opened, not only read: what was damaged where it lay goes no further, and holds up nothing else.
            let state = if let state = states[at.person] { state } else { try keys.state(of: at.person) }
            do throws(StoreError) {
                let document = try OrderDocument(parsing: bytes, key: state)
                guard document.order.id == id, document.order.version == at.version else { throw .damaged("its document in \(from.rawValue) is of another order or version") }
                orders.append(ShelvedOrder(id: id, version: at.version, bytes: bytes, document: document))
            } catch { refuse(id, "\(error)") }
        }
        return orders
    }

    private func refuse(_ id: OrderID, _ why: String) { (report.refused, report.refusal) = (report.refused + 1, "\(id): \(why)") }

    private func fault(of order: ShelvedOrder, _ to: Tier) -> String? {
        if order.bytes.count > OrderDocument.bytesMax { return "a document of \(order.bytes.count) bytes; at most \(OrderDocument.bytesMax) are moved" }
        if order.document?.isWritable == false { return "a moment outside the years 0000 to 9999, which nobody could read again" }
        return shelves[to]?.fault(of: order)
    }

    // MARK: - One batch

    private func begin(_ orders: [ShelvedOrder], from: Tier, to: Tier) async throws {
        let id = MoveID(.random()), now = setting.clock()
        var batch = MoveBatch(
            id: id, from: from, to: to, staging: "moves/\(id)", startedAt: now, expiresAt: now.adding(days: setting.pace.stagingDays),
            entries: orders.map { MoveEntry(order: $0.id, version: $0.version, digest: OrderDocument.digest(of: $0.bytes)) })
        try await tell(.begin, .begin(batch, keys: try keys.mark(), epoch: epoch))
        let lines = StagedBatch.lines(orders), manifest = StagedBatch.manifest(batch, lines: lines)
        try await step(.stageOrders) { try await staging.put(StagedBatch.ordersKey(batch.staging), lines) }
        try await step(.stageManifest) { try await staging.put(StagedBatch.manifestKey(batch.staging), manifest) }
        batch.manifest = StagedBatch.digest(manifest)
        try await tell(.staged, .advance(id, to: .staged, manifest: batch.manifest, epoch: epoch))
        report.batches += 1
        report.bytes += lines.count
        try await carry(batch, orders)
    }

    /// From `staged` to the end.
    private func carry(_ batch: MoveBatch, _ orders: [ShelvedOrder]) async throws {
        guard let shelf = shelves[batch.to] else { throw MoverError.noShelf(batch.to) }
        try await step(.load) { try await shelf.load(orders, epoch: epoch) }
        try await verify(batch, on: shelf)
        try await tell(.verified, .advance(batch.id, to: .verified, manifest: "", epoch: epoch))
        try await flip(batch)
        loads += 1
        if loads.isMultiple(of: 20) { try await tidy(shelf) }
    }

    /// From `verified`, or from the midst of it, to the end.
    private func flip(_ batch: MoveBatch) async throws {
        let people = batch.from == .hot ? try await store.placements(batch.entries.map(\.order)).values.map(\.person) : []
        let keys = try keys.find(people)
        var moved = 0
        for _ in 0...batch.entries.count {
            let outcome = try await tell(.flip, .flip(batch.id, keys: keys, epoch: epoch))
            moved += Int(clamping: outcome.recordVersion)
            if outcome.state == MoveStep.flipped.rawValue { break }
        }
        report.moved += moved
        report.changed += batch.entries.count { $0.isMoved == nil } - moved
        try await letGo(batch)
    }

    /// Reads every document back, as a reader would.
    private func verify(_ batch: MoveBatch, on shelf: any OrderShelf) async throws {
        let placements = try await store.placements(batch.entries.map(\.order))
        let addresses = batch.entries.compactMap { entry in
            placements[entry.order].map { OrderAddress(id: entry.order, person: $0.person, placedAt: $0.placedAt, version: entry.version) }
        }
        let found = try await shelf.read(addresses).documents
        let wrong = batch.entries.count { entry in found[entry.order].map { OrderDocument.digest(of: $0) != entry.digest } ?? true }
        if wrong > 0 { throw MoverError.verificationFailed(batch: batch.id, orders: wrong) }
    }

    /// From `flipped` to the end.
    private func letGo(_ batch: MoveBatch) async throws {
        let now = try await store.openMoves().first { $0.id == batch.id }?.entries ?? []
        let moved = now.filter { $0.isMoved == true }, left = now.filter { $0.isMoved == false }
        if batch.from != .hot {
            guard let shelf = shelves[batch.from] else { throw MoverError.noShelf(batch.from) }
            let placements = try await store.placements(moved.map(\.order))
            let keys = moved.compactMap { entry in placements[entry.order].map { ShelfKey(entry.address($0), epoch: nil) } }
            try await step(.removeFromSource) { try await shelf.remove(keys, epoch: epoch) }
        }
        for _ in 0...batch.entries.count where try await tell(.purge, .purge(batch.id, epoch: epoch)).state == MoveStep.purged.rawValue { break }
        try await removeCopies(of: left, to: batch.to)
        try await tell(.done, .advance(batch.id, to: .done, manifest: "", epoch: epoch))
    }

    /// Copies of orders that the directory does not place there.
    private func removeCopies(of entries: [MoveEntry], to tier: Tier) async throws {
        guard !entries.isEmpty, let shelf = shelves[tier] else { return }
        let placements = try await store.placements(entries.map(\.order))
        let stale = entries.compactMap { entry -> ShelfKey? in
            guard let at = placements[entry.order], at.tier != tier else { return nil }
            return ShelfKey(entry.address(at), epoch: epoch)
        }
        try await step(.removeStale) { try await shelf.remove(stale, epoch: epoch) }
    }

    // MARK: - Going on

    private func resume(_ batch: MoveBatch) async throws {
        report.resumed += 1
        switch batch.step {
        case .selected: try await abandon(batch)
        case .verified where batch.entries.contains { $0.isMoved != nil }: try await flip(batch)
        case .staged, .verified:
            guard let orders = try await StagedBatch.read(batch, from: staging) else { return try await abandon(batch) }
            if batch.step == .verified { try await tell(.staged, .advance(batch.id, to: .staged, manifest: "", epoch: epoch)) }
            try await carry(batch, orders)
        case .flipped, .purged: try await letGoOn(batch)
        case .done, .abandoned: break
        }
    }

    private func letGoOn(_ batch: MoveBatch) async throws {
        if batch.step == .flipped { return try await letGo(batch) }
        try await removeCopies(of: batch.entries.filter { $0.isMoved == false }, to: batch.to)
        try await tell(.done, .advance(batch.id, to: .done, manifest: "", epoch: epoch))
    }

    /// Nothing was flipped: what was staged and loaded is taken back.
    private func abandon(_ batch: MoveBatch) async throws {
        try await removeCopies(of: batch.entries, to: batch.to)
        try await step(.clearStaging) { try await StagedBatch.clear(batch.staging, from: staging) }
        try await tell(.abandon, .advance(batch.id, to: .abandoned, manifest: "", epoch: epoch))
        report.abandoned += 1
    }

    /// Removes what recalls left behind.
    private func sweepCopies() async throws {
        while true {
            // Of a tier that is not there they are left.
            let copies = try await store.leftCopies(limit: 500).filter { shelves[$0.tier] != nil }
            if copies.isEmpty { return }
            let placements = try await store.placements(copies.map(\.order))
            for (tier, some) in Dictionary(grouping: copies, by: \.tier) {
                guard let shelf = shelves[tier] else { continue }
                let keys = some.compactMap { copy in
                    placements[copy.order].map { ShelfKey(OrderAddress(id: copy.order, person: $0.person, placedAt: $0.placedAt, version: copy.version), epoch: nil) }
                }
                try await keep(try await shelf.read(keys.map(\.address)).documents, of: keys.map(\.address))
                try await step(.removeCopies) { try await shelf.remove(keys, epoch: epoch) }
            }
            try await tell(.forgetCopies, .forgetCopies(copies, epoch: epoch))
            report.copies += copies.count
        }
    }

    /// Hot restored from a backup of before the recall asks for them (`TierReconciler`): they are kept as long as what is staged.
    private func keep(_ found: [OrderID: [UInt8]], of addresses: [OrderAddress]) async throws {
        let orders = addresses.sorted { $0.id < $1.id }.compactMap { at in found[at.id].map { ShelvedOrder(id: at.id, version: at.version, bytes: $0) } }
        guard !orders.isEmpty else { return }
        let until = setting.clock().adding(days: setting.pace.stagingDays)
        try await step(.stageCopies) { try await StagedBatch.keep(orders, until: until, in: staging) }
    }

    private func tidy(_ shelf: any OrderShelf) async throws { try await step(.tidy) { try await shelf.tidy(epoch: epoch) } }

    /// Clears what expired on the object store.
    private func sweep() async throws {
        while true {
            let expired = try await store.expiredMoves(at: setting.clock(), limit: 100)
            if expired.isEmpty { return try await StagedBatch.clearKept(before: setting.clock(), from: staging) }
            for batch in expired { try await step(.clearStaging) { try await StagedBatch.clear(batch.staging, from: staging) } }
            try await tell(.forget, .forget(expired.map(\.id), epoch: epoch))
        }
    }

    // MARK: -

    private func takeLease() async throws {
        let takesOver = setting.takesOver && epoch == 0
        let outcome = try await tell(.lease, .lease(holder: setting.holder, seconds: setting.leaseSeconds, takesOver: takesOver))
        epoch = outcome.recordVersion
    }

    @discardableResult
    private func tell(_ write: MoverWrite, _ command: MoveCommand) async throws -> StoreOutcome {
        let caller = Caller(.service("mover"), .maintenance, at: setting.clock())
        return try await step(write) { try await store.perform(StoreCommand(.move(command), by: caller)) }
    }

    @discardableResult
    private func step<T: Sendable>(_ write: MoverWrite, _ body: () async throws -> T) async throws -> T {
        try await setting.seam(write, true)
        let made = try await body()
        try await setting.seam(write, false)
        return made
    }

    /// Keeps to the pace.
    private func rest(since begun: ContinuousClock.Instant, orders: Int) async throws {
        guard setting.pace.ordersPerSecondMax > 0 else { return }
        try await Task.sleep(until: begun + .seconds(Double(orders) / Double(setting.pace.ordersPerSecondMax)))
    }
}

extension MoveEntry {
    /// Where its dumped version lies outside hot.
    fileprivate func address(_ at: Placement) -> OrderAddress { OrderAddress(id: order, person: at.person, placedAt: at.placedAt, version: version) }
}
