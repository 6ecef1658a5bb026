// top_hits: the best few documents of each bucket, by score or by sort keys. What of them is shown is fetched
// by whoever renders the result.

internal import Bytes
internal import QueryDSL
internal import Segments

final class TopHitsAggregator: Aggregator {
    private let request: Aggregation.TopHits
    private let snapshots: [IndexSnapshot]
    private let plan: SortPlan
    private let size: Int
    private var sorter: SegmentSorter?
    private var scores: [Float]?
    private var heaps: [UInt32: SortHeap] = [:]
    private var buckets: [UInt32: Kept] = [:]

    private struct Kept {
        var total = 0
        var maxScore: Float?
        var hits: [SortedHit] = []
    }

    init(_ aggregation: Aggregation, _ request: Aggregation.TopHits, snapshots: [IndexSnapshot], now: Int64, _ budget: AggregationBudget) throws {
        let most = snapshots.map(\.settings.resultWindowMax).min() ?? 10_000
        guard request.from >= 0, request.size >= 0, request.from <= most, request.size <= most - request.from else {
            throw QueryError("illegal_argument_exception", "Top hits result window is too large, the top hits aggregator [\(aggregation.name)]'s from + size must be less than or equal to: [\(most)]")
        }
        (self.request, self.snapshots) = (request, snapshots)
        plan = try SortPlan(request.sort.isEmpty ? [SortKey(.score, ascending: false)] : request.sort, snapshots: snapshots, after: nil, now: now)
        size = request.from + request.size
        super.init(aggregation, [], budget)
    }

    override func begin(_ segment: SegmentContext) throws {
        scores = segment.scores
        sorter = try SegmentSorter(plan, snapshot: segment.snapshot, segment: segment.segment, index: segment.index, scores: segment.scores)
    }

    override func collect(_ docs: UnsafeBufferPointer<DocID>, _ parents: UnsafePointer<UInt32>?) throws {
        guard let sorter else { return }
        unsafe sorter.gather(docs)
        for i in 0..<docs.count {
            let bucket = unsafe parents.map { unsafe $0[i] } ?? 0, doc = unsafe docs[i]
            buckets[bucket, default: Kept()].total += 1
            if let score = scores?[Int(doc)], score > buckets[bucket]?.maxScore ?? -.infinity { buckets[bucket]?.maxScore = score }
            if size == 0 { continue }
            if heaps[bucket] == nil {
                try budget.keep(1 + size)
                heaps[bucket] = SortHeap(size: size)
            }
            let first = unsafe sorter.keys[0][i]
            if let heap = heaps[bucket], heap.isFull, let worst = heap.worst, first > worst.first { continue }
            var rest: [Int64] = []
            for k in 1..<max(1, plan.keys.count) { unsafe rest.append(sorter.keys[k][i]) }
            heaps[bucket]?.push(SortEntry(first: first, rest: rest, doc: doc))
        }
    }

    override func end() throws {
        guard let sorter else { return }
        for (bucket, heap) in heaps {
            var hits = buckets[bucket]?.hits ?? []
            for entry in heap.entries { hits.append(try sorter.hit(entry)) }
            hits.sort(by: plan.precedes)
            buckets[bucket, default: Kept()].hits = Array(hits.prefix(size))
        }
        heaps = [:]
        self.sorter = nil
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        let kept = buckets[bucket] ?? Kept(), byScore = request.sort.isEmpty
        var hits = Array(kept.hits.dropFirst(request.from))
        let sortJSON = byScore ? [] : hits.map { hit in hit.sort.enumerated().map { plan.json($1, $0) } }
        if !byScore, !request.trackScores { for i in hits.indices { hits[i].score = .nan } }
        return AggregationResult(
            name: name, type: "top_hits", meta: meta,
            body: .topHits(
                AggregationResult.TopHitsResult(
                    request: request, total: kept.total, maxScore: byScore || request.trackScores ? kept.maxScore : nil, hits: hits, sortValues: sortJSON)))
    }
}
