// A batch on the object store: the documents, one a line, and the manifest that proves them. From these two a lost tier is rebuilt and a lost hot is reconciled.
//
//     <batch>/orders.ndjson     canonical documents, rising order identifiers, "\n" after each
//     <batch>/manifest.json     format, batch, from, to, count, bytes, sha256 of orders.ndjson, created_at, expires_at,
//                               orders: [[order_id, version, sha256 of its document], …]
//
// Order matters: the manifest is written last; without one there is no batch.

internal import JSON
package import Orders
internal import Secrets
package import Storage

package struct StagedBatch: Sendable {
    package static func ordersKey(_ prefix: String) -> String { prefix + "/orders.ndjson" }
    package static func manifestKey(_ prefix: String) -> String { prefix + "/manifest.json" }

    package static func lines(_ orders: [ShelvedOrder]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(orders.reduce(0) { $0 + $1.bytes.count + 1 })
        for order in orders {
            bytes += order.bytes
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    package static func manifest(_ batch: MoveBatch, lines: [UInt8]) -> [UInt8] {
        var w = JSONWriter(reserving: 200 + batch.entries.count * 130)
        w.object { w in
            w.member("format", 1)
            w.member("batch", batch.id.description)
            w.member("from", batch.from.rawValue)
            w.member("to", batch.to.rawValue)
            w.member("count", batch.entries.count)
            w.member("bytes", lines.count)
            w.member("sha256", Hexadecimal.text(SHA256.hash(lines)))
            w.member("created_at", batch.startedAt.description)
            w.member("expires_at", batch.expiresAt.description)
            w.key("orders")
            w.array { w in
                for entry in batch.entries {
                    w.array { w in
                        w.string(entry.order.description)
                        w.integer(entry.version)
                        w.string(Hexadecimal.text(entry.digest))
                    }
                }
            }
        }
        return w.bytes
    }

    package static func digest(_ manifest: [UInt8]) -> String { Hexadecimal.text(SHA256.hash(manifest)) }

    /// The documents of a batch, each checked against its digest in the journal; nil when they are not there or not what was staged.
    package static func read(_ batch: MoveBatch, from store: any ObjectStore) async throws -> [ShelvedOrder]? {
        let manifest: [UInt8], lines: [UInt8]
        do throws(ObjectStoreError) {
            manifest = try await store.get(manifestKey(batch.staging))
            lines = try await store.get(ordersKey(batch.staging))
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
        guard digest(manifest) == batch.manifest else { return nil }
        let documents = lines.split(separator: UInt8(ascii: "\n"))
        guard documents.count == batch.entries.count else { return nil }
        var orders: [ShelvedOrder] = []
        orders.reserveCapacity(documents.count)
        for (entry, document) in zip(batch.entries, documents) {
            let bytes = Array(document)
            guard OrderDocument.digest(of: bytes) == entry.digest else { return nil }
            orders.append(ShelvedOrder(id: entry.order, version: entry.version, bytes: bytes))
        }
        return orders
    }

    // MARK: - Copies that recalls left

    /// `left/<moment it expires at, microseconds>-<random>`: the form of a batch, of documents that are about to be removed.
    package static func keep(_ orders: [ShelvedOrder], until: Instant, in store: any ObjectStore) async throws {
        let id = MoveID(.random()), prefix = "left/\(until.microseconds)-\(id)", lines = lines(orders)
        let entries = orders.map { MoveEntry(order: $0.id, version: $0.version, digest: OrderDocument.digest(of: $0.bytes)) }
        // From and to say nothing here: they lay where the directory no longer said.
        let batch = MoveBatch(id: id, from: .warm, to: .cold, staging: prefix, startedAt: until, expiresAt: until, entries: entries)
        try await store.put(ordersKey(prefix), lines)
        try await store.put(manifestKey(prefix), manifest(batch, lines: lines))
    }

    package static func clearKept(before now: Instant, from store: any ObjectStore) async throws {
        let prefixes = Set(try await store.listAll(prefix: "left/").compactMap { entry in entry.key.lastIndex(of: "/").map { String(entry.key[..<$0]) } })
        for prefix in prefixes.sorted() {
            guard let until = prefix.dropFirst(5).split(separator: "-").first.flatMap({ Int64($0) }), until <= now.microseconds else { continue }
            try await clear(prefix, from: store)
        }
    }

    /// Every staged document that its manifest proves, batch by batch, with the tier that the batch goes to; nil for copies that were left.
    package static func scan(_ store: any ObjectStore, _ visit: @Sendable ([[UInt8]], Tier?) async throws -> Void) async throws {
        for root in ["moves/", "left/"] {
            for entry in try await store.listAll(prefix: root) where entry.key.hasSuffix("/manifest.json") {
                let prefix = String(entry.key.dropLast("/manifest.json".count))
                let manifest = try JSONValue.parse(try await store.get(manifestKey(prefix))), lines: [UInt8]
                do throws(ObjectStoreError) { lines = try await store.get(ordersKey(prefix)) } catch {
                    // Cleared while we look.
                    if error.kind == .notFound { continue }
                    throw error
                }
                guard manifest["sha256"]?.string == Hexadecimal.text(SHA256.hash(lines)) else { continue }
                let tier = root == "left/" ? nil : manifest["to"]?.string.flatMap { Tier(rawValue: $0) }
                try await visit(lines.split(separator: UInt8(ascii: "\n")).map { Array($0) }, tier)
            }
        }
    }

    /// Removes both; the manifest first, so that what is left is no batch.
    package static func clear(_ prefix: String, from store: any ObjectStore) async throws {
        try await store.delete(manifestKey(prefix))
        try await store.delete(ordersKey(prefix))
    }
}
