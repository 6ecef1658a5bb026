// Answers the commands of the benchmark's line protocol over one snapshot, by the same plans, scorers and aggregators as the
// server; nothing is remembered from one query to the next.
//
//     NOOP                          the cheapest answer
//     TOP_10, TOP_100, TOP_1000     best hits, pruned; the count says nothing (1)
//     TOP_10_COUNT, ...             best hits and the exact number of matches
//     COUNT                         the number of matches
//     IDS_10, PRUNED_10             the best ten with scores: exhaustive with the count, or pruned (-1)
//     FACETS                        the best ten, the count, and check values of four facets
//
// An answer is `count TAB nanoseconds [TAB extra]`. The time runs from the parsed query to the finished hits and counts: binding to
// the index is in it, looking up ids is not.

import Bytes
internal import QueryDSL
package import Search
import Segments
import Storage

package struct BenchSearcher {
    package let snapshot: IndexSnapshot

    package init(snapshot: IndexSnapshot) { self.snapshot = snapshot }

    private struct Hit {
        let segment: Int, doc: DocID, score: Float
    }

    private struct Outcome {
        var hits: [Hit] = []
        var count = 0
    }

    /// Nil for a command that is not known.
    package func answer(_ command: Substring, _ argument: Substring) throws -> String? {
        switch command {
        case "NOOP": return "0\t0"
        case "FACETS": return try facets(String(argument))
        case "COUNT": return try timed(argument) { Outcome(count: try count($0)) }.line
        case "TOP_10", "TOP_100", "TOP_1000":
            return try timed(argument) { Outcome(hits: try top($0, Int(command.dropFirst(4)) ?? 10, counted: false).hits, count: 1) }.line
        case "TOP_10_COUNT", "TOP_100_COUNT", "TOP_1000_COUNT":
            let k = Int(command.dropFirst(4).dropLast(6)) ?? 10
            return try timed(argument) { try top($0, k, counted: true) }.line
        case "IDS_10":
            let (line, outcome) = try timed(argument) { try top($0, 10, counted: true) }
            return line + "\t" + (try ids(outcome.hits))
        case "PRUNED_10":
            let (line, outcome) = try timed(argument) { Outcome(hits: try top($0, 10, counted: false).hits, count: -1) }
            return line + "\t" + (try ids(outcome.hits))
        default: return nil
        }
    }

    // MARK: -

    private func timed(_ text: Substring, _ body: (Plan) throws -> Outcome) throws -> (line: String, outcome: Outcome) {
        let query = BenchQuery.parse(String(text))
        let start = monotonicNanoseconds()
        let outcome = try body(try plan(query))
        return ("\(outcome.count)\t\(monotonicNanoseconds() - start)", outcome)
    }

    private func plan(_ query: Query) throws -> Plan { try PlanBuilder(snapshot: snapshot, now: 0).plan(query) }

    private func top(_ plan: Plan, _ k: Int, counted: Bool) throws -> Outcome {
        var outcome = Outcome(), threshold = -Float.infinity
        for (number, view) in snapshot.segments.enumerated() {
            let found = try SegmentScorer(plan: plan, view: view).top(k, threshold: &threshold, countUpTo: counted ? .max : 0)
            outcome.count += found.count
            merge(found.hits.map { Hit(segment: number, doc: $0.doc, score: $0.score) }, into: &outcome.hits, k)
            if outcome.hits.count == k, let worst = outcome.hits.last { threshold = max(threshold, worst.score) }
        }
        return outcome
    }

    private func count(_ plan: Plan) throws -> Int {
        var count = 0
        for view in snapshot.segments { count += try SegmentScorer(plan: plan, view: view).count() }
        return count
    }

    /// Both lists are in order; of equal scores those of earlier segments come first.
    private func merge(_ new: [Hit], into hits: inout [Hit], _ k: Int) {
        if hits.isEmpty { hits = new } else if !new.isEmpty {
            hits = Array((hits + new).sorted { ($1.score, $0.segment, $0.doc) < ($0.score, $1.segment, $1.doc) }.prefix(k))
        }
    }

    private func ids(_ hits: [Hit]) throws -> String {
        try hits.map { "\(try snapshot.segments[$0.segment].segment.columns.id(of: $0.doc)):\(fixed(Double($0.score), 5))" }.joined(separator: " ")
    }

    private func facets(_ text: String) throws -> String {
        let query = try BenchFacets(parsing: text).query
        let start = monotonicNanoseconds()
        let plan = try plan(query)
        let collector = try AggregationCollector(BenchFacets.aggregations, snapshots: [snapshot], evaluate: { _, _, segment in
            BitSet(count: snapshot.segments[segment].docCount)
        })
        var outcome = Outcome()
        for (number, view) in snapshot.segments.enumerated() {
            let found = try SegmentScorer(plan: plan, view: view).collect(k: 10, scores: false)
            outcome.count += found.matches.cardinality()
            merge(found.hits.map { Hit(segment: number, doc: $0.doc, score: $0.score) }, into: &outcome.hits, 10)
            try collector.collect(snapshot: 0, segment: number, matches: found.matches, scores: nil)
        }
        let results = try collector.finish()
        let time = monotonicNanoseconds() - start
        let counts = { (name: String) in FacetCounts(results.first { $0.name == name }).counts }
        let rating = counts("rating").map(String.init).joined(separator: ",")
        return "\(outcome.count)\t\(time)\tbrand10=\(counts("brand").reduce(0, +)) cat10=\(counts("category").reduce(0, +)) "
            + "pricebins=\(counts("price").count { $0 > 0 }) rating=[\(rating)] ids=\(try ids(outcome.hits))"
    }
}

/// The document counts of a result's buckets, in order.
private struct FacetCounts {
    var counts: [Int] = []
    init(_ result: AggregationResult?) {
        guard case .buckets(let buckets)? = result?.body else { return }
        counts = buckets.buckets.map { Int($0.members["doc_count"]?.integer ?? 0) }
    }
}
