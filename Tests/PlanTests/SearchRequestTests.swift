import Bytes
import Foundation
import IsothermTesting
import JSON
import Mappings
import QueryDSL
import Search
import Testing

@Suite("Whole search requests")
struct SearchRequestTests {
    private static let index: TestIndex? = try? TestIndex.random(42, segments: 4, perSegment: 40)
    private var index: TestIndex { get throws { try #require(Self.index) } }
    private var live: [TestDocument] { get throws { try index.documents.flatMap { $0 }.filter { !$0.isDeleted } } }

    private func search(_ json: String, facets: [(String, String)] = []) throws -> SearchResponse {
        var request = try SearchRequest(json: try JSONValue.parse(json))
        for (name, query) in facets { request.facetFilters.append((name, try Query(json: try JSONValue.parse(query)))) }
        return try index.search(request)
    }

    private func refusal(_ json: String) -> String {
        do {
            _ = try search(json)
            return "no error"
        } catch SearchError.request(let why) { return why.reason } catch { return "\(error)" }
    }

    @Test("sorted by a field, missing last, ties in order; search_after goes through all of it")
    func sorting() throws {
        let wanted = try live.enumerated().sorted { a, b in
            let (x, y) = (a.element.price ?? .infinity, b.element.price ?? .infinity)
            return x != y ? x < y : a.offset < b.offset
        }.map(\.element.id)
        let all = try search(#"{"size": 1000, "sort": [{"price": "asc"}]}"#)
        #expect(all.hits.map(\.id) == wanted)
        #expect(all.maxScore == nil && all.hits.allSatisfy { $0.score == nil })
        #expect(all.hits.first?.sort == [.number(try live.compactMap(\.price).min() ?? -1)])

        var seen: [String] = [], after: [JSONValue]?
        repeat {
            var request = try SearchRequest(json: try JSONValue.parse(#"{"size": 7, "sort": [{"price": "asc"}, {"_doc": "asc"}]}"#))
            request.searchAfter = after
            let page = try index.search(request)
            seen += page.hits.map(\.id)
            after = page.hits.last?.sort
            if page.hits.isEmpty { break }
        } while seen.count < 500
        #expect(Set(seen) == Set(wanted) && seen.count == wanted.count)
    }

    @Test("from and size cut the same order")
    func paging() throws {
        let all = try search(#"{"size": 100, "query": {"match": {"title": "phone case"}}}"#).hits.map(\.id)
        var pages: [String] = []
        for from in stride(from: 0, to: 100, by: 9) { pages += try search(#"{"from": \#(from), "size": 9, "query": {"match": {"title": "phone case"}}}"#).hits.map(\.id) }
        #expect(Array(pages.prefix(all.count)) == all)
    }

    @Test("post_filter narrows the hits and their count, not the aggregations")
    func postFilter() throws {
        let json = #"{"size": 100, "post_filter": {"term": {"brand": "acme"}}, "aggs": {"b": {"terms": {"field": "brand"}}}}"#
        let found = try search(json), acme = try live.filter { $0.brand.contains("acme") }
        #expect(Set(found.hits.map(\.id)) == Set(acme.map(\.id)))
        #expect(found.total?.value == acme.count)
        for brand in ["acme", "sony", "apple", "anker"] {
            #expect(try count(found, "b", brand) == live.count { $0.brand.contains(brand) })
        }
    }

    private func count(_ response: SearchResponse, _ name: String, _ key: String) -> Int? {
        guard case .buckets(let buckets) = response.aggregations.first(where: { $0.name == name })?.body else { return nil }
        return buckets.buckets.first { $0.members["key"] == .string(key) }?.members["doc_count"]?.integer.map { Int($0) } ?? 0
    }

    @Test("a facet is counted without its own filter, all others with it")
    func facets() throws {
        let found = try search(
            #"{"size": 100, "aggs": {"brand": {"terms": {"field": "brand"}}, "other": {"terms": {"field": "brand"}}}}"#,
            facets: [("brand", #"{"term": {"brand": "acme"}}"#), ("stock", #"{"range": {"stock": {"gte": 5}}}"#)])
        let stocked = try live.filter { $0.stock.contains { $0 >= 5 } }, both = stocked.filter { $0.brand.contains("acme") }
        #expect(Set(found.hits.map(\.id)) == Set(both.map(\.id)))
        for brand in ["acme", "sony", "apple", "anker"] {
            #expect(count(found, "brand", brand) == stocked.count { $0.brand.contains(brand) })
            #expect(count(found, "other", brand) == both.count { $0.brand.contains(brand) })
        }
    }

    @Test("min_score drops what scores below; terminate_after stops early and says so")
    func bounds() throws {
        let all = try search(#"{"size": 100, "query": {"match": {"title": "phone case"}}}"#)
        let middle = try #require(all.hits[all.hits.count / 2].score)
        let some = try search(#"{"size": 100, "min_score": \#(middle), "query": {"match": {"title": "phone case"}}}"#)
        #expect(some.hits.map(\.id) == all.hits.filter { ($0.score ?? 0) >= middle }.map(\.id) && some.total?.value == some.hits.count)
        let few = try search(#"{"size": 100, "terminate_after": 3, "query": {"match_all": {}}}"#)
        #expect(few.terminatedEarly == true && few.total?.value == 3)
    }

    @Test("collapse keeps the best hit of each value")
    func collapse() throws {
        let all = try search(#"{"size": 1000, "query": {"match": {"title": "phone case red"}}}"#)
        let byID = Dictionary(uniqueKeysWithValues: try live.map { ($0.id, $0) })
        var seen = Set<String>()
        let wanted = all.hits.filter { seen.insert(byID[$0.id]?.brand.min() ?? "none").inserted }.map(\.id)
        let found = try search(#"{"size": 10, "collapse": {"field": "brand"}, "query": {"match": {"title": "phone case red"}}}"#)
        #expect(found.hits.map(\.id) == wanted)
        #expect(found.total?.value == all.total?.value)
    }

    @Test("rescore reorders the window by both scores")
    func rescore() throws {
        let first = try search(#"{"size": 100, "query": {"match": {"title": "phone"}}}"#)
        let second = try search(#"{"size": 100, "query": {"match": {"title": "case"}}}"#)
        let extra = Dictionary(uniqueKeysWithValues: second.hits.map { ($0.id, $0.score ?? 0) })
        let found = try search("""
            {"size": 5, "query": {"match": {"title": "phone"}},
             "rescore": {"window_size": 20, "query": {"rescore_query": {"match": {"title": "case"}}, "query_weight": 0.5, "rescore_query_weight": 2}}}
            """)
        let wanted = first.hits.prefix(20).map { 0.5 * ($0.score ?? 0) + 2 * (extra[$0.id] ?? 0) }.sorted(by: >)
        #expect(found.hits.map { $0.score ?? 0 } == Array(wanted.prefix(5)))
    }

    @Test("function_score: a field's value, a decay and a weight, by the formulas")
    func functionScore() throws {
        let found = try search("""
            {"size": 1000, "query": {"function_score": {"query": {"exists": {"field": "price"}}, "score_mode": "sum", "boost_mode": "replace", "functions": [
             {"field_value_factor": {"field": "price", "factor": 2, "modifier": "log1p"}}, {"weight": 3, "filter": {"term": {"brand": "sony"}}},
             {"gauss": {"price": {"origin": 10, "scale": 5, "offset": 1, "decay": 0.4}}}]}}}
            """)
        let byID = Dictionary(uniqueKeysWithValues: try live.map { ($0.id, $0) })
        #expect(found.hits.count == byID.values.count { $0.price != nil })
        for hit in found.hits {
            let doc = try #require(byID[hit.id]), price = doc.price ?? 0
            let distance = max(0, abs(price - 10) - 1), sigma = 25 / 2 / log(0.4)
            let wanted = log10(2 * price + 1) + (doc.brand.contains("sony") ? 3 : 0) + exp(distance * distance / 2 / sigma)
            #expect(abs(Double(hit.score ?? 0) - wanted) < 1e-5)
        }
    }

    @Test("_source filtered, versions, columns and fields come with a hit")
    func fetching() throws {
        let found = try search("""
            {"size": 1, "query": {"ids": {"values": ["\(try live.first { $0.price != nil && $0.created != nil && !$0.brand.isEmpty }?.id ?? "")"]}}, "_source": ["pri*", "brand"], "version": true,
             "seq_no_primary_term": true, "docvalue_fields": ["price", {"field": "created", "format": "yyyy-MM-dd"}], "fields": ["brand", "title"]}
            """)
        let hit = try #require(found.hits.first), doc = try #require(try live.first { $0.id == hit.id })
        let source = try JSONValue.parse(hit.source ?? [])
        #expect(source.object?.keys.sorted() == ["brand", "price"])
        #expect(hit.version == 1 && hit.primaryTerm == 1 && hit.sequenceNumber != nil)
        #expect(hit.fields?["price"] == .array([.number(doc.price ?? 0)]))
        #expect(hit.fields?["created"]?.array?.first?.string?.count == 10)
        #expect(hit.fields?["brand"] == .array(doc.brand.map { .string($0) }))
    }

    @Test("names of the clauses that match a hit")
    func matchedQueries() throws {
        let found = try search(#"{"size": 100, "query": {"bool": {"should": [{"term": {"brand": {"value": "acme", "_name": "a"}}}, {"exists": {"field": "price", "_name": "p"}}]}}}"#)
        let byID = Dictionary(uniqueKeysWithValues: try live.map { ($0.id, $0) })
        for hit in found.hits {
            let doc = try #require(byID[hit.id])
            #expect(Set(hit.matchedQueries) == Set((doc.brand.contains("acme") ? ["a"] : []) + (doc.price != nil ? ["p"] : [])))
        }
    }

    @Test("two indexes are one list; _index and its boost tell them apart")
    func indexes() throws {
        let a = SearchExecutor.Target(index: "a", snapshot: try index.snapshot), b = SearchExecutor.Target(index: "b", snapshot: try index.snapshot, filter: Query(.term(field: "brand", value: "acme", caseInsensitive: false)))
        var request = try SearchRequest(json: try JSONValue.parse(#"{"size": 1000, "query": {"exists": {"field": "price"}}}"#))
        request.indicesBoost = [("b", 2)]
        let found = try SearchExecutor(now: 0).search(request, in: [a, b])
        let priced = try live.filter { $0.price != nil }, acme = priced.filter { $0.brand.contains("acme") }
        #expect(found.hits.count == priced.count + acme.count && found.hits.prefix(acme.count).allSatisfy { $0.index == "b" && $0.score == 2 })
    }

    @Test("requests past a bound are refused with Elasticsearch's reason")
    func refusals() {
        #expect(refusal(#"{"from": 9995, "size": 10}"#).hasPrefix("Result window is too large, from + size must be less than or equal to: [10000] but was [10005]"))
        #expect(refusal(#"{"search_after": [1], "from": 1, "sort": ["price"]}"#) == "`from` parameter must be set to 0 when `search_after` is used")
        #expect(refusal(#"{"search_after": [1]}"#) == "Sort must contain at least one field.")
        #expect(refusal(#"{"search_after": [1, 2], "sort": ["price"]}"#) == "search_after has 2 value(s) but sort has 1.")
        #expect(refusal(#"{"collapse": {"field": "title"}}"#).contains("cannot collapse on field `title`"))
    }

    @Test("an overdue search answers with what it has, and says so")
    func timeout() throws {
        let clock: @Sendable () -> UInt64 = { 5 }
        var request = SearchRequest()
        request.timeoutMilliseconds = 0
        let found = try SearchExecutor(now: 0, monotonic: clock).search(request, in: index.targets)
        #expect(found.timedOut && found.hits.isEmpty)
    }

    @Test("the filter cache changes no answer, stays within its bytes, and is read from the third use on")
    func filterCache() throws {
        let big = try TestIndex.random(5, segments: 1, perSegment: 5000), cache = FilterCache(bytesMax: 20_000)
        for round in 0..<6 {
            for low in 0..<12 {
                var request = SearchRequest()
                var range = Query.Range(field: "price")
                range.lower = .integer(Int64(low))
                var bool = Query.Bool()
                bool.filter = [Query(.range(range)), Query(.prefix(field: "brand", value: "a", caseInsensitive: false))]
                (request.query, request.trackTotalHits) = (Query(.bool(bool)), .exact)
                let cached = try big.search(request, cache: cache), plain = try big.search(request)
                #expect(cached.total?.value == plain.total?.value && cached.hits.map(\.id) == plain.hits.map(\.id), "round \(round)")
                #expect(cache.statistics.bytes <= 20_000)
            }
        }
        #expect(cache.statistics.hits > 0 && cache.statistics.entries > 0)
    }
}
