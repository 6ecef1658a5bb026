// The product index is what the store's products are, whatever happened and wherever it was interrupted; and a request that asks for a version gets it or hears
// that it cannot.

import Engine
import IsothermTesting
import JSON
import Orders
import OrdersSQLite
import QueryDSL
import Search
import Storage
import Testing
import Tiering

@Suite("Product index")
struct ProjectorTests {
    /// Every product of the store, as the index must have it.
    private func differences(_ tiers: TestTiers, _ catalogue: CatalogueSearch) async throws -> [String] {
        let answer = try await catalogue.search(TestTiers.request(#"{"size":1000,"sort":[{"available":"asc"}]}"#))
        var found: [String: JSONObject] = [:]
        for hit in answer.response.hits { found[hit.id] = hit.object }
        var wrong: [String] = []
        for product in try await tiers.store.products(after: nil, limit: 1000) {
            let document = found.removeValue(forKey: product.id.text)
            if document?["available"]?.integer != product.available || document?["in_stock"]?.boolean != (product.available > 0)
                || document?["price_minor"]?.integer != product.price.minor || document?["title"]?.string != product.title
            {
                wrong.append("\(product.id): \(document.map { JSONValue.object($0).text } ?? "absent"), and should have \(product.available) at \(product.price)")
            }
        }
        return wrong + found.keys.map { "\($0) is not in the store" }
    }

    private func deed(_ tiers: TestTiers, _ person: PersonRef, _ random: inout Seeded) async throws {
        let id = ProductID("p\(Int.random(in: 0..<12, using: &random))")
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: try await tiers.product(id, stock: Int64.random(in: 0..<5, using: &random), title: "Title \(Int.random(in: 0..<100, using: &random))")
        case 2: try await tiers.run(.setStock(id, available: Int64.random(in: 0..<4, using: &random)))
        case 3: try await tiers.run(.setPrice(id, Money(Int64.random(in: 0..<10_000, using: &random), "EUR")))
        case 4..<9:
            let other = ProductID("p\(Int.random(in: 0..<12, using: &random))")
            let outcome = try await tiers.run(.placeOrder(OrderDraft(person: person, lines: Set([id, other]).map { .init($0) })))
            if Bool.random(using: &random), let order = outcome.id { try await tiers.run(.cancelOrder(OrderID(order), reason: "test", ifVersion: nil)) }
        default: break
        }
    }

    @Test("after any history the index has every product's stock and price, and its version is the outbox's", arguments: UInt64(0)..<4)
    func model(seed: UInt64) async throws {
        let tiers = try await TestTiers(root: MemoryDirectory(), background: false)
        var random = Seeded(seed)
        let person = try await tiers.person()
        for _ in 0..<60 {
            for _ in 0..<Int.random(in: 1...6, using: &random) { do { try await deed(tiers, person, &random) } catch is StoreError {} }
            if Int.random(in: 0..<3, using: &random) == 0 { continue }
            try await tiers.catchUp()
            #expect(try await differences(tiers, tiers.catalogue) == [])
            #expect(try tiers.catalogue.version() == Int64(clamping: try await tiers.store.outboxPosition()))
            if Int.random(in: 0..<5, using: &random) == 0 { try await tiers.node.forceMerge("products") }
        }
        #expect(tiers.projector.progress.refused == 0)
        #expect(try tiers.node.stats("products").patchTotal > 0)
        await tiers.close()
    }

    @Test("an index that lost power goes on from the version it kept, and comes to the same", arguments: UInt64(0)..<12)
    func powerCut(seed: UInt64) async throws {
        var disk = FaultyDisk(seed: seed), random = Seeded(seed)
        let tiers = try await TestTiers(root: disk.root, background: false)
        try await tiers.node.flush("products")
        let person = try await tiers.person()
        var node = tiers.node
        for _ in 0..<4 {
            let catalogue = CatalogueSearch(node: node), projector = CatalogueProjector(store: tiers.store, catalogue: catalogue)
            disk.dieAt(call: disk.calls + Int.random(in: 5...80, using: &random))
            do {
                for _ in 0..<25 {
                    do { try await deed(tiers, person, &random) } catch is StoreError {}
                    _ = try await projector.step()
                    switch Int.random(in: 0..<8, using: &random) {
                    case 0: try await node.flush("products")
                    case 1: try await node.forceMerge("products")
                    default: break
                    }
                }
            } catch is EngineError {}
            await node.close()
            disk = disk.powerCut()
            node = try await TestTiers.node(disk.root, background: false)
            let after = CatalogueSearch(node: node), follower = CatalogueProjector(store: tiers.store, catalogue: after)
            #expect(try after.version() <= Int64(clamping: try await tiers.store.outboxPosition()))
            while try await follower.step() > 0 {}
            #expect(try await differences(tiers, after) == [], "seed \(seed)")
        }
        await node.close()
        await tiers.close()
    }

    @Test("a product the index refuses is left out and counted, and the rest goes on")
    func refused() async throws {
        let tiers = try await TestTiers(root: MemoryDirectory(), background: false)
        try await tiers.run(.putProduct(ProductDraft("deep", title: "x", price: Money(1, "EUR"), attributes: String(repeating: #"{"a":"#, count: 40) + "1" + String(repeating: "}", count: 40))))
        try await tiers.product("good", stock: 3)
        try await tiers.catchUp()
        #expect(tiers.projector.progress.refused >= 1)
        #expect(try await tiers.catalogue.search(TestTiers.request(#"{"query":{"term":{"in_stock":true}}}"#)).response.hits.map(\.id) == ["good"])
        await tiers.close()
    }

    @Test("min_version waits for the version, no longer than asked, and says where the index stands")
    func gate() async throws {
        let tiers = try await TestTiers(root: MemoryDirectory(), background: false)
        try await tiers.product("p", stock: 1)
        try await tiers.catchUp()
        let request = try TestTiers.request("{}"), now = try tiers.catalogue.version()
        #expect(try await tiers.catalogue.search(request, minVersion: now).version == now)
        do {
            _ = try await tiers.catalogue.search(request, minVersion: now + 1, wait: .milliseconds(30))
            Issue.record("answered")
        } catch let error as CatalogueError {
            guard case .behind(let wanted, let version, let waited) = error else { return }
            #expect(wanted == now + 1 && version == now && waited >= 30 && waited < 5_000 && error.status == 503)
        }
        let waiting = (0..<20).map { i in Task { try await tiers.catalogue.search(request, minVersion: now + 1 + Int64(i % 2), wait: .seconds(20)).version } }
        try await Task.sleep(for: .milliseconds(20))
        try await tiers.run(.setStock("p", available: 7))
        try await tiers.run(.setStock("p", available: 8))
        try await tiers.catchUp()
        for (i, task) in waiting.enumerated() { #expect(try await task.value >= now + 1 + Int64(i % 2)) }
        let cancelled = Task { try await tiers.catalogue.search(request, minVersion: now + 100, wait: .seconds(20)) }
        cancelled.cancel()
        await #expect(throws: CatalogueError.self) { try await cancelled.value }
        await tiers.close()
    }
}
