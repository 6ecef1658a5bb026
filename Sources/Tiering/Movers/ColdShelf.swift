// The cold tier: orders in the archive's table (`Archive/HudiTable`), one commit for each batch, found by person and month.
//
//     load      documents -> rows -> one commit of the table, fenced by the mover's lease
//     read      few orders: by the look-up index of the file their person's month is in, two ranged reads; many: the files that hold them, documents only
//     remove    one commit that leaves the rows out, unless they are of a later version
//     tidy      keeps the snapshots of the last commits, for readers that hold one
//
// Invariants
//     1  A document read is the one the directory's version asks for, or none: the snapshot that is kept is taken anew when it has not that version.
//     2  Only the holder of the lease writes: `TableWriter` asks before each file and before the commit.
//     3  Where the directory places orders here and there is no table, this is not the archive that they went to, or it is lost: that is said, to readers for an
//        answer and to movers, and no second table is made. Who reconciles finds nothing here (`scan`, `read`), and names what is lost.

package import Archive
package import Orders
package import Storage
import Synchronization

package actor ColdShelf: OrderShelf {
    package struct Setting: Sendable {
        /// The table's keys begin with it.
        package var prefix = "orders"
        /// File groups a month, when the table is made.
        package var buckets = 1
        /// Commits whose snapshots stay readable.
        package var keptCommits = 10
        package init() {}
    }

    package nonisolated var tier: Tier { .cold }
    package nonisolated let store: any ObjectStore
    private let setting: Setting
    private let holds: @Sendable (Int64) async -> Bool
    private let placed: @Sendable () async throws -> Int64
    private var table: HudiTable?
    private var writer: TableWriter?
    private var known: TableSnapshot?
    private var commits = 0
    /// More orders of one month than this are read from its whole file.
    private static let lookupsMax = 32

    /// - Parameters: `holds` says whether the lease of an epoch is held still, asked anew each time; `placed` how many orders the directory places here, asked where
    ///   there is no table.
    package init(
        store: any ObjectStore, setting: Setting = Setting(), holds: @escaping @Sendable (Int64) async -> Bool,
        placed: @escaping @Sendable () async throws -> Int64 = { 0 }
    ) {
        (self.store, self.setting, self.holds, self.placed) = (store, setting, holds, placed)
    }

    /// For a mover whose lease is in the hot store, as the directory is.
    package init(store: any ObjectStore, setting: Setting = Setting(), leaseOf hot: any TierStore) {
        self.init(
            store: store, setting: setting,
            holds: { epoch in do { return try await hot.moverLease()?.epoch == epoch } catch { return false } },
            placed: { try await hot.count(in: .cold) })
    }

    /// The table is made by the first `load`.
    package func prepare() async throws {}

    package nonisolated func fault(of order: ShelvedOrder) -> String? {
        do { return ArchivedOrder(try order.opened(), body: order.bytes).fault } catch { return "\(error)" }
    }

    package func load(_ orders: [ShelvedOrder], epoch: Int64) async throws {
        let rows = try orders.map { ArchivedOrder(try $0.opened(), body: $0.bytes) }
        let writer = try await self.writer(epoch)
        _ = try await writer.upsert(rows)
        known = try await writer.snapshot()
        commits += 1
    }

    package func remove(_ orders: [ShelfKey], epoch: Int64) async throws {
        guard !orders.isEmpty, try await expectedTable() != nil else { return }
        var versions: [ArchivedOrder.Key: Int64] = [:]
        for order in orders { if let key = order.address.archived { versions[key] = max(versions[key] ?? .min, order.address.version) } }
        let writer = try await self.writer(epoch)
        _ = try await writer.delete(versions.keys.sorted { $0.order < $1.order }, upTo: versions)
        known = try await writer.snapshot()
        commits += 1
    }

    package func tidy(epoch: Int64) async throws {
        guard commits > 0, try await openTable() != nil else { return }
        let writer = try await self.writer(epoch)
        _ = try await writer.clean(keeping: setting.keptCommits)
        known = try await writer.snapshot()
        commits = 0
    }

    // MARK: - Reading

    package func read(_ orders: [OrderAddress]) async throws -> ShelfRead {
        guard !orders.isEmpty else { return ShelfRead() }
        guard let table = try await openTable() else { return ShelfRead(fault: try await misplaced()) }
        var wanted = Dictionary(orders.map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a }), found = ShelfRead(), fault: ArchiveError?
        // A snapshot from before may lack what is wanted, or name files that were cleaned away since.
        for isKept in [true, false] {
            guard !wanted.isEmpty, let snapshot = isKept ? known : try await table.snapshot() else { continue }
            if !isKept { known = snapshot }
            fault = nil
            do throws(ArchiveError) {
                for (id, document) in try await Self.documents(Array(wanted.values), snapshot) {
                    found.documents[id] = document
                    wanted[id] = nil
                }
            } catch { fault = error }
        }
        if let fault { throw fault }
        return found
    }

    package func documents(of person: PersonRef, from: Instant?, to: Instant?) async throws -> [[UInt8]] {
        guard let table = try await expectedTable() else { return [] }
        // Files of a snapshot can be cleaned away while they are read: then once more, from a newer one.
        for isLast in [false, true] {
            let snapshot = try await table.snapshot()
            known = snapshot
            do throws(ArchiveError) {
                if let found = try await Self.documents(of: person, from: from, to: to, snapshot) { return found }
            } catch {
                let now = try await table.snapshot()
                if isLast || now.instants == snapshot.instants { throw error }
                continue
            }
            throw StoreError.conflict("too many archived orders to search their texts: give a time range")
        }
        return []
    }

    /// Nil when there are more than `WarmShelf.documentsMax`.
    private static func documents(of person: PersonRef, from: Instant?, to: Instant?, _ snapshot: TableSnapshot) async throws(ArchiveError) -> [[UInt8]]? {
        let first = from.flatMap { Partition(placedAt: $0.microseconds) }, last = to.flatMap { Partition(placedAt: $0.microseconds) }
        let months = snapshot.partitions.filter { month in first.map { $0 <= month } ?? true && last.map { month <= $0 } ?? true }
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: months.count, by: 12) {
            found += try await snapshot.ofPerson(person.description, partitions: Array(months[start..<min(start + 12, months.count)])).rows.map(\.order.body)
            if found.count > WarmShelf.documentsMax { return nil }
        }
        return found
    }

    package func scan(_ visit: @Sendable ([[UInt8]]) async throws -> Void) async throws {
        guard let table = try await openTable() else { return }
        let failed = Mutex<(any Error)?>(nil)
        try await table.snapshot().scanDocuments { (documents, _) async throws(ArchiveError) in
            do { try await visit(documents.map(\.body)) } catch {
                failed.withLock { $0 = error }
                return false
            }
            return true
        }
        if let error = failed.withLock({ $0 }) { throw error }
    }

    package func newestEpoch() async throws -> Int64 {
        guard let table = try await openTable() else { return 0 }
        return try await table.snapshot().newestEpoch
    }

    // MARK: -

    /// At their very versions.
    private static func documents(_ orders: [OrderAddress], _ snapshot: TableSnapshot) async throws(ArchiveError) -> [OrderID: [UInt8]] {
        var months: [Partition: [String: OrderAddress]] = [:], found: [OrderID: [UInt8]] = [:]
        for order in orders { if let key = order.archived { months[key.partition, default: [:]][key.order] = order } }
        for (month, orders) in months.sorted(by: { $0.key < $1.key }) {
            var taken: [OrderID: [UInt8]] = [:]
            if orders.count > lookupsMax {
                try await snapshot.scanDocuments(partitions: [month]) { (documents, _) async throws(ArchiveError) in
                    for document in documents { if let order = orders[document.order], order.version == document.version { taken[order.id] = document.body } }
                    return taken.count < orders.count
                }
            } else {
                for person in Set(orders.values.map(\.person)) {
                    let rows = try await snapshot.ofPerson(person.description, partitions: [month]).rows
                    for row in rows { if let order = orders[row.order.id], order.version == row.order.version { taken[order.id] = row.order.body } }
                }
            }
            found.merge(taken) { a, _ in a }
        }
        return found
    }

    /// Nil where there is none.
    private func openTable() async throws(ArchiveError) -> HudiTable? {
        if let table { return table }
        let found = try await findTable()
        table = table ?? found
        return table
    }

    /// Nil where no order was archived yet.
    private func expectedTable() async throws -> HudiTable? {
        if let table = try await openTable() { return table }
        if let fault = try await misplaced() { throw fault }
        return table
    }

    private func findTable() async throws(ArchiveError) -> HudiTable? {
        do throws(ArchiveError) { return try await HudiTable.open(store, prefix: setting.prefix) } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    /// Why there is no table; nil where there need not be one.
    private func misplaced() async throws -> StoreError? {
        let orders = try await placed()
        // Order matters: looked for once more after they were counted, since the first of them may have come between.
        guard orders > 0, try await openTable() == nil else { return nil }
        return noTable(for: orders)
    }

    private func noTable(for orders: Int64) -> StoreError {
        let place = "\(store.place)/\(setting.prefix)"
        return .unavailable("the archive at \(place) has no table, but \(orders) orders are in it: is archive.location in the tiers' policy file what it was?")
    }

    private func writer(_ epoch: Int64) async throws -> TableWriter {
        if let writer, writer.lease.epoch == epoch { return writer }
        // Looked for by each holder of the lease: a table that is known may be gone since.
        if try await findTable() == nil {
            let orders = try await placed()
            if orders > 0 { throw noTable(for: orders) }
        }
        let opened = try await HudiTable.openOrCreate(store, prefix: setting.prefix, buckets: setting.buckets), table = self.table ?? opened
        self.table = table
        let lease = WriterLease(epoch: epoch) { [holds] in await holds(epoch) }
        let made = TableWriter(table, lease: lease, now: { Instant.now().microseconds })
        writer = made
        return made
    }
}

extension TierStore {
    /// Orders that the directory places in a tier. Whether there is one is a look into its index; they are counted only if there is.
    func count(in tier: Tier) async throws(StoreError) -> Int64 {
        if try await placed(in: tier, after: nil, limit: 1).isEmpty { return 0 }
        return try await census()[tier] ?? 0
    }
}

extension OrderAddress {
    /// Nil for a year that the table has not.
    var archived: ArchivedOrder.Key? {
        Partition(placedAt: placedAt.microseconds).map { ArchivedOrder.Key(order: id.description, person: person.description, partition: $0) }
    }
}

extension ArchivedOrder {
    /// The columns that questions are asked by, out of a document; `body` is the document itself.
    package init(_ document: OrderDocument, body: [UInt8]) {
        let order = document.order
        self.init(
            id: order.id.description, person: order.person.description, reference: order.reference, status: order.state.rawValue, currency: order.currency.code,
            currencyDecimals: order.currency.decimals, totalMinor: order.totalMinor, paidMinor: order.paidMinor, refundedMinor: order.refundedMinor,
            placedAt: order.placedAt.microseconds, updatedAt: document.lastEvent.microseconds, version: order.version, body: body)
        lines = order.lines.map {
            Line(
                position: $0.position, sku: $0.product.text, title: $0.title, seller: $0.seller, quantity: $0.quantity, unitMinor: $0.unitMinor,
                freightMinor: $0.freightMinor, totalMinor: $0.totalMinor)
        }
        payments = document.payments.map {
            Payment(
                id: $0.id.description, status: $0.state.rawValue, gateway: $0.gateway, method: $0.method, amountMinor: $0.amountMinor, capturedMinor: $0.capturedMinor,
                refundedMinor: $0.refundedMinor, createdAt: $0.createdAt.microseconds)
        }
        for shipment in document.shipments {
            let id = shipment.id.description
            shipments.append(Shipment(id: id, status: shipment.state.rawValue, carrier: shipment.carrier, createdAt: shipment.createdAt.microseconds))
            for event in shipment.events {
                tracking.append(Tracking(shipment: id, kind: event.kind.rawValue, happenedAt: event.happenedAt.microseconds, receivedAt: event.receivedAt.microseconds))
            }
        }
    }
}

extension OrderDocument {
    /// When the last thing happened to the order that the document knows of.
    var lastEvent: Instant {
        var last = max(order.placedAt, order.deliveredAt ?? order.placedAt)
        for payment in payments {
            last = max(last, payment.createdAt)
            for event in payment.events { last = max(last, event.receivedAt) }
        }
        for refund in refunds { last = max(last, refund.at) }
        for shipment in shipments {
            last = max(last, shipment.createdAt)
            for event in shipment.events { last = max(last, event.receivedAt) }
        }
        for back in returns { last = max(last, back.requestedAt) }
        return last
    }
}
