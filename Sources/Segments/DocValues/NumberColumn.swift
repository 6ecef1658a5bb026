// A field's numbers by document.
//
//     flags      u8               1: several values in some document; 2: values are sortable doubles
//     coding     u8               0 plain, 0x1p decimal with p places, 0x2p float decimal
//     presence                    see Presence
//     if flags & 1
//       count    varint           values
//     values                      see BlockPacked: by document, each document's rising
//     if flags & 1
//       offsets  packed           for each document with a value, and one more, where its values begin, in
//                                 the bit width of `count`
//
// Invariants
//     1  Every document of the presence has at least one value.
//     2  Offsets rise from 0 to `count`: compared when the column is opened.
// Format page: docs/formats/columns.md.

package import Bytes
package import Storage

package final class NumberColumn: Sendable {
    package let presence: Presence
    package let isMultiValued: Bool
    package let valueCount: Int
    /// The smallest and the largest value.
    package let min: Int64, max: Int64
    package let coding: NumberCoding
    /// Values are sortable doubles.
    package let isDoubles: Bool
    let raws: BlockPacked
    private let offsets: PackedInts?

    // MARK: One document

    /// The lowest value; nil when the document has none.
    package func value(of doc: DocID) -> Int64? {
        guard let rank = presence.rank(of: doc) else { return nil }
        return coding.value(raws[start(rank)])
    }

    /// All values, rising.
    package func values(of doc: DocID) -> [Int64] {
        guard let rank = presence.rank(of: doc) else { return [] }
        return (start(rank)..<start(rank + 1)).map { coding.value(raws[$0]) }
    }

    @inline(__always)
    func start(_ rank: Int) -> Int { offsets.map { Int(truncatingIfNeeded: $0[rank]) } ?? rank }

    // MARK: Many

    /// Replaces the batch's contents with the values of `docs`.
    /// - Parameter docs: rising, below the segment's docCount, at most `ValueBatch.docsMax`.
    package func gather(_ docs: UnsafeBufferPointer<DocID>, into batch: ValueBatch) {
        unsafe gatherRaws(docs, into: batch)
        if coding == .plain { return }
        let out = unsafe batch.values
        for i in 0..<batch.count { unsafe out[i] = coding.value(out[i]) }
    }

    /// The same, as doubles (`batch.doubles`).
    package func gatherDoubles(_ docs: UnsafeBufferPointer<DocID>, _ meaning: NumberMeaning, into batch: ValueBatch) {
        unsafe gatherRaws(docs, into: batch)
        let raws = unsafe batch.values, out = unsafe batch.doubles, n = batch.count
        switch (meaning, coding) {
        case (.double, .decimal(let places)):
            let scale = NumberCoding.powers[places]
            for i in 0..<n { unsafe out[i] = Double(raws[i]) / scale }
        case (.double, .floatDecimal(let places)):
            let scale = NumberCoding.powers[places]
            for i in 0..<n { unsafe out[i] = Double(Float(Double(raws[i]) / scale)) }
        case (.integer, .plain): for i in 0..<n { unsafe out[i] = Double(raws[i]) }
        case (.scaled(let factor), .plain): for i in 0..<n { unsafe out[i] = Double(raws[i]) / factor }
        default: for i in 0..<n { unsafe out[i] = meaning.double(coding.value(raws[i])) }
        }
    }

    private func gatherRaws(_ docs: UnsafeBufferPointer<DocID>, into batch: ValueBatch) {
        precondition(docs.count <= ValueBatch.docsMax)
        if case .all = presence.shape, offsets == nil {
            batch.isIdentity = true
            batch.count = docs.count
            return unsafe decode(docs, to: batch.values)
        }
        batch.isIdentity = false
        var n = 0
        unsafe presence.forEachRank(docs) { position, rank in
            let first = start(rank), end = start(rank + 1)
            batch.grow(to: n + end - first, used: n)
            let positions = unsafe batch.mutablePositions, values = unsafe batch.values
            for i in first..<end {
                unsafe positions[n] = UInt32(truncatingIfNeeded: position)
                unsafe values[n] = raws[i]
                n += 1
            }
        }
        batch.count = n
    }

    /// A block at a time, as documents rise.
    private func decode(_ docs: UnsafeBufferPointer<DocID>, to out: UnsafeMutablePointer<Int64>) {
        let gcd = raws.gcd, n = docs.count
        var i = 0
        unsafe raws.blocks.withUnsafeBufferPointer { blocks in
            while i < n {
                let b = unsafe Int(docs[i]) >> BlockPacked.blockShift
                let block = unsafe blocks[b], end = UInt32(truncatingIfNeeded: (b + 1) << BlockPacked.blockShift)
                let values = block.values, low = block.low
                // Safe: documents are below docCount, which is the number of values here.
                while i < n, unsafe docs[i] < end {
                    unsafe out[i] = low &+ gcd &* Int64(bitPattern: values[Int(docs[i]) & (BlockPacked.blockSize - 1)])
                    i &+= 1
                }
            }
        }
    }

    /// Every (document, value) pair by document.
    package func forEach(_ body: (DocID, Int64) -> Void) {
        var rank = 0
        for doc in presence.docs() {
            for i in start(rank)..<start(rank + 1) { body(doc, coding.value(raws[i])) }
            rank += 1
        }
    }

    /// Documents with a value in `range`: blocks are skipped by their bounds.
    package func documents(in range: ClosedRange<Int64>) -> BitSet {
        var set = BitSet(count: presence.docCount)
        guard let wanted = coding.raws(range, low: raws.low, high: raws.high) else { return set }
        if case .all = presence.shape, offsets == nil {
            for b in raws.blocks.indices { scan(b, wanted, into: &set) }
            return set
        }
        var rank = 0
        for doc in presence.docs() {
            for i in start(rank)..<start(rank + 1) where wanted.contains(raws[i]) { set.insert(Int(doc)) }
            rank += 1
        }
        return set
    }

    /// Whether the document has a value in `range`, for ranges made by `raws(_:)`.
    package func test(in range: ClosedRange<Int64>) -> @Sendable (DocID) -> Bool {
        guard let wanted = coding.raws(range, low: raws.low, high: raws.high) else { return { _ in false } }
        if case .all = presence.shape, offsets == nil {
            let raws = raws
            return { doc in Int(doc) < raws.count && wanted.contains(raws[Int(doc)]) }
        }
        return { [self] doc in
            guard let rank = presence.rank(of: doc) else { return false }
            for i in start(rank)..<start(rank + 1) where wanted.contains(raws[i]) { return true }
            return false
        }
    }

    /// About how many values lie in `range`, from the blocks' bounds.
    package func estimate(in range: ClosedRange<Int64>) -> Int {
        guard let wanted = coding.raws(range, low: raws.low, high: raws.high) else { return 0 }
        var n = 0.0
        for block in raws.blocks {
            let low = Swift.max(wanted.lowerBound, block.low), high = Swift.min(wanted.upperBound, block.high)
            if low > high { continue }
            n += Double(block.values.count) * ((Double(high) - Double(low) + 1) / (Double(block.high) - Double(block.low) + 1))
        }
        return Int(n.rounded(.up))
    }

    /// One block of a column that every document has once: 64 documents make a word. Packed values are compared
    /// as they are, with the range brought to their terms, and without branches. Measured: 1 ns a value.
    private func scan(_ b: Int, _ wanted: ClosedRange<Int64>, into set: inout BitSet) {
        let block = raws.blocks[b], first = b << BlockPacked.blockShift, n = block.values.count
        if block.low > wanted.upperBound || block.high < wanted.lowerBound { return }
        let whole = block.low >= wanted.lowerBound && block.high <= wanted.upperBound || raws.gcd == 0
        let divisor = Swift.max(1, UInt64(bitPattern: raws.gcd)), values = block.values
        let low = wanted.lowerBound <= block.low ? 0 : (UInt64(bitPattern: wanted.lowerBound &- block.low) - 1) / divisor + 1
        let high = UInt64(bitPattern: Swift.min(wanted.upperBound, block.high) &- block.low) / divisor
        if low > high { return }
        let span = high - low
        for word in 0..<(n + 63) / 64 {
            let size = Swift.min(64, n - word * 64)
            var bits: UInt64 = 0
            if whole { bits = size == 64 ? .max : (1 << UInt64(size)) - 1 } else {
                var i = size &- 1
                while i >= 0 {
                    bits = bits &+ bits &+ ((values[word << 6 | i] &- low) <= span ? 1 : 0)
                    i &-= 1
                }
            }
            set.words[first >> 6 + word] = bits
        }
    }

    // MARK: Bytes

    /// - Parameters:
    ///   - docs: rising; a document with several values comes as often. Its values may be in any order.
    ///   - doubles: the values are sortable doubles.
    package static func encode(docs: [DocID], values: [Int64], doubles: Bool, docCount: Int) -> [UInt8] {
        let (coding, raws) = doubles ? NumberCoding.choose(values) : (.plain, values)
        return encode(docs: docs, raws: raws, coding: coding, doubles: doubles, docCount: docCount)
    }

    /// The same with values already coded.
    package static func encode(docs: [DocID], raws: [Int64], coding: NumberCoding, doubles: Bool, docCount: Int) -> [UInt8] {
        precondition(docs.count == raws.count && !docs.isEmpty)
        var (docs, raws) = (docs, raws)
        let offsets = sortWithinDocuments(&docs, &raws)
        var out = ByteWriter(reserving: 64)
        out.byte((offsets == nil ? 0 : 1) | (doubles ? 2 : 0))
        out.byte(coding.byte)
        Presence.encode(docs: docs, docCount: docCount, to: &out)
        if offsets != nil { out.varint(raws.count) }
        BlockPacked.encode(raws, to: &out)
        if let offsets { pack(offsets, max: raws.count, to: &out) }
        return out.bytes
    }

    /// Another column's documents with other values.
    fileprivate init(_ other: NumberColumn, _ coding: NumberCoding, _ raws: BlockPacked) {
        (presence, offsets, isMultiValued, isDoubles, valueCount) = (other.presence, other.offsets, other.isMultiValued, other.isDoubles, other.valueCount)
        (self.coding, self.raws) = (coding, raws)
        (min, max) = (coding.value(raws.low), coding.value(raws.high))
    }

    /// - Parameter range: of the column within `section`; 8 bytes past it can be read.
    package init(section: Section, range: Range<Int>, docCount: Int) throws(StorageError) {
        typealias Parts = (UInt8, Presence, NumberCoding, BlockPacked, PackedInts?)
        let (flags, presence, coding, raws, offsets) = try section.withBytes(range) { bytes throws(Corruption) -> Parts in
            var r = ByteReader(bytes)
            let flags = try r.byte()
            guard flags <= 3, let coding = NumberCoding(byte: try r.byte()) else { throw Corruption("unknown number column", at: 0) }
            let presence = try Presence.decode(&r, docCount: docCount)
            let count = flags & 1 == 0 ? presence.count : try r.count(max: valuesMax(bytes.byteCount))
            guard presence.count > 0, count >= presence.count else { throw Corruption("impossible value count", at: r.offset) }
            let raws = try BlockPacked(&r, section: section, start: range.lowerBound, count: count)
            guard flags & 1 != 0 else { return (flags, presence, coding, raws, nil) }
            let offsets = try readOffsets(&r, section: section, start: range.lowerBound, count: presence.count + 1, total: count)
            return (flags, presence, coding, raws, offsets)
        }
        (self.presence, self.coding, self.raws, self.offsets) = (presence, coding, raws, offsets)
        isMultiValued = offsets != nil
        isDoubles = flags & 2 != 0
        valueCount = raws.count
        (min, max) = (coding.value(raws.low), coding.value(raws.high))
    }
}

// MARK: - Other values

extension NumberColumn {
    package func hasOneValue(_ doc: DocID) -> Bool { presence.rank(of: doc).map { start($0 + 1) - start($0) == 1 } ?? false }

    /// A column with other values for documents that have just one; the rest is shared where it can be. Changes of documents
    /// that have none or several are left out.
    /// - Parameter changes: of several for a document the last counts.
    package func replacing(_ changes: [(doc: DocID, value: Int64)]) -> NumberColumn {
        var values: [Int: Int64] = [:]
        for change in changes where hasOneValue(change.doc) {
            if let rank = presence.rank(of: change.doc) { values[start(rank)] = change.value }
        }
        if values.isEmpty { return self }
        var raws: [(place: Int, value: Int64)] = [], fits = true
        for (place, value) in values {
            if let raw = coding.raw(of: value) { raws.append((place, raw)) } else { fits = false }
        }
        raws.sort { $0.place < $1.place }
        if fits, self.raws.gcd == 1 { return NumberColumn(self, coding, self.raws.replacing(raws)) }
        // Rare: the first patch of a column with another divisor, or a double that the column's decimals cannot hold. From then on blocks do.
        var all = (0..<self.raws.count).map { self.raws[$0] }
        if fits {
            for change in raws { all[change.place] = change.value }
            return NumberColumn(self, coding, BlockPacked(all, owner: self.raws.owner))
        }
        for i in all.indices { all[i] = values[i] ?? coding.value(all[i]) }
        return NumberColumn(self, .plain, BlockPacked(all, owner: self.raws.owner))
    }
}

// MARK: - Several values

/// Sorts each document's values and drops its repeats from `docs`.
/// - Returns: where each document's values begin, and the end; nil when every document has one.
func sortWithinDocuments<V: Comparable>(_ docs: inout [DocID], _ values: inout [V]) -> [Int]? {
    var multi = false
    for i in docs.indices.dropFirst() where docs[i] == docs[i - 1] {
        multi = true
        break
    }
    if !multi { return nil }
    var offsets: [Int] = [], unique: [DocID] = [], i = 0
    while i < docs.count {
        var end = i + 1
        while end < docs.count, docs[end] == docs[i] { end += 1 }
        if end > i + 1 { values[i..<end].sort() }
        offsets.append(i)
        unique.append(docs[i])
        i = end
    }
    offsets.append(values.count)
    docs = unique
    return offsets
}

func pack(_ offsets: [Int], max: Int, to out: inout ByteWriter) {
    var packer = BitPacker(width: PackedInts.width(max: UInt64(max)))
    for o in offsets { packer.append(UInt64(o), to: &out.bytes) }
    packer.finish(&out.bytes)
}

/// How many values a column of so many bytes may claim: equal ones take no bytes, and a claim is memory once
/// values are gathered.
func valuesMax(_ columnBytes: Int) -> Int { 1 << 22 + 64 * columnBytes }

/// Offsets that rise strictly from 0 to `total`: every document has a value.
func readOffsets(_ r: inout ByteReader, section: Section, start: Int, count: Int, total: Int) throws(Corruption) -> PackedInts {
    let width = PackedInts.width(max: UInt64(total)), size = PackedInts.byteCount(count: count, width: width)
    guard size <= r.remaining, start + r.offset <= section.count,
        // Safe: the bytes lie in the mapped section; PackedInts checks their length, the column keeps the section.
        let offsets = unsafe PackedInts(UnsafeRawBufferPointer(rebasing: section.unsafeBytes[(start + r.offset)...]), count: count, width: width)
    else { throw Corruption("truncated offsets", at: r.offset) }
    guard offsets[0] == 0, offsets[count - 1] == UInt64(total) else { throw Corruption("offsets do not span the values", at: r.offset) }
    var before = offsets[0]
    for i in 1..<count {
        let next = offsets[i]
        guard next > before else { throw Corruption("offsets do not rise", at: r.offset) }
        before = next
    }
    r.offset += size
    return offsets
}
