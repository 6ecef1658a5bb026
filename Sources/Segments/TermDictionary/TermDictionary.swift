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
        guard blockCount > 0, term.count <= TermDictionaryFormat.keyMax - 4 else { return nil }
        var found: Result<TermEntry?, StorageError> = .success(nil)
        // Safe: the key's memory holds 4 bytes and the term's.
        unsafe withUnsafeTemporaryAllocation(byteCount: 4 + term.count, alignment: 4) { key in
            unsafe key.storeBytes(of: field.bigEndian, as: UInt32.self)
            unsafe term.withUnsafeBytes { bytes in unsafe UnsafeMutableRawBufferPointer(rebasing: key[4...]).copyMemory(from: bytes) }
            do throws(StorageError) { found = .success(unsafe try find(UnsafeRawBufferPointer(key))) } catch { found = .failure(error) }
        }
        return try found.get()
    }

    private func find(_ key: UnsafeRawBufferPointer) throws(StorageError) -> TermEntry? {
        guard let blocks, let range = unsafe try blockRange(blockIndex(holding: key)) else { return nil }
        try blocks.verify(range)
        do throws(Corruption) {
            // Safe: `verify` bounded the range.
            return unsafe try Self.scan(UnsafeRawBufferPointer(rebasing: blocks.unsafeBytes[range]), for: key, base: range.lowerBound, postingsCount: postingsCount)
        } catch { throw blocks.damaged(error.reason, at: range.lowerBound + error.offset) }
    }

    /// Shows terms of `field` from the first at or after `start`, rising, until `body` says stop.
    package func walk(field: UInt32, from start: [UInt8], _ body: (_ term: [UInt8], _ entry: TermEntry) -> TermWalk) throws(StorageError) {
        let head = fieldKey(field)
        guard let blocks, blockCount > 0 else { return }
        var target: [UInt8]? = head + start
        var block = blockIndex(holding: head + start)
        while block < blockCount {
            guard let range = try blockRange(block) else { return }
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
        guard let blocks, let range = try blockRange(block) else { return [] }
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

    private func blockRange(_ block: Int) throws(StorageError) -> Range<Int>? {
        guard let index, let blocks, block < blockCount else { return nil }
        let entries = unsafe index.unsafeBytes
        // Safe: init verified the index, which has a place for each block and one more.
        let start = UInt64(littleEndian: unsafe entries.loadUnaligned(fromByteOffset: 16 + 8 * block, as: UInt64.self))
        let stop = UInt64(littleEndian: unsafe entries.loadUnaligned(fromByteOffset: 24 + 8 * block, as: UInt64.self))
        guard start < stop, stop <= UInt64(blocks.count) else { throw index.damaged("impossible term block", at: 16 + 8 * block) }
        return Int(start)..<Int(stop)
    }

    /// The last block whose separator is not above `key`; the first block when there is none.
    private func blockIndex(holding key: [UInt8]) -> Int { unsafe key.withUnsafeBytes { unsafe blockIndex(holding: $0) } }

    private func blockIndex(holding key: UnsafeRawBufferPointer) -> Int {
        guard let index else { return 0 }
        let bytes = unsafe index.unsafeBytes
        let starts = 16 + 8 * (blockCount + 1), first = starts + 4 * (blockCount + 1)
        // Safe: init bounded the tables; separators are clamped to the section.
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

    // MARK: - Blocks

    /// Looks for `key` without building any other: `match` bytes of the key at hand agree with it, and the key at
    /// hand is below it. Entries that are passed over cost their varints only.
    private static func scan(_ block: UnsafeRawBufferPointer, for key: UnsafeRawBufferPointer, base: Int, postingsCount: Int) throws(Corruption) -> TermEntry? {
        var r = unsafe BlockCursor(block)
        var lists = r.count(max: .max)
        var match = 0
        while !r.isAtEnd {
            let shared = r.count(max: TermDictionaryFormat.keyMax)
            let suffix = r.count(max: min(TermDictionaryFormat.keyMax - shared, r.remaining))
            let start = r.offset
            if r.isDamaged { throw Corruption("impossible term", at: start) }
            if shared < match { return nil }
            var isFound = false
            if shared == match {
                var n = 0
                // Safe: `suffix` bytes remain in the block, and `match + n` is compared with the key's length.
                while n < suffix, match + n < key.count, unsafe block[start + n] == key[match + n] { n += 1 }
                if n == suffix { isFound = match + n == key.count }
                else if match + n == key.count || (unsafe block[start + n] > key[match + n]) { return nil }
                match += n
            }
            r.offset = start + suffix
            let at = r.offset
            let code = r.count(max: Int(UInt32.max) << 3)
            let extra = code & 2 != 0 ? r.count(max: Int(UInt32.max)) : 0
            let postings = r.count(max: Int(UInt32.max) * 64), positions = code & 4 != 0 ? r.count(max: Int(UInt32.max) * 64) : 0
            let isInline = code & 1 != 0
            guard !r.isDamaged, postings + positions <= (isInline ? r.remaining : postingsCount - lists) else { throw Corruption("postings out of bounds", at: at) }
            let from = isInline ? base + r.offset : lists
            if isFound {
                return TermEntry(
                    docFreq: code >> 3, totalTermFreq: code >> 3 + extra, options: PostingsOptions(frequencies: code & 2 != 0, positions: code & 4 != 0),
                    isInline: isInline, postings: from..<from + postings, positions: from + postings..<from + postings + positions)
            }
            if isInline { r.offset += postings + positions } else { lists += postings + positions }
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

/// Reads varints of a block; past its end and past their bounds, zeros and `isDamaged`.
@safe private struct BlockCursor {
    private let bytes: UnsafeRawBufferPointer
    /// Within the block.
    var offset = 0
    private(set) var isDamaged = false

    /// Safe while the bytes are readable.
    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    var remaining: Int { unsafe bytes.count - offset }
    var isAtEnd: Bool { remaining <= 0 }

    @inline(__always)
    mutating func count(max: Int) -> Int {
        // Safe: the offset is compared with the count; most varints have one byte.
        if remaining > 0 {
            let byte = unsafe Int(bytes[offset])
            if byte < 0x80, byte <= max {
                offset += 1
                return byte
            }
        }
        return longCount(max: max)
    }

    @inline(never)
    private mutating func longCount(max: Int) -> Int {
        var value: UInt64 = 0, shift: UInt64 = 0
        while remaining > 0, shift < 63 {
            let byte = unsafe bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                if value <= UInt64(max) { return Int(value) }
                break
            }
            shift += 7
        }
        isDamaged = true
        return 0
    }
}
