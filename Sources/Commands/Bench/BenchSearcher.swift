// Answers the commands of the benchmark's line protocol over one snapshot: each becomes a search request, which the
// server's SearchExecutor runs as it runs one that came by HTTP, in its default settings but for the filter cache, which is off.
//
//     NOOP                          the cheapest answer
//     TOP_10, TOP_100, TOP_1000     track_total_hits: false; the count says nothing (1)
//     TOP_10_COUNT, ...             track_total_hits: true
//     COUNT                         _count
//     IDS_10, PRUNED_10             as TOP_10_COUNT and as TOP_10 (count -1), with the hits' ids and scores
//     FACETS                        track_total_hits: true, four aggregations, shown as check values
//
// An answer is `count TAB nanoseconds [TAB extra]`. As the protocol has it, the time runs from the query as a tree to finished hits,
// counts and facets: the query phase. The fetch phase, which looks up ids, comes after it.

internal import ElasticAPI
package import Engine
internal import QueryDSL
package import Search
import Storage

package struct BenchSearcher {
    private let executor: SearchExecutor
    private let targets: [SearchExecutor.Target]

    package init(node: Node) throws {
        let server = node.executor()
        executor = SearchExecutor(now: server.now, monotonic: server.monotonic)
        targets = try node.targets(benchIndex)
    }

    /// Nil for a command that is not known.
    package func answer(_ command: Substring, _ argument: Substring) throws -> String? {
        switch command {
        case "NOOP": return "0\t0"
        case "FACETS":
            var request = request(try BenchFacets(parsing: String(argument)).query, 10, .exact)
            request.aggregations = BenchFacets.aggregations
            let (found, time) = try timed(request)
            return "\(found.total?.value ?? 0)\t\(time)\t\(BenchFacets.summary(found.aggregations)) ids=\(try ids(found))"
        case "COUNT":
            let query = BenchQuery.parse(String(argument)), start = monotonicNanoseconds()
            let count = try executor.count(query, in: targets)
            return "\(count)\t\(monotonicNanoseconds() - start)"
        case "TOP_10", "TOP_100", "TOP_1000":
            return "1\t\(try top(argument, Int(command.dropFirst(4)) ?? 10, .none).time)"
        case "TOP_10_COUNT", "TOP_100_COUNT", "TOP_1000_COUNT":
            let (found, time) = try top(argument, Int(command.dropFirst(4).dropLast(6)) ?? 10, .exact)
            return "\(found.total?.value ?? 0)\t\(time)"
        case "IDS_10":
            let (found, time) = try top(argument, 10, .exact)
            return "\(found.total?.value ?? 0)\t\(time)\t\(try ids(found))"
        case "PRUNED_10":
            let (found, time) = try top(argument, 10, .none)
            return "-1\t\(time)\t\(try ids(found))"
        default: return nil
        }
    }

    // MARK: -

    private func top(_ text: Substring, _ k: Int, _ total: TrackTotalHits) throws -> (found: FoundHits, time: UInt64) {
        try timed(request(BenchQuery.parse(String(text)), k, total))
    }

    private func timed(_ request: SearchRequest) throws -> (found: FoundHits, time: UInt64) {
        let start = monotonicNanoseconds()
        let found = try executor.query(request, in: targets)
        return (found, monotonicNanoseconds() - start)
    }

    private func request(_ query: Query, _ size: Int, _ total: TrackTotalHits) -> SearchRequest {
        var request = SearchRequest()
        (request.query, request.size, request.trackTotalHits, request.source) = (query, size, total, .none)
        request.timeoutMilliseconds = Services.Options().searchMillisecondsMax
        return request
    }

    private func ids(_ found: FoundHits) throws -> String {
        try executor.fetch(found).hits.map { "\($0.id):\(fixed(Double($0.score ?? 0), 5))" }.joined(separator: " ")
    }
}
