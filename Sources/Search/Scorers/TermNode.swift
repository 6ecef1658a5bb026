// One term: its posting list, block by block, blocks that cannot compete left undecoded.

internal import Bytes
internal import Segments

@safe final class TermNode: Node {
    let cursor: UnsafeMutablePointer<TermCursor>
    private var superChecked = -1

    init(_ context: ScorerContext, _ cursor: TermCursor) {
        unsafe self.cursor = .allocate(capacity: 1)
        unsafe self.cursor.initialize(to: cursor)
        super.init(context)
    }

    deinit {
        unsafe cursor.pointee.free()
        unsafe cursor.deallocate()
    }

    override var cost: Int { unsafe cursor.pointee.list.docFreq }
    override var matchCount: Int? { cost }

    override func bound(from: UInt32, to: UInt32) -> Float { unsafe cursor.pointee.bound(from: from, to: to, context.norms) }

    override func blockEnd(_ target: UInt32) -> UInt32 {
        let list = unsafe cursor.pointee.list
        let from = unsafe max(0, cursor.pointee.block)
        let start = from > 0 && list.lastDoc(from - 1) >= target ? 0 : from
        let block = list.block(from: start, holding: target)
        return block < list.blockCount ? list.lastDoc(block) : context.docCount
    }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        let c = unsafe cursor
        if cut > -.infinity, unsafe scores != nil, !skip(&target, upTo: upTo, cut: cut) { return 0 }
        guard target < upTo, unsafe c.pointee.seek(target) else { target = upTo; return 0 }
        let from = unsafe c.pointee.find(target)
        var to = unsafe c.pointee.count
        if unsafe c.pointee.last >= upTo { to = unsafe c.pointee.find(upTo) } else { unsafe c.pointee.place = 0 }
        target = unsafe c.pointee.last >= upTo ? upTo : c.pointee.last + 1
        let n = to - from
        if n <= 0 { return 0 }
        guard let scores = unsafe scores else {
            unsafe docs.update(from: c.pointee.docs + from, count: n)
            return n
        }
        unsafe c.pointee.needFrequencies()
        unsafe c.pointee.score(c.pointee.docs + from, c.pointee.frequencies + from, n, context.norms, scores)
        if cut == -.infinity {
            unsafe docs.update(from: c.pointee.docs + from, count: n)
            return n
        }
        let source = unsafe c.pointee.docs + from
        var kept = 0
        for i in 0..<n {
            let score = unsafe scores[i]
            unsafe docs[kept] = unsafe source[i]
            unsafe scores[kept] = score
            kept += score > cut ? 1 : 0
        }
        return kept
    }

    /// Moves `target` past blocks whose bound is not above `cut`; false when none below `upTo` is left.
    private func skip(_ target: inout UInt32, upTo: UInt32, cut: Float) -> Bool {
        let c = unsafe cursor
        let list = unsafe c.pointee.list
        if !list.hasRecords {
            if unsafe c.pointee.bound(context.norms) > cut { return true }
            target = upTo
            return false
        }
        var block = unsafe max(0, c.pointee.block)
        if block > 0, list.lastDoc(block - 1) >= target { block = 0 }
        block = list.block(from: block, holding: target)
        while block < list.blockCount {
            if block >> 5 < list.superCount, block >> 5 != superChecked {
                if unsafe c.pointee.bound(superblock: block >> 5) <= cut {
                    target = max(target, list.lastDoc(superblock: block >> 5) &+ 1)
                    block = (block >> 5 + 1) << 5
                    if target >= upTo { target = upTo; return false }
                    continue
                }
                superChecked = block >> 5
            }
            if unsafe c.pointee.bound(block: block) > cut { return true }
            target = max(target, list.lastDoc(block) &+ 1)
            if target >= upTo { target = upTo; return false }
            block += 1
        }
        target = upTo
        return false
    }

    override var batchMax: Int { 128 }

    /// Blocks whose bound cannot lift a document above the limit are not decoded.
    override func refine(
        _ docs: UnsafeMutablePointer<UInt32>, count: Int, sums: UnsafeMutablePointer<Double>, above limit: Double, isRequired: Bool, room: Batch
    ) -> Int {
        let c = unsafe cursor
        let frequencies = unsafe context.frequencies, scores = unsafe room.scores
        let hasRecords = unsafe c.pointee.list.hasRecords
        var kept = 0, block = 0
        for i in 0..<count {
            let doc = unsafe docs[i], sum = unsafe sums[i]
            var frequency: UInt32 = 0
            if unsafe hasRecords && !c.pointee.isIn(doc) {
                block = unsafe c.pointee.list.block(from: block, holding: doc)
                if unsafe block < c.pointee.list.blockCount && sum + Double(c.pointee.bound(block: block)) <= limit { continue }
            }
            if unsafe c.pointee.seek(doc) {
                let place = unsafe c.pointee.find(doc)
                if unsafe c.pointee.docs[place] == doc {
                    unsafe c.pointee.needFrequencies()
                    frequency = unsafe c.pointee.frequencies[place]
                }
            }
            if frequency == 0, isRequired || sum <= limit { continue }
            unsafe docs[kept] = doc
            unsafe sums[kept] = sum
            unsafe frequencies[kept] = frequency
            kept += 1
        }
        if kept == 0 { return 0 }
        unsafe c.pointee.score(docs, frequencies, kept, context.norms, scores)
        var n = 0
        for i in 0..<kept {
            let sum = unsafe sums[i] + Double(scores[i])
            unsafe docs[n] = unsafe docs[i]
            unsafe sums[n] = sum
            n += sum > limit ? 1 : 0
        }
        return n
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        let c = unsafe cursor
        var i = 0
        guard let scores = unsafe scores else {
            // Without a branch on the outcome: half the documents pass a filter such as `in_stock`, and nobody can predict which.
            while i < count {
                let doc = unsafe docs[i]
                guard unsafe c.pointee.seek(doc) else { break }
                let place = unsafe c.pointee.find(doc)
                unsafe hits[i] = unsafe c.pointee.docs[place] == doc ? 1 : 0
                i += 1
            }
            while i < count {
                unsafe hits[i] = 0
                i += 1
            }
            return
        }
        let frequencies = unsafe context.frequencies
        while i < count {
            let doc = unsafe docs[i]
            guard unsafe c.pointee.seek(doc) else { break }
            let place = unsafe c.pointee.find(doc)
            if unsafe c.pointee.docs[place] == doc {
                unsafe hits[i] = 1
                unsafe c.pointee.needFrequencies()
                unsafe frequencies[i] = unsafe c.pointee.frequencies[place]
            } else {
                unsafe hits[i] = 0
                unsafe frequencies[i] = 0
            }
            i += 1
        }
        while i < count {
            unsafe hits[i] = 0
            unsafe frequencies[i] = 0
            i += 1
        }
        // A frequency of 0 scores exactly 0.
        unsafe c.pointee.score(docs, frequencies, count, context.norms, scores)
    }
}
