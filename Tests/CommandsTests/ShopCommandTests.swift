// Commands over a data folder with a shop and an archive: whose order it is, what follows a restore, what `inspect` makes of descriptions.

import Archive
import Commands
import Engine
import Foundation
import Orders
import OrdersSQLite
import Storage
import Testing

@Suite("Commands over a shop")
struct ShopCommandTests {
    /// A folder of its own, removed at the end.
    private final class Folder {
        let path = NSTemporaryDirectory() + "isotherm-commands-\(Bytes16.random())"
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// An order of one person, and another person.
    private func shop(_ folder: String) async throws -> (order: OrderID, owner: PersonRef, other: PersonRef) {
        try await ShopFolder.withStore(folder, makes: true, exclusively: true) { store in
            func made(_ action: StoreCommand.Action) async throws -> Bytes16 {
                try await store.perform(StoreCommand(action, by: ShopFolder.caller(.support))).id ?? .random()
            }
            let owner = PersonRef(try await made(.putPerson(PersonDraft(name: "Ada")))), other = PersonRef(try await made(.putPerson(PersonDraft(name: "Eve"))))
            _ = try await made(.putProduct(ProductDraft("a", title: "A", price: Money(1_000, "EUR"))))
            _ = try await made(.setStock("a", available: 10))
            return (OrderID(try await made(.placeOrder(OrderDraft(person: owner, lines: [.init("a", quantity: 1)])))), owner, other)
        }
    }

    @Test("archive get refuses an order with a person whose it is not, also where the directory knows the order")
    func whose() async throws {
        let folder = Folder(), (order, owner, other) = try await shop(folder.path)
        _ = try await ArchiveDocuments.writer(FolderObjectStore(try FileDirectory(folder.path).directory("cold"))).upsert([try ArchiveDocuments.archived(1)])
        func refusal(_ person: PersonRef) async throws -> (any Error)? {
            let get = try ArchiveGetCommand.parse([order.description, "--person", person.description, "--data", folder.path])
            do {
                try await get.run()
                return nil
            } catch { return error }
        }
        #expect(try await refusal(other) is CommandError)
        // Its own: not in the archive, which is an exit code alone.
        let none = try await refusal(owner)
        #expect(none != nil && !(none is CommandError))
    }

    @Test("after a restore nobody serves or moves until the tiers were reconciled; a shop that never had any is reconciled too")
    func restored() async throws {
        let folder = Folder(), order = try await shop(folder.path).order
        let backup = try await ShopFolder.withStore(folder.path, exclusively: true) { store in try await OrderBackup.write(of: store, to: folder.path) }
        try ShopFolder.refuseUntilReconciled(folder.path)
        try await RestoreCommand.parse([backup, "--data", folder.path]).run()
        #expect(throws: CommandError.self) { try ShopFolder.refuseUntilReconciled(folder.path) }
        await #expect(throws: CommandError.self) { try await TierRunCommand.parse(["--data", folder.path]).run() }
        try await TierReconcileCommand.parse(["--data", folder.path]).run()
        try ShopFolder.refuseUntilReconciled(folder.path)
        try await TierRunCommand.parse(["--data", folder.path]).run()
        let found = try await ShopFolder.withStore(folder.path, exclusively: true) { store in try await store.order(order, by: ShopFolder.caller(.support)) }
        #expect(found.id == order && found.tier == Tier.hot.rawValue)
    }

    @Test("inspect prints an index's description, whose second line is its checksum, and finds every flipped byte")
    func descriptions() async throws {
        let folder = Folder(), root = try FileDirectory(folder.path), node = try await Node.open(root: root)
        _ = try await node.createIndex("lamps")
        await node.close()
        let indexes = try root.directory("indexes"), index = try indexes.directory(try #require(try indexes.listDirectories().first))
        let bytes = try index.read("index.json")
        try await InspectCommand.parse([index.path + "/index.json"]).run()
        let read = try DescriptionInspection(bytes, name: "index.json", path: "index.json")
        #expect(read.isSummed && read.text.contains(#""lamps""#) && read.text.contains("\n"))
        for at in bytes.indices {
            var bad = bytes
            bad[at] ^= 1
            #expect(throws: StorageError.self, "byte \(at)") { try DescriptionInspection(bad, name: "index.json", path: "index.json") }
        }
        #expect(throws: StorageError.self) { try DescriptionInspection(Array(bytes.dropLast()), name: "index.json", path: "index.json") }
        // Anybody's JSON, indented or not, is printed as it is.
        let plain = try DescriptionInspection(Array(read.text.utf8), name: "other.json", path: "other.json")
        #expect(!plain.isSummed && plain.text == read.text)
    }
}
