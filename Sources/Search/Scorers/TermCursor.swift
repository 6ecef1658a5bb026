// A place in one posting list, with the block around it decoded. A plain struct of pointers, held by its node
// and used through a pointer, so the hot loops meet neither reference counts nor exclusivity checks.

internal import Bytes
internal import Segments

@safe struct TermCursor {
    let list: PostingList
    let norms: FieldNorms
    /// 1 / (k1 * (1 - b + b * length / average)) by norm byte. The plan's: held by whoever holds the node.
    let inverse: UnsafePointer<Float>
    let weight: Float
    /// The decoded block: 128 places and room for vector loads; documents past `count` are UInt32.max.
    let docs: UnsafeMutablePointer<UInt32>
    let frequencies: UnsafeMutablePointer<UInt32>
    private(set) var block = -1
    private(set) var count = 0
    /// Documents of the decoded block lie in floor..<=last.
    private var floor: UInt32 = 0
    private(set) var last: UInt32 = 0
    /// A place in the block that searches start from.
    var place = 0
    private var hasFrequencies = false
    /// Of the scorer: set when a block's bytes cannot be what a writer wrote.
    let damage: UnsafeMutablePointer<Bool>
    /// Of the bounds, which may run ahead of the postings.
    private var boundBlock = 0
    private var boundOf = -1
    private var boundValue: Float = 0
    private var wholeBound: Float = -1

    init(list: PostingList, norms: FieldNorms, inverse: UnsafePointer<Float>, weight: Float, damage: UnsafeMutablePointer<Bool>) {
        unsafe self.damage = unsafe damage
        self.list = list
        self.norms = norms
        self.weight = weight
        unsafe self.inverse = unsafe inverse
        unsafe docs = .allocate(capacity: 136)
        unsafe frequencies = .allocate(capacity: 136)
        unsafe docs.initialize(repeating: .max, count: 136)
        unsafe frequencies.initialize(repeating: 1, count: 136)
    }

    func free() {
        unsafe docs.deallocate()
        unsafe frequencies.deallocate()
    }

    // MARK: Moving

    /// The decoded block is the one that may hold `doc`.
    @inline(__always)
    func isIn(_ doc: UInt32) -> Bool { block >= 0 && doc >= floor && doc <= last }

    /// Decodes the block that may hold `target`; false when no document at or after it is left.
    @inline(__always)
    mutating func seek(_ target: UInt32) -> Bool {
        if block >= 0, target >= floor, target <= last { return true }
        return seekBlock(target)
    }

    @inline(never)
    private mutating func seekBlock(_ target: UInt32) -> Bool {
        let from = block >= 0 && target >= floor ? block : 0
        let found = list.block(from: from, holding: target)
        if found >= list.blockCount { return false }
        if found != block { load(found) }
        return target <= last && count > 0
    }

    mutating func load(_ new: Int) {
        let isNext = new == block + 1 && block >= 0
        let before = isNext ? last : (new == 0 ? 0 : list.lastDoc(new - 1))
        floor = new == 0 ? 0 : before &+ 1
        block = new
        place = 0
        count = unsafe list.decode(new, docs: docs, frequencies: frequencies)
        hasFrequencies = new >= list.fullBlocks
        if count == 0 { unsafe damage.pointee = true }
        for i in count..<128 { unsafe docs[i] = .max }
        last = unsafe count == 0 ? floor : docs[count - 1]
        if list.options.positions {
            sumPlace = 0
            sum = list.positionsBefore(new)
        }
    }

    /// The place of the first document >= `target` in the decoded block (`seek` returned true).
    @inline(__always)
    mutating func find(_ target: UInt32) -> Int {
        var p = place
        if p > 0, unsafe docs[p - 1] >= target { p = 0 }
        if unsafe docs[p] >= target {
            place = p
            return p
        }
        // Near first: candidates of a dense list are close by.
        if unsafe docs[p + 1] >= target {
            place = p + 1
            return p + 1
        }
        // Halving without branches, over the whole block: its 128 places and the largest of them, which is not below.
        var low = 0
        unsafe low &+= docs[low &+ 63] < target ? 64 : 0
        unsafe low &+= docs[low &+ 31] < target ? 32 : 0
        unsafe low &+= docs[low &+ 15] < target ? 16 : 0
        unsafe low &+= docs[low &+ 7] < target ? 8 : 0
        unsafe low &+= docs[low &+ 3] < target ? 4 : 0
        unsafe low &+= docs[low &+ 1] < target ? 2 : 0
        unsafe low &+= docs[low] < target ? 1 : 0
        place = low
        return low
    }

    @inline(__always)
    mutating func needFrequencies() {
        if hasFrequencies { return }
        unsafe list.decodeFrequencies(block, into: frequencies)
        hasFrequencies = true
    }

    // MARK: Positions

    private var sumPlace = 0
    private var sum = 0

    /// Where the positions of the document at `p` begin in the list. Frequencies are decoded.
    @inline(__always)
    mutating func positionsStart(_ p: Int) -> Int {
        if p < sumPlace { (sumPlace, sum) = (0, list.positionsBefore(block)) }
        var s = sum
        for i in sumPlace..<p { unsafe s += Int(frequencies[i]) }
        (sumPlace, sum) = (p, s)
        return s
    }

    // MARK: Scores

    /// Scores `n` postings; `scratch` has room for n + 4 norms.
    @inline(__always)
    func score(_ docs: UnsafePointer<UInt32>, _ frequencies: UnsafePointer<UInt32>, _ n: Int, _ scratch: UnsafeMutablePointer<UInt8>, _ out: UnsafeMutablePointer<Float>) {
        if case .dense(let bytes) = norms {
            unsafe PostingKernels.score(docs: docs, frequencies: frequencies, count: n, norms: bytes, inverse: inverse, weight: weight, into: out)
        } else {
            unsafe norms.read(docs, count: n, into: scratch)
            unsafe PostingKernels.score(docs: nil, frequencies: frequencies, count: n, norms: scratch, inverse: inverse, weight: weight, into: out)
        }
    }

    @inline(__always)
    func score(impact: Float) -> Float { weight - weight / (1 + impact) }

    /// Of a whole block; the list has records.
    mutating func bound(block: Int) -> Float {
        if block != boundOf {
            boundOf = block
            boundValue = unsafe score(impact: list.impact(block, inverse: inverse))
        }
        return boundValue
    }

    func bound(superblock: Int) -> Float { unsafe score(impact: list.impact(superblock: superblock, inverse: inverse)) }

    /// Of the whole list.
    mutating func bound(_ scratch: UnsafeMutablePointer<UInt8>) -> Float {
        if wholeBound >= 0 { return wholeBound }
        if list.hasRecords {
            wholeBound = unsafe score(impact: list.impact(inverse: inverse))
        } else {
            if block != 0 { load(0) }
            unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: 136) { out in
                guard let out = out.baseAddress else { return }
                unsafe score(docs, frequencies, count, scratch, out)
                var best: Float = 0
                for i in 0..<count { best = unsafe max(best, out[i]) }
                wholeBound = best
            }
        }
        return wholeBound
    }

    /// No document in from..<to scores above.
    mutating func bound(from: UInt32, to: UInt32, _ scratch: UnsafeMutablePointer<UInt8>) -> Float {
        if !list.hasRecords {
            let whole = unsafe bound(scratch)
            guard count > 0, from <= last else { return 0 }
            return unsafe docs[find(from)] < to ? whole : 0
        }
        if boundBlock > 0, list.lastDoc(boundBlock - 1) >= from { boundBlock = 0 }
        boundBlock = list.block(from: boundBlock, holding: from)
        var b = boundBlock
        if b >= list.blockCount { return 0 }
        let end = to &- 1
        var best: Float = 0
        if b >> 5 < list.superCount, b + 16 < list.blockCount, list.lastDoc(b + 16) < end {
            // Many blocks: by superblocks, the first and the last one whole.
            while b >> 5 < list.superCount {
                best = max(best, bound(superblock: b >> 5))
                let last = list.lastDoc(superblock: b >> 5)
                b = (b >> 5 + 1) << 5
                if last >= end || b >= list.blockCount { return best }
            }
        }
        best = max(best, bound(block: b))
        while list.lastDoc(b) < end {
            b += 1
            if b >= list.blockCount { break }
            best = max(best, bound(block: b))
        }
        return best
    }
}
