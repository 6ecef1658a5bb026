// Reads the term dictionary: here is a term, where are its postings? (Layout: TermDictionaryFormat.) A look-up
// halves its way through the separators, which stay in cache, and reads through one block of 32 terms.
//
// Invariants
//     1  The index is verified at open; a block when it is read. What the bytes say is bounded before it is used.

internal import Bytes
package import Storage

package struct TermDictionary: Sendable {
    package let termCount: Int
    package let blockCount: Int
    private let index: Section?
    private let blocks: Section?
    private let postingsCount: Int

    package init(_ file: SegmentFile) throws(StorageError) {
        guard let index = file.section(.termIndex), let blocks = file.section(.termBlocks) else {
            (termCount, blockCount, index, blocks, postingsCount) = (0, 0, nil, nil, 0)
            return
        }
        let (blockCount, termCount) = try index.withBytes { span throws(Corruption) in
            var r = ByteReader(span)
            let count = Int(try r.fixed(UInt32.self))
            _ = try r.fixed(UInt32.self)
            let terms = try r.fixed(UInt64.self)
            guard span.byteCount >= 16 + 12 * (count + 1), terms <= UInt64(UInt32.max) * 32 else { throw Corruption("impossible term index", at: 0) }
            return (count, Int(terms))
        }
        (self.blockCount, self.termCount, self.index, self.blocks) = (blockCount, termCount, index, blocks)
        postingsCount = file.section(.postings)?.count ?? 0
    }

    package func find(_ term: [UInt8], field: UInt32) throws(StorageError) -> TermEntry? {
        let key = fieldKey(field) + term
        guard let blocks, let range = try blockRange(holding: key) else { return nil }
        return try blocks.withBytes(range) { span throws(Corruption) in
            try Self.scan(span, for: key, base: range.lowerBound, postingsCount: postingsCount)
        }
    }

    /// Shows terms of `field` from the first at or after `start`, rising, until `body` says stop.
    package func walk(field: UInt32, from start: [UInt8], _ body: (_ term: [UInt8], _ entry: TermEntry) -> TermWalk) throws(StorageError) {
        let head = fieldKey(field)
        guard let blocks, blockCount > 0 else { return }
        var target: [UInt8]? = head + start
        var block = blockIndex(holding: head + start)
        while block < blockCount {
            let range = try blockRange(block)
            var wanted: [UInt8]? = target
            let outcome = try blocks.withBytes(range) { span throws(Corruption) -> Outcome in
                try Self.walkBlock(span, head: head, base: range.lowerBound, postingsCount: postingsCount, target: &wanted, body)
            }
            target = wanted
            switch outcome {
            case .stop: return
            case .next: block += 1
            case .seek:
                // Not in this block: at least one block on.
                block = max(block + 1, blockIndex(holding: target ?? head))
            }
        }
    }

    /// Keys and entries of one block, rising.
    func terms(ofBlock block: Int) throws(StorageError) -> [(key: [UInt8], entry: TermEntry)] {
        guard let blocks else { return [] }
        let range = try blockRange(block)
        return try blocks.withBytes(range) { span throws(Corruption) in
            var r = ByteReader(span)
            var lists = Int(clamping: try r.varint())
            var out: [(key: [UInt8], entry: TermEntry)] = []
            out.reserveCapacity(TermDictionaryFormat.blockTerms)
            var key: [UInt8] = []
            while r.remaining > 0 {
                let at = r.offset
                let shared = try r.count(max: TermDictionaryFormat.keyMax)
                guard shared <= key.count else { throw Corruption("impossible term", at: at) }
                key = key[..<shared] + (try r.raw(try r.count(max: min(TermDictionaryFormat.keyMax - shared, r.remaining))))
                guard key.count >= 4 else { throw Corruption("impossible term", at: at) }
                out.append((key, try Self.readEntry(&r, lists: &lists, base: range.lowerBound, postingsCount: postingsCount)))
            }
            return out
        }
    }

    // MARK: - Index

    private enum Outcome { case next, seek, stop }

    private func blockRange(_ block: Int) throws(StorageError) -> Range<Int> {
        guard let index, let blocks else { return 0..<0 }
        let (start, stop) = try index.withBytes(16 + 8 * block..<32 + 8 * block) { span throws(Corruption) in
            var r = ByteReader(span)
            return (try r.fixed(UInt64.self), try r.fixed(UInt64.self))
        }
        guard start < stop, stop <= UInt64(blocks.count) else { throw index.damaged("impossible term block", at: 16 + 8 * block) }
        return Int(start)..<Int(stop)
    }

    private func blockRange(holding key: [UInt8]) throws(StorageError) -> Range<Int>? {
        blockCount == 0 ? nil : try blockRange(blockIndex(holding: key))
    }

    /// The last block whose separator is not above `key`; the first block when there is none.
    private func blockIndex(holding key: [UInt8]) -> Int {
        guard let index else { return 0 }
        let bytes = unsafe index.unsafeBytes
        let starts = 16 + 8 * (blockCount + 1), first = starts + 4 * (blockCount + 1)
        // Safe: init bounded the tables; separators are clamped to the section.
        return unsafe key.withUnsafeBytes { key in
            var low = 0, high = blockCount
            while high - low > 1 {
                let middle = (low + high) >> 1
                let from = first + Int(UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: starts + 4 * middle, as: UInt32.self)))
                let to = first + Int(UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: starts + 4 * middle + 4, as: UInt32.self)))
                guard from <= to, to <= bytes.count else { high = middle; continue }
                if unsafe compareBytes(UnsafeRawBufferPointer(rebasing: bytes[from..<to]), key) <= 0 { low = middle } else { high = middle }
            }
            return low
        }
    }

    // MARK: - Blocks

    /// Looks for `key` without building any other: `match` bytes of the key at hand agree with it, and the key at
    /// hand is below it.
    private static func scan(_ span: RawSpan, for key: [UInt8], base: Int, postingsCount: Int) throws(Corruption) -> TermEntry? {
        var r = ByteReader(span)
        var lists = Int(clamping: try r.varint())
        var match = 0
        while r.remaining > 0 {
            let shared = try r.count(max: TermDictionaryFormat.keyMax)
            let suffix = try r.count(max: min(TermDictionaryFormat.keyMax - shared, r.remaining))
            let start = r.offset
            if shared < match { return nil }
            var isFound = false
            if shared == match {
                var n = 0
                while n < suffix, match + n < key.count, try r.byte() == key[match + n] { n += 1 }
                if n == suffix { isFound = match + n == key.count }
                else if match + n == key.count || span.unsafeByte(start + n) > key[match + n] { return nil }
                match += n
            }
            r.offset = start + suffix
            let entry = try readEntry(&r, lists: &lists, base: base, postingsCount: postingsCount)
            if isFound { return entry }
        }
        return nil
    }

    private static func walkBlock(
        _ span: RawSpan, head: [UInt8], base: Int, postingsCount: Int, target: inout [UInt8]?,
        _ body: (_ term: [UInt8], _ entry: TermEntry) -> TermWalk
    ) throws(Corruption) -> Outcome {
        var r = ByteReader(span)
        var lists = Int(clamping: try r.varint())
        var key: [UInt8] = []
        while r.remaining > 0 {
            let at = r.offset
            let shared = try r.count(max: TermDictionaryFormat.keyMax)
            guard shared <= key.count else { throw Corruption("impossible term", at: at) }
            key.removeSubrange(shared...)
            key += try r.raw(try r.count(max: min(TermDictionaryFormat.keyMax - shared, r.remaining)))
            let entry = try readEntry(&r, lists: &lists, base: base, postingsCount: postingsCount)
            if let wanted = target {
                if key.lexicographicallyPrecedes(wanted) { continue }
                target = nil
            }
            guard key.count >= 4, key[..<4].elementsEqual(head) else {
                if key.lexicographicallyPrecedes(head) { continue }
                return .stop
            }
            switch body(Array(key[4...]), entry) {
            case .next: break
            case .stop: return .stop
            case .seek(let term): target = head + term
            }
        }
        return target == nil ? .next : .seek
    }

    private static func readEntry(_ r: inout ByteReader, lists: inout Int, base: Int, postingsCount: Int) throws(Corruption) -> TermEntry {
        let at = r.offset
        let code = try r.count(max: Int(UInt32.max) << 3)
        let docFreq = code >> 3, hasPositions = code & 4 != 0, hasFrequencies = code & 2 != 0, isInline = code & 1 != 0
        let extra = hasFrequencies ? try r.count(max: Int(UInt32.max)) : 0
        let postings = try r.count(max: Int(UInt32.max) * 64), positions = hasPositions ? try r.count(max: Int(UInt32.max) * 64) : 0
        let start = isInline ? base + r.offset : lists
        guard isInline ? postings + positions <= r.remaining : postings + positions <= postingsCount - lists else {
            throw Corruption("postings out of bounds", at: at)
        }
        if isInline { r.offset += postings + positions } else { lists += postings + positions }
        return TermEntry(
            docFreq: docFreq, totalTermFreq: docFreq + extra, options: PostingsOptions(frequencies: hasFrequencies, positions: hasPositions),
            isInline: isInline, postings: start..<start + postings, positions: start + postings..<start + postings + positions)
    }
}

// MARK: -

private func compareBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let shared = min(a.count, b.count)
    for i in 0..<shared {
        let x = unsafe a[i], y = unsafe b[i]
        if x != y { return x < y ? -1 : 1 }
    }
    return (a.count - b.count)
}

extension RawSpan {
    /// Safe: bounds are checked here.
    fileprivate func unsafeByte(_ i: Int) -> UInt8 {
        precondition(i >= 0 && i < byteCount)
        return unsafe unsafeLoad(fromUncheckedByteOffset: i, as: UInt8.self)
    }
}
