// A mover that is paused before or after any of its writes, while another takes over and ends, changes nothing when it goes on. Both are in one process and share one
// store, so that the lease's epoch alone keeps them apart (two processes: `make crash-mover`); each has its own hands on the archive.

import IsothermTesting
import Orders
import OrdersSQLite
import Synchronization
import Testing
import Tiering

@Suite("Paused mover", .serialized)
struct PausedMoverTests {
    @Test("paused before or after any write and taken over from, a mover that goes on changes nothing", arguments: [true, false])
    func everyWrite(_ isBefore: Bool) async throws {
        var refused = 0, paused: Set<MoverWrite> = []
        for write in MoverWrite.allCases {
            // Of many batches the first, and one in the midst.
            for skipped in [0, 3] {
                let (shop, ids) = try await shopInUse(), before = try await shop.sights(ids)
                let seen = Atomic<Int>(0), left = Mutex<State?>(nil)
                let sleeper = shop.mover("sleeper", batch: 8) { at, when in
                    guard at == write, when == isBefore, seen.add(1, ordering: .relaxed).oldValue == skipped else { return }
                    let own = ColdShelf(store: shop.archive.store, leaseOf: shop.store)
                    _ = try await shop.mover("successor", batch: 5, shelves: [shop.warm, own]).run(MoverShop.policy, at: MoverShop.now)
                    let state = try await Self.state(shop, ids)
                    left.withLock { $0 = state }
                }
                var wasRefused = false
                do { _ = try await sleeper.run(MoverShop.policy, at: MoverShop.now) } catch { wasRefused = true }
                if let state = left.withLock({ $0 }) {
                    paused.insert(write)
                    refused += wasRefused ? 1 : 0
                    #expect(try await Self.state(shop, ids) == state, "\(write), number \(skipped)")
                    #expect(try await shop.faults(ids) == [], "\(write), number \(skipped)")
                    #expect(try await shop.sights(ids) == before, "\(write), number \(skipped)")
                }
                await shop.close()
            }
        }
        // What one run does not do: giving up, clearing what expired, what recalls and changes leave.
        #expect(Set(MoverWrite.allCases).subtracting(paused).isSubset(of: [.abandon, .clearStaging, .forget, .removeStale, .stageCopies, .removeCopies, .forgetCopies]))
        #expect(refused > 10)
    }

    /// All that a mover may change, but the lease.
    private struct State: Equatable {
        var placements: [OrderID: Placement], moves: [String], warm: [OrderID: [UInt8]], cold: [OrderID: [UInt8]]
    }

    private static func state(_ shop: MoverShop, _ ids: [OrderID]) async throws -> State {
        func on(_ shelf: any OrderShelf) async throws -> [OrderID: [UInt8]] {
            let found = Mutex<[OrderID: [UInt8]]>([:])
            try await shelf.scan { documents in for bytes in documents { let id = try OrderDocument(openPartOf: bytes).order.id; found.withLock { $0[id] = bytes } } }
            return found.withLock { $0 }
        }
        let moves = try await shop.store.moves(limit: 1_000).map { "\($0.id) \($0.step)" }.sorted()
        let cold = ColdShelf(store: shop.archive.store, leaseOf: shop.store)
        return State(placements: try await shop.store.placements(ids), moves: moves, warm: try await on(shop.warm), cold: try await on(cold))
    }

    private func shopInUse() async throws -> (MoverShop, [OrderID]) {
        let shop = try await MoverShop(), people = try await shop.people(2)
        let ids = try await shop.populate(people, count: 48, seed: 2)
        _ = try await shop.mover("before", batch: 50).run(MoverShop.policy, at: MoverShop.now.adding(days: -60))
        return (shop, ids)
    }
}
