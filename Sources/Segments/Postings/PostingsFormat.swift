// The layout of one term's posting list and positions, shared by writer and reader. A list with
// d = docFreq documents has b = d / 128 full blocks, s = b / 32 full superblocks and a tail of d % 128.
// Format page: docs/formats/postings.md.
//
// d < 128: the tail alone. Otherwise
//
//     size        field
//     H (s + 1)   head and superblock records; the head is one over the whole list
//     R (b + t)   block records; t = 1 when there is a tail, whose record is the last
//     16 n        packed blocks: gaps less one (16 g bytes), then frequencies less one (16 f bytes)
//     ...         tail: per document varint gap less one << 1 | (frequency is 1); then, unless it is 1, the
//                 frequency less two. Without frequencies: varint gap less one
//
// Without frequencies H = 4 and R = 8, else H = R = 24:
//
//     record of a superblock          record of a block
//     0   4   last document           0   4   last document
//     4   1   pairs, 1...9            4   4   offset of the block in the packed blocks / 16 << 6 | g
//     5   1   0                       8   4   positions of the list before the block
//     6   18  pairs                   12  1   f
//                                     13  1   pairs, 1...5
//                                     14  10  pairs
//
// A pair is frequency u8 (255: that or more, unbounded), norm u8: no document of the range scores above the
// best of its pairs, whatever k1, b and average length, since a score rises with the frequency and falls
// with the norm (the norm byte is monotone in the length).
//
// Positions, p = totalTermFreq: p / 128 table entries u32 (offset of the block / 16 << 6 | bits), packed blocks
// of 128, then p % 128 varints. A position is stored as the difference from the one before it in the
// same document (the first from 0), so a document's positions are reached from the sum of the frequencies before it.
//
// Invariants
//     1  Documents strictly rise.
//     2  Pairs rise in frequency and in norm.

package enum PostingsFormat {
    package static let blockSize = 128
    package static let superblockBlocks = 32
    package static let blockPairsMax = 5
    package static let superblockPairsMax = 9
    /// Postings and positions of up to this many bytes stand in the dictionary entry.
    package static let inlineBytesMax = 24
    package static let scoredRecordSize = 24
    package static let plainRecordSize = 8
    package static let plainSuperSize = 4
}

/// Competitive (frequency, norm) pairs of a range of documents: rising in both.
package struct Impacts: Sendable, Equatable {
    /// frequency << 8 | norm, frequencies of 255 and more as 255.
    package private(set) var pairs: [UInt16] = []

    package init() { pairs.reserveCapacity(16) }

    package mutating func removeAll() { pairs.removeAll(keepingCapacity: true) }

    package mutating func insert(frequency: UInt32, norm: UInt8) {
        let f = UInt16(truncatingIfNeeded: min(frequency, 255))
        insert(f << 8 | UInt16(norm))
    }

    package mutating func insert(_ pair: UInt16) {
        let f = pair >> 8, n = pair & 0xFF
        // The first pair with at least this frequency rules it out when its norm is no greater.
        var at = 0
        while at < pairs.count, pairs[at] >> 8 < f { at += 1 }
        if at < pairs.count, pairs[at] & 0xFF <= n { return }
        // Pairs of no greater frequency and no smaller norm are now ruled out: they end at `at`.
        var stop = at
        if stop < pairs.count, pairs[stop] >> 8 == f { stop += 1 }
        var start = at
        while start > 0, pairs[start - 1] & 0xFF >= n { start -= 1 }
        pairs.replaceSubrange(start..<stop, with: CollectionOfOne(pair))
    }

    package mutating func insert(_ other: Impacts) { for pair in other.pairs { insert(pair) } }

    /// At most `limit` pairs that bound the same documents.
    package func reduced(to limit: Int) -> [UInt16] {
        var pairs = pairs
        // Joining neighbours (the greater frequency, the smaller norm) loosens least where norms are close.
        while pairs.count > limit, pairs.count > 1 {
            var best = 0, least = Int.max
            for i in 0..<pairs.count - 1 {
                let cost = Int((pairs[i + 1] & 0xFF) - (pairs[i] & 0xFF)) + 4 * Int((pairs[i + 1] >> 8) - (pairs[i] >> 8))
                if cost < least { (best, least) = (i, cost) }
            }
            pairs[best] = (pairs[best + 1] & 0xFF00) | (pairs[best] & 0xFF)
            pairs.remove(at: best + 1)
        }
        return pairs
    }
}
