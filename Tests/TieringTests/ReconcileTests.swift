// Hot restored from a backup beside newer tiers: nothing lost, nothing doubled, the later version wins.

import Foundation
import IsothermTesting
import Orders
import OrdersSQLite
import Storage
import Synchronization
import Testing
import Tiering

@Suite("Reconciling a restored hot")
struct ReconcileTests {
    @Test("after two runs of the mover with changes between them, a restored hot ends with every order once, at its latest version that is anywhere", arguments: UInt64(0)..<6)
    func restored(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        let shop = try await MoverShop(), people = try await shop.people(3)
        var ids = try await shop.populate(people, count: 90, seed: seed)
        // Some moved before the backup, so that the directory of then names all three tiers; some of those came back before it.
        _ = try await shop.mover(batch: 9).run(MoverShop.policy, at: MoverShop.now.adding(days: -60))
        try await change(ids, shop, &random, "before")
        let backup = try await OrderBackup.write(of: shop.store, to: shop.folder), before = try await shop.sights(ids), known = ids

        try await change(ids, shop, &random, "one")
        _ = try await shop.mover(batch: 9).run(MoverShop.policy, at: MoverShop.now.adding(days: -30))
        try await change(ids, shop, &random, "two")
        // New to the backup, and old enough to move.
        ids += try await shop.populate([people[0], try await shop.people(1)[0]], count: 16, seed: seed + 100)
        if seed % 2 == 0 {
            _ = try await shop.mover(batch: 9).run(MoverShop.policy, at: MoverShop.now)
        } else {
            // The last run was stopped somewhere.
            let stop = Int.random(in: 5..<150, using: &random), count = Atomic<Int>(0)
            _ = try? await shop.mover(batch: 9) { _, _ in if count.add(1, ordering: .relaxed).oldValue == stop { throw Stopped() } }.run(MoverShop.policy, at: MoverShop.now)
        }
        if seed % 3 == 0 { try await change(ids, shop, &random, "three") }
        let last = try await shop.sights(ids), tiers = try await places(ids, shop)

        // What was outside hot at the end is as it was; what was hot is as the backup or a document says.
        let again = try await shop.restored(backup)
        let report = try await again.reconciler().run()
        #expect(report.lost == [])
        var present: [OrderID] = []
        for (at, id) in ids.enumerated() {
            guard try await again.store.placements([id])[id] != nil else {
                #expect(tiers[at] == "hot" && !known.contains(id), "\(id) was in \(tiers[at])")
                continue
            }
            present.append(id)
            let now = try await again.sight(id)
            if tiers[at] != "hot" {
                #expect(now.order == last[at].order && now.returns == last[at].returns, "\(id) was in \(tiers[at])")
                #expect(now.payments.map(\.state) == last[at].payments.map(\.state) && now.payments.map(\.refundedMinor) == last[at].payments.map(\.refundedMinor))
                #expect(now.shipments == last[at].shipments)
            } else if let old = known.firstIndex(of: id) {
                #expect(now.order.version >= before[old].order.version && now.order.version <= last[at].order.version)
            }
        }
        #expect(Set(known).isSubset(of: present))
        #expect(try await again.faults(present) == [])
        let sums = try await again.store.reconciliation(by: MoverShop.caller())
        #expect(sums.sums.isEmpty)
        #expect(try await again.store.verifyAudit().firstBroken == nil)
        #expect(try await again.store.openMoves().isEmpty)
        // Lists have each once.
        for person in people {
            let page = try await again.tiers.orders(of: person, OrderListQuery(limit: 100), by: MoverShop.caller())
            #expect(Set(page.orders.map(\.id)).count == page.orders.count && page.total == Int64(page.orders.count))
        }
        // A second time there is nothing to do, and the mover goes on as if nothing had been.
        let second = try await again.reconciler().run()
        #expect(second.adopted == 0 && second.copiesRemoved == 0 && second.lost.isEmpty)
        _ = try await again.mover(batch: 9).run(MoverShop.policy, at: MoverShop.now)
        #expect(try await again.faults(present) == [])
        await again.close()
        shop.store.close()
    }

    @Test("a warm tier that is lost too comes back from what is staged")
    func warmLost() async throws {
        let shop = try await MoverShop(), people = try await shop.people(2)
        let ids = try await shop.populate(people, count: 60, seed: 3)
        _ = try await shop.mover(batch: 9).run(MoverShop.policy, at: MoverShop.now)
        let before = try await shop.sights(ids)
        try await shop.node.deleteIndex("orders-warm")
        let report = try await shop.reconciler().run()
        #expect(report.lost == [] && report.reloaded > 0)
        #expect(try await shop.sights(ids) == before)
        #expect(try await shop.faults(ids) == [])
        await shop.close()
    }

    @Test("what is nowhere is named, and nothing else is harmed")
    func lost() async throws {
        let shop = try await MoverShop(), people = try await shop.people(2)
        let ids = try await shop.populate(people, count: 40, seed: 4)
        _ = try await shop.mover(batch: 9).run(MoverShop.policy, at: MoverShop.now)
        let warm = try await shop.bodies(ids)[.warm] ?? []
        try await shop.node.deleteIndex("orders-warm")
        for entry in try await shop.staging.listAll(prefix: "") { try await shop.staging.delete(entry.key) }
        let report = try await shop.reconciler().run()
        #expect(Set(report.lost) == warm && !warm.isEmpty)
        let others = ids.filter { !warm.contains($0) }
        #expect(try await shop.faults(others) == [])
        await shop.close()
    }

    @Test("of an order that is nowhere at its version, an older copy is left where it is")
    func olderCopy() async throws {
        let shop = try await MoverShop(), people = try await shop.people(1)
        var random = Seeded(5)
        let id = try await shop.order(people[0], .delivered, age: 100 * MoverShop.day, &random)
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        try await shop.track(id, "late", .transit)
        // It goes to cold at its later version; its copy in warm is left, since the run is stopped.
        let later = TierPolicy(name: "cold", classes: [.orders: [.init(.hot, from: 0, to: 90), .init(.cold, from: 90, to: nil)]])
        _ = try? await shop.mover("stopped") { write, _ in if write == .stageCopies || write == .removeCopies { throw Stopped() } }.run(later, at: MoverShop.now)
        #expect(try await shop.store.placements([id])[id]?.tier == .cold)
        #expect(try await shop.bodies([id])[.warm] == [id])
        let nowhere = FolderObjectStore(MemoryDirectory())
        let reconciler = TierReconciler(
            store: shop.store, shelves: [shop.warm, ColdShelf(store: FolderObjectStore(MemoryDirectory()), leaseOf: shop.store)], staging: nowhere, keys: shop.keys, holder: "test")
        #expect(try await reconciler.run().lost == [id])
        #expect(try await shop.bodies([id])[.warm] == [id])
        await shop.close()
    }

    @Test("what is removed from warm and not flushed is there again after a reload from staging")
    func reloaded() async throws {
        let shop = try await MoverShop(), people = try await shop.people(1)
        var random = Seeded(6)
        let id = try await shop.order(people[0], .delivered, age: 100 * MoverShop.day, &random)
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        let backup = try await OrderBackup.write(of: shop.store, to: shop.folder), before = try await shop.sight(id)
        // Back in hot for good; its copy in warm goes, under a stamp above that of its load.
        try await shop.track(id, "late", .transit)
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now.adding(days: -60))
        #expect(try await shop.bodies([id])[.warm] == [])
        let again = try await shop.restored(backup)
        let report = try await again.reconciler().run()
        #expect(report.lost == [] && report.reloaded == 1)
        #expect(try await again.sight(id) == before)
        #expect(try await again.faults([id]) == [])
        await again.close()
        shop.store.close()
    }

    @Test("payments whose events came out of order come forward, known to the backup or not, and can be given back; so can goods that the backup does not know")
    func paymentsForward() async throws {
        let shop = try await MoverShop(), people = try await shop.people(1), day = MoverShop.day
        func place(_ product: ProductID) async throws -> (OrderID, PaymentID) {
            let id = OrderID(try await shop.run(.placeOrder(OrderDraft(person: people[0], lines: [.init(product, quantity: 1)])), age: 100 * day).id ?? .random())
            return (id, PaymentID(try await shop.run(.startPayment(id, PaymentDraft(gateway: "g")), age: 100 * day).id ?? .random()))
        }
        func deliver(_ id: OrderID) async throws {
            try await shop.run(.createShipment(id, ShipmentDraft(carrier: "dhl", trackingCode: "T\(id)")), age: 100 * day)
            try await shop.track(id, "deliver", .deliver, age: 99 * day)
        }
        func early(_ payment: PaymentID) async throws {
            try await shop.run(.recordPayment(PaymentReport(
                payment: payment, gateway: "g", eventID: "\(payment)-early", .capture, amountMinor: nil, happenedAt: MoverShop.now.adding(days: -100), isWebhook: true)), age: 100 * day)
        }
        let (known, first) = try await place("thing-1")
        try await early(first)
        let backup = try await OrderBackup.write(of: shop.store, to: shop.folder)
        try await shop.report(first, .authorise, age: 100 * day)
        try await shop.run(.putProduct(ProductDraft("new", title: "New", price: Money(700, "EUR"))))
        try await shop.run(.setStock("new", available: 10))
        let (unknown, second) = try await place("new")
        try await early(second)
        try await shop.report(second, .authorise, age: 100 * day)
        for id in [known, unknown] { try await deliver(id) }
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        let last = try await shop.sights([known, unknown])
        #expect(last.allSatisfy { $0.payments.map(\.state) == [.captured] && $0.order.tier == "" })

        let again = try await shop.restored(backup)
        #expect(try await again.reconciler().run().lost == [])
        for (at, id) in [known, unknown].enumerated() {
            let now = try await again.sight(id)
            #expect(now.order == last[at].order)
            #expect(now.payments.map(\.state) == [.captured] && now.payments.map(\.capturedMinor) == last[at].payments.map(\.capturedMinor))
        }
        for (id, payment) in [(known, first), (unknown, second)] {
            try await again.report(payment, .refund, amount: 5, id: "late-\(id)", age: 30)
            #expect(try await again.sight(id).order.refundedMinor == 5)
        }
        #expect(try await again.store.reconciliation(by: MoverShop.caller()).sums.isEmpty)
        // Copies that coming back left are the mover's to remove.
        _ = try await again.mover().run(MoverShop.policy, at: MoverShop.now.adding(days: -60))
        #expect(try await again.faults([known, unknown]) == [])
        await again.close()
        shop.store.close()
    }

    @Test("what a gateway says once more, of what only the documents still know, counts once: by payment, kind, sum and moment")
    func duplicatesAfterwards() async throws {
        let shop = try await MoverShop(), people = try await shop.people(1), day = MoverShop.day
        let id = OrderID(try await shop.run(.placeOrder(OrderDraft(person: people[0], lines: [.init("thing-1", quantity: 3)])), age: 100 * day).id ?? .random())
        let backup = try await OrderBackup.write(of: shop.store, to: shop.folder)
        let payment = PaymentID(try await shop.run(.startPayment(id, PaymentDraft(gateway: "g")), age: 100 * day).id ?? .random())
        try await shop.report(payment, .authorise, age: 100 * day)
        let total = try await shop.sight(id).order.totalMinor
        try await shop.report(payment, .capture, amount: total - 7, id: "part", age: 99 * day)
        try await shop.report(payment, .capture, id: "rest", age: 98 * day)
        try await shop.run(.createShipment(id, ShipmentDraft(carrier: "dhl", trackingCode: "T\(id)")), age: 100 * day)
        try await shop.track(id, "deliver", .deliver, age: 97 * day)
        // Two of one sum and one moment.
        for name in ["first", "second"] { try await shop.report(payment, .refund, amount: 5, id: name, age: 96 * day) }
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        let last = try await shop.sight(id)
        #expect(last.order.refundedMinor == 10 && last.order.paidMinor == total)

        let again = try await shop.restored(backup)
        #expect(try await again.reconciler().run().lost == [])
        for _ in 0..<2 {
            try await again.report(payment, .authorise, age: 100 * day)
            try await again.report(payment, .capture, amount: total - 7, id: "part", age: 99 * day)
            try await again.report(payment, .capture, id: "rest", age: 98 * day)
            for name in ["first", "second"] { try await again.report(payment, .refund, amount: 5, id: name, age: 96 * day) }
            #expect(try await again.sight(id) == last)
        }
        // A third of the same sum and moment is one; so is one of another moment or sum.
        try await again.report(payment, .refund, amount: 5, id: "third", age: 96 * day)
        try await again.report(payment, .refund, amount: 5, id: "fourth", age: 95 * day)
        try await again.report(payment, .refund, amount: 6, id: "fifth", age: 96 * day)
        #expect(try await again.sight(id).order.refundedMinor == 26)
        #expect(try await again.store.reconciliation(by: MoverShop.caller()).sums.isEmpty)
        await again.close()
        shop.store.close()
    }

    @Test("the product index follows a restored store, though it knew a later one")
    func products() async throws {
        let shop = try await MoverShop()
        _ = try await shop.people(1)
        let catalogue = CatalogueSearch(node: shop.node), before = CatalogueProjector(store: shop.store, catalogue: catalogue)
        let backup = try await OrderBackup.write(of: shop.store, to: shop.folder)
        for units in 1...40 { try await shop.run(.setStock(ProductID("thing-0"), available: Int64(units))) }
        while try await before.step() > 0 {}
        let again = try await shop.restored(backup)
        let report = try await again.reconciler(catalogue).run()
        #expect(report.products == 5)
        try await again.run(.setStock(ProductID("thing-1"), available: 3))
        let projector = CatalogueProjector(store: again.store, catalogue: catalogue)
        while try await projector.step() > 0 {}
        #expect(Int(try catalogue.version()) == Int(try await again.store.outboxPosition()))
        for (id, units) in [("thing-0", 1_000_000), ("thing-1", 3)] {
            let answer = try await catalogue.search(TestTiers.request(#"{"query": {"bool": {"filter": [{"term": {"available": \#(units)}}]}}, "size": 10}"#))
            #expect(answer.response.hits.contains { $0.id == id }, "\(id)")
        }
        await again.close()
        shop.store.close()
    }

    private func places(_ ids: [OrderID], _ shop: MoverShop) async throws -> [String] {
        var tiers: [String] = []
        for id in ids { tiers.append(try await shop.store.order(id, by: MoverShop.caller()).tier) }
        return tiers
    }

    /// Late refunds, scans and returns of a few.
    private func change(_ ids: [OrderID], _ shop: MoverShop, _ random: inout Seeded, _ name: String) async throws {
        for id in ids where Int.random(in: 0..<5, using: &random) == 0 {
            let sight = try await shop.sight(id)
            if sight.order.state == .delivered, let payment = sight.payments.first(where: { $0.capturedMinor > $0.refundedMinor + 1 }), Bool.random(using: &random) {
                try await shop.report(payment.id, .refund, amount: 1, id: "\(name)-\(id)", age: 10)
            } else if !sight.shipments.isEmpty {
                try await shop.track(id, name, .transit, age: 10)
            }
        }
    }
}
