// Documents that match all required clauses and none of the excluded: led by the rarest, whose blocks the others
// are asked about. Optional clauses add to the score.
//
// A document's score is, as in Lucene: the required clauses' scores summed in double and cast to float,
// plus the optional ones', summed likewise.

internal import Segments

@safe final class ConjunctionNode: Node {
    /// Scoring and not, cheapest first; the first leads.
    private let required: [(node: Node, isScored: Bool)]
    private let optional: [Node]
    private let excluded: [Node]
    private let work = Batch()
    private let rests: UnsafeMutablePointer<Double>

    init(_ context: ScorerContext, must: [Node], filter: [Node], optional: [Node] = [], excluded: [Node] = []) {
        required = (must.map { ($0, true) } + filter.map { ($0, false) }).sorted { $0.0.cost < $1.0.cost }
        unsafe rests = .allocate(capacity: max(1, required.count))
        self.optional = optional
        self.excluded = excluded.sorted { $0.cost < $1.cost }
        super.init(context)
    }

    deinit {
        work.free()
        unsafe rests.deallocate()
    }

    override var cost: Int { required.first?.node.cost ?? 0 }
    override var matchCount: Int? { required.count == 1 && excluded.isEmpty ? required[0].node.matchCount : nil }

    override func bound(from: UInt32, to: UInt32) -> Float {
        var must = 0.0, may = 0.0
        for (node, isScored) in required where isScored { must += Double(node.bound(from: from, to: to)) }
        for node in optional { may += Double(node.bound(from: from, to: to)) }
        return Float(roundedUp(must + may)).nextUp.nextUp
    }

    override func blockEnd(_ target: UInt32) -> UInt32 { required.first?.node.blockEnd(target) ?? context.docCount }

    override func batch(
        _ target: inout UInt32, upTo: UInt32, docs: UnsafeMutablePointer<UInt32>, scores: UnsafeMutablePointer<Float>?, cut: Float
    ) -> Int {
        guard let lead = required.first else { target = upTo; return 0 }
        guard unsafe scores != nil else {
            let n = unsafe lead.node.batch(&target, upTo: upTo, docs: docs, scores: nil, cut: -.infinity)
            return unsafe filter(docs, n, from: 1)
        }
        if cut == -.infinity {
            let n = unsafe lead.node.batch(&target, upTo: upTo, docs: docs, scores: lead.isScored ? work.scores : nil, cut: cut)
            return unsafe finish(docs, n, scores, isLeadScored: lead.isScored, limit: -.infinity)
        }
        // One stretch of the lead that has one bound. Required and optional sums are rounded apart: two steps down.
        let end = lead.node.stretchEnd(target, upTo: upTo)
        let limit = Double(optional.isEmpty ? cut : cut.nextDown.nextDown)
        var rest = 0.0
        for node in optional { rest += Double(node.bound(from: target, to: end)) }
        // What can still come after each required clause.
        var i = required.count - 1
        while i > 0 {
            unsafe rests[i] = rest
            if required[i].isScored { rest += Double(required[i].node.bound(from: target, to: end)) }
            i -= 1
        }
        if !lead.isScored {
            if roundedUp(rest) <= limit { target = end; return 0 }
            let n = unsafe lead.node.batch(&target, upTo: end, docs: docs, scores: nil, cut: -.infinity)
            return unsafe finish(docs, n, scores, isLeadScored: false, limit: limit)
        }
        let leadCut = Float(limit - roundedUp(rest)).nextDown
        let n = unsafe lead.node.batch(&target, upTo: end, docs: docs, scores: work.scores, cut: leadCut.isFinite ? leadCut : -.infinity)
        return unsafe finish(docs, n, scores, isLeadScored: true, limit: limit)
    }

    override func probe(_ docs: UnsafePointer<UInt32>, count: Int, hits: UnsafeMutablePointer<UInt8>, scores: UnsafeMutablePointer<Float>?) {
        let sums = UnsafeMutablePointer<Double>.allocate(capacity: max(1, count))
        let some = Batch()
        defer { unsafe sums.deallocate(); some.free() }
        unsafe sums.initialize(repeating: 0, count: count)
        unsafe hits.update(repeating: 1, count: count)
        for (node, isScored) in required {
            unsafe node.probe(docs, count: count, hits: some.hits, scores: isScored && scores != nil ? some.scores : nil)
            for i in 0..<count {
                unsafe hits[i] &= some.hits[i]
                if isScored, unsafe scores != nil { unsafe sums[i] += Double(some.scores[i]) }
            }
        }
        for node in excluded {
            unsafe node.probe(docs, count: count, hits: some.hits, scores: nil)
            for i in 0..<count { unsafe hits[i] &= 1 ^ some.hits[i] }
        }
        guard let scores = unsafe scores else { return }
        for i in 0..<count {
            unsafe scores[i] = unsafe hits[i] == 1 ? Float(sums[i]) : 0
            unsafe sums[i] = 0
        }
        if optional.isEmpty { return }
        for node in optional {
            unsafe node.probe(docs, count: count, hits: some.hits, scores: some.scores)
            for i in 0..<count { unsafe sums[i] += Double(some.scores[i]) }
        }
        for i in 0..<count where unsafe hits[i] == 1 { unsafe scores[i] += Float(sums[i]) }
    }

    // MARK: -

    /// Keeps the documents that match required clauses from `first` on and no excluded one.
    private func filter(_ docs: UnsafeMutablePointer<UInt32>, _ count: Int, from first: Int) -> Int {
        var n = count
        for i in first..<max(first, required.count) where n > 0 {
            unsafe required[i].node.probe(docs, count: n, hits: work.hits, scores: nil)
            n = unsafe keep(docs, n, 1)
        }
        for node in excluded where n > 0 {
            unsafe node.probe(docs, count: n, hits: work.hits, scores: nil)
            n = unsafe keep(docs, n, 0)
        }
        return n
    }

    private func keep(_ docs: UnsafeMutablePointer<UInt32>, _ n: Int, _ wanted: UInt8) -> Int {
        var kept = 0
        for i in 0..<n {
            unsafe docs[kept] = unsafe docs[i]
            unsafe kept += work.hits[i] == wanted ? 1 : 0
        }
        return kept
    }

    /// Asks the other clauses about the lead's documents, whose scores stand in `work.scores`.
    private func finish(
        _ docs: UnsafeMutablePointer<UInt32>, _ count: Int, _ scores: UnsafeMutablePointer<Float>?, isLeadScored: Bool, limit: Double
    ) -> Int {
        guard let scores = unsafe scores, count > 0 else { return 0 }
        let sums = unsafe work.sums, hits = unsafe work.hits
        var n = count
        if isLeadScored { for i in 0..<n { unsafe sums[i] = unsafe Double(work.scores[i]) } } else { for i in 0..<n { unsafe sums[i] = 0 } }
        for i in 1..<max(1, required.count) where n > 0 {
            let node = required[i].node
            if required[i].isScored {
                let above = limit == -.infinity ? limit : unsafe limit - roundedUp(rests[i])
                n = unsafe node.refine(docs, count: n, sums: sums, above: above, isRequired: true, room: work)
                continue
            }
            unsafe node.probe(docs, count: n, hits: hits, scores: nil)
            var kept = 0
            for i in 0..<n {
                unsafe docs[kept] = unsafe docs[i]
                unsafe sums[kept] = unsafe sums[i]
                unsafe kept += hits[i] == 1 ? 1 : 0
            }
            n = kept
        }
        for node in excluded where n > 0 {
            unsafe node.probe(docs, count: n, hits: hits, scores: nil)
            var kept = 0
            for i in 0..<n {
                unsafe docs[kept] = unsafe docs[i]
                unsafe sums[kept] = unsafe sums[i]
                unsafe kept += hits[i] == 0 ? 1 : 0
            }
            n = kept
        }
        for i in 0..<n { unsafe scores[i] = unsafe Float(sums[i]) }
        guard !optional.isEmpty, n > 0 else { return n }
        for i in 0..<n { unsafe sums[i] = 0 }
        for node in optional {
            unsafe node.probe(docs, count: n, hits: hits, scores: work.scores)
            for i in 0..<n { unsafe sums[i] += Double(work.scores[i]) }
        }
        for i in 0..<n { unsafe scores[i] += Float(sums[i]) }
        return n
    }
}
