import JSON
import QueryDSL
import Testing

private func reason(_ json: JSONValue) -> String {
    do {
        _ = try SearchRequest(json: json)
        return "parsed"
    } catch { return error.reason }
}

@Suite("Search requests")
struct SearchRequestTests {
    @Test("an empty body is Elasticsearch's defaults")
    func defaults() throws {
        let request = try SearchRequest(json: [:])
        #expect(request == SearchRequest() && request.size == 10 && request.trackTotalHits == .upTo(10_000))
    }

    @Test("sort has its forms")
    func sorts() throws {
        var price = SortKey(.field("price"), ascending: false)
        #expect(try SearchRequest(json: ["sort": "price"]).sort == [SortKey(.field("price"), ascending: true)])
        #expect(try SearchRequest(json: ["sort": ["price": "desc"]]).sort == [price])
        price.missing = .first
        price.mode = .max
        let request = try SearchRequest(json: ["sort": [["price": ["order": "desc", "missing": "_first", "mode": "max"]], "_score", "_doc"]])
        #expect(request.sort == [price, SortKey(.score, ascending: false), SortKey(.doc, ascending: true)])
    }

    @Test("_source has its forms")
    func sources() throws {
        #expect(try SearchRequest(json: ["_source": false]).source == .none)
        #expect(try SearchRequest(json: ["_source": "a.*"]).source == .fields(includes: ["a.*"], excludes: []))
        #expect(try SearchRequest(json: ["_source": ["a", "b"]]).source == .fields(includes: ["a", "b"], excludes: []))
        #expect(try SearchRequest(json: ["_source": ["includes": "a", "excludes": ["b"]]]).source == .fields(includes: ["a"], excludes: ["b"]))
    }

    @Test("track_total_hits is a flag or a bound")
    func totals() throws {
        #expect(try SearchRequest(json: ["track_total_hits": true]).trackTotalHits == .exact)
        #expect(try SearchRequest(json: ["track_total_hits": false]).trackTotalHits == .none)
        #expect(try SearchRequest(json: ["track_total_hits": 7]).trackTotalHits == .upTo(7))
        #expect(reason(["track_total_hits": -2]) == "[track_total_hits] parameter must be positive or equals to -1, got -2")
    }

    @Test("highlight fields may be an object or an array, in order")
    func highlights() throws {
        let request = try SearchRequest(json: ["highlight": ["pre_tags": "<b>", "post_tags": "</b>", "fields": [["a": [:]], ["b*": ["number_of_fragments": 0]]]]])
        #expect(request.highlight?.fields.map(\.pattern) == ["a", "b*"] && request.highlight?.fields[1].options.numberOfFragments == 0)
        #expect(request.highlight?.options.preTags == ["<b>"])
    }

    @Test("aggregations nest, with either name")
    func aggregations() throws {
        let aggregations = try SearchRequest(json: ["aggs": ["brands": [
            "terms": ["field": "brand", "size": 5, "order": [["avg.value": "desc"], ["_key": "asc"]]],
            "aggregations": ["avg": ["avg": ["field": "price"]]], "meta": ["a": 1],
        ]]]).aggregations
        var terms = Aggregation.Terms(field: "brand")
        (terms.size, terms.order) = (5, [.metric(path: "avg.value", ascending: false), .key(ascending: true)])
        #expect(aggregations == [Aggregation(name: "brands", kind: .terms(terms), children: [
            Aggregation(name: "avg", kind: .avg(.init(field: "price"))),
        ], meta: JSONObject([("a", 1)]))])
    }

    @Test("date_histogram takes calendar, fixed and the old interval", arguments: [
        ("calendar_interval", "1M", Aggregation.DateHistogram.Interval.calendar("month")),
        ("fixed_interval", "90m", .fixed(milliseconds: 5_400_000)), ("interval", "day", .calendar("day")), ("interval", "2d", .fixed(milliseconds: 172_800_000)),
    ])
    func dateHistogram(name: String, text: String, interval: Aggregation.DateHistogram.Interval) throws {
        let body = JSONValue.object(JSONObject([("field", "d"), (name, .string(text))]))
        guard case .dateHistogram(let histogram) = try Aggregation.parse(json: ["h": ["date_histogram": body]])[0].kind else { Issue.record(); return }
        #expect(histogram.interval == interval)
    }

    @Test("bad requests are refused in Elasticsearch's words", arguments: [
        (["qeury": ["match_all": [:]]], "Unknown key for a START_OBJECT in [qeury]. did you mean [query]?"),
        (["zzz": "x"], "Unknown key for a VALUE_STRING in [zzz]."),
        (["from": -1], "[from] parameter cannot be negative but was [-1]"),
        (["size": -1], "[size] parameter cannot be negative, found [-1]"),
        (["aggs": ["a": ["trems": ["field": "b"]]]], "Unknown aggregation type [trems] did you mean [terms]?"),
        (["aggs": ["a": [:]]], "Missing definition for aggregation [a]"),
        (["aggs": ["a": ["min": ["field": "b"], "max": ["field": "b"]]]], "Found two aggregation type definitions in [a]: [min] and [max]"),
        (["aggs": ["a": ["terms": ["field": "b", "sze": 1]]]], "[terms] unknown field [sze] did you mean [size]?"),
        (["aggs": ["a": ["terms": ["field": "b", "size": 0]]]], "[size] must be greater than 0. Found [0] in [terms]"),
        (["aggs": ["a[0]": ["terms": ["field": "b"]]]], "Invalid aggregation name [a[0]]. Aggregation names can contain any character except '[', ']', and '>'"),
        (["search_after": []], "Values must contains at least one value."),
        (["highlight": ["fields": ["a": ["foo": 1]]]], "[highlight_field] unknown field [foo]"),
        (["script_fields": [:]], "[script_fields] is not supported in a search request; compute the value when indexing"),
    ] as [(JSONValue, String)])
    func refusals(json: JSONValue, expected: String) { #expect(reason(json) == expected) }
}
