// Snapshots over REST: shapes and refusals as Elasticsearch's.

import ElasticAPI
import Engine
import JSON
import Storage
import Testing

@Suite("Snapshot endpoints")
struct SnapshotEndpointTests {
    private func json(_ router: Router, _ method: APICall.Method, _ uri: String, _ body: String = "") async throws -> JSONValue {
        let answer = try await router.send(method, uri, body)
        #expect(answer.status == 200, "\(uri): \(answer.text)")
        return try JSONValue.parse(answer.text)
    }

    private func refused(_ router: Router, _ status: Int, _ part: String, _ method: APICall.Method, _ uri: String, _ body: String = "") async throws {
        let answer = try await router.send(method, uri, body)
        #expect(answer.status == status && answer.text.contains(part), "\(uri): \(answer.status) \(answer.text)")
    }

    private func scene() async throws -> Router {
        let router = try await router()
        _ = try await json(router, .put, "/_snapshot/daily", #"{"type":"fs","settings":{"location":"daily","compress":true}}"#)
        for n in 0..<30 { _ = try await router.send(.put, "/shop-1/_doc/\(n)", "{\"title\":\"red shoe \(n)\"}") }
        _ = try await json(router, .put, "/other", #"{"aliases":{"o":{}}}"#)
        return router
    }

    @Test("a snapshot is taken, shown, restored under another name and removed")
    func life() async throws {
        let router = try await scene()
        #expect(try await json(router, .get, "/_snapshot")["daily"]?["settings"]?["compress"] == "true")
        let made = try await json(router, .put, "/_snapshot/daily/monday?wait_for_completion=true", #"{"indices":"shop*,other","metadata":{"by":"me"},"include_global_state":false}"#)["snapshot"]
        #expect(made?["state"] == "SUCCESS" && made?["indices"] == ["other", "shop-1"] && made?["shards"] == ["total": 2, "failed": 0, "successful": 2])
        let shown = try await json(router, .get, "/_snapshot/daily/mon*")
        #expect(shown["snapshots"]?.array?.first == made && shown["total"] == 1 && shown["remaining"] == 0)
        #expect(made?["metadata"]?["by"] == "me" && made?["include_global_state"] == false && made?["repository"] == "daily")
        let brief = try await json(router, .get, "/_snapshot/_all/_all?verbose=false")["snapshots"]?.array?.first
        #expect(brief?["state"] == "SUCCESS" && brief?["failures"] == nil && brief?["version"] == nil)
        let status = try await json(router, .get, "/_snapshot/daily/monday/_status")["snapshots"]?.array?.first
        #expect((status?["stats"]?["incremental"]?["file_count"]?.integer ?? 0) > 0 && status?["shards_stats"]?["done"] == 2 && status?["indices"]?["other"] != nil)
        #expect(try await json(router, .get, "/_snapshot/_status")["snapshots"] == [])
        for (size, offset) in [("1", "9223372036854775807"), ("9223372036854775807", "1"), ("9223372036854775807", "9223372036854775807"), ("-1", "9223372036854775807")] {
            let page = try await json(router, .get, "/_snapshot/_all/_all?size=\(size)&offset=\(offset)")
            #expect(page["snapshots"] == [] && page["total"] == 1 && page["remaining"] == 0)
        }

        let restored = try await json(
            router, .post, "/_snapshot/daily/monday/_restore?wait_for_completion=true",
            #"{"indices":"shop-*","rename_pattern":"shop-(.+)","rename_replacement":"old-$1","include_aliases":false,"index_settings":{"index.max_result_window":7}}"#)
        #expect(restored["snapshot"]?["indices"] == ["old-1"] && restored["snapshot"]?["shards"]?["successful"] == 1)
        #expect(try await json(router, .get, "/old-1/_count?q=*:*")["count"] == 30)
        #expect(try await json(router, .get, "/old-1/_settings")["old-1"]?["settings"]?["index"]?["max_result_window"] == "7")
        #expect(try await json(router, .put, "/_snapshot/daily/monday/_clone/copy", #"{"indices":"other"}"#) == ["acknowledged": true])
        #expect(try await json(router, .delete, "/_snapshot/daily/monday,copy") == ["acknowledged": true])
        #expect(try await json(router, .get, "/_snapshot/daily/*")["total"] == 0)
        #expect(try await json(router, .post, "/_snapshot/daily/_cleanup") == ["results": ["deleted_bytes": 0, "deleted_blobs": 0]])
        #expect(try await json(router, .post, "/_snapshot/daily/_verify")["nodes"] != nil)
        #expect(try await json(router, .delete, "/_snapshot/daily") == ["acknowledged": true])
    }

    @Test("without waiting the answer comes at once, and the snapshot is there soon")
    func accepted() async throws {
        let router = try await scene()
        #expect(try await json(router, .put, "/_snapshot/daily/later") == ["accepted": true])
        for _ in 0..<500 {
            let state = try await json(router, .get, "/_snapshot/daily/later")["snapshots"]?.array?.first?["state"]
            if state == "SUCCESS" { break }
            #expect(state == "IN_PROGRESS")
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try await json(router, .get, "/_snapshot/daily/later")["snapshots"]?.array?.first?["state"] == "SUCCESS")
        await router.services.node.close()
    }

    @Test("mistakes are refused in Elasticsearch's words")
    func refusals() async throws {
        let router = try await scene()
        _ = try await json(router, .put, "/_snapshot/daily/monday?wait_for_completion=true")
        try await refused(router, 404, #""type":"repository_missing_exception","reason":"[none] missing""#, .get, "/_snapshot/none")
        try await refused(router, 404, "repository_missing_exception", .put, "/_snapshot/none/a")
        try await refused(router, 404, "repository_missing_exception", .delete, "/_snapshot/none")
        try await refused(router, 404, "[daily:none] is missing", .get, "/_snapshot/daily/none")
        try await refused(router, 404, "[daily:none] is missing", .delete, "/_snapshot/daily/none")
        try await refused(router, 404, "snapshot_missing_exception", .get, "/_snapshot/daily/none/_status")
        #expect(try await json(router, .get, "/_snapshot/daily/none/_status?ignore_unavailable=true")["snapshots"] == [])
        #expect(try await json(router, .get, "/_snapshot/daily/none?ignore_unavailable=true")["snapshots"] == [])
        try await refused(router, 400, "[daily:monday] Invalid snapshot name [monday], snapshot with the same name already exists", .put, "/_snapshot/daily/monday")
        try await refused(router, 400, "must be lowercase", .put, "/_snapshot/daily/Monday")
        try await refused(router, 404, "index_not_found_exception", .put, "/_snapshot/daily/b", #"{"indices":"nothing"}"#)
        try await refused(router, 400, "Unknown parameter indizes", .put, "/_snapshot/daily/b", #"{"indizes":"shop-1"}"#)
        try await refused(router, 500, "snapshot_restore_exception", .post, "/_snapshot/daily/monday/_restore")
        try await refused(router, 404, "snapshot_restore_exception", .post, "/_snapshot/daily/none/_restore")
        try await refused(router, 400, "without rename_replacement", .post, "/_snapshot/daily/monday/_restore", #"{"rename_pattern":"a"}"#)
        try await refused(router, 400, "No group 2", .post, "/_snapshot/daily/monday/_restore", #"{"rename_pattern":"(.+)","rename_replacement":"$2"}"#)
        try await refused(router, 400, "doesn't match any of the locations", .put, "/_snapshot/w", #"{"type":"fs","settings":{"location":"/etc"}}"#)
        try await refused(router, 400, "does not exist", .put, "/_snapshot/w", #"{"type":"hdfs"}"#)
        try await refused(router, 400, "AWS_SECRET_ACCESS_KEY", .put, "/_snapshot/w", #"{"type":"s3","settings":{"bucket":"b","secret_key":"s"}}"#)
        try await refused(router, 400, "type is missing", .put, "/_snapshot/w", "{}")
        let partly = try await json(router, .put, "/_snapshot/daily/c?wait_for_completion=true", #"{"indices":["nothing"],"ignore_unavailable":true}"#)
        #expect(partly["snapshot"]?["shards"] == ["total": 0, "failed": 0, "successful": 0])
    }

    @Test("names are replaced as Java's replaceAll does it", arguments: [
        ("(.+)", "r_$1", "shop", "r_shop"), ("shop-(.*)", "$1", "shop-a", "a"), ("o", "0", "foo", "f00"), ("x*", "-", "abc", "-a-b-c-"), ("^a|b$", "", "aabb", "ab"),
        (#"(\d{4})-(\d\d)"#, "$2.$1", "log-2024-05", "log-05.2024"), ("[^a-c]+", "_", "abxyc", "ab_c"), ("(a|b)*?c", "<$1>", "abc", "<b>"), ("(a)(b)?", "[$2]", "a", "[]"),
        (#"\."#, "-", "a.b", "a-b"), ("(?:a)(b)", "$1$1", "ab", "bb"), ("(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", "$10", "abcdefghij", "j"), ("(.)", "$12", "a", "a2"),
        (".", #"\$"#, "a", "$"), ("[]a]", "x", "]a", "xx"), ("none", "x", "shop", "shop"), ("a{2,3}", "x", "aaaaa", "xx"), ("ü", "u", "über", "uber"),
    ])
    func renaming(pattern: String, replacement: String, name: String, expected: String) throws {
        #expect(try RenamePattern(pattern, replacement: replacement).apply(to: name) == expected)
    }

    @Test("patterns that are wrong, or would take for ever, are refused")
    func wrongPatterns() throws {
        for wrong in ["(", ")", "[a", "*a", "a{x}", "a{3,1}", "(?=a)", #"\1"#, #"a\"#, "a++", String(repeating: "(", count: 30) + String(repeating: ")", count: 30)] {
            #expect(throws: APIError.self, "\(wrong)") { try RenamePattern(wrong, replacement: "").apply(to: "abc") }
        }
        #expect(throws: APIError.self) { try RenamePattern("(a*)*b", replacement: "").apply(to: String(repeating: "a", count: 200)) }
        #expect(throws: APIError.self) { try RenamePattern("((a|a)+)+b", replacement: "").apply(to: String(repeating: "a", count: 200)) }
    }
    @Test("repetitions of nothing and within one another neither overflow the stack nor take for ever")
    func deepPatterns() throws {
        #expect(try RenamePattern("(){1000}{1000}", replacement: "x").apply(to: "ab") == "xaxbx")
        #expect(try RenamePattern("(^|(){0,1000}){1000}a", replacement: "x").apply(to: "ab") == "xb")
        let nested = "(?:." + String(repeating: "{1}", count: 320) + ")*"
        #expect(throws: APIError.self) { try RenamePattern(nested, replacement: "x").apply(to: String(repeating: "a", count: 255)) }
        #expect(try RenamePattern("(.+)", replacement: "$1").apply(to: String(repeating: "a", count: 255)) == String(repeating: "a", count: 255))
        #expect(try RenamePattern("((a)|(b))*-(.*?)-(.*)", replacement: "$4").apply(to: String(repeating: "ab", count: 60) + "-x-" + String(repeating: "c", count: 100)) == "x")
    }
}
