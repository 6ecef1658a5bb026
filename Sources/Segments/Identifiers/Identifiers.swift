// `_id` to document and back. Every update looks its id up in every segment, so a miss must cost little:
// one bucket start and a few tag bytes; the id itself is compared only when a tag agrees.
//
//     0          4       documents (n)
//     4          1       b: 2^b buckets, by the hash's top bits
//     5          3       0
//     8          8       bytes of all ids (s)
//     16         4 (2^b + 1)   where each bucket's entries begin, and the end
//     ...        n       tags: the hash's low byte, by entry
//     ...        4 n     documents, by entry, rising within a bucket
//     ...        packed  where each document's id begins, and the end (n + 1), in the bit width of s
//     ...        s       ids, by document
//     ...        8       0
//
// Invariants
//     1  Buckets hold 4 entries on average; the hash is Hash64.
//     2  Everything read is checked against n and s: a damaged table may miss an id, never read outside.

package import Bytes
package import Storage

package struct Identifiers: @unchecked Sendable {
    package let docCount: Int
    private let bits: Int
    private let section: Section
    private let starts: Int, tags: Int, docs: Int
    private let offsets: PackedInts
    private let ids: Int, idBytes: Int

    package init(_ section: Section, docCount: Int) throws(StorageError) {
        // The whole section is looked at all over, and by every update: its checksums are compared once.
        try section.verifyAll()
        let (n, bits, size) = try section.withBytes { bytes throws(Corruption) in
            var r = ByteReader(bytes)
            let n = Int(try r.fixed(UInt32.self)), bits = Int(try r.byte())
            r.offset = 8
            let size = try r.fixed(UInt64.self)
            guard bits <= 30, size <= UInt64(bytes.byteCount) else { throw Corruption("impossible identifiers", at: 0) }
            return (n, bits, Int(size))
        }
        let width = PackedInts.width(max: UInt64(size))
        starts = 16
        tags = starts + 4 * (1 << bits + 1)
        docs = tags + n
        let offsetsAt = docs + 4 * n
        ids = offsetsAt + PackedInts.byteCount(count: n + 1, width: width)
        guard n == docCount, ids + size + 8 == section.count,
            // Safe: the bytes lie in the mapped section, which is kept; PackedInts checks their length.
            let offsets = unsafe PackedInts(UnsafeRawBufferPointer(rebasing: section.unsafeBytes[offsetsAt...]), count: n + 1, width: width)
        else { throw section.damaged("identifiers do not fit the segment", at: 0) }
        (self.docCount, self.bits, self.section, self.offsets, idBytes) = (n, bits, section, offsets, size)
    }

    /// The last document with that id; it may be deleted.
    package func doc(for id: [UInt8]) throws(StorageError) -> DocID? {
        let hash = Hash64.of(id), tag = UInt8(truncatingIfNeeded: hash)
        let bucket = bits == 0 ? 0 : Int(truncatingIfNeeded: hash >> UInt64(64 - bits))
        // Safe: offsets are within the section by the lengths that `init` compared, and those read from the
        // bytes are checked here. `section` keeps the mapping alive.
        let bytes = unsafe section.unsafeBytes
        let first = Int(unsafe bytes.loadUnaligned(fromByteOffset: starts + 4 * bucket, as: UInt32.self))
        let end = Int(unsafe bytes.loadUnaligned(fromByteOffset: starts + 4 * bucket + 4, as: UInt32.self))
        guard first <= end, end <= docCount else { throw section.damaged("bucket out of bounds", at: starts + 4 * bucket) }
        var i = end
        while i > first {
            i -= 1
            if unsafe bytes[tags + i] != tag { continue }
            let doc = unsafe bytes.loadUnaligned(fromByteOffset: docs + 4 * i, as: UInt32.self)
            let range = try range(of: doc)
            if range.count == id.count, unsafe bytes[range].elementsEqual(id) { return doc }
        }
        return nil
    }

    package func id(of doc: DocID) throws(StorageError) -> [UInt8] {
        let range = try range(of: doc)
        // Safe: `range(of:)` checked the bounds; the bytes are copied.
        return unsafe Array(section.unsafeBytes[range])
    }

    private func range(of doc: DocID) throws(StorageError) -> Range<Int> {
        guard Int(doc) < docCount else { throw section.damaged("no such document", at: docs) }
        let a = offsets[Int(doc)], b = offsets[Int(doc) + 1]
        guard a <= b, b <= UInt64(idBytes) else { throw section.damaged("identifier out of bounds", at: ids) }
        return ids + Int(a)..<ids + Int(b)
    }

    // MARK: Bytes

    /// - Parameter starts: where each document's id begins in `ids`, and the end.
    package static func encode(ids: [UInt8], starts: [Int]) -> [UInt8] {
        let n = starts.count - 1
        var bits = 0
        while (4 << bits) < n, bits < 30 { bits += 1 }
        // Safe: `starts` rise within `ids`.
        let hashes = ids.withUnsafeBytes { bytes in (0..<n).map { unsafe Hash64.of(UnsafeRawBufferPointer(rebasing: bytes[starts[$0]..<starts[$0 + 1]])) } }
        func bucket(_ hash: UInt64) -> Int { bits == 0 ? 0 : Int(truncatingIfNeeded: hash >> UInt64(64 - bits)) }
        var places = [Int](repeating: 0, count: 1 << bits + 1)
        for h in hashes { places[bucket(h) + 1] += 1 }
        for b in 1..<places.count { places[b] += places[b - 1] }
        var out = ByteWriter(reserving: 32 + 4 * places.count + 8 * n + ids.count)
        out.fixed(UInt32(truncatingIfNeeded: n))
        out.fixed(UInt32(bits))
        out.fixed(UInt64(ids.count))
        for p in places { out.fixed(UInt32(truncatingIfNeeded: p)) }
        var entries = [UInt32](repeating: 0, count: n)
        for (doc, h) in hashes.enumerated() {
            let b = bucket(h)
            entries[places[b]] = UInt32(truncatingIfNeeded: doc)
            places[b] += 1
        }
        for e in entries { out.byte(UInt8(truncatingIfNeeded: hashes[Int(e)])) }
        for e in entries { out.fixed(e) }
        pack(starts, max: ids.count, to: &out)
        out.raw(ids)
        out.fixed(UInt64(0))
        return out.bytes
    }
}

/// One number for each document of a segment: versions, sequence numbers, primary terms.
///
///     linear     u8      1: what is packed is the number less its document
///     values             see BlockPacked
///     pad        8       0
///
/// The section is left out when every document has the default.
package struct NumberPerDocument: Sendable {
    private let values: BlockPacked
    private let linear: Bool

    package init(_ section: Section, docCount: Int) throws(StorageError) {
        (values, linear) = try section.withBytes { bytes throws(Corruption) in
            var r = ByteReader(bytes)
            let linear = try r.byte()
            guard linear <= 1 else { throw Corruption("unknown layout", at: 0) }
            return (try BlockPacked(&r, section: section, start: 0, count: docCount), linear == 1)
        }
    }

    package subscript(doc: DocID) -> Int64? {
        Int(doc) < values.count ? values[Int(doc)] &+ (linear ? Int64(doc) : 0) : nil
    }

    /// Nil when every value is `normal`.
    package static func encode(_ values: [Int64], normal: Int64) -> [UInt8]? {
        if values.allSatisfy({ $0 == normal }) { return nil }
        var plain = ByteWriter(), sloped = ByteWriter()
        plain.byte(0)
        BlockPacked.encode(values, to: &plain)
        sloped.byte(1)
        BlockPacked.encode(values.enumerated().map { $1 &- Int64($0) }, to: &sloped)
        var out = sloped.count < plain.count ? sloped : plain
        out.fixed(UInt64(0))
        return out.bytes
    }
}

/// Routing values: few documents have one.
///
///     count      varint
///     for each   document varint (less the one before), routing: length varint, bytes
package enum RoutingTable {
    package static func encode(_ routings: [(doc: DocID, routing: String)]) -> [UInt8] {
        var out = ByteWriter(), before: DocID = 0
        out.varint(routings.count)
        for r in routings {
            out.varint(Int(r.doc - before))
            out.string(r.routing)
            before = r.doc
        }
        return out.bytes
    }

    package static func decode(_ section: Section, docCount: Int) throws(StorageError) -> [DocID: String] {
        try section.withBytes { bytes throws(Corruption) in
            var r = ByteReader(bytes), table: [DocID: String] = [:], doc = 0
            for _ in 0..<(try r.count(max: docCount)) {
                doc += try r.count(max: docCount)
                guard doc < docCount else { throw Corruption("no such document", at: r.offset) }
                table[DocID(doc)] = String(decoding: try r.string(), as: UTF8.self)
            }
            return table
        }
    }
}
