// GET _cat/...: what there is, as tables for people. One type per table.

internal import Engine
internal import JSON

struct CatListEndpoint: Endpoint {
    static let routes = [Route(.get, "/_cat")]
    static let parameters = CatTable.parameters
    init(_ call: APICall) throws {}

    func answer(from services: Services) async throws -> APIAnswer {
        APIAnswer(200, .text("=^.^=\n" + ["aliases", "aliases/{alias}", "count", "count/{index}", "health", "indices", "indices/{index}", "nodes", "repositories",
            "shards", "shards/{index}", "snapshots/{repository}", "templates"].map { "/_cat/\($0)\n" }.joined()))
    }
}

struct CatIndicesEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_cat/indices", "/_cat/indices/{index}")
    static let parameters = CatTable.parameters + ["health", "pri", "include_unloaded_segments"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    private let health: String?

    init(_ call: APICall) throws {
        (self.call, options) = (call, try call.indexOptions())
        health = call.text("health")
    }

    func answer(from services: Services) async throws -> APIAnswer {
        var table = CatTable(columns: columns)
        for index in try services.node.resolve(call.indexExpression, options) {
            let description = try services.node.describe(index.name), stats = try services.node.stats(index.name), shards = ShardCount(description.settings)
            let status = shards.replicas > 0 ? "yellow" : "green"
            if let health, health != status { continue }
            table.rows.append([.text(status), .text("open"), .text(index.name), .text(description.uuid), .number(shards.primaries),
                .number(shards.replicas / max(1, shards.primaries)), .number(stats.docs), .number(stats.deletedDocs),
                .number(Int(description.created)), .text(DateText.iso(description.created)), .bytes(stats.storeBytes), .bytes(stats.storeBytes), .bytes(stats.storeBytes),
                .number(stats.segments)])
        }
        return try table.answer(call)
    }

    private var columns: [CatTable.Column] {
        [
            .init("health", ["h"], "current health status"), .init("status", ["s"], "open/close status"), .init("index", ["i", "idx"], "index name"),
            .init("uuid", ["id", "uuid"], "index uuid"), .init("pri", ["p", "shards.primary", "shardsPrimary"], "number of primary shards", right: true),
            .init("rep", ["r", "shards.replica", "shardsReplica"], "number of replica shards", right: true),
            .init("docs.count", ["dc", "docsCount"], "available docs", right: true), .init("docs.deleted", ["dd", "docsDeleted"], "deleted docs", right: true),
            .init("creation.date", ["cd"], "index creation date (millisecond value)", shown: false),
            .init("creation.date.string", ["cds"], "index creation date (as string)", shown: false),
            .init("store.size", ["ss", "storeSize"], "store size of primaries & replicas", right: true), .init("pri.store.size", [], "store size of primaries", right: true),
            .init("dataset.size", [], "total size of dataset", right: true, shown: call.compatibility >= 8),
            .init("segments.count", ["sc", "segmentsCount"], "number of segments", right: true, shown: false),
        ]
    }
}

struct CatHealthEndpoint: Endpoint {
    static let routes = [Route(.get, "/_cat/health")]
    static let parameters = CatTable.parameters

    private let call: APICall
    private let showsTime: Bool

    init(_ call: APICall) throws {
        self.call = call
        showsTime = try call.flag("ts") ?? true
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let shards = services.shards(of: services.node.indexNames)
        let percent = shards.total == 0 ? 1000 : shards.primaries * 1000 / shards.total
        let seconds = services.nowMilliseconds / 1000
        var table = CatTable(columns: [
            .init("epoch", ["t", "time"], "seconds since 1970-01-01 00:00:00", shown: showsTime), .init("timestamp", ["ts", "hms", "hhmmss"], "time in HH:MM:SS", shown: showsTime),
            .init("cluster", ["cl"], "cluster name"), .init("status", ["st"], "health status"), .init("node.total", ["nt", "nodeTotal"], "total number of nodes", right: true),
            .init("node.data", ["nd", "nodeData"], "number of nodes that can store data", right: true), .init("shards", ["t", "sh", "shards.total", "shardsTotal"], "total number of shards", right: true),
            .init("pri", ["p", "shards.primary", "shardsPrimary"], "number of primary shards", right: true), .init("relo", ["r", "shards.relocating", "shardsRelocating"], "number of relocating nodes", right: true),
            .init("init", ["i", "shards.initializing", "shardsInitializing"], "number of initializing nodes", right: true), .init("unassign", ["u", "shards.unassigned", "shardsUnassigned"], "number of unassigned shards", right: true),
            .init("pending_tasks", ["pt", "pendingTasks"], "number of pending tasks", right: true), .init("max_task_wait_time", ["mtwt", "maxTaskWaitTime"], "wait time of longest task pending", right: true),
            .init("active_shards_percent", ["asp", "activeShardsPercent"], "active number of shards in percent", right: true),
        ])
        table.rows = [[.number(Int(seconds)), .text(DateText.time(seconds)), .text(services.options.clusterName), .text(shards.replicas > 0 ? "yellow" : "green"),
            .number(1), .number(1), .number(shards.primaries), .number(shards.primaries), .number(0), .number(0), .number(shards.replicas), .number(0), .text("-"),
            .text("\(percent / 10).\(percent % 10)%")]]
        return try table.answer(call)
    }
}

struct CatCountEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_cat/count", "/_cat/count/{index}")
    static let parameters = CatTable.parameters

    private let call: APICall
    init(_ call: APICall) throws { self.call = call }

    func answer(from services: Services) async throws -> APIAnswer {
        let targets = try services.targets(call.indexExpression, IndexOptions()), executor = services.executor
        let count = try await services.node.run { try executor.count(nil, in: targets) }, seconds = services.nowMilliseconds / 1000
        var table = CatTable(columns: [
            .init("epoch", ["t", "time"], "seconds since 1970-01-01 00:00:00"), .init("timestamp", ["ts", "hms", "hhmmss"], "time in HH:MM:SS"),
            .init("count", ["dc", "docs.count", "docsCount"], "the document count"),
        ])
        table.rows = [[.number(Int(seconds)), .text(DateText.time(seconds)), .number(count)]]
        return try table.answer(call)
    }
}

struct CatAliasesEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_cat/aliases", "/_cat/aliases/{name}")
    static let parameters = CatTable.parameters + APICall.indexParameters

    private let call: APICall
    init(_ call: APICall) throws { self.call = call }

    func answer(from services: Services) async throws -> APIAnswer {
        let patterns = (call.part("name") ?? "*").split(separator: ",").map(String.init)
        var table = CatTable(columns: [
            .init("alias", ["a"], "alias name"), .init("index", ["i", "idx"], "index alias points to"), .init("filter", ["f", "fi"], "filter"),
            .init("routing.index", ["ri", "routingIndex"], "index routing"), .init("routing.search", ["rs", "routingSearch"], "search routing"),
            .init("is_write_index", ["w", "isWriteIndex"], "write index"),
        ])
        for index in services.node.indexNames.sorted() {
            for alias in try services.node.describe(index).aliases where AliasGetEndpoint.matches(patterns, alias.name) {
                table.rows.append([.text(alias.name), .text(index), .text(alias.filter == nil ? "-" : "*"), .text(alias.indexRouting ?? "-"), .text(alias.searchRouting ?? "-"),
                    .text(alias.isWriteIndex.map(String.init) ?? "-")])
            }
        }
        return try table.answer(call)
    }
}

struct CatTemplatesEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_cat/templates", "/_cat/templates/{name}")
    static let parameters = CatTable.parameters

    private let call: APICall
    init(_ call: APICall) throws { self.call = call }

    func answer(from services: Services) async throws -> APIAnswer {
        let patterns = (call.part("name") ?? "*").split(separator: ",").map(String.init)
        var table = CatTable(columns: [
            .init("name", ["n"], "template name"), .init("index_patterns", ["t"], "template index patterns"), .init("order", ["o", "p"], "template application order/priority number"),
            .init("version", ["v"], "version"), .init("composed_of", ["c"], "component templates comprising index template"),
        ])
        for kind in [IndexTemplates.Kind.legacy, .composable] {
            for (name, body) in services.templates.matching(kind, patterns) {
                let order = body[kind == .legacy ? "order" : "priority"]?.integer ?? 0
                let components = kind == .composable ? "[" + (body["composed_of"]?.array ?? []).compactMap(\.string).joined(separator: ", ") + "]" : ""
                table.rows.append([.text(name), .text("[" + IndexTemplates.patterns(body).joined(separator: ", ") + "]"), .number(Int(order)),
                    body["version"]?.scalar.map { .text($0) } ?? .none, .text(components)])
            }
        }
        return try table.answer(call)
    }
}

struct CatShardsEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_cat/shards", "/_cat/shards/{index}")
    static let parameters = CatTable.parameters

    private let call: APICall
    init(_ call: APICall) throws { self.call = call }

    func answer(from services: Services) async throws -> APIAnswer {
        var table = CatTable(columns: [
            .init("index", ["i", "idx"], "index name"), .init("shard", ["s", "sh"], "shard name"), .init("prirep", ["p", "pr", "primaryOrReplica"], "primary or replica"),
            .init("state", ["st"], "shard state"), .init("docs", ["d", "dc"], "number of docs in shard", right: true), .init("store", ["sto"], "store size of shard", right: true),
            .init("ip", [], "ip of node where it lives"), .init("node", ["n"], "name of node where it lives"),
        ])
        for index in try services.node.resolve(call.indexExpression, IndexOptions()) {
            let shards = ShardCount(try services.node.describe(index.name).settings), stats = try services.node.stats(index.name)
            for shard in 0..<shards.primaries {
                // All documents lie in the first: further shards are a number in the settings.
                table.rows.append([.text(index.name), .number(shard), .text("p"), .text("STARTED"), .number(shard == 0 ? stats.docs : 0), .bytes(shard == 0 ? stats.storeBytes : 0),
                    .text("127.0.0.1"), .text(services.options.nodeName)])
                for _ in 0..<(shards.replicas / max(1, shards.primaries)) {
                    table.rows.append([.text(index.name), .number(shard), .text("r"), .text("UNASSIGNED"), .none, .none, .none, .none])
                }
            }
        }
        return try table.answer(call)
    }
}

struct CatNodesEndpoint: Endpoint {
    static let routes = [Route(.get, "/_cat/nodes")]
    static let parameters = CatTable.parameters + ["full_id", "include_unloaded_segments"]

    private let call: APICall
    init(_ call: APICall) throws { self.call = call }

    func answer(from services: Services) async throws -> APIAnswer {
        var table = CatTable(columns: [
            .init("ip", ["i"], "ip address"), .init("node.role", ["r", "role", "nodeRole"], "roles"), .init("master", ["m"], "*:current master"), .init("name", ["n"], "node name"),
            .init("id", ["nodeId"], "unique node id", shown: false), .init("version", ["v"], "es version", shown: false), .init("http_address", ["http"], "bound http address", shown: false),
        ])
        table.rows = [[.text("127.0.0.1"), .text("dim"), .text("*"), .text(services.options.nodeName), .text(services.options.clusterUUID), .text("8.19.0"), .text(services.options.httpAddress)]]
        return try table.answer(call)
    }
}

package enum DateText {
    /// "HH:MM:SS" of seconds since 1970, UTC.
    static func time(_ seconds: Int64) -> String {
        let day = ((seconds % 86_400) + 86_400) % 86_400
        return [day / 3600, day / 60 % 60, day % 60].map { $0 < 10 ? "0\($0)" : String($0) }.joined(separator: ":")
    }

    /// "2025-01-31T12:00:00.000Z". Days to civil date after Howard Hinnant, "chrono-compatible low-level date algorithms".
    package static func iso(_ milliseconds: Int64) -> String {
        let days = Int64((Double(milliseconds) / 86_400_000).rounded(.down)), rest = milliseconds - days * 86_400_000
        let z = days + 719_468, era = (z >= 0 ? z : z - 146_096) / 146_097, doe = z - era * 146_097
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
        let mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9
        let year = yoe + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : String(n) }
        let fraction = String(1000 + rest % 1000).dropFirst()
        return "\(year)-\(two(month))-\(two(day))T\(time(rest / 1000)).\(fraction)Z"
    }
}
