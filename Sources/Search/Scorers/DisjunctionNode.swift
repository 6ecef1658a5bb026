// Documents that match at least `minimum` clauses; scores summed in double, cast once. Works in windows of
// 4,096 documents by MAXSCORE with the bounds of the window: clauses that together cannot lift a document above
// the cut are only asked about documents that the others found (H. Turtle, J. Flood, "Query evaluation:
// strategies and optimizations", 1995; bounds by block: A. Mallia, O. Khattab, T. Suel, N. Tonellotto, "An
// experimental study of block-max MAXSCORE", 2017; windows: Lucene's MaxScoreBulkScorer).

internal import Bytes
internal import Segments

/// Windows that may share one set of bounds, at most.
private let outerWindowsMax = 16

@safe final class DisjunctionNode: Node {
    /// Cheapest first.
    private let clauses: [Node]
    private let minimum: Int
    private let work = Batch()
    /// Sums by document of the window; all zero between calls.
    private let sums: UnsafeMutablePointer<Double>
    private let bits: UnsafeMutablePointer<UInt64>
    /// Of the stretch outerStart..<outerEnd, the least first.
    private let bounds: UnsafeMutablePointer<(bound: Double, clause: Int)>
    private var outerStart: UInt32 = 0, outerEnd: UInt32 = 0
    /// Of the last partition: the place of the first clause that may find documents.
    private var essential = 0
    private static let words = windowSize / 64

    init(_ context: ScorerContext, _ clauses: [Node], minimum: Int = 1) {
        self.clauses = clauses.sorted { $0.cost < $1.cost }
        self.minimum = max(1, minimum)
        unsafe sums = .allocate(capacity: windowSize)
        unsafe sums.initialize(repeating: 0, count: windowSize)
        unsafe bounds = .allocate(capacity: max(1, clauses.count))
        for i in 0..<clauses.count { unsafe (bounds + i).initialize(to: (0, i)) }
        unsafe bits = .allocate(capacity: Self.words)
        unsafe bits.initialize(repeating: 0, count: Self.words)
        super.init(context)
    }

    deinit {
        work.free()
        unsafe sums.deallocate()
        unsafe bounds.deallocate()
        unsafe bits.deallocate()
    }

    /// With a minimum m, a match is found by one of the n - m + 1 cheapest clauses.
    private var leads: ArraySlice<Node> { clauses.prefix(max(0, clauses.count - minimum + 1)) }

    override var cost: Int { min(Int(context.docCount), leads.reduce(0) { $0 + $1.cost }) }

    /// Matches, deleted ones included, are at least this many.
    var countAtLeast: Int { minimum > 1 ? 0 : clauses.reduce(0) { max($0, $1 is TermNode ? $1.cost : 0) } }

    override func bound(from: UInt32, to: UInt32) -> Float {
        var sum = 0.0
        for node in clauses { sum += Double(node.bound(from: from, to: to)) }
        return Float(roundedUp(sum)).nextUp
    }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard target < upTo, clauses.count >= minimum else { target = upTo; return 0 }
        let base = target & ~UInt32(windowSize - 1)
        let start = target, end = min(upTo, base &+ UInt32(windowSize))
        if minimum == 1, cut > -.infinity, let scores = unsafe scores {
            return unsafe maxScore(&target, upTo, docs, scores, cut)
        }
        target = end
        if minimum > 1 { return unsafe batchOfMinimum(base, start, end, docs, scores, cut) }
        guard let scores = unsafe scores else {
            for node in clauses { collect(node, base, start, end) }
            return unsafe extract(base, docs)
        }
        for node in clauses { add(node, base, start, end) }
        return unsafe extract(base, docs, scores)
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        let matched = UnsafeMutablePointer<UInt16>.allocate(capacity: max(1, count))
        let totals = UnsafeMutablePointer<Double>.allocate(capacity: max(1, count))
        let some = Batch()
        defer { unsafe matched.deallocate(); unsafe totals.deallocate(); some.free() }
        unsafe matched.initialize(repeating: 0, count: count)
        unsafe totals.initialize(repeating: 0, count: count)
        for node in clauses {
            unsafe node.probe(docs, count: count, hits: some.hits, scores: scores == nil ? nil : some.scores)
            for i in 0..<count {
                unsafe matched[i] += UInt16(some.hits[i])
                if unsafe scores != nil { unsafe totals[i] += Double(some.scores[i]) }
            }
        }
        for i in 0..<count {
            unsafe hits[i] = unsafe Int(matched[i]) >= minimum ? 1 : 0
            unsafe scores?[i] = unsafe hits[i] == 1 ? Float(totals[i]) : 0
        }
    }

    override func insert(into set: UnsafeMutablePointer<UInt64>) {
        if minimum > 1 { return unsafe super.insert(into: set) }
        for node in clauses { unsafe node.insert(into: set) }
    }

    // MARK: - MAXSCORE

    private func maxScore(
        _ target: inout UInt32, _ upTo: UInt32, _ docs: UnsafeMutablePointer<UInt32>, _ scores: UnsafeMutablePointer<Float>, _ cut: Float
    ) -> Int {
        let start = target, count = clauses.count, bounds = unsafe bounds
        if start < outerStart || start >= outerEnd { findBounds(start) }
        let limit = Double(cut)
        // The clauses before `first` cannot lift a document above the cut, all together.
        var first = 0, rest = 0.0
        while unsafe first < count && roundedUp(rest + bounds[first].bound) <= limit {
            rest += unsafe bounds[first].bound
            first += 1
        }
        essential = first
        if first == count {
            target = min(upTo, outerEnd)
            return 0
        }
        var n: Int
        let above = first == 0 ? -Double.infinity : limit - roundedUp(rest)
        if first == count - 1 {
            n = unsafe single(clauses[bounds[first].clause], &target, min(upTo, outerEnd), docs, above)
        } else {
            let base = start & ~UInt32(windowSize - 1), end = min(upTo, base &+ UInt32(windowSize))
            target = end
            for i in first..<count { unsafe add(clauses[bounds[i].clause], base, start, end) }
            n = unsafe extract(base, docs, above: above)
        }
        // The best bound first; whoever can no longer reach the cut goes.
        var i = first - 1
        while i >= 0, n > 0 {
            rest = 0
            for j in 0..<i { rest += unsafe bounds[j].bound }
            n = unsafe clauses[bounds[i].clause].refine(
                docs, count: n, sums: work.sums, above: limit - roundedUp(rest), isRequired: false, room: work)
            i -= 1
        }
        for i in 0..<n { unsafe scores[i] = unsafe Float(work.sums[i]) }
        return n
    }

    /// Bounds of a stretch from `start`: at least to the end of its window, and as far as the clauses that found documents
    /// last have one bound.
    private func findBounds(_ start: UInt32) {
        let bounds = unsafe bounds, count = clauses.count
        let windowEnd = (start & ~UInt32(windowSize - 1)) &+ UInt32(windowSize)
        var far = UInt32.max
        for i in min(essential, count - 1)..<count { unsafe far = min(far, clauses[bounds[i].clause].blockEnd(start)) }
        // Whole windows, and not so many that the bounds of dense clauses mean nothing.
        far = min(far, start &+ UInt32(outerWindowsMax * windowSize)) & ~UInt32(windowSize - 1)
        (outerStart, outerEnd) = (start, max(windowEnd, far))
        for i in 0..<count {
            let clause = unsafe bounds[i].clause
            unsafe bounds[i].bound = Double(clauses[clause].bound(from: start, to: outerEnd))
        }
        // Few, and mostly in order.
        for i in 1..<max(1, count) {
            let item = unsafe bounds[i]
            var j = i
            while unsafe j > 0 && bounds[j - 1].bound > item.bound {
                unsafe bounds[j] = unsafe bounds[j - 1]
                j -= 1
            }
            unsafe bounds[j] = item
        }
    }

    /// The only essential clause's documents need no window.
    private func single(_ node: Node, _ target: inout UInt32, _ end: UInt32, _ docs: UnsafeMutablePointer<UInt32>, _ limit: Double) -> Int {
        let cut = Float(limit).nextDown
        let room = node.batchMax
        var n = 0
        while target < end, n + room <= windowSize {
            let more = unsafe node.batch(&target, upTo: end, docs: docs + n, scores: work.scores, cut: cut.isFinite ? cut : -.infinity)
            for i in 0..<more { unsafe work.sums[n + i] = unsafe Double(work.scores[i]) }
            n += more
        }
        return n
    }

    // MARK: - Windows

    private func add(_ node: Node, _ base: UInt32, _ start: UInt32, _ end: UInt32) {
        var from = start
        let docs = unsafe work.docs, scores = unsafe work.scores, sums = unsafe sums, bits = unsafe bits
        while from < end {
            let n = unsafe node.batch(&from, upTo: end, docs: docs, scores: scores, cut: -.infinity)
            for i in 0..<n {
                let at = unsafe Int(docs[i] &- base)
                unsafe sums[at] += Double(scores[i])
                unsafe bits[at >> 6] |= 1 << UInt64(at & 63)
            }
        }
    }

    private func collect(_ node: Node, _ base: UInt32, _ start: UInt32, _ end: UInt32) {
        var from = start
        let docs = unsafe work.docs, bits = unsafe bits
        while from < end {
            let n = unsafe node.batch(&from, upTo: end, docs: docs, scores: nil, cut: -.infinity)
            for i in 0..<n {
                let at = unsafe Int(docs[i] &- base)
                unsafe bits[at >> 6] |= 1 << UInt64(at & 63)
            }
        }
    }

    private func extract(_ base: UInt32, _ docs: UnsafeMutablePointer<UInt32>) -> Int {
        var n = 0
        for w in 0..<Self.words {
            var word = unsafe bits[w]
            if word == 0 { continue }
            unsafe bits[w] = 0
            while word != 0 {
                unsafe docs[n] = base &+ UInt32(truncatingIfNeeded: w << 6 | word.trailingZeroBitCount)
                n += 1
                word &= word &- 1
            }
        }
        return n
    }

    private func extract(_ base: UInt32, _ docs: UnsafeMutablePointer<UInt32>, _ scores: UnsafeMutablePointer<Float>) -> Int {
        let n = unsafe extract(base, docs)
        for i in 0..<n {
            let at = unsafe Int(docs[i] &- base)
            unsafe scores[i] = unsafe Float(sums[at])
            unsafe sums[at] = 0
        }
        return n
    }

    /// Documents and sums above `limit` into `docs` and `work.sums`.
    private func extract(_ base: UInt32, _ docs: UnsafeMutablePointer<UInt32>, above limit: Double) -> Int {
        var n = 0
        let sums = unsafe sums, out = unsafe work.sums, bits = unsafe bits
        for w in 0..<Self.words {
            var word = unsafe bits[w]
            if word == 0 { continue }
            unsafe bits[w] = 0
            while word != 0 {
                let at = w << 6 | word.trailingZeroBitCount
                word &= word &- 1
                let sum = unsafe sums[at]
                unsafe sums[at] = 0
                unsafe docs[n] = base &+ UInt32(truncatingIfNeeded: at)
                unsafe out[n] = sum
                n += sum > limit ? 1 : 0
            }
        }
        return n
    }

    // MARK: - Minimum

    private func batchOfMinimum(
        _ base: UInt32, _ start: UInt32, _ end: UInt32, _ docs: UnsafeMutablePointer<UInt32>, _ scores: UnsafeMutablePointer<Float>?, _ cut: Float
    ) -> Int {
        if unsafe scores != nil, cut > -.infinity, bound(from: start, to: end) <= cut { return 0 }
        for node in leads { collect(node, base, start, end) }
        let n = unsafe extract(base, docs)
        if n == 0 { return 0 }
        unsafe probe(docs, count: n, hits: work.hits, scores: scores)
        var kept = 0
        for i in 0..<n {
            unsafe docs[kept] = unsafe docs[i]
            if let scores = unsafe scores { unsafe scores[kept] = unsafe scores[i] }
            unsafe kept += work.hits[i] == 1 ? 1 : 0
        }
        return kept
    }
}
