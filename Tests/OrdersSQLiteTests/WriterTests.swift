// The writer: groups, keeps its bounds, and tells nobody what it does not know.

import Foundation
import GRDB
import Orders
import OrdersSQLite
import Secrets
import Synchronization
import Testing

@Suite("Orders: writer")
struct WriterTests {
    @Test("waiting commands share commits, refused ones among them leave nothing")
    func groups() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", stock: 1_000)
        let before = shop.store.counts
        await withTaskGroup(of: Void.self) { group in
            for n in 0..<200 { group.addTask { _ = await shop.refusal(.placeOrder(shop.draft(n % 4 == 0 ? PersonRef(.random()) : ada, [("a", 1)]))) } }
        }
        let after = shop.store.counts
        #expect(after.commands - before.commands == 200)
        #expect(after.commits - before.commits < 100)
        #expect(try await shop.number("SELECT count(*) FROM orders") == 150)
        #expect(try await shop.available("a") == 850)
        #expect(try await shop.number("SELECT max(position) - count(*) FROM outbox") == 0)
        #expect(try await shop.store.verifyAudit().firstBroken == nil)
    }

    @Test("past its bound the queue refuses, and goes on when there is room")
    func bound() async throws {
        var options = OrdersSQLiteOptions()
        options.waitingMax = 4
        options.batchMax = 2
        let shop = try TestShop(options)
        let ada = try await shop.person()
        try await shop.product("a", stock: 1_000)
        let busy = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 { group.addTask { await shop.refusal(.placeOrder(shop.draft(ada, [("a", 1)]))) == .busy } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(try await shop.number("SELECT count(*) FROM orders") == Int64(200 - busy))
        #expect(await shop.refusal(.placeOrder(shop.draft(ada, [("a", 1)]))) == nil)
    }

    @Test("a COMMIT that failed before it took effect is told as not done; one that failed after, as done; and writing goes on", arguments: [OrdersSQLiteOptions.CommitFault.before, .after])
    func unknownCommit(fault: OrdersSQLiteOptions.CommitFault) async throws {
        var options = OrdersSQLiteOptions()
        let box = FaultBox()
        options.commitFault = { box.take() }
        let shop = try TestShop(options)
        let ada = try await shop.person()
        try await shop.product("a")
        box.put(fault)
        let refusal = await shop.refusal(.placeOrder(shop.draft(ada, [("a", 1)])), key: "k")
        #expect((refusal == nil) == (fault == .after))
        #expect(try await shop.number("SELECT count(*) FROM orders") == (fault == .after ? 1 : 0))
        // The same request again: once in all.
        let again = try await shop.run(.placeOrder(shop.draft(ada, [("a", 1)])), key: "k")
        #expect(again.replayed == (fault == .after))
        #expect(try await shop.available("a") == 9)
        #expect(try await shop.number("SELECT max(position) - count(*) FROM outbox") == 0)
        #expect(try await shop.store.verifyAudit().firstBroken == nil)
    }

    @Test("a command at which SQLite rolls the whole transaction back takes none of its neighbours with it")
    func poison() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a", stock: 1_000)
        let queue = try DatabaseQueue(path: shop.store.path)
        try await queue.write { try $0.execute(sql: "CREATE TRIGGER poison BEFORE INSERT ON baskets BEGIN SELECT raise(ROLLBACK, 'poison'); END") }
        try queue.close()
        let refusals = await withTaskGroup(of: Int.self) { group in
            for n in 0..<120 {
                group.addTask {
                    if n % 10 == 3 { return await shop.refusal(.setBasketLine(ada, "a", quantity: 1)) == nil ? 1_000 : 1 }
                    let first = await shop.refusal(.putPerson(PersonDraft(name: "\(n)"))), second = await shop.refusal(.placeOrder(shop.draft(ada, [("a", 1)])))
                    return first == nil && second == nil ? 0 : 1_000
                }
            }
            return await group.reduce(0, +)
        }
        #expect(refusals == 12)
        #expect(try await shop.number("SELECT count(*) FROM orders") == 108)
        #expect(try await shop.available("a") == 892)
        #expect(try await shop.number("SELECT count(*) FROM people") == 109)
        #expect(try await shop.number("SELECT max(position) - count(*) FROM outbox") == 0)
        #expect(try await shop.store.verifyAudit().firstBroken == nil)
        #expect(try await shop.number("SELECT count(*) FROM stock WHERE received <> available + held + sold") == 0)
    }

    @Test("a file written by a newer version is refused with words")
    func newer() async throws {
        let shop = try TestShop()
        let queue = try DatabaseQueue(path: shop.store.path)
        try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('999-later')") }
        try queue.close()
        #expect { try SQLiteOrderStore(path: shop.store.path, keys: KeyRing(master: [1])) } throws: { "\($0)".contains("newer version") }
    }

    @Test("the schema of today is reached from every older version, with what was in it", arguments: 0..<Schema.migrations.count)
    func migrations(count: Int) async throws {
        let shop = try TestShop()
        let path = shop.folder + "/old.db"
        let old = try DatabaseQueue(path: path)
        try Schema.migrator(upTo: count).migrate(old)
        if count > 0 { try await old.write { try $0.execute(sql: "INSERT INTO people(person_ref, created_at) VALUES (x'00000000000000000000000000000001', 7)") } }
        try old.close()
        let store = try SQLiteOrderStore(path: path, keys: KeyRing(master: [1]))
        if count > 0 { #expect(try await store.personRef(.id(PersonRef(Bytes16(high: 0, low: 1)))) != nil) }
        store.close()
        let sql = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name)"
        let migrated = try await DatabaseQueue(path: path).read { try String.fetchOne($0, sql: sql) }
        let fresh = try await DatabaseQueue(path: shop.store.path).read { try String.fetchOne($0, sql: sql) }
        #expect(migrated == fresh)
    }

    @Test("an idempotency key kept by an older version still answers, and is still refused for another request")
    func olderKeys() async throws {
        let shop = try TestShop()
        let path = shop.folder + "/old.db", ring = KeyRing(master: [1])
        let old = try DatabaseQueue(path: path)
        try Schema.migrator(upTo: 3).migrate(old)
        try await old.write { database in
            for key in ["k1", "k2", "k3"] {
                try database.execute(
                    sql: "INSERT INTO idempotency_keys VALUES (?, ?, x'01', '{\"v\":7,\"s\":\"pending\",\"r\":1,\"c\":1}', 5)", arguments: ["staff:test", key])
            }
        }
        try old.close()
        let store = try SQLiteOrderStore(path: path, keys: ring)
        defer { store.close() }
        func put(_ key: String, _ hash: [UInt8]) async throws -> StoreOutcome {
            try await store.perform(
                StoreCommand(.putPerson(PersonDraft(name: "Ada")), by: Caller(TestShop.staff, .support, at: TestShop.start), idempotencyKey: key, requestHash: hash))
        }
        for key in ["k1", "k2", "k3"] {
            let outcome = try await put(key, [1])
            #expect(outcome.replayed && outcome.version == 7)
            await #expect(throws: StoreError.idempotencyKeyReused) { try await put(key, [2]) }
        }
        #expect(try await put("k4", [1]).replayed == false)
    }

    @Test("tables that must not be changed cannot be, whoever asks")
    func appendOnly() async throws {
        let shop = try TestShop()
        let ada = try await shop.person()
        try await shop.product("a")
        _ = try await shop.delivered(ada, [("a", 1)])
        let queue = try DatabaseQueue(path: shop.store.path)
        for sql in [
            "UPDATE audit_log SET at = 1", "DELETE FROM audit_log", "UPDATE outbox SET at = 1", "DELETE FROM order_directory", "UPDATE order_directory SET placed_at = 1",
            "UPDATE order_lines SET unit_minor = 1", "UPDATE payment_events SET amount_minor = 1", "DELETE FROM payment_events", "UPDATE tracking_events SET place = 'x'",
            "UPDATE stock SET available = -1", "UPDATE stock SET available = available + 1", "UPDATE orders SET state = 'lost'", "UPDATE orders SET refunded_minor = paid_minor + 1",
            "UPDATE payments SET captured_minor = authorised_minor + 1", "INSERT INTO orders(order_id, person_ref, placed_at, state, currency, total_minor) VALUES (randomblob(16), x'00', 0, 'pending', 'EUR', 1)",
            "DELETE FROM people", "UPDATE order_lines SET returned = shipped + 1", "INSERT INTO stock(product, available, received) VALUES (999, 1, 1)",
        ] {
            #expect(throws: DatabaseError.self, "\(sql)") { try queue.write { try $0.execute(sql: sql) } }
        }
    }
}

/// The next COMMIT's fault, once.
private final class FaultBox: Sendable {
    private let fault = Mutex<OrdersSQLiteOptions.CommitFault?>(nil)
    func put(_ next: OrdersSQLiteOptions.CommitFault) { fault.withLock { $0 = next } }
    func take() -> OrdersSQLiteOptions.CommitFault? {
        fault.withLock { fault in
            defer { fault = nil }
            return fault
        }
    }
}
