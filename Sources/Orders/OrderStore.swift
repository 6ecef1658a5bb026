// The seam between the shop and whichever database keeps its transactions. No SQL above it; SQLite behind it now, PostgreSQL next, one contract
// suite for both.
//
// Commands go through `perform` and are answered after their COMMIT. Reads see the newest commit, never wait for writers, and refuse
// (`notFound`) what the caller may not see. Reads of personal data are written to the audit log before they are answered.

package protocol OrderStore: Sendable {
    func perform(_ command: StoreCommand) async throws(StoreError) -> StoreOutcome

    // Identity.
    func personRef(_ key: PersonKey) async throws(StoreError) -> PersonRef?
    func orderID(_ key: OrderKey) async throws(StoreError) -> OrderID?
    func orderID(reference: String) async throws(StoreError) -> OrderID?

    // Personal data: audited.
    func person(_ ref: PersonRef, by caller: Caller) async throws(StoreError) -> Person
    func person(email: String, by caller: Caller) async throws(StoreError) -> Person
    func addresses(of ref: PersonRef, by caller: Caller) async throws(StoreError) -> [Address]

    // The catalogue's master.
    func product(_ id: ProductID) async throws(StoreError) -> Product
    func products(after: ProductID?, limit: Int) async throws(StoreError) -> [Product]
    func basket(of person: PersonRef, by caller: Caller) async throws(StoreError) -> [BasketLine]

    // Orders and what belongs to them.
    func order(_ id: OrderID, by caller: Caller) async throws(StoreError) -> Order
    /// As `order`, but without `includesCold` an order of the archive is what the directory knows of it: state and totals, no lines.
    func order(_ id: OrderID, includesCold: Bool, by caller: Caller) async throws(StoreError) -> (order: Order, archive: ArchiveReads)
    func payments(of order: OrderID, by caller: Caller) async throws(StoreError) -> [Payment]
    func payment(_ id: PaymentID, by caller: Caller) async throws(StoreError) -> Payment
    func shipments(of order: OrderID, by caller: Caller) async throws(StoreError) -> [Shipment]
    func returns(of order: OrderID, by caller: Caller) async throws(StoreError) -> [Return]
    func shipment(_ id: ShipmentID, by caller: Caller) async throws(StoreError) -> Shipment
    func returned(_ id: ReturnID, by caller: Caller) async throws(StoreError) -> Return
    /// Tracking events of an order's shipments that arrived after a sequence number, oldest first: live tracking resumes with the last seen.
    func tracking(of order: OrderID, after sequence: Int64, limit: Int, by caller: Caller) async throws(StoreError) -> [TrackingEvent]

    // Previous orders.
    func orders(of person: PersonRef, _ query: OrderListQuery, by caller: Caller) async throws(StoreError) -> OrderPage
    func frames(of person: PersonRef, by caller: Caller) async throws(StoreError) -> OrderFrames

    // The follow graph. Everybody may read it.
    func followers(of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage
    func following(of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage
    func follows(_ source: PersonRef, _ destination: PersonRef) async throws(StoreError) -> Bool
    func mutuals(of person: PersonRef, limit: Int, cursor: String?) async throws(StoreError) -> PersonPage
    /// Whom those they follow follow, by how many of them do; at most `limit`.
    func suggestions(for person: PersonRef, limit: Int) async throws(StoreError) -> [(person: PersonRef, common: Int64)]

    // What follows the commit.
    func outboxPosition() async throws(StoreError) -> UInt64
    func outbox(after position: UInt64, limit: Int) async throws(StoreError) -> [OutboxEntry]

    // Looking after it.
    func reconciliation(by caller: Caller) async throws(StoreError) -> ReconciliationReport
    func verifyAudit() async throws(StoreError) -> AuditVerification
}

/// One row of the outbox: what changed for those outside. Positions rise by one in the order of commits.
package struct OutboxEntry: Sendable, Equatable {
    package var position: UInt64, at: Instant
    package var change: Change

    package enum Change: Sendable, Equatable {
        /// Units on the shelf after the change, per product.
        case stock([ProductID: Int64])
        case price(ProductID, Money)
        /// New or changed: read it whole.
        case product(ProductID)
        /// Units delivered and kept, per product, after the change.
        case popularity([ProductID: Int64])
        /// An order's state; and the stock its change moved.
        case order(OrderID, state: OrderState, stock: [ProductID: Int64])
        case payment(PaymentID, OrderID, state: PaymentState)
        case shipment(ShipmentID, OrderID, state: ShipmentState)
        case returned(ReturnID, OrderID, state: ReturnState)
        /// Their bodies are in that tier now; nothing else about them changed.
        case moved([OrderID], to: Tier)
    }
    package init(position: UInt64, at: Instant, change: Change) { (self.position, self.at, self.change) = (position, at, change) }

    /// Stock levels in it, whatever it is about.
    package var stock: [ProductID: Int64] {
        switch change {
        case .stock(let levels), .order(_, _, let levels): levels
        default: [:]
        }
    }
}

package struct OrderListQuery: Sendable, Equatable {
    /// placed_at >= from, < to.
    package var from: Instant?, to: Instant?
    package var state: OrderState?
    /// Matches the reference, or a part of a line's title or product, without regard to ASCII case.
    package var text: String?
    /// 1 to 100.
    package var limit: Int
    package var cursor: String?
    /// Fetch bodies from the cold tier too; else an order there is what the directory knows of it.
    package var includesCold = false
    package init(from: Instant? = nil, to: Instant? = nil, state: OrderState? = nil, text: String? = nil, limit: Int = 20, cursor: String? = nil) {
        (self.from, self.to, self.state, self.text, self.limit, self.cursor) = (from, to, state, text, limit, cursor)
    }
}

package struct OrderPage: Sendable, Equatable {
    /// placed_at descending, then id descending.
    package var orders: [Order]
    /// All that match, on all pages, as of the first page.
    package var total: Int64
    /// Nil after the last page.
    package var next: String?
    package var archive = ArchiveReads()
    package init(orders: [Order], total: Int64, next: String?) { (self.orders, self.total, self.next) = (orders, total, next) }
}

/// What an answer cost at the archive's object store.
package struct ArchiveReads: Sendable, Hashable {
    package var requests = 0, bytes = 0
    package init(requests: Int = 0, bytes: Int = 0) { (self.requests, self.bytes) = (requests, bytes) }
    package static func += (a: inout ArchiveReads, b: ArchiveReads) { a = ArchiveReads(requests: a.requests + b.requests, bytes: a.bytes + b.bytes) }
}

extension OrderStore {
    package func order(_ id: OrderID, includesCold: Bool, by caller: Caller) async throws(StoreError) -> (order: Order, archive: ArchiveReads) {
        (try await order(id, by: caller), ArchiveReads())
    }
}

/// Exact counts of a person's orders by time frame.
package struct OrderFrames: Sendable, Equatable {
    package var total: Int64, last30Days: Int64, last3Months: Int64, last6Months: Int64
    /// Newest first; years without orders are left out. Years in UTC.
    package var years: [Year]
    package struct Year: Sendable, Equatable {
        package var year: Int64, count: Int64
        package init(year: Int64, count: Int64) { (self.year, self.count) = (year, count) }
    }
    package init(total: Int64, last30Days: Int64, last3Months: Int64, last6Months: Int64, years: [Year]) {
        (self.total, self.last30Days, self.last3Months, self.last6Months, self.years) = (total, last30Days, last3Months, last6Months, years)
    }
}

package struct PersonPage: Sendable, Equatable {
    /// The newest edge first.
    package var people: [PersonRef]
    package var total: Int64
    package var next: String?
    package init(people: [PersonRef], total: Int64, next: String?) { (self.people, self.total, self.next) = (people, total, next) }
}

package struct AuditVerification: Sendable, Equatable {
    package var rows: Int64
    /// The hash of the last row: what the next one is chained to.
    package var head: [UInt8]
    /// The first row that does not fit the one before; nil when all do.
    package var firstBroken: Int64?
    package init(rows: Int64, head: [UInt8], firstBroken: Int64?) { (self.rows, self.head, self.firstBroken) = (rows, head, firstBroken) }
}

/// What does not agree, each with what it is about. Empty everywhere is good.
package struct ReconciliationReport: Sendable, Equatable {
    package struct Finding: Sendable, Equatable {
        package var about: String, what: String
        package init(about: String, what: String) { (self.about, self.what) = (about, what) }
    }
    /// Payments whose sums are not those of their events: damage.
    package var sums: [Finding] = []
    /// Captured but for a cancelled or expired order; authorised and left lying; delivered but not paid.
    package var open: [Finding] = []
    /// Webhooks that contradicted the state and were ignored.
    package var ignored: [Finding] = []
    /// Orders whose payments are not what their lines add up to.
    package var differing: [Finding] = []
    package init() {}
    package var isClean: Bool { sums.isEmpty && open.isEmpty && ignored.isEmpty && differing.isEmpty }
}
