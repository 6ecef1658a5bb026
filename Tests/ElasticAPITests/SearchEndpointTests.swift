// Searches through the router: rendering, paging that agrees with itself, and requests that are wrong.

import ElasticAPI
import IsothermTesting
import JSON
import Testing

@Suite("Search over REST")
struct SearchEndpointTests {
    private func shop(_ count: Int = 30) async throws -> Router {
        let router = try await router()
        _ = try await router.call(.put, "/shop", #"{"mappings": {"properties": {"title": {"type": "text"}, "brand": {"type": "keyword"}, "price": {"type": "integer"}}}}"#)
        let lines = (0..<count).map { #"{"index": {"_id": "\#($0)"}}"# + "\n" + #"{"title": "lamp \#($0)", "brand": "\#($0 % 3 == 0 ? "acme" : "bolt")", "price": \#($0)}"# }
        _ = try await router.call(.post, "/shop/_bulk?refresh=true", lines.joined(separator: "\n") + "\n")
        return router
    }

    private func ids(_ json: JSONValue) -> [String] { (json["hits"]?["hits"]?.array ?? []).compactMap { $0["_id"]?.string } }

    @Test("hits have what Elasticsearch gives them")
    func shape() async throws {
        let json = try await shop().call(.post, "/shop/_search", #"{"query": {"match": {"title": "lamp"}}, "size": 1, "_source": ["price"]}"#).json
        #expect(json["hits"]?["total"] == ["value": 30, "relation": "eq"] && json["timed_out"] == false && json["_shards"]?["failed"] == 0)
        let hit = json["hits"]?["hits"]?.array?.first
        #expect(hit?["_index"] == "shop" && hit?["_score"] == json["hits"]?["max_score"] && hit?["_source"]?["price"] != nil && hit?["_source"]?["brand"] == nil)
        #expect(try await shop().call(.get, "/shop/_search?rest_total_hits_as_int=true&size=0").json["hits"]?["total"] == 30)
    }

    @Test("aggregations are there under their names, typed when asked for")
    func aggregations() async throws {
        let body = #"{"size": 0, "aggs": {"brands": {"terms": {"field": "brand"}, "aggs": {"price": {"max": {"field": "price"}}, "top": {"top_hits": {"size": 1, "_source": ["price"]}}}}}}"#
        let router = try await shop()
        let buckets = try await router.call(.post, "/shop/_search", body).json["aggregations"]?["brands"]?["buckets"]?.array
        #expect(buckets?.map { $0["key"] } == ["bolt", "acme"] && buckets?.map { $0["doc_count"] } == [20, 10])
        #expect(buckets?[1]["price"]?["value"]?.number == 27 && buckets?[1]["top"]?["hits"]?["hits"]?.array?.count == 1)
        #expect(try await router.call(.post, "/shop/_search?typed_keys=true", body).json["aggregations"]?["sterms#brands"] != nil)
    }

    @Test("a scroll gives every hit once, and does not see later writes")
    func scroll() async throws {
        let router = try await shop()
        var page = try await router.call(.post, "/shop/_search?scroll=1m&size=7", #"{"sort": ["price"]}"#).json
        let id = page["_scroll_id"]?.string ?? ""
        _ = try await router.call(.put, "/shop/_doc/late?refresh=true", #"{"price": 3}"#)
        var seen: [String] = []
        for _ in 0..<10 where !ids(page).isEmpty {
            seen += ids(page)
            page = try await router.call(.post, "/_search/scroll", #"{"scroll": "1m", "scroll_id": "\#(id)"}"#).json
        }
        #expect(seen == (0..<30).map(String.init))
        #expect(try await router.call(.delete, "/_search/scroll", #"{"scroll_id": ["\#(id)"]}"#).json == ["succeeded": true, "num_freed": 1])
        #expect(try await router.call(.post, "/_search/scroll", #"{"scroll_id": "\#(id)"}"#).status == 404)
    }

    @Test("a scroll reads past the result window, by score, by place and by field", arguments: [#"{"sort": ["_doc"]}"#, #"{"query": {"match": {"title": "lamp"}}}"#, #"{"sort": [{"price": "desc"}]}"#, #"{"sort": ["brand"]}"#])
    func deepScroll(body: String) async throws {
        let router = try await router()
        _ = try await router.call(.put, "/shop", #"{"settings": {"max_result_window": 40}, "mappings": {"properties": {"title": {"type": "text"}, "brand": {"type": "keyword"}, "price": {"type": "integer"}}}}"#)
        for part in 0..<3 {
            let lines = (0..<50).map { #"{"index": {"_id": "\#(part * 50 + $0)"}}"# + "\n" + #"{"title": "lamp \#($0 % 3 == 0 ? "lamp" : "x")", "brand": "b\#($0 % 4)", "price": \#($0 % 7)}"# }
            _ = try await router.call(.post, "/shop/_bulk?refresh=true", lines.joined(separator: "\n") + "\n")
        }
        #expect(try await router.call(.post, "/shop/_search?size=41", body).status == 400)
        var page = try await router.call(.post, "/shop/_search?scroll=1m&size=17", body).json
        let id = page["_scroll_id"]?.string ?? ""
        var seen: [String] = []
        for _ in 0..<12 where !ids(page).isEmpty {
            #expect(page["hits"]?["total"]?["value"] == 150)
            seen += ids(page)
            page = try await router.call(.post, "/_search/scroll", #"{"scroll": "1m", "scroll_id": "\#(id)"}"#).json
        }
        #expect(seen.count == 150 && Set(seen).count == 150)
    }

    @Test("a point in time is searched as it was")
    func pointInTime() async throws {
        let router = try await shop()
        let id = try await router.call(.post, "/shop/_pit?keep_alive=1m").json["id"]?.string ?? ""
        _ = try await router.call(.delete, "/shop/_doc/3?refresh=true")
        let old = try await router.call(.post, "/_search", #"{"size": 0, "track_total_hits": true, "pit": {"id": "\#(id)"}}"#).json
        #expect(old["hits"]?["total"]?["value"] == 30 && old["pit_id"] == .string(id))
        #expect(try await router.call(.delete, "/_pit", #"{"id": "\#(id)"}"#).json["num_freed"] == 1)
    }

    @Test("scrolls are bounded in number and in time")
    func scrollBounds() async throws {
        var options = Services.Options()
        options.limits.scrollsMax = 2
        let router = try await router(options)
        _ = try await router.call(.put, "/shop")
        for _ in 0..<2 { #expect(try await router.call(.get, "/shop/_search?scroll=1m").status == 200) }
        #expect(try await router.call(.get, "/shop/_search?scroll=1m").status == 429)
        #expect(try await router.call(.get, "/shop/_search?scroll=2d").status == 400)
        #expect(try await router.call(.delete, "/_search/scroll/_all").json["num_freed"] == 2)
        #expect(try await router.call(.get, "/shop/_search?scroll=1m").status == 200)
    }

    @Test("several searches in one request keep their failures apart")
    func multiSearch() async throws {
        let answers = try await shop().call(.post, "/_msearch", "{\"index\": \"shop\"}\n{\"size\": 1}\n{\"index\": \"none\"}\n{}\n").json["responses"]?.array
        #expect(answers?.map { $0["status"] } == [200, 404] && answers?[1]["error"]?["type"] == "index_not_found_exception")
    }

    @Test("a search that fails while it runs says on which shard, and why")
    func shardFailure() async throws {
        let json = try await shop().call(.post, "/shop/_search", #"{"query": {"range": {"price": {"gte": "cheap"}}}}"#).json
        #expect(json["status"] == 400 && json["error"]?["type"] == "search_phase_execution_exception" && json["error"]?["root_cause"]?.array?.count == 1)
    }

    @Test("documents are deleted, rewritten and copied by query")
    func byQuery() async throws {
        let router = try await shop()
        let copied = try await router.call(.post, "/_reindex?refresh=true", #"{"source": {"index": "shop", "query": {"term": {"brand": "acme"}}}, "dest": {"index": "copy"}}"#)
        #expect(copied.json["created"] == 10 && copied.json["failures"] == [])
        #expect(try await router.call(.get, "/copy/_count").json["count"] == 10)
        #expect(try await router.call(.post, "/shop/_update_by_query?refresh=true", #"{"query": {"term": {"brand": "acme"}}}"#).json["updated"] == 10)
        #expect(try await router.call(.post, "/shop/_delete_by_query?refresh=true&max_docs=4", #"{"query": {"term": {"brand": "acme"}}}"#).json["deleted"] == 4)
        #expect(try await router.call(.get, "/shop/_count").json["count"] == 26)
        #expect(try await router.call(.post, "/shop/_delete_by_query", "{}").status == 400)
    }

    @Test("templates shape the indexes that writes make")
    func templates() async throws {
        let router = try await router()
        _ = try await router.call(.put, "/_index_template/t", #"{"index_patterns": ["log-*"], "template": {"settings": {"number_of_replicas": 0}, "mappings": {"properties": {"level": {"type": "keyword"}}}}}"#)
        _ = try await router.call(.post, "/log-1/_doc", #"{"level": "info"}"#)
        let index = try await router.call(.get, "/log-1").json["log-1"]
        #expect(index?["mappings"]?["properties"]?["level"]?["type"] == "keyword" && index?["settings"]?["index"]?["number_of_replicas"] == "0")
    }

    @Test("any request damaged anywhere is answered, never a crash", arguments: UInt64(0)..<200)
    func damage(seed: UInt64) async throws {
        var random = Seeded(seed)
        let router = try await shop(3)
        var body = Array(#"{"query":{"bool":{"must":[{"match":{"title":"lamp"}}],"filter":{"range":{"price":{"gte":1}}}}},"aggs":{"b":{"terms":{"field":"brand","size":2}}},"sort":["price"],"size":2}"#.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0..<body.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: body[place] = UInt8.random(in: 0...255, using: &random)
            case 1: body.remove(at: place)
            default: body.insert(contentsOf: Array("[{\"-9".utf8).shuffled(using: &random), at: place)
            }
        }
        let answer = await router.answer(try APICall(.post, "/shop/_search", body: body, contentType: "application/json"))
        #expect([200, 400].contains(answer.status), "\(String(decoding: body, as: UTF8.self))")
    }
}
