// A whole search request, with Elasticsearch's defaults.

package import JSON

package struct SearchRequest: Sendable, Equatable {
    package var query: Query?
    package var postFilter: Query?
    /// Isotherm's own: `"facet_filters": {"brand": {...}}`. A hit must match all of them; the top-level
    /// aggregation of the same name is counted without its own (multi-select facets, docs/facets.md).
    package var facetFilters: [(name: String, query: Query)] = []
    package var aggregations: [Aggregation] = []
    package var from = 0
    package var size = 10
    package var sort: [SortKey] = []
    package var searchAfter: [JSONValue]?
    package var minScore: Float?
    package var trackTotalHits: TrackTotalHits = .upTo(10_000)
    package var trackScores = false
    package var source: SourceFilter = .all
    package var storedFields: [String]?
    package var docvalueFields: [FieldAndFormat] = []
    package var fields: [FieldAndFormat] = []
    package var highlight: Highlight?
    package var rescore: [Rescore] = []
    package var collapse: String?
    package var explain = false
    package var version = false
    package var seqNoPrimaryTerm = false
    package var terminateAfter = 0
    package var timeoutMilliseconds: Int?
    package var typedKeys = false
    package var profile = false
    package var pointInTime: PointInTime?
    package var slice: Slice?
    package var indicesBoost: [(index: String, boost: Float)] = []

    package init() {}

    package static func == (a: SearchRequest, b: SearchRequest) -> Bool { String(describing: a) == String(describing: b) }
}

/// A snapshot opened before, searched again.
package struct PointInTime: Sendable, Equatable {
    package var id: String
    package var keepAlive: String?
    package init(id: String, keepAlive: String? = nil) { (self.id, self.keepAlive) = (id, keepAlive) }
}

/// One of `max` disjoint parts of the hits, for reading them in parallel.
package struct Slice: Sendable, Equatable {
    package var id: Int, max: Int
    package init(id: Int, max: Int) { (self.id, self.max) = (id, max) }
}

package enum TrackTotalHits: Sendable, Equatable {
    case exact
    case upTo(Int)
    case none
}

package struct SortKey: Sendable, Equatable {
    package enum Target: Sendable, Equatable { case score, doc, field(String) }
    package enum Missing: Sendable, Equatable { case last, first, value(JSONValue) }
    package enum Mode: String, Sendable, Equatable { case min, max, sum, avg, median }
    package var target: Target
    package var ascending: Bool
    package var missing: Missing = .last
    package var mode: Mode?
    package var unmappedType: String?
    package var format: String?
    package init(_ target: Target, ascending: Bool) { (self.target, self.ascending) = (target, ascending) }
}

package enum SourceFilter: Sendable, Equatable {
    case all
    case none
    /// Patterns with `*`; an empty `includes` means everything.
    case fields(includes: [String], excludes: [String])
}

package struct FieldAndFormat: Sendable, Equatable {
    package var field: String
    package var format: String?
    package init(field: String, format: String? = nil) { (self.field, self.format) = (field, format) }
}

package struct Rescore: Sendable, Equatable {
    package var windowSize = 10
    package var query: Query
    package var queryWeight: Float = 1, rescoreQueryWeight: Float = 1
    package var scoreMode = "total"
    package init(query: Query) { self.query = query }
}

package struct Highlight: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package var pattern: String
        package var options: Options
        package init(pattern: String, options: Options) { (self.pattern, self.options) = (pattern, options) }
    }
    /// nil: not given here; the field takes the request's, the request the default.
    package struct Options: Sendable, Equatable {
        package var type: String?
        package var fragmentSize: Int?
        package var numberOfFragments: Int?
        package var noMatchSize: Int?
        package var preTags: [String]?, postTags: [String]?
        package var requireFieldMatch: Bool?
        package var order: String?
        package var encoder: String?
        package var boundaryScanner: String?
        package var boundaryScannerLocale: String?
        package var boundaryChars: String?
        package var matchedFields: [String]?
        package var query: Query?
        package var maxAnalyzedOffset: Int?
        package init() {}
    }
    package var options: Options
    package var fields: [Field]
    package init(options: Options, fields: [Field]) { (self.options, self.fields) = (options, fields) }
}

/// The caller erred: what is wrong with the request, where, and what to write instead. ElasticAPI gives it
/// Elasticsearch's shape.
package struct QueryError: Error, Equatable {
    /// Elasticsearch's `type`: "parsing_exception", "x_content_parse_exception", "illegal_argument_exception",
    /// "query_shard_exception", "too_many_clauses", ...
    package let type: String
    package let reason: String
    package init(_ type: String, _ reason: String) { (self.type, self.reason) = (type, reason) }
}
