// A folder that is recorded, and the check of a disk that a power cut left: it is written to another folder, opened as any store is, and compared with what was
// answered by then.

import Foundation
import GRDB
import IsothermTesting
import Orders
import OrdersSQLite
import Secrets

final class PowerScene: Sendable {
    struct Look: Sendable {
        var cut: Int, remains: Remains, seed: UInt64
    }

    static let keys = KeyRing(master: [UInt8](repeating: 7, count: 32))
    let recorder: PowerRecorder
    private let folder: String

    init() throws {
        // In memory where that may be: nothing here needs a real disk, which would only take time.
        let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : NSTemporaryDirectory()
        folder = root + "isotherm-power-\(Bytes16.random())"
        try FileManager.default.createDirectory(atPath: folder + "/live", withIntermediateDirectories: true)
        guard let recorder = PowerRecorder(folder: folder + "/live") else { throw StoreError.unavailable("no memory") }
        self.recorder = recorder
    }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Looks at all those disks, by rising cut; gives what is wrong with them.
    func check(_ looks: [Look], _ workload: PowerWorkload) async throws -> [String] {
        let workers = 2, share = (looks.count + workers - 1) / workers
        return try await withThrowingTaskGroup(of: [String].self) { group in
            for worker in 0..<workers {
                let part = Array(looks.dropFirst(worker * share).prefix(share))
                group.addTask { try await self.check(part, workload, in: "\(self.folder)/image-\(worker)") }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func check(_ looks: [Look], _ workload: PowerWorkload, in image: String) async throws -> [String] {
        var disk = PowerDisk(recorder), wrong: [String] = []
        let orders = workload.orders
        for look in looks where wrong.count < 20 {
            disk.advance(to: look.cut)
            var random = Seeded(look.seed)
            try? FileManager.default.removeItem(atPath: image)
            try FileManager.default.createDirectory(atPath: image, withIntermediateDirectories: true)
            for (name, bytes) in disk.image(look.remains, &random) { try Data(bytes).write(to: URL(fileURLWithPath: "\(image)/\(name)")) }
            do {
                let store = try SQLiteOrderStore(path: image + "/isotherm.db", keys: PowerScene.keys)
                defer { store.close() }
                wrong += try await PowerCheck(look: look, orders: orders, workload: workload).run(store).map { "cut at \(look.cut), \(look.remains): \($0)" }
            } catch {
                wrong.append("cut at \(look.cut), \(look.remains): \(error)")
            }
        }
        return wrong
    }
}

/// One disk.
struct PowerCheck {
    let look: PowerScene.Look, orders: [String: PowerWorkload.Asked], workload: PowerWorkload

    func run(_ store: SQLiteOrderStore) async throws -> [String] {
        var wrong = try await sums(store)
        let queue = try DatabaseQueue(path: store.path)
        defer { try? queue.close() }
        let there = try await queue.read { try dump($0) }
        wrong += compare(there)
        if wrong.isEmpty { wrong += try await sendAgain(store, there) }
        return wrong
    }

    // MARK: -

    struct There: Sendable {
        /// Key to order, from the kept keys.
        var keys: [String: OrderID] = [:]
        var states: [OrderID: String] = [:]
        var lines: [OrderID: [String]] = [:]
        /// States told in the outbox.
        var told: [OrderID: [String]] = [:]
        var outbox: UInt64 = 0
    }

    private func sums(_ store: SQLiteOrderStore) async throws -> [String] {
        var wrong: [String] = []
        func none(_ what: String, _ sql: StaticString) async throws {
            let found = try await store.read { connection throws(StoreError) in try connection.number(sql) }
            if found != 0 { wrong.append("\(what): \(found)") }
        }
        try await none("received is not available + held + sold", "SELECT count(*) FROM stock WHERE received <> available + held + sold")
        try await none("held is not what pending orders hold", """
            SELECT (SELECT coalesce(sum(held), 0) FROM stock) - (SELECT coalesce(sum(quantity), 0) FROM order_lines JOIN orders USING (order_id) WHERE state = 'pending')
            """)
        try await none("sold is not what confirmed orders have", """
            SELECT (SELECT coalesce(sum(sold), 0) FROM stock) - (SELECT coalesce(sum(quantity), 0) FROM order_lines JOIN orders USING (order_id) WHERE state = 'confirmed')
            """)
        try await none("the outbox has gaps", "SELECT coalesce(max(position), 0) - count(*) FROM outbox")
        try await none("orders and directory differ", "SELECT (SELECT count(*) FROM order_directory) - (SELECT count(*) FROM orders JOIN order_directory d USING (order_id) WHERE orders.state = d.state)")
        try await none("orders without audit row", "SELECT (SELECT count(*) FROM orders) - (SELECT count(*) FROM audit_log WHERE action = 'order.place')")
        try await none("keys of refused orders", "SELECT count(*) FROM idempotency_keys WHERE key GLOB 'refused-*'")
        if workload.stockedAt.map({ $0 <= look.cut }) == true {
            let received = try await store.read { connection throws(StoreError) in try connection.number("SELECT sum(received) FROM stock") }
            let units = PowerWorkload.scarce + Int64(PowerWorkload.products - 1) * PowerWorkload.units
            if received != units { wrong.append("\(received) units came in, not \(units)") }
        }
        let audit = try await store.verifyAudit()
        if let broken = audit.firstBroken { wrong.append("the audit chain is broken at \(broken)") }
        return wrong
    }

    private func dump(_ database: Database) throws -> There {
        var there = There()
        let words = try String.fetchAll(database, sql: "PRAGMA integrity_check")
        guard words == ["ok"] else { throw StoreError.damaged("integrity_check: \(words)") }
        guard try GRDB.Row.fetchOne(database, sql: "PRAGMA foreign_key_check") == nil else { throw StoreError.damaged("foreign_key_check") }
        for row in try GRDB.Row.fetchAll(database, sql: "SELECT key, outcome ->> 'id' AS id FROM idempotency_keys WHERE key GLOB 'order-*'") {
            there.keys[row["key"]] = OrderID(text: row["id"])
        }
        for row in try GRDB.Row.fetchAll(database, sql: "SELECT hex(order_id) AS id, state FROM orders") { there.states[PowerCheck.order(row["id"])] = row["state"] }
        for row in try GRDB.Row.fetchAll(database, sql: "SELECT hex(order_id) AS id, product_id || ' ' || quantity AS line FROM order_lines JOIN products USING (product) ORDER BY order_id, position") {
            there.lines[PowerCheck.order(row["id"]), default: []].append(row["line"])
        }
        for row in try GRDB.Row.fetchAll(database, sql: "SELECT body ->> 'order' AS id, body ->> 'state' AS state FROM outbox WHERE body ->> 'order' IS NOT NULL ORDER BY position") {
            if let id = OrderID(text: row["id"]) { there.told[id, default: []].append(row["state"]) }
        }
        there.outbox = try UInt64(Int64.fetchOne(database, sql: "SELECT coalesce(max(position), 0) FROM outbox") ?? 0)
        return there
    }

    private static func order(_ hexadecimal: String) -> OrderID {
        let bytes = Hexadecimal.bytes(hexadecimal) ?? []
        return OrderID(Bytes16(high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }, low: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }))
    }

    private func compare(_ there: There) -> [String] {
        var wrong: [String] = []
        if there.outbox < workload.told(by: look.cut) { wrong.append("the outbox ends at \(there.outbox), \(workload.told(by: look.cut)) was told") }
        if Set(there.keys.values).count != there.states.count || there.keys.count != there.states.count {
            wrong.append("\(there.states.count) orders for \(there.keys.count) keys")
        }
        for (key, asked) in orders {
            guard let id = there.keys[key], let state = there.states[id] else {
                if let answered = asked.answered, answered <= look.cut { wrong.append("lost: \(key), answered at \(answered)") }
                continue
            }
            if let known = asked.id, known != id { wrong.append("\(key) is \(id), was answered as \(known)") }
            if there.lines[id] != asked.draft.lines.map({ "\($0.product.text) \($0.quantity)" }) { wrong.append("half done: \(key): \(there.lines[id] ?? [])") }
            let path = ["pending"] + asked.later.map(\.state.rawValue)
            let sure = asked.later.lastIndex { $0.answered.map { $0 <= look.cut } == true }.map { $0 + 1 } ?? 0
            if !path[sure...].contains(state) { wrong.append("\(key) is \(state), answered were \(path) up to \(sure)") }
            if there.told[id]?.first != "pending" || there.told[id]?.last != state || Set(there.told[id] ?? []).count != there.told[id]?.count {
                wrong.append("\(key) is \(state), the outbox tells \(there.told[id] ?? [])")
            }
        }
        return wrong
    }

    /// One that is there gives its answer again; one that is not is placed now, once.
    private func sendAgain(_ store: SQLiteOrderStore, _ there: There) async throws -> [String] {
        var wrong: [String] = [], random = Seeded(look.seed ^ 1)
        let (kept, missing) = (there.keys.keys.sorted(), orders.keys.filter { there.keys[$0] == nil }.sorted())
        for key in [kept.randomElement(using: &random), missing.randomElement(using: &random)].compactMap({ $0 }) {
            guard let asked = orders[key] else { continue }
            let command = StoreCommand(.placeOrder(asked.draft), by: PowerWorkload.caller, idempotencyKey: key, requestHash: [1])
            do throws(StoreError) {
                let outcome = try await store.perform(command), again = try await store.perform(command)
                if outcome.replayed != (there.keys[key] != nil) || !again.replayed || again.id != outcome.id { wrong.append("\(key) sent again: \(outcome), \(again)") }
                if let id = there.keys[key], outcome.id != id.value { wrong.append("\(key) sent again is another order") }
            } catch {
                // Of a disk that is older than the products, or when they are sold out.
                if there.keys[key] != nil { wrong.append("\(key) sent again: \(error)") }
            }
        }
        return wrong
    }
}
