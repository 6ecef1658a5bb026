// What a plan tells: numbers worked out by hand, and those of a mover whose stores are counted.

import IsothermTesting
import Orders
import OrdersSQLite
import Storage
import Testing
import Tiering

@Suite("Plan")
struct PlanTests {
    private static func requests(_ months: [(month: Int64, orders: Int64)], batch: Int64, _ archive: ArchiveMonths?) -> MoveRequests {
        var requests = MoveRequests(), archive = archive
        requests.add(months, batch: batch, &archive)
        return requests
    }

    @Test("requests are counted by batch, month and file: worked out by hand")
    func byHand() {
        // The archive's first commit: 87 objects in it, and two staged.
        let months = (0..<41).map { (month: Int64(24_000 + $0), orders: Int64(1)) }
        #expect(Self.requests(months, batch: 10_000, ArchiveMonths()) == MoveRequests(puts: 2 + 4 + 1 + 41 + 41, listings: 2, gets: 1 + 41 + 41))
        // Two batches in one month that the archive has: each reads the file before, and reads its own back whole.
        #expect(Self.requests([(month: 7, orders: 1_500)], batch: 1_000, ArchiveMonths(isMade: true, months: [7])) == MoveRequests(puts: 14, listings: 4, gets: 6))
        // The second batch begins within a month that is no longer new. 30 and 10 orders: 10 puts, 43 gets; then 20: 7 and 23.
        #expect(Self.requests([(month: 1, orders: 30), (month: 2, orders: 30)], batch: 40, ArchiveMonths(isMade: true)) == MoveRequests(puts: 17, listings: 4, gets: 66))
        // Two orders are in two of four file groups at most.
        #expect(Self.requests([(month: 1, orders: 2)], batch: 40, ArchiveMonths(isMade: true, buckets: 4)) == MoveRequests(puts: 2 + 4 + 2 + 1, listings: 2, gets: 1 + 2 + 2))
        #expect(Self.requests([(month: 1, orders: 5), (month: 2, orders: 4)], batch: 4, nil) == MoveRequests(puts: 6))
        #expect(Self.requests([], batch: 4, ArchiveMonths()) == MoveRequests())
        #expect(abs(MoveRequests(puts: 10, listings: 2, gets: 5).cost(PriceTable()) - 0.000_062) < 1e-12)
    }

    @Test("a plan's bytes, requests and cost, worked out by hand; bytes that nothing measures are unknown, not none")
    func plan() async throws {
        let shop = try await MoverShop(), person = try await shop.people(1)[0]
        var random = Seeded(22), warm: [OrderID] = [], cold: [OrderID] = []
        for _ in 0..<3 { warm.append(try await shop.order(person, .delivered, age: 100 * MoverShop.day, &random)) }
        // Two in April 2023, one in March, one in February.
        for days in [200, 200, 230, 260] as [Int64] { cold.append(try await shop.order(person, .delivered, age: days * MoverShop.day, &random)) }
        var prices = PriceTable(), pace = MoverPace()
        (prices.thousandPuts, prices.thousandGets, prices.gigabyteMonth) = (1_000, 10_000, 4e9)
        (pace.batchOrders, pace.archiveBatchOrders) = (2, 1_000)
        func plan(_ policy: TierPolicy = MoverShop.policy, days: Int64 = 0) async throws -> TierPlan {
            try await TierPlan(policy, at: MoverShop.now.adding(days: days), pace: pace, prices: prices, in: shop.store)
        }
        func bytes(_ ids: [OrderID]) async throws -> Int64 {
            let documents = try await shop.store.documents(ids)
            return Int64(try documents.reduce(0) { try $0 + $1.bytes(sealedWith: .key(.random())).count } / ids.count * ids.count)
        }

        let first = try await plan(), toWarm = try #require(first.rows.first), toCold = try #require(first.rows.last)
        #expect(first.rows.map(\.orders) == [3, 4] && toWarm.to == .warm && toCold.to == .cold && first.colder == 0)
        #expect(toWarm.requests == MoveRequests(puts: 4) && abs(toWarm.costOnce - 4) < 1e-6 && toWarm.costMonthly == nil)
        #expect(toCold.requests == MoveRequests(puts: 2 + 4 + 1 + 3 + 3, listings: 2, gets: 1 + 3 + 4))
        #expect(abs(toCold.costOnce - (15 + 80)) < 1e-6)
        let (warmBytes, coldBytes) = (try await bytes(warm), try await bytes(cold))
        #expect(toWarm.bytes == warmBytes && toCold.bytes == coldBytes && coldBytes > 4 * 500)
        #expect(abs((toCold.costMonthly ?? 0) - Double(coldBytes)) < 1)
        let due = try await TierDue(MoverShop.policy, at: MoverShop.now, in: shop.store)
        #expect(due.moves == [.init(from: .hot, to: .warm, orders: 3), .init(from: .hot, to: .cold, orders: 4)])
        #expect(due.colder == 0)

        // One more of April, which the archive has by then, and one of May, which it has not.
        _ = try await shop.mover(batch: 100).run(MoverShop.policy, at: MoverShop.now)
        for days in [190, 201] as [Int64] { _ = try await shop.order(person, .delivered, age: days * MoverShop.day, &random) }
        let second = try await plan(), more = try #require(second.rows.first)
        #expect(second.rows.count == 1 && more.orders == 2 && more.requests == MoveRequests(puts: 2 + 4 + 2 + 1, listings: 2, gets: 1 + 2 + 2 + 1))
        #expect(abs(more.costOnce - (11 + 60)) < 1e-6)

        // Hot is empty.
        _ = try await shop.mover(batch: 100).run(MoverShop.policy, at: MoverShop.now)
        let third = try await plan(days: 100), last = try #require(third.rows.first)
        #expect(third.rows.count == 1 && last.from == .warm && last.orders == 3 && last.bytes == nil && last.costMonthly == nil)
        #expect(last.requests == MoveRequests(puts: 2 + 4 + 1 + 1, listings: 2, gets: 1 + 1 + 3) && abs(last.costOnce - (10 + 50)) < 1e-6)

        // A wider policy moves nothing, and says so.
        let wide = TierPolicy(name: "wide", classes: [.orders: [.init(.hot, from: 0, to: 400), .init(.warm, from: 400, to: 730), .init(.cold, from: 730, to: nil)]])
        let stays = try await plan(wide), none = try await TierDue(wide, at: MoverShop.now, in: shop.store)
        #expect(stays.rows.isEmpty && stays.colder == 9)
        #expect(stays.staying == [.warm: 3, .cold: 6])
        #expect(none.moves.isEmpty && none.colder == 9)
        await shop.close()
    }

    @Test("the puts of a plan are those that the mover makes, and it reads no more than the plan says")
    func asTheMover() async throws {
        let shop = try await MoverShop(), people = try await shop.people(2)
        _ = try await shop.populate(people, count: 64, seed: 23)
        let archive = CountingObjectStore(FolderObjectStore(MemoryDirectory())), staging = CountingObjectStore(FolderObjectStore(MemoryDirectory()))
        var setting = OrderMover.Setting(holder: "test")
        (setting.pace.batchOrders, setting.pace.archiveBatchOrders, setting.takesOver) = (4, 9, true)
        // Then from warm, and into months that the archive has.
        for days in [0, 120] as [Int64] {
            let now = MoverShop.now.adding(days: days), before = (archive.counts, staging.counts)
            let plan = try await TierPlan(MoverShop.policy, at: now, pace: setting.pace, in: shop.store)
            let cold = ColdShelf(store: archive, leaseOf: shop.store)
            let mover = OrderMover(store: shop.store, shelves: [shop.warm, cold], staging: staging, keys: shop.keys, setting: setting)
            let report = try await mover.run(MoverShop.policy, at: now)
            #expect(Int64(report.moved) == plan.rows.reduce(0) { $0 + $1.orders } && report.moved > 10)
            let puts = archive.counts.puts - before.0.puts + staging.counts.puts - before.1.puts
            #expect(plan.rows.reduce(0) { $0 + $1.requests.puts } == Int64(puts), "after \(days) days")
            // Of files, that is; whole objects are also asked for once a run.
            let reads = archive.counts.rangedGets - before.0.rangedGets
            #expect(reads > 0 && Int64(reads) <= plan.rows.reduce(0) { $0 + $1.requests.gets }, "after \(days) days")
        }
        await shop.close()
    }
}
