// What an answer tells of the archive is what the store below it counted; and an archive that is not where it was is told, never taken for an empty one.

import IsothermTesting
import Orders
import Storage
import Testing
import Tiering

@Suite("Cold reads")
struct ColdReadTests {
    @Test("one order of the archive: the first read opens the table, later ones are one request; what is told is what was asked")
    func oneOrder() async throws {
        let scene = try await Scene()
        var requests: [Int] = []
        for id in [scene.cold[0], scene.cold[0], scene.cold[1], scene.cold[1]] {
            let told = try await scene.told {
                let (order, archive) = try await scene.tiers.order(id, includesCold: true, by: MoverShop.caller())
                #expect(order.id == id && order.hasBody)
                return archive
            }
            #expect(told.bytes > 0)
            requests.append(told.requests)
        }
        // Properties, listing, a commit or more, the file's tail, the rows.
        #expect(requests[0] >= 5 && requests[1] == 1 && requests[3] == 1, "\(requests)")
        await scene.shop.close()
    }

    @Test("a page with include=cold tells all its reads; later only those of rows")
    func page() async throws {
        let scene = try await Scene()
        var query = OrderListQuery(limit: 100)
        query.includesCold = true
        var all: [ArchiveReads] = []
        for _ in 0..<2 {
            all.append(try await scene.told { [query] in
                let page = try await scene.tiers.orders(of: scene.person, query, by: MoverShop.caller())
                #expect(page.orders.count == 4 && page.orders.allSatisfy(\.hasBody))
                return page.archive
            })
        }
        // Two months.
        #expect(all[0].requests > all[1].requests && all[1].requests == 2 && all[1].bytes > 0, "\(all)")
        await scene.shop.close()
    }

    @Test("a search for words reads the archive with include=cold and without, and tells it", arguments: [false, true])
    func search(_ includesCold: Bool) async throws {
        let scene = try await Scene()
        var query = OrderListQuery(text: "thing", limit: 100)
        query.includesCold = includesCold
        for _ in 0..<2 {
            let told = try await scene.told { [query] in
                let page = try await scene.tiers.orders(of: scene.person, query, by: MoverShop.caller())
                #expect(page.total == 4)
                return page.archive
            }
            #expect(told.requests >= 3 && told.bytes > 0)
        }
        await scene.shop.close()
    }

    @Test("what does not ask the archive tells nothing")
    func notAsked() async throws {
        let scene = try await Scene()
        for id in [scene.hot, scene.warm] {
            let told = try await scene.told { try await scene.tiers.order(id, includesCold: true, by: MoverShop.caller()).archive }
            #expect(told == ArchiveReads())
        }
        let stub = try await scene.told { try await scene.tiers.order(scene.cold[0], includesCold: false, by: MoverShop.caller()).archive }
        let list = try await scene.told { try await scene.tiers.orders(of: scene.person, OrderListQuery(limit: 100), by: MoverShop.caller()).archive }
        var recent = OrderListQuery(from: MoverShop.now.adding(days: -150), limit: 100)
        recent.includesCold = true
        let page = try await scene.told { [recent] in try await scene.tiers.orders(of: scene.person, recent, by: MoverShop.caller()).archive }
        #expect(stub == ArchiveReads() && list == ArchiveReads() && page == ArchiveReads())
        await scene.shop.close()
    }

    @Test("of many answers at once each tells its own; together they are what was counted")
    func atOnce() async throws {
        let scene = try await Scene()
        _ = try await scene.told {
            try await withThrowingTaskGroup(of: ArchiveReads.self) { group in
                for at in 0..<24 {
                    group.addTask {
                        let caller = MoverShop.caller()
                        if at % 3 == 0 { return try await scene.tiers.orders(of: scene.person, OrderListQuery(text: "thing", limit: 100), by: caller).archive }
                        if at % 3 == 1 { return try await scene.tiers.order(scene.warm, includesCold: true, by: caller).archive }
                        return try await scene.tiers.order(scene.cold[at % 2], includesCold: true, by: caller).archive
                    }
                }
                var requests = 0, bytes = 0
                for try await one in group { (requests, bytes) = (requests + one.requests, bytes + one.bytes) }
                return ArchiveReads(requests: requests, bytes: bytes)
            }
        }
        await scene.shop.close()
    }

    @Test("where no order was archived yet a search asks for the table once, and is answered")
    func beforeTheFirst() async throws {
        let scene = try await Scene(moves: false)
        let told = try await scene.told {
            let page = try await scene.tiers.orders(of: scene.person, OrderListQuery(text: "thing", limit: 100), by: MoverShop.caller())
            #expect(page.total == 4)
            return page.archive
        }
        #expect(told == ArchiveReads(requests: 1, bytes: 0))
        await scene.shop.close()
    }

    @Test("an archive that is elsewhere is told to whoever reads, searches, changes or moves; nothing is made there, and the right place goes on")
    func elsewhere() async throws {
        let scene = try await Scene(), shop = scene.shop, caller = MoverShop.caller()
        let wrong = FolderObjectStore(MemoryDirectory("elsewhere")), shelf = ColdShelf(store: wrong, leaseOf: shop.store)
        let tiers = TieredOrderStore(hot: shop.store, shelves: [shop.warm, shelf], keys: shop.keys)
        let before = try await shop.sights(scene.cold), epoch = try #require(try await shop.store.moverLease()).epoch
        let document = ShelvedOrder(id: scene.cold[0], version: before[0].order.version, bytes: try await shop.document(scene.cold[0]))
        var page = OrderListQuery(limit: 100), search = OrderListQuery(text: "thing", limit: 100), both = search
        (page.includesCold, both.includesCold) = (true, true)
        await refused("an order") { _ = try await tiers.order(scene.cold[0], includesCold: true, by: caller) }
        await refused("its shipments") { _ = try await tiers.shipments(of: scene.cold[0], by: caller) }
        await refused("a page") { [page] in _ = try await tiers.orders(of: scene.person, page, by: caller) }
        await refused("a search") { [search] in _ = try await tiers.orders(of: scene.person, search, by: caller) }
        await refused("a search with include=cold") { [both] in _ = try await tiers.orders(of: scene.person, both, by: caller) }
        search.from = MoverShop.now.adding(days: -150)
        await refused("a search of what is not cold") { [search] in _ = try await tiers.orders(of: scene.person, search, by: caller) }
        await refused("a change") {
            _ = try await tiers.perform(StoreCommand(.recordTracking(TrackingReport(
                carrier: "dhl", trackingCode: "T\(scene.cold[0])", eventID: "late", .transit, happenedAt: MoverShop.now)), by: caller))
        }
        await refused("a load") { try await shelf.load([document], epoch: epoch) }
        await refused("a removal") { try await shelf.remove([ShelfKey(try await shop.address(scene.cold[0]), epoch: nil)], epoch: epoch) }
        // The warm one is old enough by then.
        let later = MoverShop.now.adding(days: 100)
        await refused("a mover") { _ = try await shop.mover("wrong", shelves: [shop.warm, shelf]).run(MoverShop.policy, at: later) }
        // What is not cold is answered as ever.
        #expect(try await tiers.order(scene.warm, by: caller).hasBody)
        #expect(try await tiers.orders(of: scene.person, OrderListQuery(limit: 100), by: caller).total == 4)
        #expect(try await wrong.listAll(prefix: "").isEmpty)

        _ = try await shop.mover().run(MoverShop.policy, at: later)
        #expect(try await shop.store.placements([scene.warm])[scene.warm]?.tier == .cold)
        #expect(try await shop.faults([scene.hot, scene.warm] + scene.cold) == [])
        #expect(try await shop.sights(scene.cold) == before)
        await shop.close()
    }

    @Test("reconciling beside an archive that is elsewhere makes no table there of what is staged")
    func reconciledElsewhere() async throws {
        let scene = try await Scene(), shop = scene.shop
        let wrong = FolderObjectStore(MemoryDirectory("elsewhere")), shelf = ColdShelf(store: wrong, leaseOf: shop.store)
        let reconciler = TierReconciler(store: shop.store, shelves: [shop.warm, shelf], staging: shop.staging, keys: shop.keys, holder: "test")
        await refused("a reconciling") { _ = try await reconciler.run() }
        #expect(try await wrong.listAll(prefix: "").isEmpty)
        #expect(try await shop.reconciler().run().lost == [])
        #expect(try await shop.faults([scene.hot, scene.warm] + scene.cold) == [])
        await shop.close()
    }

    private func refused(_ what: String, _ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("\(what) was not refused")
        } catch {
            guard case .unavailable(let why)? = error as? StoreError else {
                Issue.record("\(what): \(error)")
                return
            }
            #expect(why.contains("elsewhere/orders has no table, but 2 orders are in it"), "\(what): \(why)")
        }
    }
}

/// A person's orders: a hot one, a warm one, and two of the archive, of two months, read by a shelf that knows nothing yet, through a store that counts.
private struct Scene {
    let shop: MoverShop, person: PersonRef, hot: OrderID, warm: OrderID, cold: [OrderID]
    let counted: CountingObjectStore, tiers: TieredOrderStore

    init(moves: Bool = true) async throws {
        let shop = try await MoverShop(), people = try await shop.people(1), counted = CountingObjectStore(shop.archive.store)
        var random = Seeded(31), ids: [OrderID] = []
        for days: Int64 in [10, 100, 200, 250] { ids.append(try await shop.order(people[0], .delivered, age: days * MoverShop.day, &random)) }
        if moves {
            _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
            #expect(try await shop.store.census() == [.hot: 1, .warm: 1, .cold: 2])
        }
        (self.shop, person, hot, warm, cold) = (shop, people[0], ids[0], ids[1], Array(ids[2...]))
        self.counted = counted
        tiers = TieredOrderStore(hot: shop.store, shelves: [shop.warm, ColdShelf(store: MeteredObjectStore(counted), leaseOf: shop.store)], keys: shop.keys)
    }

    /// What an answer tells, compared with what the store was asked meanwhile.
    func told(_ answer: () async throws -> ArchiveReads) async throws -> ArchiveReads {
        let before = counted.counts, told = try await answer(), after = counted.counts
        #expect(told.requests == after.requests - before.requests && told.bytes == after.bytesRead - before.bytesRead)
        return told
    }
}

extension MoverShop {
    /// As it lies in the archive.
    fileprivate func document(_ id: OrderID) async throws -> [UInt8] { try #require(try await archive.read([try await address(id)]).documents[id]) }
}
