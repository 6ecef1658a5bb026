// Documents of the warm tier that are damaged, forged or gone: none goes on to the archive, none holds up the others, and none is left out of an answer in silence.

import Engine
import Orders
import Storage
import Testing
import Tiering

@Suite("Lost and damaged documents")
struct LostDocumentTests {
    /// Nothing stays warm: everything in it is due in cold.
    private static let onward = TierPolicy(name: "onward", classes: [.orders: [.init(.hot, from: 0, to: 90), .init(.cold, from: 90, to: nil)]])

    private func write(_ shop: MoverShop, _ operation: WriteOperation) async throws {
        var operation = operation
        let there = try #require(try await shop.node.get("orders-warm", id: operation.id ?? "")).version
        (operation.version, operation.versionType) = (there + 1, .externalGte)
        for result in try await shop.node.bulk([operation], refresh: .immediate) { if let error = result.error { throw error } }
    }

    @Test("the mover leaves what it cannot read where it is, tells it, and moves the rest; reconciling brings it back from staging", arguments: ["forged", "cut", "other", "gone"])
    func damaged(_ how: String) async throws {
        let shop = try await MoverShop(), people = try await shop.people(2)
        let ids = try await shop.populate(people, count: 60, seed: 6)
        _ = try await shop.mover(batch: 9).run(MoverShop.policy, at: MoverShop.now)
        let before = try await shop.sights(ids), warm = (try await shop.bodies(ids)[.warm] ?? []).sorted(), id = try #require(warm.first)
        let bytes = try #require(try await shop.node.get("orders-warm", id: id.description)).source
        let name = id.description
        switch how {
        case "forged":
            let text = String(decoding: bytes, as: UTF8.self).replacing("\"total_minor\":", with: "\"total_minor\":1", maxReplacements: 1)
            try await write(shop, WriteOperation(.index, index: "orders-warm", id: name, source: Array(text.utf8)))
        case "cut": try await write(shop, WriteOperation(.index, index: "orders-warm", id: name, source: Array(#"{"format":7}"#.utf8)))
        case "other":
            let other = try #require(try await shop.node.get("orders-warm", id: warm[1].description)).source
            try await write(shop, WriteOperation(.index, index: "orders-warm", id: name, source: Array(other)))
        default: try await write(shop, WriteOperation(.delete, index: "orders-warm", id: name))
        }
        let report = try await shop.mover(batch: 9).run(Self.onward, at: MoverShop.now)
        #expect(report.refused == 1 && report.refusal.contains(name) && report.moved == warm.count - 1, "\(report)")
        #expect(try await shop.store.placements([id])[id]?.tier == .warm)

        let reconciled = try await shop.reconciler().run()
        #expect(reconciled.lost == [] && reconciled.reloaded == 1, "\(reconciled)")
        #expect(try await shop.mover(batch: 9).run(Self.onward, at: MoverShop.now).refused == 0)
        #expect(try await shop.sights(ids) == before)
        #expect(try await shop.faults(ids) == [])
        await shop.close()
    }

    @Test("an index that is lost is told: a search for words, a read and a mover are refused; reconciling begins it anew")
    func lostIndex() async throws {
        let shop = try await MoverShop(), people = try await shop.people(1)
        let ids = try await shop.populate(people, count: 40, seed: 7)
        #expect(try await shop.tiers.orders(of: people[0], OrderListQuery(text: "thing", limit: 100), by: MoverShop.caller()).total == 40)
        _ = try await shop.mover(batch: 9).run(MoverShop.policy, at: MoverShop.now)
        let before = try await shop.sights(ids), warm = try #require(try await shop.bodies(ids)[.warm]?.first)
        try await shop.node.deleteIndex("orders-warm")
        func refused(_ what: String, _ body: () async throws -> Void) async {
            do { try await body() } catch {
                #expect("\(error)".contains("isotherm tier reconcile"), "\(what): \(error)")
                return
            }
            Issue.record("\(what) was not refused")
        }
        await refused("a search") { _ = try await shop.tiers.orders(of: people[0], OrderListQuery(text: "thing", limit: 100), by: MoverShop.caller()) }
        await refused("an order") { _ = try await shop.tiers.order(warm, includesCold: false, by: MoverShop.caller()) }
        await refused("a mover") { _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now) }
        #expect(!shop.node.indexNames.contains("orders-warm"))
        #expect(try await shop.reconciler().run().lost == [])
        #expect(try await shop.sights(ids) == before)
        #expect(try await shop.faults(ids) == [])
        await shop.close()
    }
}
