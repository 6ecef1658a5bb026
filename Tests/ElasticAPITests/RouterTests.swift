// What every call gets, whatever it asks: routing, refusals in Elasticsearch's words, layout of the answer.

import ElasticAPI
import Engine
import JSON
import Storage
import Testing

func router(_ options: Services.Options = Services.Options()) async throws -> Router {
    var node = NodeOptions()
    node.background = false
    return Router(services: Services(node: try await Node.open(root: MemoryDirectory(), options: node), options: options) { 1_700_000_000_000 })
}

extension Router {
    func send(_ method: APICall.Method, _ uri: String, _ body: String = "", accept: String? = nil) async throws -> (status: Int, text: String, type: String?) {
        let answer = await self.answer(try APICall(method, uri, body: Array(body.utf8), contentType: body.isEmpty ? nil : "application/json", accept: accept))
        return (answer.status, String(decoding: answer.body, as: UTF8.self), answer.contentType)
    }
}

@Suite("Router")
struct RouterTests {
    @Test("the root names the product and the version that clients look for")
    func root() async throws {
        let answer = await (try router()).answer(try APICall(.get, "/"))
        let json = try JSONValue.parse(answer.body)
        #expect(json["version"]?["number"] == "8.19.0" && json["tagline"] == "You Know, for Search")
        #expect(answer.headers.contains { $0.name.lowercased() == "x-elastic-product" && $0.value == "Elasticsearch" })
    }

    @Test("unknown paths, methods and parameters are refused in Elasticsearch's words")
    func refusals() async throws {
        let router = try await router()
        #expect(try await router.send(.get, "/a/b/c/d").text == #"{"error":"no handler found for uri [/a/b/c/d] and method [GET]","status":400}"#)
        let wrong = try await router.send(.delete, "/_bulk/x/y")
        #expect(wrong.status == 400)
        let method = try await router.send(.delete, "/a/_search")
        #expect(method.status == 405 && method.text.contains("Incorrect HTTP method for uri [/a/_search] and method [DELETE], allowed: [GET, POST]"))
        let parameter = try await router.send(.get, "/_search?sise=3&pretty=false")
        #expect(parameter.status == 400)
        #expect(parameter.text.contains("request [/_search] contains unrecognized parameter: [sise] -> did you mean [size]?"))
    }

    @Test("media types of the official clients are answered in kind")
    func mediaTypes() async throws {
        let router = try await router()
        let kind = try await router.send(.get, "/", accept: "application/vnd.elasticsearch+json; compatible-with=8")
        #expect(kind.type == "application/vnd.elasticsearch+json;compatible-with=8")
        #expect(try await router.send(.get, "/").type == "application/json")
        #expect(try await router.send(.get, "/", accept: "application/vnd.elasticsearch+json; compatible-with=9").status == 400)
        let body = await router.answer(try APICall(.post, "/_search", body: Array("{}".utf8), contentType: "text/plain"))
        #expect(body.status == 406)
    }

    @Test("bad JSON is refused with where it is bad")
    func badJSON() async throws {
        let answer = try await router().send(.post, "/_search", "{\"query\": ")
        #expect(answer.status == 400 && answer.text.contains("x_content_parse_exception"))
    }

    @Test("filter_path keeps, drops, and leaves no empty shells", arguments: [
        ("version.number", #"{"version":{"number":"8.19.0"}}"#), ("version.num*,name", #"{"name":"isotherm","version":{"number":"8.19.0"}}"#),
        ("**.number", #"{"version":{"number":"8.19.0"}}"#), ("-version,-cluster*,-tagline", #"{"name":"isotherm"}"#), ("nothing.here", "{}"),
    ])
    func filterPath(filter: String, expected: String) async throws {
        #expect(try await router().send(.get, "/?filter_path=\(filter)").text == expected)
    }

    @Test("pretty answers are laid out and end with a line")
    func pretty() async throws {
        let text = try await router().send(.get, "/?pretty&filter_path=name").text
        #expect(text == "{\n  \"name\" : \"isotherm\"\n}\n")
    }

    @Test("escapes in paths and parameters are decoded, broken ones refused")
    func escapes() throws {
        let call = try APICall(.get, "/a%20b+c/_doc/%C3%A9?q=x+y%3Az&flag")
        #expect(call.segments == ["a b+c", "_doc", "é"] && call.parameters == ["q": "x y:z", "flag": ""])
        for broken in ["/%", "/%zz", "/%C3", "/?a=%f"] { #expect(throws: APIError.self) { try APICall(.get, broken) } }
    }
}
