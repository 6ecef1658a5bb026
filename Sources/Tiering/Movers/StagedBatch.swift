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

    /// Removes both; the manifest first, so that what is left is no batch.
    package static func clear(_ prefix: String, from store: any ObjectStore) async throws {
        try await store.delete(manifestKey(prefix))
        try await store.delete(ordersKey(prefix))
    }
}
