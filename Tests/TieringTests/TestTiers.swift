// A store and an index in a folder of their own, both on real files, and short words for what a test does with them.

import Engine
import Foundation
import IsothermTesting
import JSON
import Orders
import OrdersSQLite
import QueryDSL
import Search
import Secrets
import Storage
import Tiering

final class TestTiers: Sendable {
    let folder: String
    let store: SQLiteOrderStore
    let node: Node
    let catalogue: CatalogueSearch
    let projector: CatalogueProjector
    static let start = Instant(seconds: 1_700_000_000)

    /// - Parameter root: of the index; nil for real files beside the store's.
    init(root: (any Directory)? = nil, background: Bool = true, idle: Duration = .milliseconds(20)) async throws {
        folder = NSTemporaryDirectory() + "isotherm-tiers-\(Bytes16.random())"
        try FileManager.default.createDirectory(atPath: folder + "/hot", withIntermediateDirectories: true)
        store = try SQLiteOrderStore(path: folder + "/hot/isotherm.db", keys: KeyRing(master: [UInt8](repeating: 7, count: 32)))
        node = try await Self.node(try root ?? FileDirectory(folder, create: true), background: background)
        catalogue = CatalogueSearch(node: node)
        projector = CatalogueProjector(store: store, catalogue: catalogue, idle: idle)
        try await projector.prepare()
    }

    static func node(_ root: any Directory, background: Bool) async throws -> Node {
        var options = NodeOptions()
        options.background = background
        return try await Node.open(root: root, options: options)
    }

    func close() async {
        await node.close()
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    @discardableResult
    func run(_ action: StoreCommand.Action) async throws -> StoreOutcome {
        try await store.perform(StoreCommand(action, by: Caller(.staff("test"), .support, at: Self.start)))
    }

    func product(_ id: ProductID, stock: Int64, lot: String = "none", title: String? = nil) async throws {
        try await run(.putProduct(ProductDraft(
            id, title: title ?? "Title of \(id)", price: Money(1_000, "EUR"), seller: lot, attributes: #"{"lot":"\#(lot)"}"#)))
        try await run(.setStock(id, available: stock))
    }

    func person() async throws -> PersonRef { PersonRef(try await run(.putPerson(PersonDraft(name: "Ada"))).id ?? .random()) }

    /// Follows the outbox to its end.
    func catchUp() async throws { while try await projector.step() > 0 {} }

    static func request(_ text: String) throws -> SearchRequest { try SearchRequest(json: try JSONValue.parse(text)) }
}

extension SearchHit {
    var object: JSONObject { source.flatMap { try? JSONValue.parse($0).object } ?? JSONObject() }
}
