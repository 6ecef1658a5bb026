// Documents that match at least `minimum` clauses; scores summed in double, cast once. Works in windows of
// 4,096 documents by MAXSCORE with the bounds of the window: clauses that together cannot lift a document above
// the cut are only asked about documents that the others found (H. Turtle, J. Flood, "Query evaluation:
// strategies and optimizations", 1995; bounds by block: A. Mallia, O. Khattab, T. Suel, N. Tonellotto, "An
// experimental study of block-max MAXSCORE", 2017; windows: Lucene's MaxScoreBulkScorer).

internal import Bytes
internal import Segments

@safe final class DisjunctionNode: Node {
    /// Cheapest first.
    private let clauses: [Node]
    private let minimum: Int
    private let work = Batch()
    /// Sums by document of the window; all zero between calls.
    private let sums: UnsafeMutablePointer<Double>
    private let counts: UnsafeMutablePointer<UInt8>
    private let bits: UnsafeMutablePointer<UInt64>
    private var bounds: [(bound: Double, clause: Int)] = []
    private static let words = windowSize / 64

    init(_ context: ScorerContext, _ clauses: [Node], minimum: Int = 1) {
        self.clauses = clauses.sorted { $0.cost < $1.cost }
        self.minimum = max(1, minimum)
        unsafe sums = .allocate(capacity: windowSize)
        unsafe sums.initialize(repeating: 0, count: windowSize)
        unsafe counts = .allocate(capacity: windowSize)
        unsafe counts.initialize(repeating: 0, count: windowSize)
        unsafe bits = .allocate(capacity: Self.words)
        unsafe bits.initialize(repeating: 0, count: Self.words)
        super.init(context)
    }

    deinit {
        work.free()
        unsafe sums.deallocate()
        unsafe counts.deallocate()
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
        target = end
        if minimum > 1 { return unsafe batchOfMinimum(base, start, end, docs, scores, cut) }
        guard let scores = unsafe scores else {
            for node in clauses { collect(node, base, start, end) }
            return unsafe extract(base, docs)
        }
        if cut == -.infinity {
            for node in clauses { add(node, base, start, end) }
            return unsafe extract(base, docs, scores)
        }
        return unsafe maxScore(base, start, end, docs, scores, cut)
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
        _ base: UInt32, _ start: UInt32, _ end: UInt32, _ docs: UnsafeMutablePointer<UInt32>, _ scores: UnsafeMutablePointer<Float>, _ cut: Float
    ) -> Int {
        bounds.removeAll(keepingCapacity: true)
        for (i, node) in clauses.enumerated() { bounds.append((Double(node.bound(from: start, to: end)), i)) }
        sortBounds()
        let limit = Double(cut)
        // The clauses before `essential` cannot lift a document above the cut, all together.
        var essential = 0, rest = 0.0
        while essential < bounds.count, roundedUp(rest + bounds[essential].bound) <= limit {
            rest += bounds[essential].bound
            essential += 1
        }
        if essential == bounds.count { return 0 }
        var n: Int
        if essential == bounds.count - 1 {
            n = unsafe single(clauses[bounds[essential].clause], start, end, docs, limit - roundedUp(rest))
        } else {
            for i in essential..<bounds.count { add(clauses[bounds[i].clause], base, start, end) }
            n = unsafe extract(base, docs, above: essential == 0 ? -.infinity : limit - roundedUp(rest))
        }
        // The best bound first; whoever can no longer reach the cut goes.
        var i = essential - 1
        while i >= 0, n > 0 {
            rest = 0
            for j in 0..<i { rest += bounds[j].bound }
            n = unsafe ask(clauses[bounds[i].clause], docs, n, above: limit - roundedUp(rest))
            i -= 1
        }
        for i in 0..<n { unsafe scores[i] = unsafe Float(work.sums[i]) }
        return n
    }

    /// The only essential clause's documents need no window.
    private func single(_ node: Node, _ start: UInt32, _ end: UInt32, _ docs: UnsafeMutablePointer<UInt32>, _ limit: Double) -> Int {
        let cut = Float(limit).nextDown
        var from = start, n = 0
        while from < end {
            let more = unsafe node.batch(&from, upTo: end, docs: docs + n, scores: work.scores, cut: cut.isFinite ? cut : -.infinity)
            for i in 0..<more { unsafe work.sums[n + i] = unsafe Double(work.scores[i]) }
            n += more
        }
        return n
    }

    /// Adds the clause's scores to the documents', and keeps those above `limit`.
    private func ask(_ node: Node, _ docs: UnsafeMutablePointer<UInt32>, _ n: Int, above limit: Double) -> Int {
        let scores = unsafe work.scores, sums = unsafe work.sums
        unsafe node.probe(docs, count: n, hits: work.hits, scores: scores)
        var kept = 0
        for i in 0..<n {
            let sum = unsafe sums[i] + Double(scores[i])
            unsafe docs[kept] = unsafe docs[i]
            unsafe sums[kept] = sum
            kept += sum > limit ? 1 : 0
        }
        return kept
    }

    /// Few: by insertion.
    private func sortBounds() {
        guard bounds.count > 1 else { return }
        for i in 1..<bounds.count {
            let item = bounds[i]
            var j = i
            while j > 0, bounds[j - 1].bound > item.bound {
                bounds[j] = bounds[j - 1]
                j -= 1
            }
            bounds[j] = item
        }
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
