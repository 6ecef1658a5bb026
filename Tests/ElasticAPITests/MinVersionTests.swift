// Searches that ask for a version of the feed that an index follows, and updatable columns over REST.

import ElasticAPI
import Engine
import IsothermTesting
import JSON
import Storage
import Testing

@Suite("Versions over REST")
struct MinVersionTests {
    private func bench() async throws -> (Node, Router) {
        let node = try await Node.open(root: MemoryDirectory())
        let router = Router(services: Services(node: node) { 0 })
        _ = try await router.call(.put, "/p", #"{"mappings": {"properties": {"stock": {"type": "long", "updatable": true}, "title": {"type": "text"}}}}"#)
        _ = try await node.follow("p", [WriteOperation(.index, index: "p", id: "1", source: Array(#"{"title":"lamp","stock":1}"#.utf8))], upTo: 7, durably: true)
        return (node, router)
    }

    private func update(_ stock: Int) -> WriteOperation { WriteOperation(.update, index: "p", id: "1", source: Array("{\"doc\":{\"stock\":\(stock)}}".utf8)) }

    @Test("min_version waits for the version, and says 503 with both versions when it does not come")
    func minVersion() async throws {
        let (node, router) = try await bench()
        let query = #"{"query":{"range":{"stock":{"gt":0}}}}"#
        let answer = await router.answer(try APICall(.post, "/p/_search?min_version=7", body: Array(query.utf8), contentType: "application/json"))
        #expect(answer.status == 200 && answer.headers.contains { $0.name == "X-Isotherm-Version" && $0.value == "7" })
        let behind = try await router.call(.post, "/p/_search?min_version=8&min_version_timeout=20ms", query)
        #expect(behind.status == 503 && behind.json["error"]?["type"] == "version_not_reached_exception")
        #expect(behind.json["error"]?["reason"]?.string?.contains("[7]") == true && behind.json["error"]?["reason"]?.string?.contains("[8]") == true)
        let waiting = Task { try await router.call(.post, "/p/_search?min_version=8", query) }
        try await Task.sleep(for: .milliseconds(20))
        _ = try await node.follow("p", [update(0)], upTo: 8, durably: false)
        let answered = try await waiting.value
        #expect(answered.status == 200 && answered.json["hits"]?["total"]?["value"] == 0)
        // A version never goes back.
        _ = try await node.follow("p", [], upTo: 3, durably: false)
        #expect(try node.snapshot(of: "p").externalVersion == 8)
        await node.close()
    }

    @Test("an update over REST of an updatable field alone is a patch, with the same answer")
    func patch() async throws {
        let (node, router) = try await bench()
        let (status, json) = try await router.call(.post, "/p/_update/1?refresh=true", #"{"doc":{"stock":5},"_source":true}"#)
        #expect(status == 200 && json["result"] == "updated" && json["_version"] == 2 && json["get"]?["_source"]?["stock"] == 5)
        #expect(try await router.call(.get, "/p/_doc/1").json["_source"] == ["title": "lamp", "stock": 5])
        #expect(try await router.call(.post, "/p/_search", #"{"aggs":{"n":{"sum":{"field":"stock"}}}}"#).json["aggregations"]?["n"]?["value"]?.number == 5)
        #expect(try node.stats("p").patchTotal == 1)
        #expect(try await router.call(.put, "/q", #"{"mappings":{"properties":{"t":{"type":"text","updatable":true}}}}"#).status == 400)
        await node.close()
    }
}
