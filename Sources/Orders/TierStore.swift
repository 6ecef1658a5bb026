// What the mover, and whoever reads over all tiers, asks of the hot store beyond `OrderStore`. No SQL above it.
//
// Invariants
//     1  `order_directory.tier` says where an order is; only a flip and a recall change it, each in one transaction.
//     2  A flip takes an order only if its tier, its version and the bytes of its document are those that were dumped.
//     3  A recall is part of the change that needs it: refused, the order stays where it was.
//     4  Payments with their events, the identifiers that carriers and gateways use, and idempotency keys stay in hot for ever.

package protocol TierStore: OrderStore {
    /// Orders that may go, oldest first, after a key. An order with a return or payment in progress is left out.
    func movable(_ selection: MoveSelection, after: MoveKey?, limit: Int) async throws(StoreError) -> [MoveKey]
    /// How many `movable` would give.
    func countMovable(_ selection: MoveSelection) async throws(StoreError) -> Int64
    /// The same by the month of placing, UTC (`CivilDate.monthNumber`), rising; months without any are left out.
    func monthsMovable(_ selection: MoveSelection) async throws(StoreError) -> [(month: Int64, orders: Int64)]
    /// The documents of orders whose bodies are in hot, in one snapshot, in the order asked for; others are left out.
    func documents(_ ids: [OrderID]) async throws(StoreError) -> [OrderDocument]
    /// Where orders are, by the directory.
    func placements(_ ids: [OrderID]) async throws(StoreError) -> [OrderID: Placement]
    /// Orders by tier.
    func census() async throws(StoreError) -> [Tier: Int64]

    /// Orders that the directory places in a tier other than hot, oldest first, after a key.
    func placed(in tier: Tier, after: MoveKey?, limit: Int) async throws(StoreError) -> [MoveKey]

    /// Batches that are not done, oldest first, with their entries.
    func openMoves() async throws(StoreError) -> [MoveBatch]
    /// The newest batches, without their entries.
    func moves(limit: Int) async throws(StoreError) -> [MoveBatch]
    /// Done or abandoned batches whose staging may be cleared.
    func expiredMoves(at instant: Instant, limit: Int) async throws(StoreError) -> [MoveBatch]
    func moverLease() async throws(StoreError) -> MoverLease?
    /// Reads counted on a day (days since 1970) or later.
    func orderReads(since day: Int64) async throws(StoreError) -> [OrderReadsKey: Int64]
    /// Copies that recalls left behind: nobody reads them, and the mover removes them.
    func leftCopies(limit: Int) async throws(StoreError) -> [LeftCopy]

    /// Whose order a shipment or return belongs to, wherever its body is.
    func orderID(ofShipment id: ShipmentID) async throws(StoreError) -> OrderID?
    func orderID(ofReturn id: ReturnID) async throws(StoreError) -> OrderID?
    /// As `orders`, and with a text also those of `others` that fit the rest of the query: their bodies are elsewhere, and match. `purges` is the number
    /// of purges in the page's snapshot.
    func orders(
        of person: PersonRef, _ query: OrderListQuery, matching others: [OrderID], by caller: Caller
    ) async throws(StoreError) -> (page: OrderPage, purges: Int64)
    /// Purges so far: whether a body may have left hot meanwhile.
    func purges() async throws(StoreError) -> Int64
}

package struct Placement: Sendable, Equatable {
    package var tier: Tier, version: Int64, person: PersonRef, placedAt: Instant
    package init(tier: Tier, version: Int64, person: PersonRef, placedAt: Instant) {
        (self.tier, self.version, self.person, self.placedAt) = (tier, version, person, placedAt)
    }
}

/// A document that lies where the directory no longer says: of this version or an older one.
package struct LeftCopy: Sendable, Hashable {
    package var order: OrderID, tier: Tier, version: Int64
    package init(order: OrderID, tier: Tier, version: Int64) { (self.order, self.tier, self.version) = (order, tier, version) }
}

package struct MoverLease: Sendable, Equatable {
    package var holder: String, epoch: Int64, until: Instant
    package init(holder: String, epoch: Int64, until: Instant) { (self.holder, self.epoch, self.until) = (holder, epoch, until) }
}
