// The collecting of a search: segment by segment, the least work that the request allows.
//
//     by score, nothing else         top-k with block-max pruning; the worst score so far goes on to the next segment
//     by score, with aggregations    all matches and their scores, then a heap
//     by fields                      all matches, then the field sorter
//     no hits wanted                 a count, or the aggregations
//
// Ties: lower index, lower segment, lower document first.

internal import Bytes
internal import JSON
internal import QueryDSL
internal import Segments
internal import Storage

struct CollectedHit {
    var place: HitPlace
    var score: Float
    /// As Elasticsearch shows them.
    var sort: [JSONValue]?
}

struct CollectedHits {
    var hits: [CollectedHit] = []
    var count = 0
    var countIsExact = true
    var maxScore: Float?
    var aggregations: [AggregationResult] = []
    var timedOut = false
    var terminatedEarly = false

    /// As the request wants its total: capped where it said so.
    func total(_ wanted: TrackTotalHits) -> (value: Int, relation: SearchResponse.Relation)? {
        switch wanted {
        case .none: return nil
        case .exact: return (count, timedOut ? .atLeast : .equal)
        case .upTo(let most):
            if count > most { return (most, .atLeast) }
            return (count, countIsExact && !timedOut ? .equal : .atLeast)
        }
    }
}

/// What the query phase found, to be fetched from.
package struct FoundHits {
    let search: PreparedSearch
    let collected: CollectedHits

    /// Nil when the request said `track_total_hits: false`.
    package var total: (value: Int, relation: SearchResponse.Relation)? { collected.total(search.request.trackTotalHits) }
    package var aggregations: [AggregationResult] { collected.aggregations }
}

extension PreparedSearch {
    /// Hits from the first one on, as many as from + size need.
    func collect() throws(SearchError) -> CollectedHits {
        // Their sum is within the result window of each index, and without any index of no account.
        let window = request.from.addingReportingOverflow(request.size), wanted = request.size == 0 ? 0 : window.overflow ? Int.max : window.partialValue
        if let field = request.collapse, wanted > 0 { return try collapsed(by: field, wanted) }
        let reached = wanted == 0 ? 0 : max(wanted, request.rescore.map(\.windowSize).max() ?? 0)
        var result = try collect(reached)
        if !request.rescore.isEmpty { try rescore(&result) }
        return result
    }

    /// The first `k` hits, count and aggregations.
    func collect(_ k: Int) throws(SearchError) -> CollectedHits {
        do {
            return isPrunable ? try pruned(k) : try exhaustive(k)
        } catch let error as SearchError { throw error } catch let error as QueryError { throw .request(error) } catch let error as StorageError {
            throw .storage(error)
        } catch let error as AggregationError {
            switch error {
            case .query(let why): throw .request(why)
            case .storage(let why): throw .storage(why)
            }
        } catch { throw SearchError("search_phase_execution_exception", "\(error)") }
    }

    // MARK: -

    private var countUpTo: Int {
        switch request.trackTotalHits {
        case .none: 0
        case .exact: .max
        case .upTo(let n): n
        }
    }

    /// One more than the bound still leaves, so that being past it is noticed; 0 once it is.
    private func countLeft(_ counted: Int) -> Int {
        let most = countUpTo
        return most == .max ? .max : most == 0 || counted > most ? 0 : most - counted + 1
    }

    private func pruned(_ k: Int) throws -> CollectedHits {
        var result = CollectedHits(), best = BestHits(k)
        for (t, bound) in bounds.enumerated() {
            for (s, view) in bound.target.snapshot.segments.enumerated() {
                if isOverdue { result.timedOut = true }
                if result.timedOut { break }
                if k == 0 {
                    if countUpTo > 0 { result.count += try SegmentScorer.count(bound.plan, in: view) }
                    continue
                }
                let scorer = try SegmentScorer(plan: bound.plan, view: view)
                // Its own threshold: a segment with fewer than k documents would raise it too far.
                var competitive = best.threshold
                let found = try scorer.top(min(k, max(1, view.docCount)), threshold: &competitive, countUpTo: countLeft(result.count))
                result.count += found.count
                if !found.countIsExact { result.countIsExact = false }
                best.merge(found.hits, target: t, segment: s)
            }
        }
        result.hits = best.finish(withSort: !request.sort.isEmpty)
        result.maxScore = result.hits.first?.score
        return result
    }

    private func exhaustive(_ k: Int) throws -> CollectedHits {
        var result = CollectedHits(), best = BestHits(ordersByScore ? k : 0)
        let sorter = ordersByScore || k == 0 ? nil : try sorter(size: k, after: request.searchAfter)
        let aggregator = try request.aggregations.isEmpty ? nil : self.aggregator()
        let names = request.facetFilters.map(\.name)
        for (t, bound) in bounds.enumerated() {
            for (s, view) in bound.target.snapshot.segments.enumerated() {
                if isOverdue { result.timedOut = true }
                if result.timedOut || result.terminatedEarly { break }
                let found = try matches(bound, view, k)
                let sets = try narrowed(found, bound, view, &result)
                if let aggregator {
                    let facets = sets.facets
                    try aggregator.collect(snapshot: t, segment: s, matches: { name in
                        names.firstIndex(of: name).map { facets.without[$0] } ?? facets.all
                    }, scores: found.scores)
                }
                result.count += sets.hits.cardinality()
                if let sorter { try sorter.collect(snapshot: t, segment: s, matches: sets.hits, scores: found.scores) }
                best.merge(hits(found, sets.hits, bound, k), target: t, segment: s)
                if request.trackScores, let scores = found.scores {
                    sets.hits.forEach { result.maxScore = max(result.maxScore ?? -.infinity, scores[$0]) }
                }
            }
        }
        if let sorter {
            result.hits = sorter.finish().map { hit in
                CollectedHit(place: HitPlace(target: hit.snapshot, segment: hit.segment, doc: hit.doc), score: hit.score, sort: sorter.json(hit))
            }
        } else if ordersByScore {
            result.hits = best.finish(withSort: !request.sort.isEmpty)
            result.maxScore = result.hits.first?.score
        }
        if let aggregator { result.aggregations = try aggregator.finish() }
        return result
    }

    /// The best hits of a segment are those of the scorer: nothing takes matches away afterwards.
    private func keepsAllMatches(_ bound: Bound) -> Bool {
        request.minScore == nil && request.terminateAfter == 0 && bound.postFilter == nil && bound.facets.isEmpty
    }

    /// All matches of a segment, with what is read of their scores.
    private func matches(_ bound: Bound, _ view: SegmentView, _ k: Int) throws -> SegmentMatches {
        let scorer = try SegmentScorer(plan: bound.plan, view: view)
        if ordersByScore, k > 0, keepsAllMatches(bound) { return try scorer.collect(k: k, scores: request.aggregations.contains(where: Self.hasTopHits)) }
        if needsScores(k) { return try scorer.collect(k: 0, scores: true) }
        return SegmentMatches(matches: try scorer.matches(), hits: [], scores: nil)
    }

    /// The best `k` by score, best first.
    private func hits(_ found: SegmentMatches, _ kept: BitSet, _ bound: Bound, _ k: Int) -> [(doc: DocID, score: Float)] {
        guard ordersByScore, k > 0 else { return [] }
        if keepsAllMatches(bound) { return found.hits }
        guard let scores = found.scores else { return [] }
        var heap = TopHeap(min(k, scores.count), threshold: -.infinity)
        kept.forEach { doc in heap.insert(UInt32(truncatingIfNeeded: doc), scores[doc]) }
        return heap.sorted()
    }

    /// A segment's matches after min_score, terminate_after, facet filters and post_filter.
    private func narrowed(
        _ found: SegmentMatches, _ bound: Bound, _ view: SegmentView, _ result: inout CollectedHits
    ) throws -> (facets: FacetSets, hits: BitSet) {
        var base = found.matches
        if let least = request.minScore, let scores = found.scores {
            found.matches.forEach { doc in if scores[doc] < least { base.remove(doc) } }
        }
        if request.terminateAfter > 0 {
            var room = request.terminateAfter - result.count
            let all = base
            all.forEach { doc in
                room -= 1
                if room < 0 { base.remove(doc) }
            }
            if room <= 0 { result.terminatedEarly = true }
        }
        var filters: [BitSet] = []
        for facet in bound.facets { filters.append(try SegmentScorer(plan: facet, view: view).matches()) }
        let facets = FacetSets(base: base, filters: filters)
        guard let post = bound.postFilter else { return (facets, facets.all) }
        var hits = facets.all
        hits.formIntersection(try SegmentScorer(plan: post, view: view).matches())
        return (facets, hits)
    }

    private func aggregator() throws -> AggregationCollector {
        var plans: [(query: Query, snapshot: Int, plan: Plan)] = []
        let bounds = bounds
        return try AggregationCollector(request.aggregations, snapshots: snapshots, now: executor.now) { query, snapshot, segment in
            let plan: Plan
            if let known = plans.first(where: { $0.snapshot == snapshot && $0.query == query }) { plan = known.plan } else {
                plan = try bounds[snapshot].builder.filter(query)
                plans.append((query, snapshot, plan))
            }
            return try SegmentScorer(plan: plan, view: bounds[snapshot].target.snapshot.segments[segment]).matches()
        }
    }
}

/// The best k by score of segment after segment, best first.
struct BestHits {
    private let k: Int
    private var hits: [CollectedHit] = []

    init(_ k: Int) { self.k = k }

    /// Scores must be above this to get in; -infinity until there are k.
    var threshold: Float { hits.count < k ? -.infinity : hits.last?.score ?? -.infinity }

    /// - Parameter new: best first, of a segment behind those merged before: of equal scores the ones already here go first.
    mutating func merge(_ new: [(doc: DocID, score: Float)], target: Int, segment: Int) {
        if new.isEmpty { return }
        var merged: [CollectedHit] = [], old = 0, i = 0
        merged.reserveCapacity(min(k, hits.count + new.count))
        while merged.count < k, old < hits.count || i < new.count {
            if i == new.count || (old < hits.count && hits[old].score >= new[i].score) {
                merged.append(hits[old])
                old += 1
            } else {
                merged.append(CollectedHit(place: HitPlace(target: target, segment: segment, doc: new[i].doc), score: new[i].score, sort: nil))
                i += 1
            }
        }
        hits = merged
    }

    func finish(withSort: Bool) -> [CollectedHit] {
        guard withSort else { return hits }
        return hits.map { CollectedHit(place: $0.place, score: $0.score, sort: [.number(Double($0.score))]) }
    }

    static func isBetter(_ a: CollectedHit, _ b: CollectedHit) -> Bool {
        a.score != b.score ? a.score > b.score : a.place < b.place
    }
}

extension HitPlace: Comparable {
    package static func < (a: HitPlace, b: HitPlace) -> Bool { (a.target, a.segment, a.doc) < (b.target, b.segment, b.doc) }
}
