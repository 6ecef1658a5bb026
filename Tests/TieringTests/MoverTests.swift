// Nothing lost, nothing doubled, wherever the mover is stopped; what a reader sees of an order is the same in every tier.

import IsothermTesting
import Orders
import OrdersSQLite
import Synchronization
import Testing
import Tiering

@Suite("Mover", .serialized)
struct MoverTests {
    @Test("every order ends in the tier of its age and state, and reads the same from there")
    func movesByPolicy() async throws {
        let shop = try await MoverShop(), people = try await shop.people(3)
        let ids = try await shop.populate(people, count: 120, seed: 1)
        let before = try await shop.sights(ids)
        let report = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        #expect(report.moved > 40 && report.changed == 0)
        #expect(try await shop.faults(ids).isEmpty)
        #expect(try await shop.sights(ids) == before)
        for (id, sight) in zip(ids, before) {
            let tier = try await shop.store.order(id, by: MoverShop.caller()).tier
            #expect(tier == MoverShop.model(sight.order, sight.returns).rawValue, "\(id), \(sight.order.state), placed \(sight.order.placedAt)")
        }
        #expect(try await shop.mover().run(MoverShop.policy, at: MoverShop.now).moved == 0)
        #expect(try await shop.store.verifyAudit().firstBroken == nil)
        await shop.close()
    }

    @Test("stopped before or after any write and run again, it ends where it would have: nothing lost, nothing doubled")
    func stopsAnywhere() async throws {
        // The writes of one run that is not stopped.
        let (writes, tiers) = try await writesOfOneRun()
        print("stopping at \(writes.count) writes")
        #expect(writes.count > 60)
        let seen = Set(writes.map(\.write))
        #expect(Set(MoverWrite.allCases).subtracting(seen).isSubset(of: [.abandon, .clearStaging, .forget, .removeStale, .stageCopies, .removeCopies, .forgetCopies]))
        // Every fourth of them; `make crash-mover` stops at every write of every file.
        var random = Seeded(13)
        for stop in stride(from: Int.random(in: 0..<4, using: &random), to: writes.count, by: 4) {
            let (shop, ids) = try await shopInUse()
            let before = try await shop.sights(ids)
            let count = Atomic<Int>(0)
            let stopped = shop.mover("first", batch: 4) { _, _ in if count.add(1, ordering: .relaxed).oldValue == stop { throw Stopped() } }
            await #expect(throws: Stopped.self) { try await stopped.run(MoverShop.policy, at: MoverShop.now) }
            // Readers meanwhile.
            #expect(try await shop.sights(ids) == before, "stopped at \(writes[stop])")
            _ = try await shop.mover("second", batch: 4).run(MoverShop.policy, at: MoverShop.now)
            #expect(try await shop.sights(ids) == before, "after a stop at \(writes[stop])")
            #expect(try await shop.faults(ids) == [], "after a stop at \(writes[stop])")
            #expect(try await places(ids, shop) == tiers, "after a stop at \(writes[stop])")
            #expect(try await shop.store.openMoves().isEmpty)
            await shop.close()
        }
    }

    @Test("an order that changes after it was dumped stays, with its change", arguments: [MoverWrite.stageOrders, .load, .verified, .flip])
    func changesMeanwhile(_ write: MoverWrite) async throws {
        let shop = try await MoverShop(), people = try await shop.people(1)
        var random = Seeded(3)
        let id = try await shop.order(people[0], .delivered, age: 100 * MoverShop.day, &random)
        let other = try await shop.order(people[0], .delivered, age: 101 * MoverShop.day, &random)
        let mover = shop.mover { at, isBefore in
            // A scan that changes neither the shipment's state nor any version.
            if at == write, isBefore { try await shop.track(id, "late-scan", .transit, age: 50) }
        }
        let report = try await mover.run(MoverShop.policy, at: MoverShop.now)
        #expect(report.moved == 1 && report.changed == 1)
        #expect(try await shop.faults([id, other]).isEmpty)
        let before = try await shop.sight(id), shipment = try #require(before.shipments.first)
        #expect(shipment.events.contains { $0.eventID == "\(id)-late-scan" })
        #expect(try await shop.mover().run(MoverShop.policy, at: MoverShop.now).moved == 1)
        #expect(try await shop.sight(id) == before)
        await shop.close()
    }

    @Test("what reads back otherwise than it was loaded is not moved, and hot keeps its rows")
    func verifies() async throws {
        let shop = try await MoverShop(), people = try await shop.people(1)
        let ids = try await shop.populate(people, count: 30, seed: 4), before = try await shop.sights(ids)
        let bad = shop.mover(shelves: [Forgetful(shelf: shop.warm), shop.archive])
        await #expect(throws: MoverError.self) { try await bad.run(MoverShop.policy, at: MoverShop.now) }
        #expect(try await shop.sights(ids) == before)
        #expect(try await shop.store.census()[.warm] ?? 0 == 0)
        _ = try await shop.mover().run(MoverShop.policy, at: MoverShop.now)
        #expect(try await shop.sights(ids) == before)
        #expect(try await shop.faults(ids).isEmpty)
        await shop.close()
    }

    @Test("a mover that slept through a takeover changes nothing", arguments: [MoverWrite.begin, .staged, .load, .verified, .flip, .purge, .done])
    func isFenced(_ write: MoverWrite) async throws {
        let shop = try await MoverShop(), people = try await shop.people(2)
        let ids = try await shop.populate(people, count: 40, seed: 5), before = try await shop.sights(ids)
        let slept = Atomic<Bool>(false)
        let sleeper = shop.mover("sleeper", batch: 50) { at, isBefore in
            guard at == write, isBefore, slept.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
            _ = try await shop.mover("successor", batch: 3).run(MoverShop.policy, at: MoverShop.now)
        }
        // Refused by the store, or by the archive.
        await #expect(throws: (any Error).self) { try await sleeper.run(MoverShop.policy, at: MoverShop.now) }
        #expect(try await shop.sights(ids) == before)
        #expect(try await shop.faults(ids) == [])
        await shop.close()
    }

    @Test("staging is kept until it expires, then cleared with its journal")
    func clearsStaging() async throws {
        let shop = try await MoverShop(), people = try await shop.people(1)
        _ = try await shop.populate(people, count: 30, seed: 6)
        _ = try await shop.mover(batch: 5, stagingDays: 7).run(MoverShop.policy, at: MoverShop.now)
        let kept = try await shop.staging.listAll(prefix: "moves/").count
        #expect(kept > 0 && kept.isMultiple(of: 2))
        #expect(try await shop.store.moves(limit: 100).count == kept / 2)
        let later = shop.mover(daysLater: 8)
        _ = try await later.run(MoverShop.policy, at: MoverShop.now)
        #expect(try await shop.staging.listAll(prefix: "moves/").isEmpty)
        #expect(try await shop.store.moves(limit: 100).isEmpty)
        await shop.close()
    }

    // MARK: -

    private struct Point { var write: MoverWrite, isBefore: Bool }

    /// Some of its orders went to warm and cold two months ago, so that the next run has all three kinds of moves.
    private func shopInUse() async throws -> (MoverShop, [OrderID]) {
        let shop = try await MoverShop(), people = try await shop.people(2)
        let ids = try await shop.populate(people, count: 32, seed: 2)
        _ = try await shop.mover("before", batch: 50).run(MoverShop.policy, at: MoverShop.now.adding(days: -60))
        return (shop, ids)
    }

    private func places(_ ids: [OrderID], _ shop: MoverShop) async throws -> [String] {
        var tiers: [String] = []
        for id in ids { tiers.append(try await shop.store.order(id, by: MoverShop.caller()).tier) }
        return tiers
    }

    private func writesOfOneRun() async throws -> ([Point], [String]) {
        let (shop, ids) = try await shopInUse()
        let writes = Mutex<[Point]>([])
        _ = try await shop.mover("only", batch: 4) { write, isBefore in writes.withLock { $0.append(Point(write: write, isBefore: isBefore)) } }
            .run(MoverShop.policy, at: MoverShop.now)
        let tiers = try await places(ids, shop)
        await shop.close()
        return (writes.withLock { $0 }, tiers)
    }
}

/// Gives back another's bytes now and then.
struct Forgetful: OrderShelf {
    let shelf: WarmShelf
    var tier: Tier { .warm }
    func prepare() async throws { try await shelf.prepare() }
    func load(_ orders: [ShelvedOrder], epoch: Int64) async throws { try await shelf.load(orders, epoch: epoch) }
    func read(_ orders: [OrderAddress]) async throws -> ShelfRead {
        var found = try await shelf.read(orders)
        if let first = orders.first { found.documents[first.id]?[40] ^= 1 }
        return found
    }
    func remove(_ orders: [ShelfKey], epoch: Int64) async throws { try await shelf.remove(orders, epoch: epoch) }
    func documents(of person: PersonRef, from: Instant?, to: Instant?) async throws -> [[UInt8]] { try await shelf.documents(of: person, from: from, to: to) }
    func scan(_ visit: @Sendable ([[UInt8]]) async throws -> Void) async throws { try await shelf.scan(visit) }
}
