// One term's postings, decoded block by block into the caller's memory (layout: PostingsFormat). A view
// of pointers: whoever holds it keeps the segment's file alive, and has its bytes verified before it is made.
//
// Invariants
//     1  Nothing outside the list's own bytes is read, whatever they say; documents handed out are below docCount
//        and rise. A block that breaks this decodes to no documents at all.
//     2  Blocks 0..<blockCount have 128 documents; with a tail there is one more block.

public import Bytes

@safe public struct PostingList {
    public let docFreq: Int
    public let totalTermFreq: Int
    package let options: PostingsOptions
    /// Full blocks, and blocks with the tail.
    public let fullBlocks: Int
    public let blockCount: Int
    /// Records exist: the list has at least one full block.
    public let hasRecords: Bool
    /// Full superblocks: the first 32 * superCount blocks.
    public let superCount: Int
    @usableFromInline let docCount: UInt32
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let byteCount: Int
    @usableFromInline let superSize: Int
    @usableFromInline let recordSize: Int
    @usableFromInline let recordsOffset: Int
    @usableFromInline let dataOffset: Int
    public let positionsBase: UnsafeRawPointer
    public let positionsCount: Int

    /// Nil when the sizes cannot be. Safe while `postings` and `positions` stay readable.
    package init?(
        docFreq: Int, totalTermFreq: Int, options: PostingsOptions, docCount: Int,
        postings: UnsafeRawBufferPointer, positions: UnsafeRawBufferPointer
    ) {
        guard docFreq > 0, docFreq <= docCount, totalTermFreq >= docFreq, totalTermFreq <= Int(UInt32.max) else { return nil }
        self.docFreq = docFreq
        self.totalTermFreq = totalTermFreq
        self.options = options
        self.docCount = UInt32(truncatingIfNeeded: docCount)
        fullBlocks = docFreq / 128
        blockCount = (docFreq + 127) / 128
        hasRecords = docFreq >= 128
        superCount = fullBlocks / PostingsFormat.superblockBlocks
        superSize = options.frequencies ? PostingsFormat.scoredRecordSize : PostingsFormat.plainSuperSize
        recordSize = options.frequencies ? PostingsFormat.scoredRecordSize : PostingsFormat.plainRecordSize
        recordsOffset = hasRecords ? superSize * (superCount + 1) : 0
        dataOffset = hasRecords ? recordsOffset + recordSize * blockCount : 0
        byteCount = postings.count
        guard let start = postings.baseAddress, dataOffset <= postings.count else { return nil }
        unsafe base = start
        unsafe positionsBase = positions.baseAddress ?? start
        positionsCount = positions.count
        if options.positions, 4 * (totalTermFreq / 128) > positions.count { return nil }
    }

    // Safe: records lie below dataOffset, which init bounded; callers pass blocks below blockCount.
    @inlinable func word(_ offset: Int) -> UInt32 { UInt32(littleEndian: unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }

    /// The last document of a block; a bound past all documents when the list has no records.
    @inlinable public func lastDoc(_ block: Int) -> UInt32 {
        hasRecords ? word(recordsOffset &+ recordSize &* block) : docCount &- 1
    }

    @inlinable public func lastDoc(superblock: Int) -> UInt32 { word(superSize &* (superblock &+ 1)) }

    /// The first block at or after `block` that may hold a document >= `target`; blockCount when none does.
    @inlinable public func block(from block: Int, holding target: UInt32) -> Int {
        if block >= blockCount || lastDoc(block) >= target { return block }
        // Gallop, then halve: lastDoc(low) < target throughout.
        var low = block, step = 1
        while low + step < blockCount, lastDoc(low + step) < target {
            low += step
            step &+= step
        }
        var high = min(low + step, blockCount)
        while high - low > 1 {
            let middle = (low + high) >> 1
            if lastDoc(middle) < target { low = middle } else { high = middle }
        }
        return high
    }

    /// Writes the block's documents; returns how many, 0 when the block is damaged. The tail's frequencies are
    /// written too.
    public func decode(_ block: Int, docs: UnsafeMutablePointer<UInt32>, frequencies: UnsafeMutablePointer<UInt32>) -> Int {
        if block >= fullBlocks { return unsafe decodeTail(docs, frequencies) }
        let at = recordsOffset + recordSize * block
        let place = word(at + 4)
        let g = Int(place & 63), offset = dataOffset + Int(place >> 6) * 16
        let previous = block == 0 ? UInt32.max : word(at - recordSize)
        let last = word(at)
        guard g <= 32, offset + 16 * g <= byteCount, last < docCount, block == 0 || previous < last else { return 0 }
        unsafe PostingKernels.unpackRising(base + offset, bits: g, after: previous, into: docs)
        guard unsafe docs[127] == last else { return 0 }
        // Gaps below 2^24 cannot wrap around within 128 documents; wider ones are looked at.
        if g > 24 {
            for i in 1..<128 where unsafe docs[i] <= docs[i - 1] { return 0 }
        }
        return 128
    }

    /// The frequencies of a full block (the tail's come with `decode`).
    public func decodeFrequencies(_ block: Int, into out: UnsafeMutablePointer<UInt32>) {
        if block >= fullBlocks { return }
        guard options.frequencies else { return unsafe out.update(repeating: 1, count: 128) }
        let at = recordsOffset + recordSize * block
        let place = word(at + 4), f = Int(word(at + 12) & 0xFF)
        let offset = dataOffset + Int(place >> 6) * 16 + 16 * Int(place & 63)
        guard f <= 32, offset + 16 * f <= byteCount else { return unsafe out.update(repeating: 1, count: 128) }
        if f == 0 { return unsafe out.update(repeating: 1, count: 128) }
        unsafe PostingKernels.unpack(base + offset, bits: f, into: out)
        for i in 0..<128 { unsafe out[i] &+= 1 }
    }

    /// Positions of the list before the block's first document.
    public func positionsBefore(_ block: Int) -> Int {
        hasRecords && options.frequencies ? Int(word(recordsOffset + recordSize * block + 8)) : 0
    }

    // MARK: Impacts

    /// The greatest frequency * inverse[norm] of a block; infinite where frequencies were cut off.
    /// Safe when `inverse` has 256 entries.
    public func impact(_ block: Int, inverse: UnsafePointer<Float>) -> Float {
        guard hasRecords, options.frequencies else { return unsafe unbounded(inverse) }
        let at = recordsOffset + recordSize * block + 13
        return unsafe best(at + 1, count: Int(base.load(fromByteOffset: at, as: UInt8.self)), max: PostingsFormat.blockPairsMax, inverse)
    }

    public func impact(superblock: Int, inverse: UnsafePointer<Float>) -> Float {
        guard hasRecords, options.frequencies else { return unsafe unbounded(inverse) }
        let at = superSize * (superblock + 1) + 4
        return unsafe best(at + 2, count: Int(base.load(fromByteOffset: at, as: UInt8.self)), max: PostingsFormat.superblockPairsMax, inverse)
    }

    /// Of the whole list.
    public func impact(inverse: UnsafePointer<Float>) -> Float { unsafe impact(superblock: -1, inverse: inverse) }

    private func unbounded(_ inverse: UnsafePointer<Float>) -> Float {
        // Without frequencies each counts 1, and the shortest norm scores best.
        options.frequencies ? .infinity : unsafe inverse[0]
    }

    private func best(_ at: Int, count: Int, max limit: Int, _ inverse: UnsafePointer<Float>) -> Float {
        var x: Float = 0
        for i in 0..<min(count, limit) {
            let f = unsafe base.load(fromByteOffset: at + 2 * i, as: UInt8.self)
            let norm = unsafe base.load(fromByteOffset: at + 2 * i + 1, as: UInt8.self)
            x = max(x, f == 255 ? .infinity : unsafe Float(f) * inverse[Int(norm)])
        }
        return x
    }

    // MARK: -

    private func decodeTail(_ docs: UnsafeMutablePointer<UInt32>, _ frequencies: UnsafeMutablePointer<UInt32>) -> Int {
        let count = docFreq - 128 * fullBlocks
        guard count > 0 else { return 0 }
        var previous = UInt32.max, offset = 0
        if hasRecords {
            let at = recordsOffset + recordSize * fullBlocks
            previous = word(at - recordSize)
            offset = dataOffset + Int(word(at + 4) >> 6) * 16
            guard offset <= byteCount else { return 0 }
        }
        var p = unsafe VarintCursor(base + offset, end: base + byteCount)
        for i in 0..<count {
            let code = p.next()
            var f: UInt32 = 1
            var gap = code
            if options.frequencies {
                gap = code >> 1
                if code & 1 == 0 { f = UInt32(truncatingIfNeeded: p.next()) &+ 2 }
            }
            let doc = UInt64(previous &+ 1) &+ gap
            guard doc < UInt64(docCount), gap <= UInt64(docCount) else { return 0 }
            previous = UInt32(truncatingIfNeeded: doc)
            unsafe docs[i] = previous
            unsafe frequencies[i] = f
        }
        return p.isDamaged ? 0 : count
    }
}

/// Reads varints up to an end; past it, zeros and `isDamaged`.
@safe struct VarintCursor {
    private var p: UnsafeRawPointer
    private let end: UnsafeRawPointer
    private(set) var isDamaged = false

    init(_ start: UnsafeRawPointer, end: UnsafeRawPointer) { unsafe (p, self.end) = (start, end) }

    @inline(__always)
    mutating func next() -> UInt64 {
        var value: UInt64 = 0, shift: UInt64 = 0
        while unsafe p < end, shift < 63 {
            let byte = unsafe p.load(as: UInt8.self)
            unsafe p += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        isDamaged = true
        return 0
    }
}

/// Reads positions of one list by their place in it. Holds one decoded block of 128.
@safe public struct PositionReader {
    private let list: PostingList
    private let buffer: UnsafeMutablePointer<UInt32>
    private var decoded = -1
    /// The bytes cannot be what a writer wrote.
    public private(set) var isDamaged = false

    /// Safe while the list is, and `buffer` has 128 places.
    public init(_ list: PostingList, buffer: UnsafeMutablePointer<UInt32>) {
        self.list = list
        unsafe self.buffer = buffer
    }

    /// Writes the absolute positions of a document: `count` from the list's `start`th on.
    /// Safe when `out` has `count` places.
    public mutating func read(from start: Int, count: Int, into out: UnsafeMutablePointer<UInt32>) {
        var position: UInt32 = 0, done = 0
        while done < count {
            let at = start + done
            if list.totalTermFreq <= at { isDamaged = true; break }
            if at / 128 != decoded { decode(at / 128) }
            let from = at % 128, n = min(count - done, 128 - from)
            for i in 0..<n {
                unsafe position &+= buffer[from + i]
                unsafe out[done + i] = position
            }
            done += n
        }
        while done < count { unsafe out[done] = .max; done += 1 }
    }

    private mutating func decode(_ block: Int) {
        decoded = block
        let full = list.totalTermFreq / 128
        let base = unsafe list.positionsBase, total = list.positionsCount
        func place(_ b: Int) -> (offset: Int, bits: Int) {
            let word = UInt32(littleEndian: unsafe base.loadUnaligned(fromByteOffset: 4 * b, as: UInt32.self))
            return (4 * full + Int(word >> 6) * 16, Int(word & 63))
        }
        if block < full {
            let (offset, bits) = place(block)
            guard bits <= 32, offset + 16 * bits <= total else { return damage() }
            unsafe PostingKernels.unpack(base + offset, bits: bits, into: buffer)
            return
        }
        var offset = 0
        if full > 0 {
            let (last, bits) = place(full - 1)
            offset = last + 16 * bits
        }
        guard offset <= total else { return damage() }
        var p = unsafe VarintCursor(base + offset, end: base + total)
        let rest = list.totalTermFreq % 128
        for i in 0..<rest { unsafe buffer[i] = UInt32(truncatingIfNeeded: p.next()) }
        if p.isDamaged { isDamaged = true }
    }

    private mutating func damage() {
        isDamaged = true
        unsafe buffer.update(repeating: 0, count: 128)
    }
}
