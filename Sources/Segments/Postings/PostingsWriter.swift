// Encodes posting lists and positions (PostingsFormat), block by block: the caller hands over up to 128
// documents at a time, so no call crosses a module per posting.

package import Bytes

/// What a field keeps, and the norms its impacts are made of.
package struct PostingsOptions: Sendable, Equatable {
    package var frequencies: Bool
    package var positions: Bool
    package init(frequencies: Bool, positions: Bool) { (self.frequencies, self.positions) = (frequencies, positions) }
}

@safe package struct PostingsWriter: ~Copyable {
    private let docs: UnsafeMutablePointer<UInt32>
    private let freqs: UnsafeMutablePointer<UInt32>
    private let deltas: UnsafeMutablePointer<UInt32>
    private let scratch: UnsafeMutablePointer<UInt32>
    private var fill = 0
    private var positionFill = 0

    private var options = PostingsOptions(frequencies: false, positions: false)
    private var docFreq = 0
    private var totalTermFreq = 0
    private var lastDoc: UInt32 = .max
    private var lastDocOfBlocks: UInt32 = .max
    private var positionsBefore: UInt32 = 0
    private var block = Impacts(), superblock = Impacts(), whole = Impacts()
    private var supers: [UInt8] = []
    private var records: [UInt8] = []
    private var data: [UInt8] = []
    private var positionTable: [UInt8] = []
    private var positionData: [UInt8] = []
    private var blocks = 0

    package init() {
        unsafe docs = .allocate(capacity: 128)
        unsafe freqs = .allocate(capacity: 128)
        unsafe deltas = .allocate(capacity: 128)
        unsafe scratch = .allocate(capacity: 128)
        for unsafe p in unsafe [docs, freqs, deltas, scratch] { unsafe p.initialize(repeating: 0, count: 128) }
    }

    deinit {
        for unsafe p in unsafe [docs, freqs, deltas, scratch] { unsafe p.deallocate() }
    }

    package mutating func beginTerm(_ options: PostingsOptions) {
        self.options = options
        (docFreq, totalTermFreq, fill, positionFill, blocks) = (0, 0, 0, 0, 0)
        (lastDoc, lastDocOfBlocks, positionsBefore) = (.max, .max, 0)
        block.removeAll()
        superblock.removeAll()
        whole.removeAll()
        supers.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        data.removeAll(keepingCapacity: true)
        positionTable.removeAll(keepingCapacity: true)
        positionData.removeAll(keepingCapacity: true)
    }

    /// Safe when `count` documents and frequencies, `positionCount` position differences and the norms of all
    /// documents can be read. Documents rise, also from call to call. `norms` nil: every norm is `norm`.
    package mutating func append(
        docs newDocs: UnsafePointer<UInt32>, frequencies: UnsafePointer<UInt32>, count: Int,
        positions: UnsafePointer<UInt32>, positionCount: Int, norms: UnsafePointer<UInt8>?, norm: UInt8 = 1
    ) {
        for i in 0..<count {
            let f = unsafe frequencies[i]
            unsafe docs[fill] = newDocs[i]
            unsafe freqs[fill] = f
            fill += 1
            docFreq += 1
            totalTermFreq += options.frequencies ? Int(f) : 1
            if fill == 128 { unsafe flushBlock(norms, norm) }
        }
        guard options.positions else { return }
        for i in 0..<positionCount {
            unsafe deltas[positionFill] = positions[i]
            positionFill += 1
            if positionFill == 128 { flushPositions() }
        }
    }

    /// Appends the list to `postings`, its positions to `positions`.
    package mutating func endTerm(
        norms: UnsafePointer<UInt8>?, norm: UInt8 = 1, postings: inout [UInt8], positions: inout [UInt8]
    ) -> (docFreq: Int, totalTermFreq: Int) {
        if blocks > 0 {
            if fill > 0 { unsafe noteTail(norms, norm) }
            whole.insert(superblock)
            writeHead(lastDoc: fill > 0 ? unsafe docs[fill - 1] : lastDocOfBlocks, to: &postings)
            postings.append(contentsOf: supers)
            postings.append(contentsOf: records)
            postings.append(contentsOf: data)
        }
        writeTail(to: &postings)
        positions.append(contentsOf: positionTable)
        positions.append(contentsOf: positionData)
        for i in 0..<positionFill { unsafe varint(deltas[i], to: &positions) }
        return (docFreq, totalTermFreq)
    }

    // MARK: -

    private mutating func flushBlock(_ norms: UnsafePointer<UInt8>?, _ norm: UInt8) {
        var previous = lastDocOfBlocks
        for i in 0..<128 {
            unsafe scratch[i] = docs[i] &- previous &- 1
            unsafe previous = docs[i]
        }
        let g = unsafe PostingKernels.width(scratch)
        let offset = data.count / 16
        unsafe PostingKernels.pack(scratch, bits: g, to: &data)
        var f = 0
        var sum: UInt32 = 0
        if options.frequencies {
            for i in 0..<128 {
                let frequency = unsafe freqs[i]
                unsafe scratch[i] = frequency &- 1
                sum &+= frequency
                unsafe block.insert(frequency: frequency, norm: norms.map { unsafe $0[Int(docs[i])] } ?? norm)
            }
            unsafe f = PostingKernels.width(scratch)
            unsafe PostingKernels.pack(scratch, bits: f, to: &data)
        }
        writeRecord(lastDoc: previous, offset: offset, g: g, f: f)
        positionsBefore &+= sum
        lastDocOfBlocks = previous
        superblock.insert(block)
        block.removeAll()
        fill = 0
        blocks += 1
        if blocks % PostingsFormat.superblockBlocks == 0 {
            writeSuper(lastDoc: previous)
            whole.insert(superblock)
            superblock.removeAll()
        }
    }

    private mutating func noteTail(_ norms: UnsafePointer<UInt8>?, _ norm: UInt8) {
        for i in 0..<fill where options.frequencies {
            unsafe block.insert(frequency: freqs[i], norm: norms.map { unsafe $0[Int(docs[i])] } ?? norm)
        }
        writeRecord(lastDoc: unsafe docs[fill - 1], offset: data.count / 16, g: 0, f: 0)
        whole.insert(block)
        block.removeAll()
    }

    private mutating func writeRecord(lastDoc: UInt32, offset: Int, g: Int, f: Int) {
        fixed(lastDoc, to: &records)
        fixed(UInt32(truncatingIfNeeded: offset << 6 | g), to: &records)
        guard options.frequencies else { return }
        fixed(positionsBefore, to: &records)
        records.append(UInt8(truncatingIfNeeded: f))
        writePairs(block, spare: 0, places: PostingsFormat.blockPairsMax, to: &records)
    }

    private mutating func writeSuper(lastDoc: UInt32) {
        fixed(lastDoc, to: &supers)
        if options.frequencies { writePairs(superblock, spare: 1, places: PostingsFormat.superblockPairsMax, to: &supers) }
    }

    private func writeHead(lastDoc: UInt32, to out: inout [UInt8]) {
        fixed(lastDoc, to: &out)
        if options.frequencies { writePairs(whole, spare: 1, places: PostingsFormat.superblockPairsMax, to: &out) }
    }

    private func writeTail(to out: inout [UInt8]) {
        var previous = lastDocOfBlocks
        for i in 0..<fill {
            let gap = unsafe docs[i] &- previous &- 1
            unsafe previous = docs[i]
            if options.frequencies {
                let f = unsafe freqs[i]
                varint(UInt64(gap) << 1 | (f == 1 ? 1 : 0), to: &out)
                if f != 1 { varint(f &- 2, to: &out) }
            } else {
                varint(gap, to: &out)
            }
        }
    }

    private mutating func flushPositions() {
        let bits = unsafe PostingKernels.width(deltas)
        fixed(UInt32(truncatingIfNeeded: (positionData.count / 16) << 6 | bits), to: &positionTable)
        unsafe PostingKernels.pack(deltas, bits: bits, to: &positionData)
        positionFill = 0
    }

}

// MARK: -

private func writePairs(_ impacts: Impacts, spare: Int, places: Int, to out: inout [UInt8]) {
    let pairs = impacts.reduced(to: places)
    out.append(UInt8(truncatingIfNeeded: pairs.count))
    for _ in 0..<spare { out.append(0) }
    for i in 0..<places {
        let pair = i < pairs.count ? pairs[i] : 0
        out.append(UInt8(truncatingIfNeeded: pair >> 8))
        out.append(UInt8(truncatingIfNeeded: pair))
    }
}

private func fixed(_ value: UInt32, to out: inout [UInt8]) {
    out.append(UInt8(truncatingIfNeeded: value))
    out.append(UInt8(truncatingIfNeeded: value >> 8))
    out.append(UInt8(truncatingIfNeeded: value >> 16))
    out.append(UInt8(truncatingIfNeeded: value >> 24))
}

private func varint(_ value: UInt32, to out: inout [UInt8]) { varint(UInt64(value), to: &out) }

private func varint(_ value: UInt64, to out: inout [UInt8]) {
    var value = value
    while value >= 0x80 {
        out.append(UInt8(truncatingIfNeeded: value) | 0x80)
        value >>= 7
    }
    out.append(UInt8(truncatingIfNeeded: value))
}
