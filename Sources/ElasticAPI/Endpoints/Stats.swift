// GET _stats, _nodes and _nodes/stats: figures about indexes and the node. Only what is known is shown.

internal import Engine
internal import JSON

struct StatsEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_stats", "/_stats/{metric}", "/{index}/_stats", "/{index}/_stats/{metric}")
    static let parameters = ["completion_fields", "fielddata_fields", "fields", "groups", "include_segment_file_sizes", "include_unloaded_segments", "level",
        "types", "forbid_closed_indices"] + APICall.indexParameters
    private static let metrics = ["docs", "store", "indexing", "get", "search", "merge", "refresh", "flush", "warmer", "query_cache", "fielddata", "completion",
        "segments", "translog", "request_cache", "recovery", "suggest", "shard_stats", "bulk", "dense_vector", "mappings"]

    private let call: APICall
    private let options: IndexOptions
    private let wanted: Set<String>?

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
        let named = (call.part("metric") ?? "_all").split(separator: ",").map(String.init)
        wanted = named.contains("_all") ? nil : Set(named)
        if let unknown = named.first(where: { $0 != "_all" && !Self.metrics.contains($0) }) {
            let near = Router.suggestions(for: unknown, among: Self.metrics)
            throw APIError.illegal("request [\(call.path)] contains unrecognized metric: [\(unknown)]\(near)")
        }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        var indexes = JSONObject(), total = IndexStats(), shards = ShardCount()
        for index in try services.node.resolve(call.indexExpression, options) {
            let stats = try services.node.stats(index.name), description = try services.node.describe(index.name)
            total = total + stats
            shards = shards + ShardCount(description.settings)
            let body = sections(stats)
            indexes[index.name] = ["uuid": .string(description.uuid), "primaries": body, "total": body]
        }
        var answer = JSONObject([("_shards", ["total": .int(shards.total), "successful": .int(shards.primaries), "failed": 0]),
            ("_all", ["primaries": sections(total), "total": sections(total)])])
        if call.text("level") != "cluster" { answer["indices"] = .object(indexes) }
        return APIAnswer(json: .object(answer))
    }

    // MARK: -

    private func sections(_ s: IndexStats) -> JSONValue {
        let all: [(String, JSONValue)] = [
            ("docs", ["count": .int(s.docs), "deleted": .int(s.deletedDocs)]),
            ("store", ["size_in_bytes": .int(s.storeBytes), "total_data_set_size_in_bytes": .int(s.storeBytes), "reserved_in_bytes": 0]),
            ("indexing", ["index_total": .int(s.indexTotal), "delete_total": .int(s.deleteTotal)]),
            ("get", ["total": .int(s.getTotal)]),
            ("search", ["open_contexts": 0]),
            ("merges", ["total": .int(s.mergeTotal)]),
            ("refresh", ["total": .int(s.refreshTotal)]),
            ("flush", ["total": .int(s.flushTotal)]),
            ("warmer", ["current": 0]),
            ("query_cache", ["memory_size_in_bytes": 0]),
            ("fielddata", ["memory_size_in_bytes": 0]),
            ("completion", ["size_in_bytes": 0]),
            ("segments", ["count": .int(s.segments), "index_writer_memory_in_bytes": .int(s.bufferBytes)]),
            ("translog", ["operations": .int(s.translogOperations), "size_in_bytes": .int(s.translogBytes), "uncommitted_operations": .int(s.uncommittedOperations)]),
            ("request_cache", ["memory_size_in_bytes": 0]),
            ("recovery", ["current_as_source": 0, "current_as_target": 0]),
        ]
        return .object(JSONObject(all.filter { key, _ in wanted.map { $0.contains(key == "merges" ? "merge" : key) } ?? true }))
    }
}

extension IndexStats {
    static func + (a: IndexStats, b: IndexStats) -> IndexStats {
        var sum = a
        sum.docs += b.docs
        sum.deletedDocs += b.deletedDocs
        sum.storeBytes += b.storeBytes
        sum.segments += b.segments
        sum.translogOperations += b.translogOperations
        sum.translogBytes += b.translogBytes
        sum.uncommittedOperations += b.uncommittedOperations
        sum.bufferBytes += b.bufferBytes
        sum.indexTotal += b.indexTotal
        sum.deleteTotal += b.deleteTotal
        sum.getTotal += b.getTotal
        sum.refreshTotal += b.refreshTotal
        sum.flushTotal += b.flushTotal
        sum.mergeTotal += b.mergeTotal
        return sum
    }
}

struct NodesEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_nodes", "/_nodes/{node_id}", "/_nodes/{node_id}/{metric}", "/_nodes/stats", "/_nodes/stats/{metric}",
        "/_nodes/{node_id}/stats", "/_nodes/stats/{metric}/{index_metric}")
    static let parameters = ["flat_settings", "timeout", "level", "completion_fields", "fielddata_fields", "fields", "groups", "types", "include_segment_file_sizes"]

    private let isStats: Bool
    init(_ call: APICall) throws { isStats = call.segments.contains("stats") }

    func answer(from services: Services) async throws -> APIAnswer {
        let options = services.options
        var node = JSONObject([("name", .string(options.nodeName)), ("transport_address", "127.0.0.1:9300"), ("host", "127.0.0.1"), ("ip", "127.0.0.1"),
            ("roles", ["data", "ingest", "master"])])
        if isStats {
            var total = IndexStats()
            for name in services.node.indexNames { total = total + (try services.node.stats(name)) }
            node["timestamp"] = .integer(services.nowMilliseconds)
            node["indices"] = ["docs": ["count": .int(total.docs), "deleted": .int(total.deletedDocs)], "store": ["size_in_bytes": .int(total.storeBytes)],
                "search": ["open_contexts": .int(services.scrolls.openCount)], "segments": ["count": .int(total.segments)]]
        } else {
            node["version"] = "8.19.0"
            node["build_flavor"] = "default"
            node["build_type"] = "tar"
            node["http"] = ["bound_address": [.string(options.httpAddress)], "publish_address": .string(options.httpAddress), "max_content_length_in_bytes": .int(options.limits.bodyBytesMax)]
            node["plugins"] = []
            node["modules"] = []
        }
        return APIAnswer(json: ["_nodes": ["total": 1, "successful": 1, "failed": 0], "cluster_name": .string(options.clusterName),
            "nodes": .object(JSONObject([(options.clusterUUID, .object(node))]))])
    }
}
