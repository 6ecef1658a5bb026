// Clauses that change the scores of another, and the one that takes the best of several.

internal import Bytes
internal import Segments
internal import Storage

/// The inner clause's documents, each with one score.
final class ConstantNode: Node {
    private let inner: Node
    private let score: Float

    init(_ context: ScorerContext, _ inner: Node, score: Float) {
        (self.inner, self.score) = (inner, score)
        super.init(context)
    }

    override var cost: Int { inner.cost }
    override var matchCount: Int? { inner.matchCount }
    override func bound(from: UInt32, to: UInt32) -> Float { score }
    override func blockEnd(_ target: UInt32) -> UInt32 { inner.blockEnd(target) }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        if unsafe scores != nil, score <= cut { target = max(target, upTo); return 0 }
        let n = unsafe inner.batch(&target, upTo: upTo, docs: docs, scores: nil, cut: -.infinity)
        unsafe scores?.update(repeating: score, count: n)
        return n
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        unsafe inner.probe(docs, count: count, hits: hits, scores: nil)
        if let scores = unsafe scores { for i in 0..<count { unsafe scores[i] = unsafe hits[i] == 1 ? score : 0 } }
    }

    override func insert(into set: UnsafeMutablePointer<UInt64>) { unsafe inner.insert(into: set) }
}

/// The inner clause's documents but for those that match an excluded one.
@safe final class ExclusionNode: Node {
    private let inner: Node
    private let excluded: [Node]
    private let hits = UnsafeMutablePointer<UInt8>.allocate(capacity: windowSize)

    init(_ context: ScorerContext, _ inner: Node, excluded: [Node]) {
        (self.inner, self.excluded) = (inner, excluded)
        super.init(context)
    }

    deinit { unsafe hits.deallocate() }

    override var cost: Int { inner.cost }
    override func bound(from: UInt32, to: UInt32) -> Float { inner.bound(from: from, to: to) }
    override func blockEnd(_ target: UInt32) -> UInt32 { inner.blockEnd(target) }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        var n = unsafe inner.batch(&target, upTo: upTo, docs: docs, scores: scores, cut: cut)
        for node in excluded where n > 0 {
            unsafe node.probe(docs, count: n, hits: hits, scores: nil)
            var kept = 0
            for i in 0..<n {
                unsafe docs[kept] = unsafe docs[i]
                if let scores = unsafe scores { unsafe scores[kept] = unsafe scores[i] }
                unsafe kept += hits[i] == 0 ? 1 : 0
            }
            n = kept
        }
        return n
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits out: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        unsafe inner.probe(docs, count: count, hits: out, scores: scores)
        for node in excluded {
            unsafe node.probe(docs, count: count, hits: hits, scores: nil)
            for i in 0..<count where unsafe hits[i] == 1 {
                unsafe out[i] = 0
                unsafe scores?[i] = 0
            }
        }
    }
}

/// The best clause's score plus `tieBreaker` times the others' (best in float, others summed in double, as Lucene).
@safe final class DisMaxNode: Node {
    private let clauses: [Node]
    private let tieBreaker: Float
    private let any: DisjunctionNode
    private let hits = UnsafeMutablePointer<UInt8>.allocate(capacity: windowSize)

    init(_ context: ScorerContext, _ clauses: [Node], _ copies: [Node], tieBreaker: Float) {
        (self.clauses, self.tieBreaker) = (clauses, tieBreaker)
        any = DisjunctionNode(context, copies)
        super.init(context)
    }

    deinit { unsafe hits.deallocate() }

    override var cost: Int { any.cost }

    override func bound(from: UInt32, to: UInt32) -> Float {
        var best = 0.0, sum = 0.0
        for node in clauses {
            let bound = Double(node.bound(from: from, to: to))
            best = max(best, bound)
            sum += bound
        }
        return Float(roundedUp(best + max(0, sum - best) * Double(max(0, tieBreaker)))).nextUp
    }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard target < upTo else { return 0 }
        let end = min(upTo, (target | UInt32(windowSize - 1)) &+ 1)
        if unsafe scores != nil, cut > -.infinity, bound(from: target, to: end) <= cut { target = end; return 0 }
        let n = unsafe any.batch(&target, upTo: end, docs: docs, scores: nil, cut: -.infinity)
        if let scores = unsafe scores, n > 0 { unsafe probe(docs, count: n, hits: hits, scores: scores) }
        return n
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        let some = Batch()
        defer { some.free() }
        unsafe hits.update(repeating: 0, count: count)
        guard let scores = unsafe scores else {
            for node in clauses {
                unsafe node.probe(docs, count: count, hits: some.hits, scores: nil)
                for i in 0..<count { unsafe hits[i] |= some.hits[i] }
            }
            return
        }
        unsafe some.sums.initialize(repeating: 0, count: count)
        unsafe scores.update(repeating: 0, count: count)
        for node in clauses {
            unsafe node.probe(docs, count: count, hits: some.hits, scores: some.scores)
            for i in 0..<count where unsafe some.hits[i] == 1 {
                let score = unsafe some.scores[i]
                if unsafe hits[i] == 0 {
                    unsafe scores[i] = score
                } else if unsafe score > scores[i] {
                    unsafe some.sums[i] += Double(scores[i])
                    unsafe scores[i] = score
                } else {
                    unsafe some.sums[i] += Double(score)
                }
                unsafe hits[i] = 1
            }
        }
        for i in 0..<count { unsafe scores[i] = unsafe Float(Double(scores[i]) + some.sums[i] * Double(tieBreaker)) }
    }

    override func insert(into set: UnsafeMutablePointer<UInt64>) { unsafe any.insert(into: set) }
}

/// The positive clause's documents; those that match the negative one count less.
@safe final class BoostingNode: Node {
    private let positive: Node, negative: Node
    private let factor: Float
    private let hits = UnsafeMutablePointer<UInt8>.allocate(capacity: windowSize)

    init(_ context: ScorerContext, positive: Node, negative: Node, factor: Float) {
        (self.positive, self.negative, self.factor) = (positive, negative, factor)
        super.init(context)
    }

    deinit { unsafe hits.deallocate() }

    override var cost: Int { positive.cost }
    override var matchCount: Int? { positive.matchCount }
    override func bound(from: UInt32, to: UInt32) -> Float { positive.bound(from: from, to: to) * max(1, factor) }
    override func blockEnd(_ target: UInt32) -> UInt32 { positive.blockEnd(target) }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        let n = unsafe positive.batch(&target, upTo: upTo, docs: docs, scores: scores, cut: factor <= 1 ? cut : -.infinity)
        if let scores = unsafe scores { unsafe lessen(docs, n, scores) }
        return n
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits out: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        unsafe positive.probe(docs, count: count, hits: out, scores: scores)
        if let scores = unsafe scores { unsafe lessen(docs, count, scores) }
    }

    private func lessen(_ docs: UnsafePointer<UInt32>, _ n: Int, _ scores: UnsafeMutablePointer<Float>) {
        guard n > 0 else { return }
        unsafe negative.probe(docs, count: n, hits: hits, scores: nil)
        for i in 0..<n where unsafe hits[i] == 1 { unsafe scores[i] *= factor }
    }
}

/// The inner clause's documents with a score of a function's making.
@safe final class FunctionNode: Node {
    private let inner: Node
    private let minScore: Float?
    private let function: @Sendable (DocID, Float) -> Float
    private let innerScores = UnsafeMutablePointer<Float>.allocate(capacity: windowSize)

    init(_ context: ScorerContext, _ inner: Node, minScore: Float?, function: @escaping @Sendable (DocID, Float) -> Float) {
        (self.inner, self.minScore, self.function) = (inner, minScore, function)
        super.init(context)
    }

    deinit { unsafe innerScores.deallocate() }

    override var cost: Int { inner.cost }
    override var matchCount: Int? { minScore == nil ? inner.matchCount : nil }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        if unsafe scores == nil, minScore == nil { return unsafe inner.batch(&target, upTo: upTo, docs: docs, scores: nil, cut: -.infinity) }
        let n = unsafe inner.batch(&target, upTo: upTo, docs: docs, scores: innerScores, cut: -.infinity)
        var kept = 0
        for i in 0..<n {
            let score = unsafe function(docs[i], innerScores[i])
            if let minScore, !(score >= minScore) { continue }
            unsafe docs[kept] = unsafe docs[i]
            unsafe scores?[kept] = score
            kept += 1
        }
        return kept
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        if unsafe scores == nil, minScore == nil { return unsafe inner.probe(docs, count: count, hits: hits, scores: nil) }
        unsafe inner.probe(docs, count: count, hits: hits, scores: innerScores)
        for i in 0..<count {
            if unsafe hits[i] == 1 {
                let score = unsafe function(docs[i], innerScores[i])
                if let minScore, !(score >= minScore) { unsafe hits[i] = 0; unsafe scores?[i] = 0 } else { unsafe scores?[i] = score }
            } else {
                unsafe scores?[i] = 0
            }
        }
    }
}

/// Terms scored as one: frequencies summed (times their boosts), one length norm.
@safe final class SynonymNode: Node {
    private let terms: [(cursor: UnsafeMutablePointer<TermCursor>, boost: Float)]
    private let weight: Float
    private let frequencies: UnsafeMutablePointer<Float>
    private let bits: UnsafeMutablePointer<UInt64>

    init(_ context: ScorerContext, _ terms: [(TermCursor, Float)], weight: Float) {
        unsafe self.terms = unsafe terms.map { cursor, boost in
            let p = UnsafeMutablePointer<TermCursor>.allocate(capacity: 1)
            unsafe p.initialize(to: cursor)
            return unsafe (p, boost)
        }
        self.weight = weight
        unsafe frequencies = .allocate(capacity: windowSize)
        unsafe frequencies.initialize(repeating: 0, count: windowSize)
        unsafe bits = .allocate(capacity: windowSize / 64)
        unsafe bits.initialize(repeating: 0, count: windowSize / 64)
        super.init(context)
    }

    deinit {
        for unsafe (cursor, _) in unsafe terms { unsafe cursor.pointee.free(); unsafe cursor.deallocate() }
        unsafe frequencies.deallocate()
        unsafe bits.deallocate()
    }

    override var cost: Int { unsafe terms.reduce(0) { unsafe $0 + $1.cursor.pointee.list.docFreq } }

    override func bound(from: UInt32, to: UInt32) -> Float {
        // Cursors have weight 1: bound = 1 - 1 / (1 + x).
        var x: Float = 0
        for unsafe (cursor, boost) in unsafe terms {
            let bound = unsafe cursor.pointee.bound(from: from, to: to, context.norms)
            x += boost * (bound >= 1 ? .infinity : bound / (1 - bound))
        }
        x *= 1.00001
        return x == 0 ? 0 : weight - weight / (1 + x)
    }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard target < upTo else { return 0 }
        let base = target & ~UInt32(windowSize - 1)
        let start = target, end = min(upTo, base &+ UInt32(windowSize))
        target = end
        if unsafe scores != nil, cut > -.infinity, bound(from: start, to: end) <= cut { return 0 }
        for unsafe (c, boost) in unsafe terms {
            var at = start
            while at < end, unsafe c.pointee.seek(at) {
                if unsafe scores != nil { unsafe c.pointee.needFrequencies() }
                var i = unsafe c.pointee.find(at)
                while unsafe i < c.pointee.count, unsafe c.pointee.docs[i] < end {
                    let place = unsafe Int(c.pointee.docs[i] &- base)
                    unsafe bits[place >> 6] |= 1 << UInt64(place & 63)
                    if unsafe scores != nil { unsafe frequencies[place] += boost * Float(c.pointee.frequencies[i]) }
                    i += 1
                }
                if unsafe c.pointee.last >= end { break }
                at = unsafe c.pointee.last + 1
            }
        }
        var n = 0
        for w in 0..<windowSize / 64 where unsafe bits[w] != 0 {
            var word = unsafe bits[w]
            unsafe bits[w] = 0
            while word != 0 {
                let place = w << 6 | word.trailingZeroBitCount
                word &= word &- 1
                unsafe docs[n] = base &+ UInt32(truncatingIfNeeded: place)
                if let scores = unsafe scores { unsafe scores[n] = unsafe frequencies[place] }
                unsafe frequencies[place] = 0
                n += 1
            }
        }
        if let scores = unsafe scores { unsafe score(docs, n, scores) }
        return n
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        unsafe hits.update(repeating: 0, count: count)
        unsafe scores?.update(repeating: 0, count: count)
        for unsafe (c, boost) in unsafe terms {
            for i in 0..<count {
                guard unsafe c.pointee.seek(docs[i]) else { break }
                let place = unsafe c.pointee.find(docs[i])
                if unsafe c.pointee.docs[place] != docs[i] { continue }
                unsafe hits[i] = 1
                if let scores = unsafe scores {
                    unsafe c.pointee.needFrequencies()
                    unsafe scores[i] += boost * Float(c.pointee.frequencies[place])
                }
            }
        }
        if let scores = unsafe scores { unsafe score(docs, count, scores) }
    }

    /// Frequencies to scores, in place.
    private func score(_ docs: UnsafePointer<UInt32>, _ n: Int, _ scores: UnsafeMutablePointer<Float>) {
        guard n > 0, let first = unsafe terms.first?.cursor else { return }
        unsafe first.pointee.norms.read(docs, count: n, into: context.norms)
        let inverse = unsafe first.pointee.inverse
        for i in 0..<n { unsafe scores[i] = unsafe weight - weight / (1 + scores[i] * inverse[Int(context.norms[i])]) }
    }
}
