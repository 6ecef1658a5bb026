// Terms directly next to each other, one term a place: the common phrase. As PhraseNode, but on plain memory:
// the loop over the rarest term's documents meets no object.

internal import Bytes
internal import Segments

/// One term of the phrase.
struct PhraseTerm {
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
        self.cursor = .allocate(capacity: 1)
        self.cursor.initialize(to: cursor)
        buffer = .allocate(capacity: 128)
        buffer.initialize(repeating: 0, count: 128)
        reader = .allocate(capacity: 1)
        reader.initialize(to: PositionReader(cursor.list, buffer: buffer))
        positions = .allocate(capacity: 64)
        self.offset = offset
    }

    func free() {
        cursor.pointee.free()
        cursor.deallocate()
        buffer.deallocate()
        reader.deallocate()
        positions.deallocate()
    }

    /// Reads the positions in the document at hand.
    @inline(__always)
    mutating func read() {
        // Bounds what is made room for.
        if frequency > cursor.pointee.list.totalTermFreq {
            cursor.pointee.damage.pointee = true
            frequency = 0
        }
        if frequency > capacity {
            positions.deallocate()
            capacity = 2 * frequency
            positions = .allocate(capacity: capacity)
        }
        reader.pointee.read(from: cursor.pointee.positionsStart(place), count: frequency, into: positions)
    }
}

final class ExactPhraseNode: Node {
    /// Cheapest first.
    private let terms: UnsafeMutablePointer<PhraseTerm>
    private let count: Int
    private let weight: Float
    private let norms: FieldNorms
    private let inverse: UnsafeMutablePointer<Float>
    private let leadDocs: UnsafeMutablePointer<UInt32>
    private let leadFrequencies: UnsafeMutablePointer<UInt32>

    init(_ context: ScorerContext, _ cursors: [(cursor: TermCursor, offset: Int)], weight: Float, norms: FieldNorms) {
        let sorted = cursors.sorted { $0.cursor.list.docFreq < $1.cursor.list.docFreq }
        count = sorted.count
        terms = .allocate(capacity: max(1, count))
        for (i, item) in sorted.enumerated() {
            (terms + i).initialize(to: PhraseTerm(cursor: item.cursor, offset: Int32(clamping: item.offset)))
        }
        self.weight = weight
        self.norms = norms
        inverse = terms[0].cursor.pointee.inverse
        leadDocs = .allocate(capacity: 128)
        leadFrequencies = .allocate(capacity: 128)
        super.init(context)
    }

    deinit {
        for i in 0..<count { terms[i].free() }
        terms.deallocate()
        leadDocs.deallocate()
        leadFrequencies.deallocate()
    }

    override var cost: Int { terms[0].cursor.pointee.list.docFreq }

    override func bound(from: UInt32, to: UInt32) -> Float {
        // Cursors have weight 1: bounds are 1 - 1 / (1 + x). A phrase is not there more often than its rarest term.
        var x = Float.infinity
        for i in 0..<count {
            let bound = terms[i].cursor.pointee.bound(from: from, to: to, context.norms)
            if bound == 0 { return 0 }
            x = min(x, bound >= 1 ? .infinity : bound / (1 - bound))
        }
        // x went through a division and back: a few units in the last place either way.
        x *= 1.00001
        return weight - weight / (1 + x)
    }

    override func blockEnd(_ target: UInt32) -> UInt32 {
        let list = terms[0].cursor.pointee.list
        let from = max(0, terms[0].cursor.pointee.block)
        let block = list.block(from: from > 0 && list.lastDoc(from - 1) >= target ? 0 : from, holding: target)
        return block < list.blockCount ? list.lastDoc(block) : context.docCount
    }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard target < upTo else { return 0 }
        let isPruned = scores != nil && cut > -.infinity
        if isPruned {
            let end = stretchEnd(target, upTo: upTo)
            if bound(from: target, to: end) <= cut { target = end; return 0 }
        }
        let lead = terms[0].cursor
        guard lead.pointee.seek(target) else { target = upTo; return 0 }
        let from = lead.pointee.find(target)
        let to = lead.pointee.last >= upTo ? lead.pointee.find(upTo) : lead.pointee.count
        target = lead.pointee.last >= upTo ? upTo : lead.pointee.last + 1
        if to <= from { return 0 }
        lead.pointee.needFrequencies()
        let n = to - from
        leadDocs.update(from: lead.pointee.docs + from, count: n)
        leadFrequencies.update(from: lead.pointee.frequencies + from, count: n)
        var kept = 0
        for i in 0..<n {
            let doc = leadDocs[i]
            if isPruned, score(doc, Float(leadFrequencies[i])) <= cut { continue }
            terms[0].frequency = Int(leadFrequencies[i])
            terms[0].place = from + i
            guard others(doc) else { continue }
            let frequency = match(doc, isPruned ? cut : -.infinity)
            if frequency == 0 { continue }
            docs[kept] = doc
            if let scores { scores[kept] = score(doc, Float(frequency)) }
            kept += 1
        }
        return kept
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count n: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        for i in 0..<n {
            var frequency = 0
            if find(terms, docs[i]), others(docs[i]) { frequency = match(docs[i], -.infinity) }
            hits[i] = frequency > 0 ? 1 : 0
            scores?[i] = frequency > 0 ? score(docs[i], Float(frequency)) : 0
        }
    }

    // MARK: -

    @inline(__always)
    private func find(_ term: UnsafeMutablePointer<PhraseTerm>, _ doc: UInt32) -> Bool {
        let c = term.pointee.cursor
        guard c.pointee.seek(doc) else { return false }
        let place = c.pointee.find(doc)
        if c.pointee.docs[place] != doc { return false }
        c.pointee.needFrequencies()
        term.pointee.place = place
        term.pointee.frequency = Int(c.pointee.frequencies[place])
        return true
    }

    /// The other terms are in the lead's document.
    @inline(__always)
    private func others(_ doc: UInt32) -> Bool {
        for i in 1..<max(1, count) where !find(terms + i, doc) { return false }
        return true
    }

    @inline(__always)
    private func score(_ doc: UInt32, _ frequency: Float) -> Float {
        var norm: UInt8 = 0
        if case .dense(let bytes) = norms {
            norm = bytes[Int(doc)]
        } else {
            var doc = doc
            norms.read(&doc, count: 1, into: &norm)
        }
        return weight - weight / (1 + frequency * inverse[Int(norm)])
    }

    /// How often the phrase is in the document that all cursors stand at; 0 also when it could not score above `cut`.
    @inline(__always)
    private func match(_ doc: UInt32, _ cut: Float) -> Int {
        if cut > -.infinity {
            var least = terms[0].frequency
            for i in 1..<max(1, count) { least = min(least, terms[i].frequency) }
            if score(doc, Float(least)) <= cut { return 0 }
        }
        read(0)
        if count == 1 { return terms[0].frequency }
        read(1)
        return count == 2 ? pair() : several()
    }

    @inline(__always)
    private func read(_ i: Int) {
        terms[i].read()
        if terms[i].reader.pointee.isDamaged { context.damage.pointee = true }
    }

    @inline(__always)
    private func pair() -> Int {
        let a = terms[0].positions, b = terms[1].positions
        let n = terms[0].frequency, m = terms[1].frequency
        let shift = Int64(terms[1].offset) - Int64(terms[0].offset)
        var matches = 0, j = 0
        for i in 0..<n {
            let wanted = Int64(a[i]) + shift
            while j < m, Int64(b[j]) < wanted { j += 1 }
            if j == m { break }
            if Int64(b[j]) == wanted { matches += 1 }
        }
        return matches
    }

    /// The lead's positions are narrowed down to those that the other terms agree with, one after the other: most
    /// documents are done with after two.
    private func several() -> Int {
        let lead = terms[0].positions
        var left = terms[0].frequency
        for t in 1..<max(1, count) {
            if t > 1 { read(t) }
            let positions = terms[t].positions, m = terms[t].frequency
            let shift = Int64(terms[t].offset) - Int64(terms[0].offset)
            var kept = 0, j = 0
            for i in 0..<left {
                let wanted = Int64(lead[i]) + shift
                while j < m, Int64(positions[j]) < wanted { j += 1 }
                if j == m { break }
                if Int64(positions[j]) == wanted {
                    lead[kept] = lead[i]
                    kept += 1
                }
            }
            left = kept
            if left == 0 { return 0 }
        }
        return left
    }
}
