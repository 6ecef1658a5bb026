// Which documents of a segment are alive: the one thing about a segment that changes, so it has files of its
// own, each written once.
//
// File `<segment>.<generation>.live`, little-endian:
//
//     offset    size   field
//     0         8      magic "ISOTHERM"
//     8         4      structure "LIVE"
//     12        4      format version (1)
//     16        16     segment id
//     32        4      n: documents of the segment
//     36        4      deleted documents
//     40        8 w    w = ceil(n / 64) words: bit i of word i / 64 is 1 when document i is alive; unused bits 0
//     40 + 8 w  4      CRC-32C of all before
// Format page: docs/formats/live-docs.md.

package import Bytes
package import Storage

package enum LiveDocs {
    package static let version: UInt32 = 1

    package static func fileName(segment: String, generation: UInt64) -> String { "\(segment).\(generation).live" }

    package static func encode(_ live: BitSet, id: SegmentID) -> [UInt8] {
        var w = ByteWriter(reserving: 44 + 8 * live.words.count)
        w.raw("ISOTHERM".utf8)
        w.raw("LIVE".utf8)
        w.fixed(version)
        w.fixed(id.high)
        w.fixed(id.low)
        w.fixed(UInt32(clamping: live.count))
        w.fixed(UInt32(clamping: live.count - live.cardinality()))
        for word in live.words { w.fixed(word) }
        w.fixed(CRC32C.of(w.bytes))
        return w.bytes
    }

    package static func decode(_ bytes: [UInt8], id: SegmentID, docCount: Int, path: String) throws(StorageError) -> BitSet {
        let found: (version: UInt32, live: BitSet)
        do throws(Corruption) {
            let span = bytes.span.bytes
            var r = ByteReader(span)
            guard try r.raw(8) == Array("ISOTHERM".utf8), try r.raw(4) == Array("LIVE".utf8) else { throw Corruption("not a live docs file", at: 0) }
            let version = try r.fixed(UInt32.self), bodyEnd = bytes.count - 4
            guard bodyEnd >= 40 else { throw Corruption("cut short", at: bytes.count) }
            var tail = ByteReader(span, at: bodyEnd)
            guard try tail.fixed(UInt32.self) == CRC32C.of(span.extracting(0..<bodyEnd)) else { throw Corruption("checksum differs", at: bodyEnd) }
            if version == Self.version {
                guard SegmentID(high: try r.fixed(), low: try r.fixed()) == id else { throw Corruption("belongs to another segment", at: 16) }
                guard Int(try r.fixed(UInt32.self)) == docCount, bodyEnd == 40 + 8 * ((docCount + 63) / 64) else {
                    throw Corruption("document count differs from the segment's", at: 32)
                }
                let deleted = Int(try r.fixed(UInt32.self))
                var live = BitSet(count: docCount)
                for i in live.words.indices { live.words[i] = try r.fixed() }
                if docCount & 63 != 0, let last = live.words.last, last >> UInt64(docCount & 63) != 0 { throw Corruption("bits past the end", at: bodyEnd - 8) }
                guard live.cardinality() == docCount - deleted else { throw Corruption("deleted count differs", at: 36) }
                found = (version, live)
            } else { found = (version, BitSet(count: 0)) }
        } catch { throw StorageError(error, path: path) }
        guard found.version == version else {
            throw StorageError(found.version > version ? .tooNew : .tooOld, path: path, "live docs format \(found.version); this build reads \(version)", at: 12)
        }
        return found.live
    }
}
