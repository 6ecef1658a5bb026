// An index that the shop's tiers write, as requests from outside meet it: read by its name alone, written by none, whichever way is tried.

import ElasticAPI
import Engine
import JSON
import Storage
import Testing

@Suite("Indexes of the shop's own")
struct OwnedIndexTests {
    /// `orders` is owned and hidden, with two documents; `shop` is anybody's.
    private func scene(concealed: Set<String> = []) async throws -> (node: Node, router: Router) {
        var nodeOptions = NodeOptions(), options = Services.Options()
        (nodeOptions.background, nodeOptions.concealed, options.owned) = (false, concealed, ["orders"])
        let node = try await Node.open(root: MemoryDirectory(), options: nodeOptions)
        _ = try await node.createIndex("orders", IndexCreation(settings: JSONObject([("index", ["hidden": true])])))
        for id in ["a", "b"] { _ = try await node.write(WriteOperation(.index, index: "orders", id: id, source: Array(#"{"title":"red"}"#.utf8)), refresh: .immediate) }
        let router = Router(services: Services(node: node, options: options) { 1_700_000_000_000 })
        for id in ["a", "b"] { _ = try await router.send(.put, "/shop/_doc/\(id)?refresh=true", #"{"title":"red"}"#) }
        return (node, router)
    }

    private func documents(_ node: Node) throws -> Int { try node.stats("orders").docs }

    private static let writes: [(APICall.Method, String, String)] = [
        (.put, "/orders", ""), (.put, "/orders/_doc/a", #"{"title":"forged"}"#), (.post, "/orders/_doc", #"{"title":"forged"}"#), (.put, "/orders/_create/c", "{}"),
        (.post, "/orders/_update/a", #"{"doc":{"title":"forged"}}"#), (.delete, "/orders/_doc/a", ""),
        (.post, "/orders/_delete_by_query", #"{"query":{"match_all":{}}}"#), (.post, "/orders/_update_by_query", ""),
        (.post, "/_reindex", #"{"source":{"index":"shop"},"dest":{"index":"orders"}}"#),
        (.put, "/orders/_mapping", #"{"properties":{"x":{"type":"long"}}}"#), (.put, "/orders/_settings", #"{"index":{"hidden":false}}"#),
        (.put, "/*/_settings?expand_wildcards=all", #"{"index":{"hidden":false}}"#),
        (.put, "/orders/_alias/mine", ""), (.put, "/shop/_alias/orders", ""), (.put, "/new", #"{"aliases":{"orders":{}}}"#),
        (.post, "/_aliases", #"{"actions":[{"add":{"index":"orders","alias":"mine"}}]}"#), (.post, "/_aliases", #"{"actions":[{"remove_index":{"index":"orders"}}]}"#),
        (.delete, "/orders", ""), (.delete, "/shop,orders", ""), (.delete, "/*?expand_wildcards=all", ""),
    ]

    @Test("every write of one is refused with words that say what to do, and changes nothing", arguments: 0..<writes.count)
    func written(_ at: Int) async throws {
        let (node, router) = try await scene(), (method, uri, body) = Self.writes[at]
        let answer = try await router.send(method, uri, body)
        #expect(answer.status == 403 && answer.text.contains("which only the shop itself writes"), "\(method) \(uri): \(answer.status) \(answer.text)")
        #expect(try documents(node) == 2 && node.indexNames.sorted() == ["orders", "shop"] && (try node.describe("orders").aliases.isEmpty))
        await node.close()
    }

    @Test("in a bulk request its items fail, and the others do not")
    func bulk() async throws {
        let (node, router) = try await scene()
        let lines = #"{"index":{"_index":"orders","_id":"c"}}"# + "\n{}\n" + #"{"index":{"_index":"shop","_id":"c"}}"# + "\n{}\n" + #"{"delete":{"_index":"orders","_id":"a"}}"# + "\n"
        let call = try APICall(.post, "/_bulk", body: Array(lines.utf8), contentType: "application/x-ndjson", accept: nil)
        let items = try JSONValue.parse(await router.answer(call).body)["items"]?.array ?? []
        #expect(items.map { $0.object?.members.first?.value["status"] } == [403, 201, 403])
        #expect(try documents(node) == 2)
        await node.close()
    }

    @Test("patterns pass it over: a search of everything does not see it, and deleting everything leaves it")
    func patterns() async throws {
        let (node, router) = try await scene()
        for (uri, count) in [("/_count", 2), ("/*/_count", 2), ("/o*/_count", 0), ("/orders/_count", 2), ("/*/_count?expand_wildcards=all", 4)] {
            let answer = try await router.send(.get, uri)
            #expect(try JSONValue.parse(answer.text)["count"] == .integer(Int64(count)), "\(uri): \(answer.text)")
        }
        #expect(try await router.send(.post, "/*/_delete_by_query?refresh=true", #"{"query":{"match_all":{}}}"#).status == 200)
        #expect(try await router.send(.delete, "/_all").status == 200)
        #expect(try documents(node) == 2 && node.indexNames == ["orders"])
        await node.close()
    }

    @Test("a snapshot has it, asked for by a pattern too; it comes back through a request under another name only")
    func snapshots() async throws {
        let (node, router) = try await scene()
        _ = try await router.send(.put, "/_snapshot/daily", #"{"type":"fs","settings":{"location":"daily"}}"#)
        let made = try await router.send(.put, "/_snapshot/daily/one?wait_for_completion=true", #"{"indices":"*"}"#)
        #expect(try JSONValue.parse(made.text)["snapshot"]?["indices"] == ["orders", "shop"])
        try await node.deleteIndex("orders,shop")
        let uri = "/_snapshot/daily/one/_restore?wait_for_completion=true"
        for _ in 0..<2 { #expect(try await router.send(.post, uri, "{}").status == 403) }
        #expect(try await router.send(.post, uri, #"{"indices":"shop","rename_pattern":"shop","rename_replacement":"orders"}"#).status == 403)
        #expect(node.indexNames.isEmpty)
        #expect(try await router.send(.post, uri, #"{"rename_pattern":"(.+)","rename_replacement":"old-$1"}"#).status == 200)
        #expect(node.indexNames.sorted() == ["old-orders", "old-shop"])
        await node.close()
    }

    @Test("concealed, it is not found by any request; others and its snapshots are as before")
    func concealed() async throws {
        let (node, router) = try await scene(concealed: ["orders"])
        for uri in ["/orders/_search", "/orders/_doc/a", "/orders/_mapping", "/orders/_count", "/orders/_settings"] {
            #expect(try await router.send(.get, uri).status >= 400, "\(uri)")
        }
        #expect(try await router.send(.get, "/orders/_search").status == 404)
        let mget = try await router.send(.post, "/_mget", #"{"docs":[{"_index":"orders","_id":"a"}]}"#)
        #expect(!mget.text.contains("red"), "\(mget.text)")
        let searches = try APICall(.post, "/_msearch", body: Array("{\"index\":\"orders\"}\n{}\n".utf8), contentType: "application/x-ndjson", accept: nil)
        #expect(!String(decoding: await router.answer(searches).body, as: UTF8.self).contains("red"))
        #expect(try JSONValue.parse(await router.send(.get, "/*/_count?expand_wildcards=all").text)["count"] == 2)
        #expect(try await node.get("orders", id: "a") != nil)
        await node.close()
    }
}
