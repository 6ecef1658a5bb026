// A field's keywords by document: ordinals into the sorted terms of the field in this segment.
//
//     flags      u8               1: several terms in some document
//     presence                    see Presence
//     if flags & 1
//       count    varint           (document, term) pairs
//     terms                       see TermTable
//     ordinals   packed           by document, each document's rising, in the bit width of termCount - 1
//     if flags & 1
//       offsets  packed           as in NumberColumn
//
// Invariants
//     1  A document has a term at most once.
//     2  An ordinal at or past `termCount` cannot come from a writer; readers clamp it and so stay in bounds.

package import Bytes
package import Storage

package final class KeywordColumn: Sendable {
    package let presence: Presence
    package let isMultiValued: Bool
    /// (document, term) pairs.
    package let valueCount: Int
    package let terms: TermTable
    private let packed: PackedInts
    private let offsets: PackedInts?
    /// Keeps the mapped bytes alive.
    private let owner: Section

    package var termCount: Int { terms.count }
    /// Counters that `count` needs: at least termCount.
    package var ordinalBound: Int { 1 << packed.width }

    // MARK: One document

    /// Rising; empty when the document has no term.
    package func ordinals(of doc: DocID) -> [UInt32] {
        guard let rank = presence.rank(of: doc) else { return [] }
        return (start(rank)..<start(rank + 1)).map { ordinal($0) }
    }

    package func term(_ ordinal: UInt32) throws(StorageError) -> [UInt8] { try terms.term(Int(ordinal)) }

    /// The ordinal of a term, nil when no document has it.
    package func ordinal(of term: [UInt8]) throws(StorageError) -> UInt32? {
        let (place, found) = try terms.place(of: term)
        return found ? UInt32(truncatingIfNeeded: place) : nil
    }

    @inline(__always) private func start(_ rank: Int) -> Int { offsets.map { Int(truncatingIfNeeded: $0[rank]) } ?? rank }
    @inline(__always) private func ordinal(_ i: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: Swift.min(packed[i], UInt64(terms.count - 1)))
    }

    // MARK: Many

    /// Adds one to the counter of every (document, term) of `docs`.
    /// - Parameters:
    ///   - docs: rising, below the segment's docCount.
    ///   - counters: at least `ordinalBound`.
    /// - Returns: how many of `docs` have a term.
    package func count(_ docs: UnsafeBufferPointer<DocID>, into counters: UnsafeMutableBufferPointer<UInt32>) -> Int {
        precondition(counters.count >= ordinalBound)
        guard let counters = counters.baseAddress else { return 0 }
        let packed = packed
        if case .all = presence.shape, offsets == nil {
            // Safe: documents are below docCount, which is the number of ordinals; an ordinal is below 2^width.
            for unsafe d in unsafe docs { unsafe counters[Int(truncatingIfNeeded: packed[Int(d)])] &+= 1 }
            return docs.count
        }
        var n = 0
        unsafe presence.forEachRank(docs) { _, rank in
            for i in start(rank)..<start(rank &+ 1) { unsafe counters[Int(truncatingIfNeeded: packed[i])] &+= 1 }
            n &+= 1
        }
        return n
    }

    /// Replaces the batch's contents with the ordinals of `docs`.
    package func gather(_ docs: UnsafeBufferPointer<DocID>, into batch: ValueBatch) {
        precondition(docs.count <= ValueBatch.docsMax)
        let packed = packed, last = Int64(terms.count - 1)
        if case .all = presence.shape, offsets == nil {
            batch.isIdentity = true
            batch.count = docs.count
            let out = unsafe batch.values
            for i in 0..<docs.count { unsafe out[i] = Swift.min(Int64(bitPattern: packed[Int(docs[i])]), last) }
            return
        }
        batch.isIdentity = false
        var n = 0
        unsafe presence.forEachRank(docs) { position, rank in
            let first = start(rank), end = start(rank &+ 1)
            batch.grow(to: n + end - first, used: n)
            let positions = unsafe batch.mutablePositions, values = unsafe batch.values
            for i in first..<end {
                unsafe positions[n] = UInt32(truncatingIfNeeded: position)
                unsafe values[n] = Swift.min(Int64(bitPattern: packed[i]), last)
                n &+= 1
            }
        }
        batch.count = n
    }

    /// Every (document, ordinal) pair by document.
    package func forEach(_ body: (DocID, UInt32) -> Void) {
        var rank = 0
        for doc in presence.docs() {
            for i in start(rank)..<start(rank &+ 1) { body(doc, ordinal(i)) }
            rank &+= 1
        }
    }

    /// Documents that have a term in `range`.
    package func documents(_ range: Range<UInt32>) -> BitSet {
        var set = BitSet(count: presence.docCount)
        var rank = 0
        for doc in presence.docs() {
            for i in start(rank)..<start(rank + 1) where range.contains(ordinal(i)) { set.insert(Int(doc)) }
            rank += 1
        }
        return set
    }

    // MARK: Bytes

    /// - Parameters:
    ///   - docs: rising; a document with several terms comes as often, with each term once.
    ///   - ordinals: into `terms`.
    ///   - terms: sorted by bytes, no repeats; every one is used.
    package static func encode(docs: [DocID], ordinals: [UInt32], terms: [ArraySlice<UInt8>], docCount: Int) -> [UInt8] {
        precondition(docs.count == ordinals.count && !docs.isEmpty && !terms.isEmpty)
        var (docs, ordinals) = (docs, ordinals)
        let offsets = sortWithinDocuments(&docs, &ordinals)
        var out = ByteWriter(reserving: 64)
        out.byte(offsets == nil ? 0 : 1)
        Presence.encode(docs: docs, docCount: docCount, to: &out)
        if offsets != nil { out.varint(ordinals.count) }
        TermTable.encode(terms, to: &out)
        var packer = BitPacker(width: PackedInts.width(max: UInt64(terms.count - 1)))
        for o in ordinals { packer.append(UInt64(o), to: &out.bytes) }
        packer.finish(&out.bytes)
        if let offsets { pack(offsets, max: ordinals.count, to: &out) }
        return out.bytes
    }

    package init(section: Section, range: Range<Int>, docCount: Int) throws(StorageError) {
        typealias Parts = (Presence, TermTable, PackedInts, PackedInts?)
        let (presence, terms, packed, offsets) = try section.withBytes(range) { bytes throws(Corruption) -> Parts in
            var r = ByteReader(bytes)
            let flags = try r.byte()
            guard flags <= 1 else { throw Corruption("unknown keyword column", at: 0) }
            let presence = try Presence.decode(&r, docCount: docCount)
            let count = flags & 1 == 0 ? presence.count : try r.count(max: valuesMax(bytes.byteCount))
            guard presence.count > 0, count >= presence.count else { throw Corruption("impossible value count", at: r.offset) }
            let terms = try TermTable(&r, section: section, start: range.lowerBound, termsMax: count)
            let width = PackedInts.width(max: UInt64(terms.count - 1)), size = PackedInts.byteCount(count: count, width: width)
            guard size <= r.remaining,
                // Safe: the bytes lie in the mapped section, which `owner` keeps; PackedInts checks their length.
                let packed = unsafe PackedInts(UnsafeRawBufferPointer(rebasing: section.unsafeBytes[(range.lowerBound + r.offset)...]), count: count, width: width)
            else { throw Corruption("truncated ordinals", at: r.offset) }
            r.offset += size
            guard flags & 1 != 0 else { return (presence, terms, packed, nil) }
            let offsets = try readOffsets(&r, section: section, start: range.lowerBound, count: presence.count + 1, total: count)
            return (presence, terms, packed, offsets)
        }
        (self.presence, self.terms, self.packed, self.offsets) = (presence, terms, packed, offsets)
        isMultiValued = offsets != nil
        valueCount = packed.count
        owner = section
    }
}
