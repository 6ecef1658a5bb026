// The sorted terms of a keyword column: ordinal to term and back. Front-coded in blocks of 16: a term is
// what it shares with the one before, and the rest.
//
//     count      varint           at least 1
//     size       varint           bytes of all blocks
//     starts     packed           for each block, and one more, where it begins, in the bit width of `size`
//     blocks     for each term: shared varint (not for a block's first), rest: length varint, bytes
//
// Invariants
//     1  Terms strictly rise by bytes: `place(of:)` relies on it, and is wrong, not unsafe, without it.

package import Bytes
package import Storage

package struct TermTable: Sendable {
    package static let blockSize = 16
    static let termBytesMax = 1 << 20

    package let count: Int
    private let starts: PackedInts
    private let section: Section
    /// Of the blocks within the section.
    private let base: Int, size: Int

    /// - Precondition: 0 <= ordinal < count.
    package func term(_ ordinal: Int) throws(StorageError) -> [UInt8] {
        precondition(ordinal >= 0 && ordinal < count)
        var term: [UInt8] = []
        term.reserveCapacity(64)
        let last = ordinal % Self.blockSize
        try withBlock(ordinal / Self.blockSize) { r throws(Corruption) in for i in 0...last { try Self.advance(&r, i, &term) } }
        return term
    }

    /// Every term with its ordinal, in order.
    package func forEach(_ body: (Int, [UInt8]) throws(StorageError) -> Void) throws(StorageError) {
        var terms: [[UInt8]] = []
        for block in 0..<blockCount {
            terms.removeAll(keepingCapacity: true)
            let n = min(Self.blockSize, count - block * Self.blockSize)
            try withBlock(block) { r throws(Corruption) in
                var term: [UInt8] = []
                for i in 0..<n {
                    try Self.advance(&r, i, &term)
                    terms.append(term)
                }
            }
            for (i, term) in terms.enumerated() { try body(block * Self.blockSize + i, term) }
        }
    }

    /// The ordinal of `term`, or, when it is not here, of the first term above it (count: none is).
    package func place(of term: [UInt8]) throws(StorageError) -> (ordinal: Int, found: Bool) {
        var low = 0, high = blockCount - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if precedes(term, try self.term(middle * Self.blockSize)) { high = middle - 1 } else { low = middle }
        }
        let n = min(Self.blockSize, count - low * Self.blockSize), first = low * Self.blockSize
        var answer = (ordinal: first + n, found: false)
        try withBlock(low) { r throws(Corruption) in
            var current: [UInt8] = []
            for i in 0..<n {
                try Self.advance(&r, i, &current)
                if !precedes(current, term) {
                    answer = (first + i, current == term)
                    return
                }
            }
        }
        return answer
    }

    // MARK: Bytes

    package static func encode(_ terms: [ArraySlice<UInt8>], to out: inout ByteWriter) {
        var blocks = ByteWriter(), starts: [Int] = []
        for (i, term) in terms.enumerated() {
            if i % blockSize == 0 {
                starts.append(blocks.count)
                blocks.string(term)
            } else {
                var shared = 0
                for (a, b) in zip(terms[i - 1], term) {
                    if a != b { break }
                    shared += 1
                }
                blocks.varint(shared)
                blocks.string(term.dropFirst(shared))
            }
        }
        starts.append(blocks.count)
        out.varint(terms.count)
        out.varint(blocks.count)
        pack(starts, max: blocks.count, to: &out)
        out.raw(blocks.bytes)
    }

    init(_ r: inout ByteReader, section: Section, start: Int, termsMax: Int) throws(Corruption) {
        let at = r.offset
        count = try r.count(max: Swift.min(termsMax, 1 << 31))
        size = try r.count(max: r.remaining)
        guard count > 0 else { throw Corruption("no terms", at: at) }
        let blocks = (count + Self.blockSize - 1) / Self.blockSize
        let width = PackedInts.width(max: UInt64(size)), bytes = PackedInts.byteCount(count: blocks + 1, width: width)
        guard bytes <= r.remaining, size <= r.remaining - bytes,
            // Safe: the bytes lie in the mapped section, which `section` keeps; PackedInts checks their length.
            let starts = unsafe PackedInts(UnsafeRawBufferPointer(rebasing: section.unsafeBytes[(start + r.offset)...]), count: blocks + 1, width: width)
        else { throw Corruption("truncated terms", at: at) }
        self.starts = starts
        self.section = section
        base = start + r.offset + bytes
        r.offset += bytes + size
    }

    // MARK: -

    private var blockCount: Int { (count + Self.blockSize - 1) / Self.blockSize }

    private func withBlock(_ block: Int, _ body: (inout ByteReader) throws(Corruption) -> Void) throws(StorageError) {
        let start = Int(truncatingIfNeeded: starts[block]), end = Int(truncatingIfNeeded: starts[block + 1])
        guard start >= 0, start <= end, end <= size else { throw section.damaged("term block out of bounds", at: base) }
        // The column's bytes were verified when it was opened.
        try section.withBytes(base + start..<base + end) { bytes throws(Corruption) in
            var r = ByteReader(bytes)
            try body(&r)
        }
    }

    /// Turns the term before into the next.
    @inline(__always)
    private static func advance(_ r: inout ByteReader, _ i: Int, _ term: inout [UInt8]) throws(Corruption) {
        let shared = i == 0 ? 0 : try r.count(max: term.count)
        term.removeLast(term.count - shared)
        try r.string(appendingTo: &term)
        guard term.count <= termBytesMax else { throw Corruption("term too long", at: r.offset) }
    }
}

/// Byte order, a prefix first.
@inline(__always)
func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.lexicographicallyPrecedes(b) }
