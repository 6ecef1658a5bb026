// Terms directly next to each other, one term a place: the common phrase. As PhraseNode, but on plain memory:
// the loop over the rarest term's documents meets no object.

internal import Bytes
internal import Segments

/// One term of the phrase.
@safe struct PhraseTerm {
    let cursor: UnsafeMutablePointer<TermCursor>
    let reader: UnsafeMutablePointer<PositionReader>
    let buffer: UnsafeMutablePointer<UInt32>
    var positions: UnsafeMutablePointer<UInt32>
    var capacity = 64
    /// In the document at hand.
    var frequency = 0
    var place = 0
    let offset: Int32

    init(cursor: TermCursor, offset: Int32) {
        unsafe self.cursor = .allocate(capacity: 1)
        unsafe self.cursor.initialize(to: cursor)
        unsafe buffer = .allocate(capacity: 128)
        unsafe buffer.initialize(repeating: 0, count: 128)
        unsafe reader = .allocate(capacity: 1)
        unsafe reader.initialize(to: PositionReader(cursor.list, buffer: buffer))
        unsafe positions = .allocate(capacity: 64)
        self.offset = offset
    }

    func free() {
        unsafe cursor.pointee.free()
        unsafe cursor.deallocate()
        unsafe buffer.deallocate()
        unsafe reader.deallocate()
        unsafe positions.deallocate()
    }

    /// Reads the positions in the document at hand.
    @inline(__always)
    mutating func read() {
        // Bounds what is made room for.
        if unsafe frequency > cursor.pointee.list.totalTermFreq {
            unsafe cursor.pointee.damage.pointee = true
            frequency = 0
        }
        if frequency > capacity {
            unsafe positions.deallocate()
            capacity = 2 * frequency
            unsafe positions = .allocate(capacity: capacity)
        }
        unsafe reader.pointee.read(from: cursor.pointee.positionsStart(place), count: frequency, into: positions)
    }
}

@safe final class ExactPhraseNode: Node {
    /// Cheapest first.
    private let terms: UnsafeMutablePointer<PhraseTerm>
    private let count: Int
    private let weight: Float
    private let norms: FieldNorms
    private let inverse: UnsafePointer<Float>
    private let leadDocs: UnsafeMutablePointer<UInt32>
    private let leadFrequencies: UnsafeMutablePointer<UInt32>

    init(_ context: ScorerContext, _ cursors: [(cursor: TermCursor, offset: Int)], weight: Float, norms: FieldNorms) {
        let sorted = cursors.sorted { $0.cursor.list.docFreq < $1.cursor.list.docFreq }
        count = sorted.count
        unsafe terms = .allocate(capacity: max(1, count))
        for (i, item) in sorted.enumerated() {
            unsafe (terms + i).initialize(to: PhraseTerm(cursor: item.cursor, offset: Int32(clamping: item.offset)))
        }
        self.weight = weight
        self.norms = norms
        unsafe inverse = unsafe terms[0].cursor.pointee.inverse
        unsafe leadDocs = .allocate(capacity: 128)
        unsafe leadFrequencies = .allocate(capacity: 128)
        super.init(context)
    }

    deinit {
        for i in 0..<count { unsafe terms[i].free() }
        unsafe terms.deallocate()
        unsafe leadDocs.deallocate()
        unsafe leadFrequencies.deallocate()
    }

    override var cost: Int { unsafe terms[0].cursor.pointee.list.docFreq }

    override func bound(from: UInt32, to: UInt32) -> Float {
        // Cursors have weight 1: bounds are 1 - 1 / (1 + x). A phrase is not there more often than its rarest term.
        var x = Float.infinity
        for i in 0..<count {
            let bound = unsafe terms[i].cursor.pointee.bound(from: from, to: to, context.norms)
            if bound == 0 { return 0 }
            x = min(x, bound >= 1 ? .infinity : bound / (1 - bound))
        }
        // x went through a division and back: a few units in the last place either way.
        x *= 1.00001
        return weight - weight / (1 + x)
    }

    override func blockEnd(_ target: UInt32) -> UInt32 {
        let list = unsafe terms[0].cursor.pointee.list
        let from = unsafe max(0, terms[0].cursor.pointee.block)
        let block = list.block(from: from > 0 && list.lastDoc(from - 1) >= target ? 0 : from, holding: target)
        return block < list.blockCount ? list.lastDoc(block) : context.docCount
    }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard target < upTo else { return 0 }
        let isPruned = unsafe scores != nil && cut > -.infinity
        if isPruned {
            let end = stretchEnd(target, upTo: upTo)
            if bound(from: target, to: end) <= cut { target = end; return 0 }
        }
        let lead = unsafe terms[0].cursor
        guard unsafe lead.pointee.seek(target) else { target = upTo; return 0 }
        let from = unsafe lead.pointee.find(target)
        let to = unsafe lead.pointee.last >= upTo ? lead.pointee.find(upTo) : lead.pointee.count
        target = unsafe lead.pointee.last >= upTo ? upTo : lead.pointee.last + 1
        if to <= from { return 0 }
        unsafe lead.pointee.needFrequencies()
        let n = to - from
        unsafe leadDocs.update(from: lead.pointee.docs + from, count: n)
        unsafe leadFrequencies.update(from: lead.pointee.frequencies + from, count: n)
        var kept = 0
        for i in 0..<n {
            let doc = unsafe leadDocs[i]
            if isPruned, unsafe score(doc, Float(leadFrequencies[i])) <= cut { continue }
            unsafe terms[0].frequency = unsafe Int(leadFrequencies[i])
            unsafe terms[0].place = from + i
            guard others(doc) else { continue }
            let frequency = match(doc, isPruned ? cut : -.infinity)
            if frequency == 0 { continue }
            unsafe docs[kept] = doc
            if let scores = unsafe scores { unsafe scores[kept] = score(doc, Float(frequency)) }
            kept += 1
        }
        return kept
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count n: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        for i in 0..<n {
            var frequency = 0
            if unsafe find(terms, docs[i]), unsafe others(docs[i]) { frequency = unsafe match(docs[i], -.infinity) }
            unsafe hits[i] = frequency > 0 ? 1 : 0
            unsafe scores?[i] = unsafe frequency > 0 ? score(docs[i], Float(frequency)) : 0
        }
    }

    // MARK: -

    @inline(__always)
    private func find(_ term: UnsafeMutablePointer<PhraseTerm>, _ doc: UInt32) -> Bool {
        let c = unsafe term.pointee.cursor
        guard unsafe c.pointee.seek(doc) else { return false }
        let place = unsafe c.pointee.find(doc)
        if unsafe c.pointee.docs[place] != doc { return false }
        unsafe c.pointee.needFrequencies()
        unsafe term.pointee.place = place
        unsafe term.pointee.frequency = unsafe Int(c.pointee.frequencies[place])
        return true
    }

    /// The other terms are in the lead's document.
    @inline(__always)
    private func others(_ doc: UInt32) -> Bool {
        for i in 1..<max(1, count) where unsafe !find(terms + i, doc) { return false }
        return true
    }

    @inline(__always)
    private func score(_ doc: UInt32, _ frequency: Float) -> Float {
        var norm: UInt8 = 0
        if case .dense(let bytes) = norms {
            norm = unsafe bytes[Int(doc)]
        } else {
            var doc = doc
            unsafe norms.read(&doc, count: 1, into: &norm)
        }
        return unsafe weight - weight / (1 + frequency * inverse[Int(norm)])
    }

    /// How often the phrase is in the document that all cursors stand at; 0 also when it could not score above `cut`.
    @inline(__always)
    private func match(_ doc: UInt32, _ cut: Float) -> Int {
        if cut > -.infinity {
            var least = unsafe terms[0].frequency
            for i in 1..<max(1, count) { least = unsafe min(least, terms[i].frequency) }
            if score(doc, Float(least)) <= cut { return 0 }
        }
        read(0)
        if count == 1 { return unsafe terms[0].frequency }
        read(1)
        return count == 2 ? pair() : several()
    }

    @inline(__always)
    private func read(_ i: Int) {
        unsafe terms[i].read()
        if unsafe terms[i].reader.pointee.isDamaged { unsafe context.damage.pointee = true }
    }

    @inline(__always)
    private func pair() -> Int {
        let a = unsafe terms[0].positions, b = unsafe terms[1].positions
        let n = unsafe terms[0].frequency, m = unsafe terms[1].frequency
        let shift = unsafe Int64(terms[1].offset) - Int64(terms[0].offset)
        var matches = 0, j = 0
        for i in 0..<n {
            let wanted = unsafe Int64(a[i]) + shift
            while j < m, unsafe Int64(b[j]) < wanted { j += 1 }
            if j == m { break }
            if unsafe Int64(b[j]) == wanted { matches += 1 }
        }
        return matches
    }

    /// The lead's positions are narrowed down to those that the other terms agree with, one after the other: most
    /// documents are done with after two.
    private func several() -> Int {
        let lead = unsafe terms[0].positions
        var left = unsafe terms[0].frequency
        for t in 1..<max(1, count) {
            if t > 1 { read(t) }
            let positions = unsafe terms[t].positions, m = unsafe terms[t].frequency
            let shift = unsafe Int64(terms[t].offset) - Int64(terms[0].offset)
            var kept = 0, j = 0
            for i in 0..<left {
                let wanted = unsafe Int64(lead[i]) + shift
                while j < m, unsafe Int64(positions[j]) < wanted { j += 1 }
                if j == m { break }
                if unsafe Int64(positions[j]) == wanted {
                    unsafe lead[kept] = unsafe lead[i]
                    kept += 1
                }
            }
            left = kept
            if left == 0 { return 0 }
        }
        return left
    }
}
