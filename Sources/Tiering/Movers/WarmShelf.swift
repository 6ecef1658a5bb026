// The warm tier: denormalised orders in an index of the engine. A document's id is its order's, its source the canonical
// bytes, its external version the order's version and below it, in 24 bits, the epoch of the mover that loaded it.

package import Engine
internal import JSON
package import Orders
internal import QueryDSL
internal import Search
import Synchronization

package struct WarmShelf: OrderShelf {
    package let node: Node
    package let name: String
    package var tier: Tier { .warm }
    /// Of one person; beyond it a text search is refused rather than incomplete.
    package static let documentsMax = 100_000

    /// Requests from outside may not write it.
    package static let indexName = "orders-warm"
    /// How many orders the directory places here: with none an index that is not there is empty, with any it is lost.
    private let placed: @Sendable () async throws -> Int64

    package init(node: Node, index name: String = indexName, placed: @escaping @Sendable () async throws -> Int64 = { 0 }) {
        (self.node, self.name, self.placed) = (node, name, placed)
    }

    private func isThere() async throws -> Bool {
        if node.indexNames.contains(name) { return true }
        let orders = try await placed()
        guard orders == 0 else {
            throw StoreError.unavailable("the index \(name) is lost, and \(orders) orders lie in it: restore its newest snapshot, then run `isotherm tier reconcile`")
        }
        return false
    }

    package func prepare() async throws { if !(try await isThere()) { try await rebuild() } }

    package func rebuild() async throws {
        if node.indexNames.contains(name) { return }
        do throws(EngineError) { _ = try await node.createIndex(name, Self.creation) } catch {
            guard error.type == "resource_already_exists_exception" else { throw error }
        }
    }

    package func load(_ orders: [ShelvedOrder], epoch: Int64) async throws { try await load(orders, stamped: epoch) }

    /// Under the highest stamp of its version: a removal that asked for no epoch left that one behind.
    package func reload(_ orders: [ShelvedOrder], epoch: Int64) async throws { try await load(orders, stamped: nil) }

    private func load(_ orders: [ShelvedOrder], stamped epoch: Int64?) async throws {
        let operations = orders.map { order in
            WriteOperation(
                .index, index: name, id: order.id.description, source: order.bytes, version: Self.stamp(order.version, epoch), versionType: .externalGte)
        }
        // Durable before it answers, and visible: a text search must find what the directory is about to say is here.
        for result in try await node.bulk(operations, refresh: .immediate) {
            if let error = result.error, error.type != "version_conflict_engine_exception" { throw error }
        }
    }

    package func read(_ orders: [OrderAddress]) async throws -> ShelfRead {
        guard try await isThere() else { return ShelfRead() }
        var found = ShelfRead()
        for order in orders { if let document = try await node.get(name, id: order.id.description, realtime: false) { found.documents[order.id] = document.source } }
        return found
    }

    package func remove(_ orders: [ShelfKey], epoch: Int64) async throws {
        guard node.indexNames.contains(name), !orders.isEmpty else { return }
        let operations = orders.map {
            WriteOperation(.delete, index: name, id: $0.address.id.description, version: Self.stamp($0.address.version, $0.epoch), versionType: .externalGte)
        }
        // Gone from searches too before it answers.
        for result in try await node.bulk(operations, refresh: .immediate) {
            if let error = result.error, error.type != "version_conflict_engine_exception" { throw error }
        }
    }

    package func documents(of person: PersonRef, from: Instant?, to: Instant?) async throws -> [[UInt8]] {
        var filters: [JSONValue] = [["term": ["person_ref": .string(person.description)]]], range = JSONObject()
        if let from { range["gte"] = .string(from.description) }
        if let to { range["lt"] = .string(to.description) }
        if !range.isEmpty { filters.append(["range": ["placed_at": .object(range)]]) }
        let found = Mutex<[[UInt8]]>([])
        guard try await isThere() else { return [] }
        try await pages(["bool": ["filter": .array(filters)]]) { page in
            let count = found.withLock { found in
                found += page
                return found.count
            }
            guard count <= Self.documentsMax else { throw StoreError.conflict("too many archived orders to search their texts: give a time range") }
        }
        return found.withLock { $0 }
    }

    package func newestEpoch() async throws -> Int64 {
        let newest = Mutex<Int64>(0)
        try await hits(["match_all": [:]]) { page in
            // The highest is no lease's.
            let epoch = page.compactMap(\.version).map { $0 & Self.epochMax }.filter { $0 < Self.epochMax }.max() ?? 0
            newest.withLock { $0 = max($0, epoch) }
        }
        return newest.withLock { $0 }
    }

    package func scan(_ visit: @Sendable ([[UInt8]]) async throws -> Void) async throws { try await pages(["match_all": [:]], visit) }

    private func pages(_ query: JSONValue, _ visit: @Sendable ([[UInt8]]) async throws -> Void) async throws {
        try await hits(query) { page in try await visit(page.compactMap { $0.source.map { Array($0) } }) }
    }

    /// All pages from one snapshot.
    private func hits(_ query: JSONValue, _ visit: @Sendable ([SearchHit]) async throws -> Void) async throws {
        guard node.indexNames.contains(name) else { return }
        let target = SearchExecutor.Target(index: name, snapshot: try node.snapshot(of: name)), executor = node.executor()
        var after: JSONValue?
        while true {
            var body = JSONObject([("query", query), ("sort", [["order_id": "asc"]]), ("size", 1_000), ("track_total_hits", false), ("version", true)])
            if let after { body["search_after"] = .array([after]) }
            let request = try SearchRequest(json: .object(body))
            let hits = try await node.run { try executor.search(request, in: [target]) }.hits
            try await visit(hits)
            guard hits.count == 1_000, let last = hits.last else { return }
            after = .string(last.id)
        }
    }

    // MARK: -

    private static let epochMax: Int64 = 1 << 24 - 1

    private static func stamp(_ version: Int64, _ epoch: Int64?) -> Int64 {
        return min(max(version, 0), 1 << 38) << 24 | min(max(epoch ?? epochMax, 0), epochMax)
    }

    /// What is not named here is kept in the source and not indexed.
    private static var creation: IndexCreation {
        func type(_ name: String) -> JSONValue { ["type": .string(name)] }
        let lines: JSONValue = [
            "properties": ["product_id": type("keyword"), "title": type("text"), "seller_id": type("keyword"), "quantity": type("long"), "total_minor": type("long")]
        ]
        let shipments: JSONValue = ["properties": ["carrier": type("keyword"), "state": type("keyword")]]
        let properties: JSONValue = [
            "order_id": type("keyword"), "reference": type("keyword"), "person_ref": type("keyword"), "placed_at": type("date"), "delivered_at": type("date"),
            "state": type("keyword"), "currency": type("keyword"), "total_minor": type("long"), "paid_minor": type("long"), "refunded_minor": type("long"),
            "version": type("long"), "lines": lines, "shipments": shipments,
        ]
        let settings = JSONObject([("index", ["refresh_interval": "-1", "hidden": true])])
        return IndexCreation(settings: settings, mappings: JSONObject([("dynamic", false), ("properties", properties)]))
    }
}
