// Reaches past the store, to look for what must not be there and to do what nobody may.

import Foundation
import GRDB
import Orders
import OrdersSQLite
import Secrets

extension SQLiteOrderStore {
    /// Whether any text or blob of a table holds the bytes of a word.
    func mentions(_ word: String, in table: String) async throws -> Bool {
        let queue = try DatabaseQueue(path: path)
        return try await queue.read { database in
            for row in try Row.fetchAll(database, sql: "SELECT * FROM \(table)") {
                for (_, value) in row where "\(value)".contains(word) { return true }
            }
            return false
        }
    }

    /// A copy of the database with one statement run on it, triggers off.
    func damagedCopy(of shop: TestShop, _ sql: String) throws -> SQLiteOrderStore {
        let copy = shop.folder + "/damaged-\(Bytes16.random()).db"
        let source = try DatabaseQueue(path: path), target = try DatabaseQueue(path: copy)
        try source.backup(to: target)
        try target.write { database in
            let triggers = try String.fetchAll(database, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for trigger in triggers { try database.execute(sql: "DROP TRIGGER \(trigger)") }
            try database.execute(sql: sql)
        }
        try target.close()
        return try SQLiteOrderStore(path: copy, keys: KeyRing(master: [UInt8](repeating: 7, count: 32)))
    }
}

extension SQLiteOrderStore {
    func numbers(_ sql: StaticString) async throws -> [Int64] { try await read { connection throws(StoreError) in try connection.numbers(sql) } }

    /// Many people and products at once, written past the store.
    func fill(products: Int, people: Int) async throws {
        let queue = try DatabaseQueue(path: path)
        try await queue.write { database in
            try database.execute(sql: "PRAGMA foreign_keys = ON")
            for n in 0..<people {
                let ref = PersonRef(Bytes16(high: 1, low: UInt64(n)))
                try database.cachedStatement(sql: "INSERT INTO people(person_ref, created_at) VALUES (?, 0)").execute(arguments: [Data(ref.bytes)])
            }
            for n in 1..<(products + 1) {
                try database.cachedStatement(sql: "INSERT INTO products(product, product_id, title, currency, price_minor) VALUES (?, ?, ?, 'EUR', 1999)")
                    .execute(arguments: [n, "product-\(n - 1)", "A product of the title number \(n)"])
                try database.cachedStatement(sql: "INSERT INTO stock(product, available, received) VALUES (?, 1000000, 1000000)").execute(arguments: [n])
            }
        }
        try queue.close()
    }
}
