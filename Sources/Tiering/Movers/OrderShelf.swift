// A tier beside hot, as the mover and the readers see it: documents under the identifiers of their orders. The warm index is one (`WarmShelf`), the archive another.
//
// What a shelf promises
//     1  `load` returned: the documents are durable, and every later read gives their very bytes. Loading again what is there changes nothing.
//     2  What is loaded bears the order's version and the lease's epoch. An older one never replaces a newer one, and removing one leaves newer ones alone: a mover
//        that slept through a takeover cannot take away what its successor loaded, though bytes and version be the same.
//     3  What is not there is not given; what is damaged is an error, never other bytes.

package import Orders

package struct ShelvedOrder: Sendable, Equatable {
    package var id: OrderID, version: Int64
    /// The document, canonical.
    package var bytes: [UInt8]
    package init(id: OrderID, version: Int64, bytes: [UInt8]) { (self.id, self.version, self.bytes) = (id, version, bytes) }
}

/// What to remove: a version as loaded under an epoch or one before it.
package struct ShelfKey: Sendable, Hashable {
    package var id: OrderID, version: Int64
    /// Nil: whoever loaded it. For orders of which this version is nowhere valid any more.
    package var epoch: Int64?
    package init(id: OrderID, version: Int64, epoch: Int64?) { (self.id, self.version, self.epoch) = (id, version, epoch) }
}

package protocol OrderShelf: Sendable {
    var tier: Tier { get }
    /// Before the first `load`: makes what it needs.
    func prepare() async throws
    /// - Returns: where each lies, for those that cannot be found by their identifier alone; kept in the directory.
    func load(_ orders: [ShelvedOrder], epoch: Int64) async throws -> [OrderID: String]
    func read(_ ids: [OrderID]) async throws -> [OrderID: [UInt8]]
    func remove(_ orders: [ShelfKey]) async throws
    /// Every document of a person, in any order, copies that are no longer valid among them: the directory decides.
    func documents(of person: PersonRef) async throws -> [[UInt8]]
}

/// The cold tier's table. One `load` is one atomic commit of it; `remove` deletes rows by their order's identifier. An order's identifier holds its moment, and so
/// its partition. One writer at a time: the mover's lease.
package protocol ArchiveWriter: OrderShelf {}

extension ArchiveWriter {
    package var tier: Tier { .cold }
}
