// GET _cluster/health. One node: every primary is here, every replica that settings ask for is missing.

internal import Engine
internal import JSON

struct ClusterHealthEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_cluster/health", "/_cluster/health/{index}")
    static let parameters = ["level", "local", "master_timeout", "timeout", "wait_for_active_shards", "wait_for_events", "wait_for_no_initializing_shards",
        "wait_for_no_relocating_shards", "wait_for_nodes", "wait_for_status", "return_200_for_cluster_health_timeout", "expand_wildcards"]

    private let call: APICall
    private let level: String
    private let wanted: Int

    init(_ call: APICall) throws {
        self.call = call
        level = call.text("level")?.lowercased() ?? "cluster"
        guard ["cluster", "indices", "shards"].contains(level) else {
            throw APIError.illegal("level must be one of [cluster], [indices] and [shards] but was [\(level)]")
        }
        let word = call.text("wait_for_status")?.lowercased()
        guard let wanted = word.map({ ["red": 0, "yellow": 1, "green": 2][$0] }) ?? 0 else { throw APIError.illegal("unknown cluster health status [\(word ?? "")]") }
        self.wanted = wanted
    }

    func answer(from services: Services) async throws -> APIAnswer {
        var indexes: [(String, ShardCount)] = [], missing = false
        do {
            for index in try services.node.resolve(call.indexExpression, IndexOptions()) {
                indexes.append((index.name, ShardCount(try services.node.describe(index.name).settings)))
            }
        } catch {
            guard APIError(error).status == 404 else { throw error }
            missing = true
        }
        let sum = indexes.reduce(ShardCount()) { $0 + $1.1 }
        let status = missing ? 0 : sum.replicas > 0 ? 1 : 2
        // Waiting could not change anything: nobody brings replicas to a single node.
        let timedOut = missing || status < wanted || !shardsSuffice(sum) || !nodesSuffice()
        var body = JSONObject([("cluster_name", .string(services.options.clusterName)), ("status", .string(["red", "yellow", "green"][status])),
            ("timed_out", .bool(timedOut)), ("number_of_nodes", 1), ("number_of_data_nodes", 1)])
        if call.compatibility < 8 { body["discovered_master"] = true }
        for (key, value) in counts(sum) { body[key] = value }
        for key in ["delayed_unassigned_shards", "number_of_pending_tasks", "number_of_in_flight_fetch", "task_max_waiting_in_queue_millis"] { body[key] = 0 }
        body["active_shards_percent_as_number"] = .number(sum.total == 0 ? 100 : 100 * Double(sum.primaries) / Double(sum.total))
        if level != "cluster" { body["indices"] = .object(JSONObject(indexes.map { ($0.0, entry($0.1)) })) }
        return .members(timedOut ? 408 : 200, body.members.map { ($0.key, $0.value) })
    }

    // MARK: -

    private func counts(_ count: ShardCount) -> [(String, JSONValue)] {
        [("active_primary_shards", .int(count.primaries)), ("active_shards", .int(count.primaries)), ("relocating_shards", 0),
            ("initializing_shards", 0), ("unassigned_shards", .int(count.replicas)), ("unassigned_primary_shards", 0)]
    }

    private func shardsSuffice(_ count: ShardCount) -> Bool {
        switch call.text("wait_for_active_shards") {
        case nil: true
        case "all": count.replicas == 0
        case .some(let text): Int(text).map { $0 <= count.primaries } ?? true
        }
    }

    private func nodesSuffice() -> Bool {
        guard let text = call.text("wait_for_nodes") else { return true }
        let number = Int(text.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 1
        if text.hasPrefix(">=") || text.hasPrefix("ge(") { return 1 >= number }
        if text.hasPrefix("<=") || text.hasPrefix("le(") { return 1 <= number }
        if text.hasPrefix(">") || text.hasPrefix("gt(") { return 1 > number }
        if text.hasPrefix("<") || text.hasPrefix("lt(") { return 1 < number }
        return number == 1
    }

    private func entry(_ count: ShardCount) -> JSONValue {
        var body = JSONObject([("status", count.replicas > 0 ? "yellow" : "green"), ("number_of_shards", .int(count.primaries)),
            ("number_of_replicas", .int(count.primaries > 0 ? count.replicas / count.primaries : 0))])
        for (key, value) in counts(count) { body[key] = value }
        guard level == "shards" else { return .object(body) }
        let replicas = count.primaries > 0 ? count.replicas / count.primaries : 0
        var shards = JSONObject()
        for shard in 0..<count.primaries {
            shards[String(shard)] = ["status": replicas > 0 ? "yellow" : "green", "primary_active": true, "active_shards": 1, "relocating_shards": 0,
                "initializing_shards": 0, "unassigned_shards": .int(replicas), "unassigned_primary_shards": 0]
        }
        body["shards"] = .object(shards)
        return .object(body)
    }
}
