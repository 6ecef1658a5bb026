// Restore: what was there is kept, the mark that says reconcile comes first, and what is no backup is told in words. Backup under load is in ImportTests.

import Foundation
import IsothermTesting
import Orders
import OrdersSQLite
import Secrets
import Testing

@Suite("Backup and restore")
struct BackupTests {
    /// A shop with a backup of before its first order, and a folder to restore into.
    private struct Scene {
        let shop: TestShop, ada: PersonRef, backup: String, folder: String
        var path: String { folder + "/isotherm.db" }

        init() async throws {
            shop = try TestShop()
            ada = try await shop.person()
            try await shop.product("a", stock: 100)
            backup = try await OrderBackup.write(of: shop.store, to: shop.folder)
            folder = shop.folder + "/hot"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }

        /// Lays the shop there as after a kill, its newest order in the log alone.
        func kill() async throws -> OrderID {
            let order = try await shop.place(ada, [("a", 1)])
            for suffix in ["", "-wal"] {
                try? FileManager.default.removeItem(atPath: path + suffix)
                try FileManager.default.copyItem(atPath: shop.store.path + suffix, toPath: path + suffix)
            }
            return order
        }

        func has(_ order: OrderID, at path: String) async throws -> Bool {
            let store = try SQLiteOrderStore(path: path, keys: KeyRing(master: [UInt8](repeating: 7, count: 32)))
            defer { store.close() }
            do throws(StoreError) { return try await store.order(order, by: shop.caller()).id == order } catch {
                #expect(error == .notFound("such order"))
                return false
            }
        }

        var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } }
    }

    @Test("two restores in a row keep both stores that were there, each with what lay in its log; nothing of it stays beside what was restored")
    func kept() async throws {
        let scene = try await Scene()
        #expect(try await OrderBackup.restore(scene.backup, to: scene.path) == nil)
        #expect(try scene.names == ["isotherm.db", "to-reconcile"])
        var kept: [(path: String, order: OrderID)] = []
        for _ in 0..<2 {
            let order = try await scene.kill()
            kept.append((try #require(try await OrderBackup.restore(scene.backup, to: scene.path)), order))
            #expect(!FileManager.default.fileExists(atPath: scene.path + "-wal"))
        }
        #expect(kept[0].path != kept[1].path && kept.allSatisfy { $0.path.hasPrefix(scene.path + ".before-") })
        #expect(try await scene.has(kept[0].order, at: kept[0].path))
        #expect(try await !scene.has(kept[1].order, at: kept[0].path))
        for (_, order) in kept { #expect(try await scene.has(order, at: kept[1].path)) }
        for (_, order) in kept { #expect(try await !scene.has(order, at: scene.path)) }
    }

    @Test("stopped before any step: the store that was there is whole under one name, another is never without the mark, and a second restore ends it",
        arguments: OrderBackup.Step.allCases)
    func stopped(stop: OrderBackup.Step) async throws {
        let scene = try await Scene(), order = try await scene.kill()
        await #expect(throws: StoreError.unavailable("stopped")) {
            try await OrderBackup.restore(scene.backup, to: scene.path) { step throws(StoreError) in if step == stop { throw .unavailable("stopped") } }
        }
        #expect(try OrderBackup.isToBeReconciled(scene.folder) == (stop != .mark))
        let isMoved = stop == .clearLogs || stop == .place, stores = try scene.names.filter { $0.hasPrefix("isotherm.db") && !$0.hasSuffix("-wal") }
        #expect(stores.count == 1 && (stores[0] == "isotherm.db") == !isMoved)
        // Its log is under its name.
        #expect(try scene.names.contains((stores.first ?? "") + "-wal"))
        let second = try await OrderBackup.restore(scene.backup, to: scene.path)
        #expect((second == nil) == isMoved && !FileManager.default.fileExists(atPath: scene.path + "-wal"))
        #expect(try await scene.has(order, at: second ?? scene.folder + "/" + (stores.first ?? "")))
        #expect(try await !scene.has(order, at: scene.path))
    }

    @Test("the mark outlives starts of the store, and goes when it is told so, also twice")
    func mark() async throws {
        let scene = try await Scene()
        #expect(try !OrderBackup.isToBeReconciled(scene.folder))
        #expect(try !OrderBackup.isToBeReconciled(scene.folder + "/none"))
        try await OrderBackup.restore(scene.backup, to: scene.path)
        #expect(try await !scene.has(OrderID(.random()), at: scene.path))
        #expect(try OrderBackup.isToBeReconciled(scene.folder))
        for _ in 0..<2 {
            try OrderBackup.reconciled(scene.folder)
            #expect(try !OrderBackup.isToBeReconciled(scene.folder))
        }
    }

    @Test("what is no backup, and a folder that is none, are told by name and in words; nothing is changed by it")
    func words() async throws {
        let scene = try await Scene(), folder = scene.shop.folder
        let whole = try Data(contentsOf: URL(fileURLWithPath: scene.backup))
        try scene.shop.store.personKeys(folder: folder + "/keys").close()
        for (name, bytes) in [("text", Data("orders".utf8)), ("long", Data(repeating: 0x61, count: 5_000)), ("empty", Data()), ("cut", whole.prefix(whole.count / 2))] {
            try bytes.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        for name in ["text", "long", "empty", "cut", "none", "hot", "keys/people.db"] {
            do throws(StoreError) {
                try await OrderBackup.restore("\(folder)/\(name)", to: scene.path)
                Issue.record("\(name) was restored")
            } catch {
                let words = error.description, expected = name == "cut" ? "damaged" : name == "none" ? "cannot be read" : "is no backup of isotherm"
                #expect(words.contains("\(folder)/\(name)") && words.contains(expected), "\(words)")
            }
            #expect(try scene.names.isEmpty, "\(name)")
        }
        for name in ["none", "text"] {
            do throws(StoreError) {
                _ = try await OrderBackup.write(of: scene.shop.store, to: "\(folder)/\(name)")
                Issue.record("\(name) has a backup")
            } catch { #expect(error.description.contains("\(folder)/\(name) is no folder")) }
        }
    }
}
