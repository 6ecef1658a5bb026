// A tier beside hot, as the mover and the readers see it: documents of orders. The warm index is one (`WarmShelf`), the archive another (`ColdShelf`).
//
// What a shelf promises
//     1  `load` returned: the documents are durable, and every later read gives their very bytes. Loading again what is there changes nothing.
//     2  An older version never replaces a newer one, and removing one leaves newer ones alone. A mover that slept through a takeover cannot take away what its
//        successor loaded, though bytes and version be the same: the warm index stamps documents with the lease's epoch, the archive asks for the lease.
//     3  What is not there is not given; what is damaged is an error, never other bytes.

package import Orders

package struct ShelvedOrder: Sendable, Equatable {
    package var id: OrderID, version: Int64
    /// The document, canonical.
    package var bytes: [UInt8]
    /// What the bytes say, where whoever made them knows: reading it out of them again takes longer than all else that is done with them.
    package var document: OrderDocument?
    package init(id: OrderID, version: Int64, bytes: [UInt8], document: OrderDocument? = nil) {
        (self.id, self.version, self.bytes, self.document) = (id, version, bytes, document)
    }

    /// Its open part at least.
    func opened() throws(StoreError) -> OrderDocument { if let document { document } else { try OrderDocument(openPartOf: bytes) } }
}

/// What an order is found by outside hot. The directory has all of it; of these only the version ever changes.
package struct OrderAddress: Sendable, Hashable {
    package var id: OrderID, person: PersonRef, placedAt: Instant, version: Int64
    package init(id: OrderID, person: PersonRef, placedAt: Instant, version: Int64) {
        (self.id, self.person, self.placedAt, self.version) = (id, person, placedAt, version)
    }
    package init(_ order: Order) { self.init(id: order.id, person: order.person, placedAt: order.placedAt, version: order.version) }
    package init(_ id: OrderID, _ at: Placement) { self.init(id: id, person: at.person, placedAt: at.placedAt, version: at.version) }
}

/// What to remove: a version, or an older one, as loaded under an epoch or one before it.
package struct ShelfKey: Sendable, Hashable {
    package var address: OrderAddress
    /// Nil: whoever loaded it. For orders of which this version is nowhere valid any more.
    package var epoch: Int64?
    package init(_ address: OrderAddress, epoch: Int64?) { (self.address, self.epoch) = (address, epoch) }
}

package struct ShelfRead: Sendable {
    package var documents: [OrderID: [UInt8]]
    /// Why nothing could be found here, whatever was asked for: who reads for an answer tells it; who reconciles looks elsewhere.
    package var fault: StoreError?
    package init(_ documents: [OrderID: [UInt8]] = [:], fault: StoreError? = nil) { (self.documents, self.fault) = (documents, fault) }
}

package protocol OrderShelf: Sendable {
    var tier: Tier { get }
    /// Before the first `load`: makes what it needs.
    /// - Throws: `unavailable` when it is gone with orders that the directory places here.
    func prepare() async throws
    /// The same for who reconciles: what is gone is begun anew.
    func rebuild() async throws
    /// Why an order cannot lie here; nil when it can. Such orders stay where they are.
    func fault(of order: ShelvedOrder) -> String?
    func load(_ orders: [ShelvedOrder], epoch: Int64) async throws
    /// Loads what was there before, and may have been removed since: it is there again.
    func reload(_ orders: [ShelvedOrder], epoch: Int64) async throws
    /// The documents of these orders, at their versions as far as the shelf tells versions apart; the reader compares.
    func read(_ orders: [OrderAddress]) async throws -> ShelfRead
    func remove(_ orders: [ShelfKey], epoch: Int64) async throws
    /// Every document of a person placed in a time, in any order, copies that are no longer valid among them: the directory decides.
    func documents(of person: PersonRef, from: Instant?, to: Instant?) async throws -> [[UInt8]]
    /// Every document, some at a time, copies that are no longer valid among them.
    func scan(_ visit: @Sendable ([[UInt8]]) async throws -> Void) async throws
    /// The highest epoch of a lease that anything here was loaded under; 0 where nothing was.
    func newestEpoch() async throws -> Int64
    /// Now and then, by the mover, while it holds the lease: lets go of what no reader needs any more.
    func tidy(epoch: Int64) async throws
}

extension OrderShelf {
    package func rebuild() async throws { try await prepare() }
    package func fault(of order: ShelvedOrder) -> String? { nil }
    package func reload(_ orders: [ShelvedOrder], epoch: Int64) async throws { try await load(orders, epoch: epoch) }
    package func newestEpoch() async throws -> Int64 { 0 }
    package func tidy(epoch: Int64) async throws {}
}
