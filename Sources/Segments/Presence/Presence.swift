// Which documents have a value of a field, and the rank of each among them: where its values begin in a
// column that holds nothing for the others.
//
//     count    varint            documents with a value; equal to docCount: all of them, and nothing follows
//     then for each 65,536 documents
//       kind   u8                0 none, 1 sorted array, 2 bitmap, 3 all
//       1:     varint n - 1, then n u16, rising
//       2:     one u64 for each 64 documents of the chunk
//
// In memory a field that few documents have is a sorted array, another a bit set with a rank per word:
// ranks are counted when the column is opened, so damaged ones cannot be read.
//
// Invariants
//     1  An array holds at most 4,096 documents: a longer one is smaller as a bitmap.
//     2  `count` is the number of documents in the chunks: compared when read.

package import Bytes

package struct Presence: Sendable {
    package enum Shape: Sendable {
        case all
        /// Rising.
        case sorted([DocID])
        /// With the number of members before each word.
        case bits(BitSet, ranks: [UInt32])
    }

    package let shape: Shape
    /// Documents with a value.
    package let count: Int
    package let docCount: Int

    package static let chunkSize = 65_536
    /// At most one document in so many: kept as a sorted array in memory.
    static let sparseness = 64

    /// - Parameter docs: rising, below `docCount`.
    package init(docs: [DocID], docCount: Int) {
        self.docCount = docCount
        count = docs.count
        if docs.count == docCount { shape = .all } else if docs.count <= docCount / Self.sparseness { shape = .sorted(docs) } else {
            var set = BitSet(count: docCount)
            for d in docs { set.insert(Int(d)) }
            shape = Self.ranked(set)
        }
    }

    package func contains(_ doc: DocID) -> Bool { rank(of: doc) != nil }

    /// How many documents before `doc` have a value; nil when `doc` has none.
    @inline(__always)
    package func rank(of doc: DocID) -> Int? {
        switch shape {
        case .all: return Int(doc) < docCount ? Int(doc) : nil
        case .sorted(let docs):
            let i = Self.lowerBound(docs, doc)
            return i < docs.count && docs[i] == doc ? i : nil
        case .bits(let set, let ranks):
            let i = Int(doc)
            guard i < set.count else { return nil }
            let word = set.words[i >> 6], bit = UInt64(i & 63)
            guard word >> bit & 1 != 0 else { return nil }
            return Int(ranks[i >> 6]) + (word & ((1 << bit) - 1)).nonzeroBitCount
        }
    }

    package func bitSet() -> BitSet {
        switch shape {
        case .all: return BitSet(count: docCount, all: true)
        case .bits(let set, _): return set
        case .sorted(let docs):
            var set = BitSet(count: docCount)
            for d in docs { set.insert(Int(d)) }
            return set
        }
    }

    /// Rising.
    package func docs() -> [DocID] {
        switch shape {
        case .all: return (0..<UInt32(docCount)).map { $0 }
        case .sorted(let docs): return docs
        case .bits(let set, _):
            var docs: [DocID] = []
            docs.reserveCapacity(count)
            set.forEach { docs.append(DocID($0)) }
            return docs
        }
    }

    // MARK: Bytes

    package static func encode(docs: [DocID], docCount: Int, to out: inout ByteWriter) {
        out.varint(docs.count)
        if docs.count == docCount { return }
        var i = 0, base = 0
        while base < docCount {
            let size = min(chunkSize, docCount - base), start = i
            while i < docs.count, Int(docs[i]) < base + size { i += 1 }
            let n = i - start
            if n == 0 { out.byte(0) } else if n == size { out.byte(3) } else if n <= 4096, 2 * n + 3 < size / 8 + 1 || size < 512 {
                out.byte(1)
                out.varint(n - 1)
                for d in docs[start..<i] { out.fixed(UInt16(truncatingIfNeeded: Int(d) - base)) }
            } else {
                out.byte(2)
                var words = [UInt64](repeating: 0, count: (size + 63) / 64)
                for d in docs[start..<i] { words[(Int(d) - base) >> 6] |= 1 << UInt64((Int(d) - base) & 63) }
                for w in words { out.fixed(w) }
            }
            base += size
        }
    }

    package static func decode(_ r: inout ByteReader, docCount: Int) throws(Corruption) -> Presence {
        let start = r.offset
        let count = try r.count(max: docCount)
        if count == docCount { return Presence(shape: .all, count: count, docCount: docCount) }
        let sparse = count <= docCount / sparseness
        var docs: [DocID] = [], set = BitSet(count: sparse ? 0 : docCount), seen = 0
        docs.reserveCapacity(sparse ? count : 0)
        for base in stride(from: 0, to: docCount, by: chunkSize) {
            let size = min(chunkSize, docCount - base), at = r.offset
            switch try r.byte() {
            case 0: break
            case 1:
                let n = try r.count(max: 4095) + 1
                guard n <= size, seen + n <= count else { throw Corruption("impossible presence", at: at) }
                var before = -1
                for _ in 0..<n {
                    let low = Int(try r.fixed(UInt16.self))
                    guard low > before, low < size else { throw Corruption("documents do not rise", at: r.offset - 2) }
                    if sparse { docs.append(DocID(base + low)) } else { set.insert(base + low) }
                    before = low
                }
                seen += n
            case 2:
                for w in 0..<(size + 63) / 64 {
                    var word = try r.fixed(UInt64.self)
                    guard size - 64 * w >= 64 || word >> UInt64(size - 64 * w) == 0 else { throw Corruption("presence past the end", at: r.offset - 8) }
                    seen += word.nonzeroBitCount
                    guard seen <= count else { throw Corruption("impossible presence", at: r.offset - 8) }
                    if !sparse { set.words[base >> 6 + w] = word; continue }
                    while word != 0 {
                        docs.append(DocID(base + 64 * w + word.trailingZeroBitCount))
                        word &= word - 1
                    }
                }
            case 3:
                seen += size
                guard seen <= count else { throw Corruption("impossible presence", at: at) }
                for i in base..<base + size { if sparse { docs.append(DocID(i)) } else { set.insert(i) } }
            default: throw Corruption("unknown presence", at: at)
            }
        }
        guard seen == count else { throw Corruption("presence count differs", at: start) }
        return Presence(shape: sparse ? .sorted(docs) : ranked(set), count: count, docCount: docCount)
    }

    // MARK: -

    private init(shape: Shape, count: Int, docCount: Int) { (self.shape, self.count, self.docCount) = (shape, count, docCount) }

    private static func ranked(_ set: BitSet) -> Shape {
        var ranks = [UInt32](repeating: 0, count: set.words.count), n: UInt32 = 0
        for (i, w) in set.words.enumerated() {
            ranks[i] = n
            n += UInt32(w.nonzeroBitCount)
        }
        return .bits(set, ranks: ranks)
    }

    static func lowerBound(_ docs: [DocID], _ doc: DocID) -> Int {
        var low = 0, high = docs.count
        while low < high {
            let middle = (low + high) / 2
            if docs[middle] < doc { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

// MARK: - Batches

extension Presence {
    /// Calls `body` with (position in `docs`, rank) for each of `docs` that has a value.
    /// - Parameter docs: rising, below `docCount`.
    @inline(__always)
    func forEachRank(_ docs: UnsafeBufferPointer<DocID>, _ body: (Int, Int) -> Void) {
        let n = docs.count
        if n == 0 { return }
        switch shape {
        case .all: for i in 0..<n { unsafe body(i, Int(docs[i])) }
        case .bits(let set, let ranks):
            set.words.withUnsafeBufferPointer { words in
                ranks.withUnsafeBufferPointer { ranks in
                    for i in 0..<n {
                        let doc = unsafe Int(docs[i])
                        let word = unsafe words[doc >> 6], bit = UInt64(doc & 63)
                        if word >> bit & 1 != 0 { unsafe body(i, Int(ranks[doc >> 6]) &+ (word & ((1 << bit) &- 1)).nonzeroBitCount) }
                    }
                }
            }
        case .sorted(let all):
            var i = 0, rank = Self.lowerBound(all, unsafe docs[0])
            while i < n, rank < all.count {
                let doc = unsafe docs[i]
                if all[rank] < doc { rank += 1 } else {
                    if all[rank] == doc { body(i, rank) }
                    i += 1
                }
            }
        }
    }
}
