// The answer to a search, written straight into bytes: `_source` is spliced in as it was stored.

internal import JSON
internal import QueryDSL
internal import Search

package struct SearchRendering: Sendable {
    package struct Options: Sendable {
        package var compatibility = 8
        package var typedKeys = false
        package var totalAsInteger = false
        package init() {}
    }

    var response: SearchResponse
    var options: Options
    var tookMilliseconds: Int64
    var shards: Int
    var aggregations: JSONValue?
    var scrollID: String?
    /// Of the feed that the indexes follow; 0: they follow none.
    var version: Int64 = 0
    var pointInTimeID: String?
    /// Within a _msearch each answer has its status.
    var status: Int?

    func write(_ w: inout JSONWriter) {
        w.beginObject()
        if let scrollID { w.member("_scroll_id", scrollID) }
        if let pointInTimeID { w.member("pit_id", pointInTimeID) }
        w.member("took", tookMilliseconds)
        w.member("timed_out", response.timedOut)
        if let early = response.terminatedEarly { w.member("terminated_early", early) }
        w.member("_shards", ["total": .int(shards), "successful": .int(shards), "skipped": 0, "failed": 0])
        w.key("hits")
        Self.hits(response.hits, total: response.total, maxScore: response.maxScore, options, &w)
        if let aggregations { w.member("aggregations", aggregations) }
        if let status { w.member("status", status) }
        w.endObject()
    }

    // MARK: -

    /// The object under "hits", also of a top_hits aggregation.
    static func hits(
        _ hits: [SearchHit], total: (value: Int, relation: SearchResponse.Relation)?, maxScore: Float?, _ options: Options, _ w: inout JSONWriter
    ) {
        w.beginObject()
        if options.totalAsInteger {
            w.member("total", total?.value ?? -1)
        } else if let total {
            w.member("total", ["value": .int(total.value), "relation": .string(total.relation.rawValue)])
        }
        w.key("max_score")
        score(maxScore, &w)
        w.key("hits")
        w.beginArray()
        for hit in hits { Self.hit(hit, options, &w) }
        w.endArray()
        w.endObject()
    }

    private static func score(_ score: Float?, _ w: inout JSONWriter) {
        if let score, score.isFinite { w.number(score) } else { w.null() }
    }

    private static func hit(_ hit: SearchHit, _ options: Options, _ w: inout JSONWriter) {
        w.beginObject()
        w.member("_index", hit.index)
        if options.compatibility < 8 { w.member("_type", "_doc") }
        w.member("_id", hit.id)
        if let version = hit.version { w.member("_version", version) }
        if let number = hit.sequenceNumber { w.member("_seq_no", number) }
        if let term = hit.primaryTerm { w.member("_primary_term", term) }
        w.key("_score")
        score(hit.score, &w)
        if let routing = hit.routing { w.member("_routing", routing) }
        if let source = hit.source {
            w.key("_source")
            w.raw(bytes: source)
        }
        if let fields = hit.fields, !fields.isEmpty { w.member("fields", .object(fields)) }
        if !hit.highlight.isEmpty {
            w.member("highlight", .object(JSONObject(hit.highlight.map { ($0.field, .array($0.fragments.map(JSONValue.string))) })))
        }
        if let sort = hit.sort { w.member("sort", .array(sort)) }
        if !hit.matchedQueries.isEmpty { w.member("matched_queries", .array(hit.matchedQueries.map(JSONValue.string))) }
        if let explanation = hit.explanation {
            w.key("_explanation")
            Self.explanation(explanation, &w)
        }
        w.endObject()
    }

    static func explanation(_ explanation: Explanation, _ w: inout JSONWriter) {
        w.beginObject()
        w.member("value", explanation.value)
        w.member("description", explanation.description)
        w.key("details")
        w.beginArray()
        for detail in explanation.details { Self.explanation(detail, &w) }
        w.endArray()
        w.endObject()
    }
}
