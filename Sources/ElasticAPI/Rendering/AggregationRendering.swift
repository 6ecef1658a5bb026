// Aggregations of a response as JSON; the hits of a top_hits are fetched and rendered like any others.

internal import JSON
internal import QueryDSL
internal import Search

extension SearchExecutor {
    /// The value of "aggregations"; nil when none were asked for.
    func aggregationsJSON(_ response: SearchResponse, _ request: SearchRequest, _ targets: [Target], _ options: SearchRendering.Options) throws -> JSONValue? {
        guard !request.aggregations.isEmpty else { return nil }
        return try response.aggregations.json(typedKeys: options.typedKeys) { top in
            let hits = try fetch(top, of: request, in: targets)
            var writer = JSONWriter()
            SearchRendering.hits(hits, total: (top.total, .equal), maxScore: top.maxScore, options, &writer)
            return try APICall.parse(writer.bytes)
        }
    }
}
