// One history over all tiers: an `OrderStore` like any other. Lists, totals, frames and cursors come from the directory in hot; bodies from where it says they are.
//
//     read     directory (hot snapshot) -> tier, version -> body there; another version, or none: the directory again
//     change   hot; refused with `archived`: fetch the document, give the same command again with it -> one transaction recalls and changes
//
// Invariants
//     1  A body is shown only under the tier and version that the directory named in the same look.
//     2  After a recall nobody reads the copy that is left behind; the mover removes it.
//     3  Payments are always hot's.
//     4  What an answer tells of the archive is what its object store was asked for it, all of it: counted at the store (`MeteredObjectStore`), by nobody else.

package import Orders
internal import Storage

package struct TieredOrderStore: OrderStore {
    package let hot: any TierStore
    private let shelves: [Tier: any OrderShelf]
    private let keys: any PersonKeys
    private let reads: OrderReadCounter?
    /// Looks at the directory for one answer: a body moves at most once in a mover's batch, so more than two are rare.
    private static let looksMax = 8

    package init(hot: any TierStore, shelves: [any OrderShelf], keys: any PersonKeys, counting reads: OrderReadCounter? = nil) {
        (self.hot, self.keys, self.reads) = (hot, keys, reads)
        self.shelves = Dictionary(shelves.map { ($0.tier, $0) }, uniquingKeysWith: { a, _ in a })
    }

    package func perform(_ command: StoreCommand) async throws(StoreError) -> StoreOutcome {
        var command = command
        for _ in 0..<Self.looksMax {
            let id: OrderID
            do throws(StoreError) {
                return try await hot.perform(command)
            } catch .archived(let archived) { id = archived }
            command.recalled = try await valid(id)
        }
        throw .unavailable("the order keeps moving between the tiers: try again")
    }

    package func order(_ id: OrderID, by caller: Caller) async throws(StoreError) -> Order {
        try await order(id, includesCold: true, by: caller).order
    }

    package func order(_ id: OrderID, includesCold: Bool, by caller: Caller) async throws(StoreError) -> (order: Order, archive: ArchiveReads) {
        let meter = StoreMeter()
        let found = try await meter.measure { () async throws(StoreError) -> Order in
            try await body(try await hot.order(id, by: caller), includesCold: includesCold, by: caller)
        }
        reads?.count([found], at: caller.at)
        return (found, ArchiveReads(meter))
    }

    package func shipments(of order: OrderID, by caller: Caller) async throws(StoreError) -> [Shipment] {
        try await part(of: order, by: caller, hot: { () throws(StoreError) in try await hot.shipments(of: order, by: caller) }) { document in
            document.shipments.map { shipment in
                var shipment = shipment
                shipment.events.sort { ($0.happenedAt, $0.eventID) < ($1.happenedAt, $1.eventID) }
                return shipment
            }
        }
    }

    package func returns(of order: OrderID, by caller: Caller) async throws(StoreError) -> [Return] {
        try await part(of: order, by: caller, hot: { () throws(StoreError) in try await hot.returns(of: order, by: caller) }, archived: \.returns)
    }

    package func shipment(_ id: ShipmentID, by caller: Caller) async throws(StoreError) -> Shipment {
        guard let order = try await hot.orderID(ofShipment: id) else { throw .notFound("such shipment") }
        do throws(StoreError) {
            if let found = try await shipments(of: order, by: caller).first(where: { $0.id == id }) { return found }
        } catch .notFound {
            // Another's: it is the shipment that is not there for the caller.
        }
        throw .notFound("such shipment")
    }

    package func returned(_ id: ReturnID, by caller: Caller) async throws(StoreError) -> Return {
        guard let order = try await hot.orderID(ofReturn: id) else { throw .notFound("such return") }
        do throws(StoreError) {
            if let found = try await returns(of: order, by: caller).first(where: { $0.id == id }) { return found }
        } catch .notFound {
            // As above.
        }
        throw .notFound("such return")
    }

    /// What is elsewhere tells nothing new: live tracking of it is empty until a new event recalls it.
    package func tracking(of order: OrderID, after sequence: Int64, limit: Int, by caller: Caller) async throws(StoreError) -> [TrackingEvent] {
        try await hot.tracking(of: order, after: sequence, limit: limit, by: caller)
    }

    package func orders(of person: PersonRef, _ query: OrderListQuery, by caller: Caller) async throws(StoreError) -> OrderPage {
        let meter = StoreMeter()
        var page = try await meter.measure { () async throws(StoreError) -> OrderPage in
            var found = try await list(of: person, query, by: caller)
            try await fillBodies(of: &found, includesCold: query.includesCold, by: caller)
            return found
        }
        page.archive = ArchiveReads(meter)
        reads?.count(page.orders, at: caller.at)
        return page
    }

    // MARK: - Bodies

    /// The page with texts looked for in every tier. A body is in hot or on a shelf at every moment, but not in both looks if it moved between them: then again.
    private func list(of person: PersonRef, _ query: OrderListQuery, by caller: Caller) async throws(StoreError) -> OrderPage {
        guard let text = query.text, caller.sees(person), !shelves.isEmpty else { return try await hot.orders(of: person, query, by: caller) }
        for _ in 0..<Self.looksMax {
            let before = try await hot.purges()
            var others: Set<OrderID> = []
            // Order matters: the warmer first, so that what moves meanwhile is found on its way.
            for (_, shelf) in shelves.sorted(by: { $0.key < $1.key }) {
                for bytes in try await reading({ try await shelf.documents(of: person, from: query.from, to: query.to) }) {
                    let document = try OrderDocument(openPartOf: bytes)
                    if document.contains(text) { others.insert(document.order.id) }
                }
            }
            let (page, purges) = try await hot.orders(of: person, query, matching: others.sorted(), by: caller)
            if purges == before { return page }
        }
        throw .unavailable("orders keep moving between the tiers: try again")
    }

    private func fillBodies(of page: inout OrderPage, includesCold: Bool, by caller: Caller) async throws(StoreError) {
        // A page is one person's, as a rule: their key is asked for once, not for each document.
        var documents: [OrderID: OrderDocument] = [:], known: [PersonRef: PersonKeyState] = [:]
        let people = Dictionary(page.orders.map { ($0.id, $0.person) }, uniquingKeysWith: { a, _ in a })
        for (tier, shelf) in shelves where tier != .cold || includesCold {
            let wanted = page.orders.filter { $0.tier == tier.rawValue }.map { OrderAddress($0) }
            if wanted.isEmpty { continue }
            let found = try await reading { try await shelf.read(wanted) }
            if let fault = found.fault { throw fault }
            for (id, bytes) in found.documents {
                guard let person = people[id] else { continue }
                let key = if let key = known[person] { key } else { try keys.state(of: person) }
                known[person] = key
                documents[id] = try OrderDocument(parsing: bytes, key: key)
            }
        }
        for at in page.orders.indices {
            let order = page.orders[at]
            if let document = documents[order.id], document.order.version == order.version {
                page.orders[at] = Self.fill(order, from: document)
            } else {
                page.orders[at] = try await body(order, includesCold: includesCold, by: caller)
            }
        }
    }

    /// An order with its body, from wherever the directory says it is now.
    private func body(_ order: Order, includesCold: Bool, by caller: Caller) async throws(StoreError) -> Order {
        var order = order
        for look in 0..<Self.looksMax {
            if look > 0 { order = try await hot.order(order.id, by: caller) }
            guard let tier = Tier(rawValue: order.tier), tier != .hot, tier != .cold || includesCold else { return order }
            if let document = try await document(OrderAddress(order), tier) { return Self.fill(order, from: document) }
        }
        throw .damaged("order \(order.id) is not where the directory says")
    }

    private static func fill(_ order: Order, from document: OrderDocument) -> Order {
        var whole = document.order
        whole.tier = order.tier
        return whole
    }

    private func document(_ order: OrderAddress, _ tier: Tier) async throws(StoreError) -> OrderDocument? {
        guard let shelf = shelves[tier] else { throw .unavailable("the order is in the \(tier.rawValue) tier, which is not set up") }
        let found = try await reading { try await shelf.read([order]) }
        if let fault = found.fault { throw fault }
        guard let bytes = found.documents[order.id] else { return nil }
        let document = try OrderDocument(parsing: bytes, keys: keys)
        return document.order.version == order.version && document.order.id == order.id ? document : nil
    }

    /// The document that the directory stands for now; nil when the order is hot again.
    private func valid(_ id: OrderID) async throws(StoreError) -> OrderDocument? {
        for _ in 0..<Self.looksMax {
            guard let at = try await hot.placements([id])[id] else { throw .notFound("such order") }
            if at.tier == .hot { return nil }
            if let document = try await document(OrderAddress(id, at), at.tier) { return document }
        }
        throw .damaged("order \(id) is not where the directory says")
    }

    /// Shipments or returns: hot's, if the order was hot before and after they were read and did not change; else the document's.
    private func part<T: Sendable>(
        of id: OrderID, by caller: Caller, hot read: () async throws(StoreError) -> T, archived: (OrderDocument) -> T
    ) async throws(StoreError) -> T {
        for _ in 0..<Self.looksMax {
            // Whether the caller may see it at all.
            let order = try await hot.order(id, by: caller)
            guard let tier = Tier(rawValue: order.tier), tier != .hot else {
                let found = try await read()
                if try await hot.placements([id])[id]?.tier == .hot { return found }
                continue
            }
            if let document = try await document(OrderAddress(order), tier) { return archived(document) }
        }
        throw .damaged("order \(id) is not where the directory says")
    }

    private func reading<T>(_ body: () async throws -> T) async throws(StoreError) -> T {
        do { return try await body() } catch let error as StoreError { throw error } catch { throw .unavailable("\(error)") }
    }
}

extension ArchiveReads {
    fileprivate init(_ meter: StoreMeter) {
        let reads = meter.reads
        self.init(requests: reads.requests, bytes: reads.bytes)
    }
}
