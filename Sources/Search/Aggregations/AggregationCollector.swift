// Collects the documents of a search into aggregations: binds the request's tree to fields, walks each
// segment's matches in batches, and hands every batch to all top-level aggregations before the next, so that
// documents are listed once however many facets are asked for.
//
// A new aggregation is one more case of `make`.

package import Bytes
internal import JSON
package import QueryDSL
package import Segments
package import Storage

/// Why an aggregation has no answer.
package enum AggregationError: Error {
    /// The caller erred, or asked for too much (`too_many_buckets_exception`).
    case query(QueryError)
    /// A segment is damaged.
    case storage(StorageError)
}

package final class AggregationCollector {
    private let roots: [Aggregator]
    private let snapshots: [IndexSnapshot]
    private let evaluate: (Query, Int, Int) throws -> BitSet
    private let buffer = UnsafeMutableBufferPointer<DocID>.allocate(capacity: ValueBatch.docsMax)

    /// How deep aggregations may be nested.
    package static let depthMax = 20

    /// - Parameters:
    ///   - snapshots: one per index searched.
    ///   - now: milliseconds since 1970, for date math.
    ///   - evaluate: documents of a segment matching a query (live ones only): for filter and filters.
    /// - Throws: QueryError, StorageError.
    package init(
        _ aggregations: [Aggregation], snapshots: [IndexSnapshot], now: Int64 = 0,
        evaluate: @escaping (_ query: Query, _ snapshot: Int, _ segment: Int) throws -> BitSet
    ) throws {
        self.snapshots = snapshots
        self.evaluate = evaluate
        let budget = AggregationBudget(bucketsMax: snapshots.map(\.settings.bucketsMax).max() ?? 65_536)
        roots = try aggregations.map { try Self.make($0, snapshots, now, budget, depth: 0) }
    }

    deinit { unsafe buffer.deallocate() }

    /// Counts one segment's matches (live documents only). Every segment is collected once.
    /// - Throws: StorageError, QueryError, and what `evaluate` throws.
    package func collect(snapshot: Int, segment: Int, matches: BitSet, scores: [Float]?) throws {
        try collect(snapshot, segment, scores, [(roots.filter { !$0.isGlobal }, matches)])
    }

    /// The same with, for each top-level aggregation by name, its own set (multi-select facets).
    package func collect(snapshot: Int, segment: Int, matches: (_ aggregation: String) -> BitSet, scores: [Float]?) throws {
        // Aggregations that share a set share the walk.
        var groups: [(roots: [Aggregator], matches: BitSet)] = []
        for root in roots where !root.isGlobal {
            let set = matches(root.name)
            if let g = groups.firstIndex(where: { $0.matches == set }) { groups[g].roots.append(root) } else { groups.append(([root], set)) }
        }
        try collect(snapshot, segment, scores, groups)
    }

    private func collect(_ snapshot: Int, _ segment: Int, _ scores: [Float]?, _ groups: [(roots: [Aggregator], matches: BitSet)]) throws {
        let view = snapshots[snapshot].segments[segment]
        let context = SegmentContext(
            snapshot: snapshot, segment: segment, view: view, index: snapshots[snapshot], scores: scores,
            evaluate: { [evaluate] in try evaluate($0, snapshot, segment) })
        for root in roots { try root.begin(context) }
        for (members, matches) in groups where !members.isEmpty { try walk(matches, members) }
        let globals = roots.filter(\.isGlobal)
        if !globals.isEmpty { try walk(view.live ?? BitSet(count: view.docCount, all: true), globals) }
        for root in roots { try root.end() }
    }

    private func walk(_ matches: BitSet, _ roots: [Aggregator]) throws {
        var walk = BitSet.Walk()
        while true {
            let n = unsafe matches.next(&walk, into: buffer)
            if n == 0 { return }
            let docs = unsafe UnsafeBufferPointer(rebasing: buffer[0..<n])
            for root in roots { unsafe try root.collect(docs, nil) }
        }
    }

    /// - Throws: QueryError (too_many_buckets_exception among them), StorageError.
    package func finish() throws -> [AggregationResult] { try roots.map { try $0.result(0) } }

    // MARK: - Binding

    private static func make(_ a: Aggregation, _ snapshots: [IndexSnapshot], _ now: Int64, _ budget: AggregationBudget, depth: Int) throws -> Aggregator {
        guard depth < depthMax else { throw QueryError("illegal_argument_exception", "aggregations are nested deeper than [\(depthMax)]: flatten the request") }
        if case .global = a.kind, depth > 0 {
            throw QueryError("aggregation_execution_exception", "Aggregation [\(a.name)] cannot have a global parent: it can only be placed at the top level")
        }
        let children = try a.children.map { try make($0, snapshots, now, budget, depth: depth + 1) }
        func bind(_ field: String) throws(QueryError) -> FieldBinding { try FieldBinding(field, snapshots: snapshots) }
        func numbers(_ field: String) throws(QueryError) -> FieldBinding {
            let binding = try bind(field)
            try requireNumbers(binding, a)
            return binding
        }
        switch a.kind {
        case .terms(let r):
            let binding = try bind(r.field)
            return binding.isNumeric
                ? try NumberTermsAggregator(a, r, binding, now: now, children, budget)
                : try KeywordTermsAggregator(a, r, binding, snapshots: snapshots, children, budget)
        case .range(let r): return try RangeAggregator(a, r, try numbers(r.field), dates: false, now: now, children, budget)
        case .dateRange(let r): return try RangeAggregator(a, r, try numbers(r.field), dates: true, now: now, children, budget)
        case .histogram(let r): return try HistogramAggregator(a, r, try numbers(r.field), now: now, children, budget)
        case .dateHistogram(let r): return try DateHistogramAggregator(a, r, try numbers(r.field), now: now, children, budget)
        case .filter(let query): return try SingleBucketAggregator(a, .query(query), type: "filter", children, budget)
        case .filters(let filters, let other): return try FiltersAggregator(a, filters, otherKey: other, children, budget)
        case .global: return try SingleBucketAggregator(a, .global, type: "global", children, budget)
        case .missing(let field): return try SingleBucketAggregator(a, .missing(try bind(field)), type: "missing", children, budget)
        case .min(let m): return try StatsAggregator(a, .min, m, try bind(m.field), now: now, budget)
        case .max(let m): return try StatsAggregator(a, .max, m, try bind(m.field), now: now, budget)
        case .avg(let m): return try StatsAggregator(a, .avg, m, try bind(m.field), now: now, budget)
        case .sum(let m): return try StatsAggregator(a, .sum, m, try bind(m.field), now: now, budget)
        case .stats(let m): return try StatsAggregator(a, .stats, m, try bind(m.field), now: now, budget)
        case .extendedStats(let m, let sigma): return try StatsAggregator(a, .extended(sigma: sigma), m, try bind(m.field), now: now, budget)
        case .valueCount(let m): return ValueCountAggregator(a, m, try bind(m.field), budget)
        case .cardinality(let m, _): return try CardinalityAggregator(a, m, try bind(m.field), now: now, budget)
        case .percentiles(let m, let percents, let keyed): return try PercentilesAggregator(a, .percents(percents), keyed: keyed, m, try bind(m.field), now: now, budget)
        case .percentileRanks(let m, let values, let keyed): return try PercentilesAggregator(a, .ranks(values), keyed: keyed, m, try bind(m.field), now: now, budget)
        case .topHits(let r): return try TopHitsAggregator(a, r, snapshots: snapshots, now: now, budget)
        }
    }
}
