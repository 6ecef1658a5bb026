// Documents through the router, without sockets: writes, reads, bulks, and what is refused.

import ElasticAPI
import JSON
import Testing

extension Router {
    /// Status and parsed body; a body that is no JSON is null.
    func call(_ method: APICall.Method, _ uri: String, _ body: String = "", compatible: Int = 8) async throws -> (status: Int, json: JSONValue) {
        let type = body.contains("\n") ? "application/x-ndjson" : "application/json"
        let answer = await self.answer(try APICall(method, uri, body: Array(body.utf8), contentType: body.isEmpty ? nil : type,
            accept: "application/vnd.elasticsearch+json; compatible-with=\(compatible)"))
        return (answer.status, (try? JSONValue.parse(answer.body)) ?? .null)
    }
}

@Suite("Documents over REST")
struct DocumentTests {
    @Test("a document goes in, comes back byte for byte, changes, and goes")
    func life() async throws {
        let router = try await router()
        let made = try await router.call(.put, "/shop/_doc/1", #"{"name": "lamp",  "price": 1.50}"#)
        #expect(made.status == 201 && made.json["result"] == "created" && made.json["_version"] == 1 && made.json["_type"] == nil)
        #expect(try await router.send(.get, "/shop/_source/1").text == #"{"name": "lamp",  "price": 1.50}"#)
        let again = try await router.call(.post, "/shop/_doc/1?op_type=create", #"{"name": "x"}"#)
        #expect(again.status == 409 && again.json["error"]?["type"] == "version_conflict_engine_exception")
        let updated = try await router.call(.post, "/shop/_update/1?_source=true", #"{"doc": {"price": 2}}"#)
        #expect(updated.json["get"]?["_source"]?["price"] == 2 && updated.json["_version"] == 2)
        #expect(try await router.call(.delete, "/shop/_doc/1").json["result"] == "deleted")
        #expect(try await router.call(.get, "/shop/_doc/1").status == 404)
        #expect(try await router.call(.head, "/shop/_doc/1").status == 404)
    }

    @Test("a client of version 7 gets the type it looks for")
    func oldClients() async throws {
        let router = try await router()
        #expect(try await router.call(.put, "/shop/_doc/1", "{}", compatible: 7).json["_type"] == "_doc")
        #expect(try await router.call(.get, "/shop/_doc/1", compatible: 7).json["_type"] == "_doc")
    }

    @Test("each item of a bulk has its own result, and one that fails harms no other")
    func bulk() async throws {
        let router = try await router()
        let answer = try await router.call(.post, "/_bulk?refresh=true", """
            {"index": {"_index": "shop", "_id": "1"}}
            {"n": 1}
            {"create": {"_index": "shop", "_id": "1"}}
            {"n": 2}
            {"index": {"_index": "shop", "_id": ""}}
            {"n": 3}
            {"update": {"_index": "shop", "_id": "1"}}
            {"doc": {"n": 4}}
            {"delete": {"_index": "shop", "_id": "nobody"}}

            """)
        let items = answer.json["items"]?.array ?? []
        #expect(answer.json["errors"] == true && items.count == 5)
        #expect(items.first?["index"]?["status"] == 201)
        #expect(items[1]["create"]?["status"] == 409 && items[1]["create"]?["error"]?["root_cause"] == nil)
        #expect(items[2]["index"]?["error"]?["reason"] == "if _id is specified it must not be empty")
        #expect(items[3]["update"]?["result"] == "updated")
        #expect(items[4]["delete"]?["status"] == 404)
        #expect(try await router.call(.get, "/shop/_count").json["count"] == 1)
    }

    @Test("malformed bulks are refused whole, with the line", arguments: [
        ("{\"index\": {\"_index\": \"a\"}}\n{}", "The bulk request must be terminated by a newline [\\n]"),
        ("{}\n", "Malformed action/metadata line [1], expected FIELD_NAME but found [END_OBJECT]"),
        ("{\"index\": 3}\n{}\n", "Malformed action/metadata line [1], expected START_OBJECT but found [VALUE_NUMBER]"),
        ("{\"indx\": {}}\n{}\n", "Malformed action/metadata line [1], expected field [create], [delete], [index] or [update] but found [indx]"),
        ("{\"index\": {\"_index\": \"a\", \"_idd\": \"1\"}}\n{}\n", "Action/metadata line [1] contains an unknown parameter [_idd] did you mean [_id]?"),
    ])
    func malformed(body: String, reason: String) async throws {
        let answer = try await router().call(.post, "/_bulk", body + (body.contains("\n") ? "" : "\n"))
        #expect(answer.status == 400 && answer.json["error"]?["reason"] == .string(reason), "\(answer.json)")
    }

    @Test("an unknown index, a script, a wrong parameter: errors in Elasticsearch's shape")
    func errors() async throws {
        let router = try await router()
        let missing = try await router.call(.get, "/nowhere/_search")
        #expect(missing.status == 404 && missing.json["error"]?["type"] == "index_not_found_exception" && missing.json["error"]?["resource.id"] == "nowhere")
        #expect(missing.json["error"]?["root_cause"]?.array?.count == 1 && missing.json["status"] == 404)
        #expect(try await router.call(.put, "/shop/_doc/1?refresh=maybe", "{}").status == 400)
        #expect(try await router.call(.put, "/shop/_doc/1?if_seq_no=3", "{}").json["error"]?["type"] == "action_request_validation_exception")
        #expect(try await router.call(.post, "/shop/_bulk?pipeline=p", "{\"index\":{}}\n{}\n").status == 400)
        let long = String(repeating: "x", count: 513)
        #expect(try await router.call(.put, "/shop/_doc/\(long)", "{}").status == 400)
        let failed = try await router.call(.get, "/shop/_search", #"{"query": {"mtach": {}}}"#)
        #expect(failed.status == 400)
    }

    @Test("several documents by id, found or not, in the order asked for")
    func multiGet() async throws {
        let router = try await router()
        _ = try await router.call(.put, "/shop/_doc/1", #"{"a": 1, "b": 2}"#)
        let docs = try await router.call(.post, "/shop/_mget", #"{"docs": [{"_id": "2"}, {"_id": "1", "_source": ["b"]}, {"_index": "no", "_id": "1"}]}"#).json["docs"]?.array
        #expect(docs?[0]["found"] == false && docs?[1]["_source"] == ["b": 2] && docs?[2]["error"]?["type"] == "index_not_found_exception")
        #expect(try await router.call(.post, "/shop/_mget", #"{"ids": []}"#).json["error"]?["reason"] == "Validation Failed: 1: no documents to get;")
    }

    @Test("a pattern never deletes an index by its alias")
    func deleteByAlias() async throws {
        let router = try await router()
        _ = try await router.call(.put, "/shop", #"{"aliases": {"alias": {}}}"#)
        #expect(try await router.call(.delete, "/alias").status == 400)
        #expect(try await router.call(.delete, "/ali*").status == 200)
        #expect(try await router.call(.delete, "/alias?ignore_unavailable=true").status == 200)
        #expect(try await router.call(.head, "/shop").status == 200)
        #expect(try await router.call(.delete, "/sh*,-shop").status == 200)
        #expect(try await router.call(.head, "/shop").status == 200)
        #expect(try await router.call(.delete, "/shop").json["acknowledged"] == true)
        #expect(try await router.call(.head, "/shop").status == 404)
    }
}
