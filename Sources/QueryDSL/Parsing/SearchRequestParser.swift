// The body of a search to `SearchRequest`. One table: the name of a top-level member -> what reads it.

package import JSON

extension SearchRequest {
    typealias Reader = @Sendable (JSONValue, inout SearchRequest, ParseBounds) throws(QueryError) -> Void

    static let table: [String: Reader] = [
        "query": { (v, r, b) throws(QueryError) in r.query = v.isNull ? nil : try Query(v, of: nil, bounds: b) },
        "post_filter": { (v, r, b) throws(QueryError) in r.postFilter = v.isNull ? nil : try Query(v, of: nil, bounds: b) },
        "facet_filters": facetFilters,
        "aggs": { (v, r, b) throws(QueryError) in r.aggregations = try Aggregation.parse(json: v, bounds: b) },
        "aggregations": { (v, r, b) throws(QueryError) in r.aggregations = try Aggregation.parse(json: v, bounds: b) },
        "from": { (v, r, _) throws(QueryError) in r.from = try from(v) },
        "size": { (v, r, _) throws(QueryError) in r.size = try size(v) },
        "sort": { (v, r, b) throws(QueryError) in r.sort = try SortKey.parse(v, bounds: b) },
        "search_after": { (v, r, _) throws(QueryError) in r.searchAfter = try searchAfter(v) },
        "min_score": { (v, r, _) throws(QueryError) in r.minScore = Float(try number("min_score", v)) },
        "track_total_hits": { (v, r, _) throws(QueryError) in r.trackTotalHits = try TrackTotalHits(json: v) },
        "track_scores": { (v, r, _) throws(QueryError) in r.trackScores = try flag("track_scores", v) },
        "_source": { (v, r, _) throws(QueryError) in r.source = try SourceFilter(json: v) },
        "stored_fields": storedFields,
        "docvalue_fields": { (v, r, _) throws(QueryError) in r.docvalueFields = try FieldAndFormat.parse(v, "docvalue_fields") },
        "fields": { (v, r, _) throws(QueryError) in r.fields = try FieldAndFormat.parse(v, "fields") },
        "highlight": { (v, r, b) throws(QueryError) in r.highlight = try Highlight(json: v, bounds: b) },
        "rescore": rescore,
        "collapse": collapse,
        "explain": { (v, r, _) throws(QueryError) in r.explain = try flag("explain", v) },
        "version": { (v, r, _) throws(QueryError) in r.version = try flag("version", v) },
        "seq_no_primary_term": { (v, r, _) throws(QueryError) in r.seqNoPrimaryTerm = try flag("seq_no_primary_term", v) },
        "profile": { (v, r, _) throws(QueryError) in r.profile = try flag("profile", v) },
        "terminate_after": { (v, r, _) throws(QueryError) in r.terminateAfter = try terminateAfter(v) },
        "timeout": { (v, r, _) throws(QueryError) in r.timeoutMilliseconds = try timeout(v) },
        "pit": pointInTime,
        "slice": slice,
        "indices_boost": indicesBoost,
        // Known, and without effect here.
        "stats": { (_, _, _) throws(QueryError) in },
        "ext": { (_, _, _) throws(QueryError) in },
    ]

    /// Members of Elasticsearch's that are refused, with what to do instead.
    private static let refused: [String: String] = [
        "script_fields": "compute the value when indexing", "runtime_mappings": "map the field", "suggest": "use a match query with fuzziness",
        "knn": "vector search is not built in", "retriever": "use query", "rank": "use query",
    ]

    package init(json: JSONValue, bounds: ParseBounds = ParseBounds()) throws(QueryError) {
        self.init()
        guard let object = json.object else {
            throw QueryError("parsing_exception", "Expected [START_OBJECT] but found [\(json.tokenName)]")
        }
        for (name, value) in object {
            guard let read = SearchRequest.table[name] else { throw SearchRequest.unknown(name, value) }
            try read(value, &self, bounds)
        }
    }

    // MARK: -

    private static func unknown(_ name: String, _ value: JSONValue) -> QueryError {
        if let instead = refused[name] {
            return QueryError("illegal_argument_exception", "[\(name)] is not supported in a search request; \(instead)")
        }
        return QueryError("parsing_exception", "Unknown key for a \(value.tokenName) in [\(name)]."
            + Suggestion.text(for: name, among: Array(table.keys)))
    }

    private static func number(_ name: String, _ v: JSONValue) throws(QueryError) -> Double {
        guard let number = v.realNumber, number.isFinite else { throw QueryError("parsing_exception", "[\(name)] must be a number, not \(v.shown)") }
        return number
    }

    private static func whole(_ name: String, _ v: JSONValue) throws(QueryError) -> Int {
        guard let number = v.wholeNumber else { throw QueryError("number_format_exception", "[\(name)] must be a whole number, not \(v.shown)") }
        return number
    }

    private static func flag(_ name: String, _ v: JSONValue) throws(QueryError) -> Bool {
        switch v {
        case .bool(let flag): return flag
        case .string("true"): return true
        case .string("false"): return false
        default: throw QueryError("parsing_exception", "[\(name)] must be true or false, not \(v.shown)")
        }
    }

    private static func from(_ v: JSONValue) throws(QueryError) -> Int {
        let from = try whole("from", v)
        guard from >= 0 else { throw QueryError("illegal_argument_exception", "[from] parameter cannot be negative but was [\(from)]") }
        return from
    }

    private static func size(_ v: JSONValue) throws(QueryError) -> Int {
        let size = try whole("size", v)
        guard size >= 0 else { throw QueryError("illegal_argument_exception", "[size] parameter cannot be negative, found [\(size)]") }
        return size
    }

    private static func terminateAfter(_ v: JSONValue) throws(QueryError) -> Int {
        let count = try whole("terminate_after", v)
        guard count >= 0 else { throw QueryError("illegal_argument_exception", "terminateAfter must be > 0") }
        return count
    }

    private static func searchAfter(_ v: JSONValue) throws(QueryError) -> [JSONValue]? {
        guard let values = v.array else {
            throw QueryError("parsing_exception", "Expected [START_ARRAY] in [search_after] but found [\(v.tokenName)]")
        }
        guard !values.isEmpty else { throw QueryError("illegal_argument_exception", "Values must contains at least one value.") }
        for value in values where value.array != nil || value.object != nil {
            throw QueryError("parsing_exception", "Expected [VALUE_STRING] or [VALUE_NUMBER] or [VALUE_BOOLEAN] or [VALUE_NULL] but found "
                + "[\(value.tokenName)] inside search_after.")
        }
        return values
    }

    private static func timeout(_ v: JSONValue) throws(QueryError) -> Int? {
        if v == .integer(-1) || v == "-1" { return nil }
        guard let text = v.scalar, let length = Buckets.milliseconds(text) ?? v.integer, let timeout = Int(exactly: length), timeout >= 0 else {
            throw QueryError("illegal_argument_exception", "failed to parse setting [timeout] with value \(v.shown) as a time value: unit is missing or unrecognized")
        }
        return timeout
    }

    private static let facetFilters: Reader = { (v, r, b) throws(QueryError) in
        guard let object = v.object else { throw QueryError("parsing_exception", "[facet_filters] must be an object of queries by facet name") }
        try b.check(clauses: object.count)
        r.facetFilters = []
        for (name, query) in object { r.facetFilters.append((name, try Query(query, of: "facet_filters", bounds: b))) }
    }

    private static let storedFields: Reader = { (v, r, _) throws(QueryError) in
        let names = (v.array ?? [v]).compactMap(\.string)
        guard names.count == (v.array?.count ?? 1) else { throw QueryError("parsing_exception", "[stored_fields] must be a string or an array of strings") }
        if names.contains("_none_") {
            guard names.count == 1 else { throw QueryError("illegal_argument_exception", "cannot combine _none_ with other fields") }
            (r.storedFields, r.source) = ([], .none)
            return
        }
        r.storedFields = names
        if !names.contains("_source"), r.source == .all { r.source = .none }
    }

    private static let collapse: Reader = { (v, r, b) throws(QueryError) in
        guard let object = v.object else { throw QueryError("parsing_exception", "[collapse] must be an object with a field") }
        var m = Members(object, of: "collapse", bounds: b)
        guard let field = try m.string("field") else { throw m.missing("field") }
        if m.take("inner_hits") != nil {
            throw QueryError("illegal_argument_exception", "[collapse] inner_hits is not supported; use a terms aggregation with top_hits")
        }
        FullText.ignore(&m, "max_concurrent_group_searches")
        try m.finish()
        r.collapse = field
    }

    private static let rescore: Reader = { (v, r, b) throws(QueryError) in
        for item in v.array ?? [v] {
            guard let object = item.object else { throw QueryError("parsing_exception", "[rescore] must be an object or an array of objects") }
            var m = Members(object, of: "rescore", bounds: b)
            let window = try m.integer("window_size", from: 1, to: 10_000)
            guard let inner = try m.object("query") else { throw QueryError("parsing_exception", "missing rescore type; write {\"query\": {\"rescore_query\": ...}}") }
            try m.finish()
            var q = Members(inner, of: "query", bounds: b)
            guard let query = try q.query("rescore_query") else { throw q.missing("rescore_query") }
            var rescore = Rescore(query: query)
            rescore.windowSize = window ?? 10
            rescore.queryWeight = try q.float("query_weight") ?? 1
            rescore.rescoreQueryWeight = try q.float("rescore_query_weight") ?? 1
            rescore.scoreMode = try q.choice("score_mode", ["total": "total", "multiply": "multiply", "avg": "avg", "max": "max", "min": "min"]) ?? "total"
            try q.finish()
            r.rescore.append(rescore)
        }
    }

    private static let pointInTime: Reader = { (v, r, b) throws(QueryError) in
        guard let object = v.object else { throw QueryError("parsing_exception", "[pit] must be an object with an id") }
        var m = Members(object, of: "pit", bounds: b)
        guard let id = try m.string("id") else { throw m.missing("id") }
        r.pointInTime = PointInTime(id: id, keepAlive: try m.string("keep_alive"))
        try m.finish()
    }

    private static let slice: Reader = { (v, r, b) throws(QueryError) in
        guard let object = v.object else { throw QueryError("parsing_exception", "[slice] must be an object with id and max") }
        var m = Members(object, of: "slice", bounds: b)
        guard let id = try m.integer("id", from: 0), let max = try m.integer("max", from: 2) else { throw m.missing("id] and [max") }
        FullText.ignore(&m, "field")
        try m.finish()
        guard id < max else { throw QueryError("illegal_argument_exception", "max must be greater than id") }
        r.slice = Slice(id: id, max: max)
    }

    /// `[{"index": 1.5}]` or `{"index": 1.5}`
    private static let indicesBoost: Reader = { (v, r, _) throws(QueryError) in
        for item in v.array ?? [v] {
            guard let object = item.object else { throw QueryError("parsing_exception", "[indices_boost] must be an array of objects") }
            for (index, boost) in object { r.indicesBoost.append((index, Float(try number("indices_boost", boost)))) }
        }
    }
}

extension TrackTotalHits {
    package init(json: JSONValue) throws(QueryError) {
        switch json {
        case .bool(true), .string("true"): self = .exact
        case .bool(false), .string("false"): self = .none
        default:
            guard let count = json.wholeNumber, count >= -1 else {
                throw QueryError("illegal_argument_exception", "[track_total_hits] parameter must be positive or equals to -1, got \(json.scalar ?? json.shown)")
            }
            self = count == -1 ? .exact : .upTo(count)
        }
    }
}

extension SourceFilter {
    /// true, false, "a", ["a", "b.*"], {"includes": [...], "excludes": [...]}
    package init(json: JSONValue) throws(QueryError) {
        switch json {
        case .bool(let all): self = all ? .all : .none
        case .string(let pattern): self = .fields(includes: [pattern], excludes: [])
        case .array(let patterns):
            let names = patterns.compactMap(\.string)
            guard names.count == patterns.count else { throw SourceFilter.malformed(json) }
            self = names.isEmpty ? .all : .fields(includes: names, excludes: [])
        case .object(let object):
            var m = Members(object, of: "_source")
            self = .fields(includes: try m.strings("includes", "include") ?? [], excludes: try m.strings("excludes", "exclude") ?? [])
            try m.finish()
        default: throw SourceFilter.malformed(json)
        }
    }

    private static func malformed(_ json: JSONValue) -> QueryError {
        QueryError("parsing_exception", "Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] in [_source] but found [\(json.tokenName)]")
    }
}

extension FieldAndFormat {
    /// ["a", {"field": "b", "format": "epoch_millis"}]
    static func parse(_ json: JSONValue, _ owner: String) throws(QueryError) -> [FieldAndFormat] {
        var fields: [FieldAndFormat] = []
        for item in json.array ?? [json] {
            if let name = item.string {
                fields.append(FieldAndFormat(field: name))
            } else if let object = item.object {
                var m = Members(object, of: owner)
                guard let name = try m.string("field") else { throw m.missing("field") }
                let format = try m.string("format")
                FullText.ignore(&m, "include_unmapped")
                try m.finish()
                fields.append(FieldAndFormat(field: name, format: format == "use_field_mapping" ? nil : format))
            } else {
                throw QueryError("parsing_exception", "[\(owner)] must be an array of names or of objects with a field")
            }
        }
        return fields
    }
}
