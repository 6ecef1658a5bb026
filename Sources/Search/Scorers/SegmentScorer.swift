// Runs a plan over one segment: the best k documents, all matches, or how many there are.

package import Bytes
package import Segments
package import Storage

/// One thread at a time; made per search and segment.
package final class SegmentScorer {
    package let plan: Plan
    package let view: SegmentView
    private let context: ScorerContext
    private let root: Node?
    private var names: [(name: String, node: Node?)]?
    private let batch = Batch()

    package init(plan: Plan, view: SegmentView) throws(StorageError) {
        (self.plan, self.view) = (plan, view)
        context = ScorerContext(view)
        root = view.liveCount == 0 ? nil : try NodeBuilder(context).node(plan)
    }

    deinit { batch.free() }

    /// The best `k` live documents, best first; of equal scores the lower DocID. Only documents that score above
    /// `threshold` are looked for; when k hits are there, `threshold` is raised to the worst one's score (pass it
    /// on to the next segment). Before the first segment pass `-Float.infinity`.
    /// - Parameter countUpTo: matches are counted at least up to here (`Int.max`: all; 0: not at all); past it
    ///   whole blocks may be skipped. `count` is the number of live matches when `countIsExact`, else a lower
    ///   bound of it that is above `countUpTo`, or whatever was seen when `countUpTo` is 0.
    package func top(_ k: Int, threshold: inout Float, countUpTo: Int) throws(StorageError) -> (hits: [(doc: DocID, score: Float)], count: Int, countIsExact: Bool) {
        guard let root else { return ([], 0, true) }
        if k <= 0 {
            let count = countUpTo > 0 ? try self.count() : 0
            return ([], count, countUpTo > 0)
        }
        var heap = TopHeap(min(k, view.docCount), threshold: threshold)
        let known = countUpTo > 0 ? knownCount(root, countUpTo) : (0, false)
        var count = 0, isExact = true, isSkipping = known != nil
        let docs = unsafe batch.docs, scores = unsafe batch.scores
        var target: UInt32 = 0
        while target < context.docCount {
            let cut = isSkipping ? heap.threshold : -.infinity
            if cut > -.infinity { isExact = false }
            let n = unsafe live(root.batch(&target, upTo: context.docCount, docs: docs, scores: scores, cut: cut), scores: scores)
            for i in 0..<n { unsafe heap.insert(docs[i], scores[i]) }
            count += n
            if !isSkipping, count > countUpTo { isSkipping = true }
        }
        try check()
        if heap.isFull, k <= view.docCount { threshold = max(threshold, heap.threshold) }
        if let known, countUpTo > 0 { return (heap.sorted(), known.0, known.1) }
        return (heap.sorted(), count, isExact)
    }

    /// Exhaustive: all live matches, the best k, and each match's score when asked for.
    package func collect(k: Int, scores wantsScores: Bool) throws(StorageError) -> SegmentMatches {
        var out = SegmentMatches(matches: BitSet(count: view.docCount), hits: [], scores: wantsScores ? [Float](repeating: 0, count: view.docCount) : nil)
        guard let root else { return out }
        if k <= 0, !wantsScores {
            out.matches = try matches()
            return out
        }
        var heap = TopHeap(min(max(0, k), view.docCount), threshold: -.infinity)
        let docs = unsafe batch.docs, scores = unsafe batch.scores
        var target: UInt32 = 0
        while target < context.docCount {
            let n = unsafe live(root.batch(&target, upTo: context.docCount, docs: docs, scores: scores, cut: -.infinity), scores: scores)
            unsafe out.matches.words.withUnsafeMutableBufferPointer { words in
                for i in 0..<n { unsafe words[Int(docs[i] >> 6)] |= 1 << UInt64(docs[i] & 63) }
            }
            if k > 0 { for i in 0..<n { unsafe heap.insert(docs[i], scores[i]) } }
            if wantsScores {
                unsafe out.scores?.withUnsafeMutableBufferPointer { all in for i in 0..<n { unsafe all[Int(docs[i])] = unsafe scores[i] } }
            }
        }
        try check()
        out.hits = heap.sorted()
        return out
    }

    /// All live matches.
    package func matches() throws(StorageError) -> BitSet {
        var set = BitSet(count: view.docCount)
        guard let root else { return set }
        unsafe set.words.withUnsafeMutableBufferPointer { words in
            if let base = words.baseAddress { unsafe root.insert(into: base) }
        }
        try check()
        if let live = view.live { set.formIntersection(live) }
        return set
    }

    /// How many live documents of the segment match the plan: from term statistics, where they tell, without a scorer.
    package static func count(_ plan: Plan, in view: SegmentView) throws(StorageError) -> Int {
        if let known = try knownCount(plan, in: view) { return known }
        return try SegmentScorer(plan: plan, view: view).count()
    }

    /// Nil when documents have to be looked at.
    private static func knownCount(_ plan: Plan, in view: SegmentView) throws(StorageError) -> Int? {
        switch plan {
        case .none: return 0
        case .all: return view.liveCount
        case .term(let term): return view.live == nil ? try term.entry(in: view.segment)?.entry.docFreq ?? 0 : nil
        case .constant(let inner, _), .named(_, let inner), .boosting(let inner, _, _): return try knownCount(inner, in: view)
        case .bool(let bool):
            // Optional clauses change scores, not what matches.
            guard bool.mustNot.isEmpty, bool.minimumShouldMatch == 0, bool.must.count + bool.filter.count == 1 else { return nil }
            return try knownCount(bool.must.first ?? bool.filter[0], in: view)
        default: return nil
        }
    }

    /// How many live matches there are.
    package func count() throws(StorageError) -> Int {
        guard let root else { return 0 }
        if root is AllNode { return view.liveCount }
        if view.live == nil, let count = root.matchCount { return count }
        if root is DisjunctionNode || root is SetNode { return try matches().cardinality() }
        var count = 0
        var target: UInt32 = 0
        while target < context.docCount {
            unsafe count += live(root.batch(&target, upTo: context.docCount, docs: batch.docs, scores: nil, cut: -.infinity), scores: nil)
        }
        try check()
        return count
    }

    /// The document's score, nil when it does not match. Does not look whether it is live.
    package func score(of doc: DocID) throws(StorageError) -> Float? {
        guard let root, doc < context.docCount else { return nil }
        unsafe batch.docs[0] = doc
        unsafe root.probe(batch.docs, count: 1, hits: batch.hits, scores: batch.scores)
        try check()
        return unsafe batch.hits[0] == 1 ? batch.scores[0] : nil
    }

    /// The `_name`s of the clauses that match the document, in the plan's order.
    package func matchedNames(_ doc: DocID) throws(StorageError) -> [String] {
        guard doc < context.docCount else { return [] }
        if names == nil { names = try namedNodes() }
        var out: [String] = []
        for (name, node) in names ?? [] {
            guard let node else { continue }
            unsafe batch.docs[0] = doc
            unsafe node.probe(batch.docs, count: 1, hits: batch.hits, scores: nil)
            if unsafe batch.hits[0] == 1, !out.contains(name) { out.append(name) }
        }
        try check()
        return out
    }

    // MARK: -

    /// Drops deleted documents from the batch.
    private func live(_ n: Int, scores: UnsafeMutablePointer<Float>?) -> Int {
        guard let live = view.live else { return n }
        let docs = unsafe batch.docs
        var kept = 0
        unsafe live.words.withUnsafeBufferPointer { words in
            for i in 0..<n {
                let doc = unsafe docs[i]
                unsafe docs[kept] = doc
                if let scores = unsafe scores { unsafe scores[kept] = unsafe scores[i] }
                unsafe kept += Int(words[Int(doc >> 6)] >> UInt64(doc & 63) & 1)
            }
        }
        return kept
    }

    /// A count that costs less than looking at all matches, exact or above `limit`; nil when there is none.
    private func knownCount(_ root: Node, _ limit: Int) -> (Int, Bool)? {
        if root is AllNode { return (view.liveCount, true) }
        if let count = root.matchCount {
            if view.live == nil { return (count, true) }
            let least = count - (view.docCount - view.liveCount)
            return least > limit ? (least, false) : nil
        }
        if let any = root as? DisjunctionNode {
            let least = any.countAtLeast - (view.docCount - view.liveCount)
            if least > limit { return (least, false) }
            guard let set = try? matches() else { return nil }
            return (set.cardinality(), true)
        }
        return nil
    }

    private func check() throws(StorageError) {
        if let failure = context.failure { throw failure }
        if unsafe context.damage.pointee { throw StorageError(.corrupt, path: view.segment.file.bytes.path, "impossible posting block") }
    }

    private func namedNodes() throws(StorageError) -> [(name: String, node: Node?)] {
        var out: [(String, Node?)] = []
        let builder = NodeBuilder(context)
        // Depth is bounded by the parser of queries.
        func walk(_ plan: Plan) throws(StorageError) {
            switch plan {
            case .named(let name, let inner):
                out.append((name, try builder.node(inner)))
                try walk(inner)
            case .constant(let inner, _): try walk(inner)
            case .bool(let bool): for clause in bool.must + bool.should + bool.filter + bool.mustNot { try walk(clause) }
            case .disMax(let clauses, _): for clause in clauses { try walk(clause) }
            case .boosting(let positive, let negative, _):
                try walk(positive)
                try walk(negative)
            case .function(let function): try walk(function.inner)
            case .none, .all, .term, .synonym, .phrase, .set: break
            }
        }
        try walk(plan)
        return out
    }
}

package struct SegmentMatches: Sendable {
    package var matches: BitSet
    package var hits: [(doc: DocID, score: Float)]
    /// By DocID; 0 where the document does not match.
    package var scores: [Float]?
    package init(matches: BitSet, hits: [(doc: DocID, score: Float)], scores: [Float]?) {
        (self.matches, self.hits, self.scores) = (matches, hits, scores)
    }
}
