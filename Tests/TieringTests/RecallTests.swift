// Late changes to orders whose bodies are elsewhere; and a history read over all tiers.

import IsothermTesting
import Orders
import OrdersSQLite
import Testing
import Tiering

@Suite("Recall and history")
struct RecallTests {
    /// An order of each age, all delivered, all moved.
    private func archived() async throws -> (shop: MoverShop, person: PersonRef, warm: OrderID, cold: OrderID) {
        let shop = try await MoverShop(), people = try await shop.people(1)
        var random = Seeded(7)
        let warm = try await shop.order(people[0], .delivered, age: 100 * MoverShop.day, &random)
        let cold = try await shop.order(people[0], .delivered, age: 200 * MoverShop.day, &random)
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        #expect(try await shop.store.census() == [.warm: 1, .cold: 1])
        return (shop, people[0], warm, cold)
    }

    @Test("a late refund brings its order back, in the refund's transaction; it moves again later with the refund")
    func refund() async throws {
        let (shop, _, warm, cold) = try await archived()
        for id in [warm, cold] {
            let before = try await shop.sight(id), payment = try #require(before.payments.first)
            try await shop.report(payment.id, .refund, amount: 5, id: "late-\(id)", age: 30)
            let after = try await shop.sight(id)
            #expect(after.order.refundedMinor == 5 && after.order.version > before.order.version + 1)
            #expect(after.order.lines == before.order.lines && after.shipments == before.shipments)
            #expect(try await shop.store.order(id, by: MoverShop.caller()).tier == "hot")
        }
        #expect(try await shop.store.reconciliation(by: MoverShop.caller()).sums.isEmpty)
        // Copies that are left are removed, the archive's by the mover.
        #expect(try await shop.store.leftCopies(limit: 10).count == 2)
        let sights = try await shop.sights([warm, cold])
        #expect(try await shop.mover().run(MoverShop.policy, at: MoverShop.now.adding(days: -150)).copies == 2)
        #expect(try await shop.faults([warm, cold]) == [])
        #expect(try await shop.mover().run(MoverShop.policy, at: MoverShop.now).moved == 2)
        #expect(try await shop.sights([warm, cold]) == sights)
        #expect(try await shop.faults([warm, cold]) == [])
        await shop.close()
    }

    @Test("a refused late change leaves the order where it was")
    func refused() async throws {
        let (shop, person, warm, _) = try await archived()
        let before = try await shop.sight(warm), payment = try #require(before.payments.first)
        await #expect(throws: StoreError.self) { try await shop.report(payment.id, .refund, amount: 1 << 40, id: "too-much") }
        await #expect(throws: StoreError.self) { try await shop.run(.requestReturn(warm, ReturnDraft(lines: [.init(position: 1, quantity: 1)], reason: "late"))) }
        #expect(try await shop.sight(warm) == before)
        #expect(try await shop.store.order(warm, by: MoverShop.caller()).tier == "warm")
        // Another customer does not learn that there is one.
        let stranger = PersonRef(try await shop.run(.putPerson(PersonDraft(name: "S"))).id ?? .random())
        do throws(StoreError) {
            _ = try await shop.tiers.perform(StoreCommand(.cancelOrder(warm, reason: "", ifVersion: nil), by: Caller(.customer(stranger), .selfService, at: MoverShop.now)))
            Issue.record("a stranger cancelled it")
        } catch { #expect(error == .notFound("such order")) }
        do throws(StoreError) {
            _ = try await shop.tiers.perform(StoreCommand(.cancelOrder(warm, reason: "", ifVersion: nil), by: Caller(.customer(person), .selfService, at: MoverShop.now)))
            Issue.record("a delivered order was cancelled")
        } catch { if case .illegalTransition = error {} else { Issue.record("\(error)") } }
        await shop.close()
    }

    @Test("late duplicates are recognised without the body; a new event brings it back")
    func tracking() async throws {
        let (shop, _, warm, cold) = try await archived()
        for id in [warm, cold] {
            let tier = try await shop.store.order(id, by: MoverShop.caller()).tier
            #expect(try await shop.track(id, "deliver", .deliver).changed == 0)
            let payment = try #require(try await shop.tiers.payments(of: id, by: MoverShop.caller()).first)
            #expect(try await shop.report(payment.id, .capture).changed == 0)
            #expect(try await shop.store.order(id, by: MoverShop.caller()).tier == tier)
            await #expect(throws: StoreError.self) { try await shop.store.perform(StoreCommand(.recordTracking(TrackingReport(
                carrier: "dhl", trackingCode: "T\(id)", eventID: "new-\(id)", .transit, happenedAt: MoverShop.now)), by: MoverShop.caller())) }
            #expect(try await shop.track(id, "new", .transit).changed == 1)
            #expect(try await shop.store.order(id, by: MoverShop.caller()).tier == "hot")
            #expect(try await shop.track(id, "deliver", .deliver).changed == 0)
            #expect(try await shop.tiers.shipments(of: id, by: MoverShop.caller()).first?.events.count == 3)
        }
        await shop.close()
    }

    @Test("shipments and returns are found by their own identifiers in every tier")
    func byIdentifier() async throws {
        let shop = try await MoverShop(), people = try await shop.people(1)
        var random = Seeded(8)
        let id = try await shop.order(people[0], .returned, age: 100 * MoverShop.day, &random), before = try await shop.sight(id)
        let shipment = try #require(before.shipments.first), back = try #require(before.returns.first)
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        #expect(try await shop.store.shipments(of: id, by: MoverShop.caller()).isEmpty)
        #expect(try await shop.tiers.shipment(shipment.id, by: MoverShop.caller()).state == shipment.state)
        #expect(try await shop.tiers.returned(back.id, by: MoverShop.caller()) == back)
        await shop.close()
    }

    @Test("a walk of a history, its frames and its text search are the same before and after the move", arguments: [1, 2, 7, 100])
    func walks(_ limit: Int) async throws {
        let shop = try await MoverShop(), people = try await shop.people(2)
        _ = try await shop.populate(people, count: 60, seed: 9)
        var walks: [[Order]] = [], frames: [OrderFrames] = []
        for round in 0..<3 {
            if round > 0 { _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now.adding(days: round == 1 ? -60 : 0)) }
            var at = 0
            for person in people {
                for text in [nil, "OAK", "thing-3", "no such"] as [String?] {
                    let walk = try await walk(shop, person, limit, text)
                    if round == 0 { walks.append(walk) } else { #expect(walk == walks[at], "round \(round), text \(text ?? "none")") }
                    at += 1
                }
                let frame = try await shop.tiers.frames(of: person, by: MoverShop.caller())
                if round == 0 { frames.append(frame) } else { #expect(frames.contains(frame)) }
            }
        }
        #expect(walks[1].count > 0 && walks[1].count < walks[0].count && walks[3].isEmpty)
        await shop.close()
    }

    @Test("without include=cold a cold order is what the directory knows: state and total, no lines")
    func stub() async throws {
        let (shop, person, _, cold) = try await archived()
        let page = try await shop.tiers.orders(of: person, OrderListQuery(), by: MoverShop.caller())
        let stub = try #require(page.orders.first { $0.id == cold })
        #expect(page.total == 2 && stub.lines.isEmpty && stub.totalMinor > 0 && stub.tier == "cold" && !stub.hasBody)
        #expect(page.orders.allSatisfy { $0.hasBody == ($0.id != cold) })
        await shop.close()
    }

    @Test("an event's identifier is one parcel's: told of another it is refused, wherever the first one's order lies, and the mover goes on")
    func identifiers() async throws {
        let (shop, person, warm, cold) = try await archived()
        var random = Seeded(11)
        let hot = try await shop.order(person, .shipped, age: MoverShop.day, &random), young = try await shop.order(person, .shipped, age: MoverShop.day, &random)
        try await shop.track(hot, "own", .transit)
        for other in [warm, cold] {
            await #expect(throws: StoreError.self) { try await shop.run(.recordTracking(TrackingReport(
                carrier: "dhl", trackingCode: "T\(young)", eventID: "\(other)-deliver", .deliver, happenedAt: MoverShop.now))) }
        }
        await #expect(throws: StoreError.self) { try await shop.run(.recordTracking(TrackingReport(
            carrier: "dhl", trackingCode: "T\(young)", eventID: "\(hot)-own", .deliver, happenedAt: MoverShop.now))) }
        #expect(try await shop.track(hot, "own", .transit).changed == 0)
        try await shop.track(young, "deliver", .deliver)
        try await shop.track(hot, "deliver", .deliver)
        #expect(try await shop.mover().run(MoverShop.policy, at: MoverShop.now.adding(days: 100)).moved >= 2)
        // The other way about: of parcels elsewhere, and one that comes back.
        await #expect(throws: StoreError.self) { try await shop.run(.recordTracking(TrackingReport(
            carrier: "dhl", trackingCode: "T\(warm)", eventID: "\(young)-deliver", .deliver, happenedAt: MoverShop.now))) }
        #expect(try await shop.faults([warm, cold, hot, young]) == [])
        await shop.close()
    }

    @Test("an order goes nowhere where its moments could not be read again")
    func moments() async throws {
        let shop = try await MoverShop()
        let key = SourceKey(source: "s", key: "1")
        // As "never" stands in some tables.
        let order = HistoricOrder(
            key: key, person: "p", placedAt: MoverShop.now.adding(days: -200), deliveredAt: Instant(text: "9999-12-31T12:00:00Z"), state: .delivered, currency: "EUR",
            lines: [.init(product: "thing", title: "Thing", seller: nil, quantity: 1, unitMinor: 100, freightMinor: 0)], payments: [], attributes: "{}")
        _ = try shop.store.importHistory([order], by: MoverShop.caller())
        let id = try #require(try await shop.store.orderID(.source(key))), before = try await shop.sight(id)
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        #expect(try await shop.sight(id) == before)
        #expect(try await shop.faults([id]) == [])
        await shop.close()
    }

    @Test("a search for words finds an order that goes from warm to cold meanwhile")
    func searchMeanwhile() async throws {
        for seed in UInt64(0)..<4 {
            let shop = try await MoverShop(), people = try await shop.people(1)
            var random = Seeded(seed)
            let id = try await shop.order(people[0], .delivered, age: 100 * MoverShop.day, &random)
            _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
            let once = Once { _ = try await shop.mover("other").run(MoverShop.policy, at: MoverShop.now.adding(days: 100)) }
            let tiers = TieredOrderStore(hot: shop.store, shelves: [MovingShelf(shop.archive, once), MovingShelf(shop.warm, once)], keys: shop.keys)
            var query = OrderListQuery()
            query.text = "thing"
            #expect(try await tiers.orders(of: people[0], query, by: MoverShop.caller()).orders.map(\.id) == [id])
            #expect(try await shop.store.order(id, by: MoverShop.caller()).tier == "cold")
            await shop.close()
        }
    }

    @Test("a body of another version than the directory's is not shown")
    func anotherVersion() async throws {
        let (shop, person, _, cold) = try await archived()
        let bytes = try #require(try await shop.archive.read([try await shop.address(cold)]).documents[cold])
        var document = try OrderDocument(parsing: bytes, keys: shop.keys)
        document.order.version += 1
        let later = try document.bytes(sealedWith: shop.keys.state(of: person))
        let epoch = try #require(try await shop.store.moverLease()).epoch
        try await shop.archive.load([ShelvedOrder(id: cold, version: document.order.version, bytes: later)], epoch: epoch)
        await #expect(throws: StoreError.self) { try await shop.tiers.order(cold, by: MoverShop.caller()) }
        await #expect(throws: StoreError.self) { try await shop.track(cold, "new", .transit) }
        var query = OrderListQuery()
        query.includesCold = true
        await #expect(throws: StoreError.self) { try await shop.tiers.orders(of: person, query, by: MoverShop.caller()) }
        #expect(try await shop.store.order(cold, by: MoverShop.caller()).tier == "cold")
        await shop.close()
    }

    private func walk(_ shop: MoverShop, _ person: PersonRef, _ limit: Int, _ text: String?) async throws -> [Order] {
        var query = OrderListQuery(text: text, limit: limit), found: [Order] = []
        query.includesCold = true
        while true {
            let page = try await shop.tiers.orders(of: person, query, by: MoverShop.caller())
            found += page.orders.map { order in
                var order = order
                order.tier = ""
                return order
            }
            guard let next = page.next else {
                #expect(page.total == Int64(found.count))
                return found
            }
            query.cursor = next
        }
    }
}

private actor Once {
    private var body: (@Sendable () async throws -> Void)?
    init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }
    func run() async throws {
        guard let body else { return }
        self.body = nil
        try await body()
    }
}

/// After a person's documents were read here for the first time, something happens.
private struct MovingShelf: OrderShelf {
    private let inner: any OrderShelf, once: Once
    init(_ inner: any OrderShelf, _ once: Once) { (self.inner, self.once) = (inner, once) }
    var tier: Tier { inner.tier }
    func prepare() async throws { try await inner.prepare() }
    func load(_ orders: [ShelvedOrder], epoch: Int64) async throws { try await inner.load(orders, epoch: epoch) }
    func read(_ orders: [OrderAddress]) async throws -> ShelfRead { try await inner.read(orders) }
    func remove(_ orders: [ShelfKey], epoch: Int64) async throws { try await inner.remove(orders, epoch: epoch) }
    func documents(of person: PersonRef, from: Instant?, to: Instant?) async throws -> [[UInt8]] {
        let found = try await inner.documents(of: person, from: from, to: to)
        try await once.run()
        return found
    }
    func scan(_ visit: @Sendable ([[UInt8]]) async throws -> Void) async throws { try await inner.scan(visit) }
}
