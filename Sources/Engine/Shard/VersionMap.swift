// Versions of documents that were written since they last became part of a published segment, and of ones
// deleted lately: what a write or a real-time read must know before it looks into segments.
//
// Striped by a hash of the id. Whoever writes an id holds its stripe from look-up to log, so the operations
// on one id have one order: in memory, in the translog, and in sequence numbers.

internal import Segments

final class VersionMap: Sendable {
    struct Entry {
        var version: Int64
        var seqNo: Int64
        var primaryTerm: Int64
        /// The write buffer (by segment number) whose sealing makes this known without the map.
        var carrier: UInt32
        /// Its number in that buffer; nil when it was deleted.
        var doc: DocID?
        var routing: String?
        /// Other values of updatable columns, all since the document was last published: it lies in a segment, and `doc` says only that it is not deleted.
        var patches: [FieldPatch] = []
        /// Of a deletion: until when it is remembered for version checks, monotonic milliseconds.
        var forgetAt: Int64 = 0
    }

    final class Stripe: @unchecked Sendable {
        let monitor = Monitor()
        /// Guarded by `monitor`.
        var entries: [String: Entry] = [:]
    }

    private let stripes: [Stripe]
    /// index.gc_deletes.
    static let deletesKeptMilliseconds: Int64 = 60_000
    private static let tombstonesPerStripeMax = 10_000

    init() { stripes = (0..<64).map { _ in Stripe() } }

    func stripe(of id: String) -> Stripe { stripes[Int(truncatingIfNeeded: Self.hash(id) >> 32) & 63] }

    /// FNV-1a, the same in every process: bulk requests are shared out by it too.
    static func hash(_ id: String) -> UInt64 {
        var h: UInt64 = 0xCBF2_9CE4_8422_2325
        for b in id.utf8 { h = (h ^ UInt64(b)) &* 0x100_0000_01B3 }
        return h ^ (h >> 29)
    }

    /// Forgets what the segments made from these buffers now tell, and deletions past their time.
    func purge(published: Set<UInt32>, now: Int64) {
        for stripe in stripes {
            stripe.monitor.locked {
                var tombstones = 0
                for (id, entry) in stripe.entries {
                    if entry.doc != nil {
                        if published.contains(entry.carrier) { stripe.entries[id] = nil }
                    } else if published.contains(entry.carrier) || entry.carrier == 0 {
                        tombstones += 1
                        if entry.forgetAt <= now || tombstones > Self.tombstonesPerStripeMax { stripe.entries[id] = nil } else { stripe.entries[id]?.carrier = 0 }
                    }
                }
            }
        }
    }

    var count: Int { stripes.reduce(0) { n, s in n + s.monitor.locked { s.entries.count } } }
}
