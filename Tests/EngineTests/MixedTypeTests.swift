// A field that indexes map differently, searched together: numbers are read by each index's own mapping, and shown as
// doubles where the mappings differ, as Elasticsearch reduces them.

import Engine
import JSON
import QueryDSL
import Search
import Storage
import Testing

@Suite("A field of several types over several indexes")
struct MixedTypeTests {
    private func node(_ kinds: [JSONValue]) async throws -> Node {
        var options = NodeOptions()
        options.background = false
        let node = try await Node.open(root: MemoryDirectory(), options: options)
        for (i, kind) in kinds.enumerated() {
            _ = try await node.createIndex("i\(i)", IndexCreation(settings: JSONObject(), mappings: JSONObject([("properties", ["n": kind])])))
        }
        return node
    }

    private func put(_ node: Node, _ index: String, _ values: [String]) async throws {
        for (i, value) in values.enumerated() {
            let result = try await node.bulk([WriteOperation(.index, index: index, id: "\(i)", source: Array("{\"n\": \(value)}".utf8))])
            #expect(result.allSatisfy { $0.error == nil })
        }
        try await node.refresh(index)
    }

    private func search(_ node: Node, _ indexes: String, _ body: String) async throws -> SearchResponse {
        try await node.search(indexes, try SearchRequest(json: try JSONValue.parse(body)))
    }

    private func aggregations(_ node: Node, _ indexes: String, _ body: String) async throws -> JSONValue {
        try await search(node, indexes, "{\"size\": 0, \"aggs\": \(body)}").aggregations.json { _ in .null }
    }

    @Test("terms of a long and of a double are doubles, equal ones counted together, whichever index comes first", arguments: ["i0,i1", "i1,i0"])
    func terms(indexes: String) async throws {
        let node = try await node([["type": "long"], ["type": "double"]])
        try await put(node, "i0", ["1", "2", "2", "-7"])
        try await put(node, "i1", ["2.0", "2.5", "1.0", "2.0"])
        let found = try await aggregations(node, indexes, #"{"t": {"terms": {"field": "n"}}}"#)
        let buckets = (found["t"]?["buckets"]?.array ?? []).map { ($0["key"], $0["doc_count"]?.integer) }
        #expect(buckets.map(\.0) == [.number(2), .number(1), .number(-7), .number(2.5)])
        #expect(buckets.map(\.1) == [4, 2, 1, 1])
        let alone = try await aggregations(node, "i0", #"{"t": {"terms": {"field": "n"}}}"#)
        #expect(alone["t"]?["buckets"]?.array?.first?["key"] == .integer(2))
        await node.close()
    }

    @Test("metrics, bins, ranges, percentiles, distinct values and orders read each index's numbers by its own mapping", arguments: ["i0,i1,i2", "i2,i1,i0"])
    func everywhere(indexes: String) async throws {
        let node = try await node([["type": "integer"], ["type": "double"], ["type": "scaled_float", "scaling_factor": 100]])
        try await put(node, "i0", ["1", "12"])
        try await put(node, "i1", ["1.0", "7.5"])
        try await put(node, "i2", ["1.0", "3.25"])
        let found = try await aggregations(node, indexes, """
            {"s": {"stats": {"field": "n"}}, "h": {"histogram": {"field": "n", "interval": 5}}, "c": {"cardinality": {"field": "n"}},
             "r": {"range": {"field": "n", "ranges": [{"to": 3.25}, {"from": 3.25, "to": 8}, {"from": 8}]}}, "p": {"percentiles": {"field": "n", "percents": [100]}},
             "m": {"terms": {"field": "n", "include": [1], "missing": 9}}}
            """)
        #expect(found["s"]?["sum"]?.number == 25.75 && found["s"]?["min"]?.number == 1 && found["s"]?["max"]?.number == 12)
        #expect(found["h"]?["buckets"]?.array?.map { $0["doc_count"]?.integer } == [4, 1, 1])
        #expect(found["c"]?["value"]?.integer == 4)
        #expect(found["r"]?["buckets"]?.array?.map { $0["doc_count"]?.integer } == [3, 2, 1])
        #expect(found["p"]?["values"]?["100.0"]?.number == 12)
        #expect(found["m"]?["buckets"]?.array?.map { $0["doc_count"]?.integer } == [3])
        for order in ["asc", "desc"] {
            let hits = try await search(node, indexes, "{\"sort\": [{\"n\": \"\(order)\"}]}").hits
            #expect(hits.map { $0.sort?.first?.number } == (order == "asc" ? [1, 1, 1, 3.25, 7.5, 12] : [12, 7.5, 3.25, 1, 1, 1]))
        }
        let after = try await search(node, indexes, #"{"sort": [{"n": "asc"}], "search_after": [3.25]}"#).hits
        #expect(after.map { $0.sort?.first?.number } == [7.5, 12])
        await node.close()
    }

    @Test("dates of milliseconds and of nanoseconds fall into the same days")
    func dates() async throws {
        let node = try await node([["type": "date_nanos"], ["type": "date"]])
        try await put(node, "i0", [#""2024-03-01T10:00:00.123456789Z""#, #""2024-03-02T00:00:00Z""#])
        try await put(node, "i1", [#""2024-03-01T11:00:00Z""#])
        let found = try await aggregations(node, "i0,i1", #"{"d": {"date_histogram": {"field": "n", "calendar_interval": "day"}}, "m": {"max": {"field": "n"}}}"#)
        #expect(found["d"]?["buckets"]?.array?.map { $0["doc_count"]?.integer } == [2, 1])
        #expect(found["m"]?["value"]?.number == 1_709_337_600_000)
        await node.close()
    }
}
