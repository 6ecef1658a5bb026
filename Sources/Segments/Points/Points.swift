// Numbers in order of value, with their documents: a range becomes a run, found by two binary searches and
// read in time proportional to what it holds. Cheaper than scanning the column when few documents match.
//
//     flags      u8               2: values are sortable doubles
//     coding     u8               see NumberCoding
//     count      varint           values
//     values                      see BlockPacked; rising
//     documents  packed           of each value, rising among equal ones, in the bit width of docCount - 1
//
// Invariants
//     1  Values rise: searches rely on it, and are wrong, not unsafe, without it.
//     2  A document at or past docCount is left out when read.

package import Bytes
package import Storage

package final class Points: Sendable {
    package let isDoubles: Bool
    package let docCount: Int
    private let coding: NumberCoding
    private let raws: BlockPacked
    private let docs: PackedInts

    /// Values, not documents.
    package var count: Int { raws.count }

    /// Where values in `range` lie in the order of values.
    package func places(_ range: ClosedRange<Int64>) -> Range<Int> {
        guard let wanted = coding.raws(range, low: raws.low, high: raws.high) else { return 0..<0 }
        let first = partition { $0 >= wanted.lowerBound }
        return first..<Swift.max(first, partition { $0 > wanted.upperBound })
    }

    /// Documents with a value in `range`.
    package func documents(in range: ClosedRange<Int64>) -> BitSet {
        var set = BitSet(count: docCount)
        for i in places(range) {
            let doc = Int(truncatingIfNeeded: docs[i])
            if doc >= 0, doc < docCount { set.insert(doc) }
        }
        return set
    }

    /// All (value, document) pairs in order of value.
    package func forEach(_ body: (Int64, DocID) -> Void) {
        for i in 0..<count where docs[i] < UInt64(docCount) { body(coding.value(raws[i]), DocID(truncatingIfNeeded: docs[i])) }
    }

    // MARK: Bytes

    /// - Parameter docs: rising, below `docCount`; a document with several values comes as often.
    package static func encode(docs: [DocID], values: [Int64], doubles: Bool, docCount: Int) -> [UInt8] {
        let (coding, raws) = doubles ? NumberCoding.choose(values) : (.plain, values)
        return encode(docs: docs, raws: raws, coding: coding, doubles: doubles, docCount: docCount)
    }

    /// The same with values already coded.
    package static func encode(docs: [DocID], raws: [Int64], coding: NumberCoding, doubles: Bool, docCount: Int) -> [UInt8] {
        precondition(docs.count == raws.count && !docs.isEmpty)
        let (raws, docs) = sorted(raws, docs)
        var out = ByteWriter(reserving: 64)
        out.byte(doubles ? 2 : 0)
        out.byte(coding.byte)
        out.varint(raws.count)
        BlockPacked.encode(raws, to: &out)
        var packer = BitPacker(width: PackedInts.width(max: UInt64(max(0, docCount - 1))))
        for d in docs { packer.append(UInt64(d), to: &out.bytes) }
        packer.finish(&out.bytes)
        return out.bytes
    }

    /// By value, documents in their order among equal ones: a radix sort by 11 bits of the distance from the
    /// least, lowest first. Measured: 5 times as fast as a sort by comparison on a million prices.
    private static func sorted(_ raws: [Int64], _ docs: [DocID]) -> ([Int64], [DocID]) {
        var least = raws[0], greatest = raws[0]
        for r in raws {
            if r < least { least = r }
            if r > greatest { greatest = r }
        }
        let bits = 64 - UInt64(bitPattern: greatest &- least).leadingZeroBitCount
        var (values, docs) = (raws, docs)
        var nextValues = values, nextDocs = docs
        for shift in stride(from: 0, to: bits, by: 11) {
            var places = [Int](repeating: 0, count: 2049)
            for v in values { places[Int(truncatingIfNeeded: UInt64(bitPattern: v &- least) >> UInt64(shift) & 2047) + 1] += 1 }
            for i in 1..<2049 { places[i] += places[i - 1] }
            for i in values.indices {
                let digit = Int(truncatingIfNeeded: UInt64(bitPattern: values[i] &- least) >> UInt64(shift) & 2047)
                nextValues[places[digit]] = values[i]
                nextDocs[places[digit]] = docs[i]
                places[digit] += 1
            }
            swap(&values, &nextValues)
            swap(&docs, &nextDocs)
        }
        return (values, docs)
    }

    package init(section: Section, range: Range<Int>, docCount: Int) throws(StorageError) {
        typealias Parts = (UInt8, NumberCoding, BlockPacked, PackedInts)
        let (flags, coding, raws, docs) = try section.withBytes(range) { bytes throws(Corruption) -> Parts in
            var r = ByteReader(bytes)
            let flags = try r.byte()
            guard flags & ~2 == 0, let coding = NumberCoding(byte: try r.byte()) else { throw Corruption("unknown points", at: 0) }
            let count = try r.count(max: valuesMax(bytes.byteCount))
            let raws = try BlockPacked(&r, section: section, start: range.lowerBound, count: count)
            let width = PackedInts.width(max: UInt64(Swift.max(0, docCount - 1))), size = PackedInts.byteCount(count: count, width: width)
            guard count > 0, size <= r.remaining,
                // Safe: the bytes lie in the mapped section, which `raws` keeps; PackedInts checks their length.
                let docs = unsafe PackedInts(UnsafeRawBufferPointer(rebasing: section.unsafeBytes[(range.lowerBound + r.offset)...]), count: count, width: width)
            else { throw Corruption("truncated points", at: r.offset) }
            return (flags, coding, raws, docs)
        }
        (self.coding, self.raws, self.docs, self.docCount) = (coding, raws, docs, docCount)
        isDoubles = flags & 2 != 0
    }

    // MARK: -

    /// The first place for which the rising predicate holds: a block by its bounds, then a value in it.
    private func partition(_ holds: (Int64) -> Bool) -> Int {
        var low = 0, high = raws.blocks.count
        while low < high {
            let middle = (low + high) / 2
            if holds(raws.blocks[middle].high) { high = middle } else { low = middle + 1 }
        }
        if low == raws.blocks.count { return count }
        var first = low * BlockPacked.blockSize, end = first + raws.blocks[low].values.count
        while first < end {
            let middle = (first + end) / 2
            if holds(raws[middle]) { end = middle } else { first = middle + 1 }
        }
        return first
    }
}
