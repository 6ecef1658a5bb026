// GET or POST /{index}/_search: run one query over the named indices and answer with the top hits.
//
// The file reads as the request travels: decode, search, render. It knows nothing of sockets and nothing of
// scoring (module Search). With `scroll` the snapshots stay open for further pages (Scroll.swift).

internal import Engine
internal import JSON
internal import QueryDSL
internal import Search

struct SearchEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_search", "/{index}/_search")
    static let parameters = SearchCall.parameters + ["scroll"]

    private let search: SearchCall
    private let keepAlive: Int64?

    init(_ call: APICall) throws {
        search = try SearchCall(call)
        keepAlive = try call.duration("scroll")
        if keepAlive != nil {
            try search.checkScroll()
            if try call.flag("request_cache") == true { throw APIError.validation("[request_cache] cannot be used in a scroll context") }
        }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        guard let keepAlive else {
            let rendering = try await services.run(search)
            var answer = APIAnswer(200, .written { w in rendering.write(&w) })
            if rendering.version > 0 { answer.headers.append(("X-Isotherm-Version", String(rendering.version))) }
            return answer
        }
        let targets = try await services.targets(search)
        var cursor = ScrollCursor(search.request), first = search
        first.request = cursor.request
        var rendering = try await services.run(first, in: targets)
        cursor.advance(past: rendering.response.hits)
        rendering.response = cursor.shown(rendering.response)
        rendering.scrollID = try services.scrolls.open(targets, scroll: cursor, rendering: search.rendering, keepAlive: keepAlive,
            now: services.nowMilliseconds)
        return APIAnswer(200, .written { [rendering] w in rendering.write(&w) })
    }
}

/// A search as the address and the body ask for it, checked.
struct SearchCall: Sendable {
    static let parameters = ["allow_partial_search_results", "analyze_wildcard", "analyzer", "batched_reduce_size", "ccs_minimize_roundtrips",
        "default_operator", "df", "docvalue_fields", "explain", "from", "lenient", "max_concurrent_shard_requests", "min_compatible_shard_node",
        "min_score", "pre_filter_shard_size", "preference", "profile", "q", "request_cache", "rest_total_hits_as_int", "routing", "search_type",
        "seq_no_primary_term", "size", "sort", "_source", "_source_includes", "_source_excludes", "stats", "stored_fields", "suggest_field",
        "suggest_mode", "suggest_size", "suggest_text", "terminate_after", "timeout", "track_scores", "track_total_hits", "typed_keys", "version",
        "force_synthetic_source", "include_named_queries_score", "min_version", "min_version_timeout"] + APICall.indexParameters

    var expression: String
    var options: IndexOptions
    var request: SearchRequest
    var rendering: SearchRendering.Options
    /// Isotherm's own: the answer stands at this version of the feed that the indexes follow, or later.
    var minVersion: Int64?
    var minVersionMilliseconds: Int64 = 5_000
    private static let minVersionMillisecondsMax: Int64 = 30_000

    init(_ call: APICall) throws {
        expression = call.indexExpression
        options = try call.indexOptions()
        request = try SearchRequest(json: try call.json() ?? .object(JSONObject()))
        try request.apply(uri: call.parameters)
        rendering = try SearchRendering.Options(call)
        if let type = call.text("search_type"), !["query_then_fetch", "dfs_query_then_fetch"].contains(type) {
            throw APIError.illegal("No search type for [\(type)]")
        }
        minVersion = try call.integer("min_version").map { Int64($0) }
        if let wait = try call.duration("min_version_timeout") { minVersionMilliseconds = min(max(0, wait), Self.minVersionMillisecondsMax) }
        if minVersion != nil, request.pointInTime != nil { throw APIError.validation("[min_version] cannot be used with point in time: it shows one moment for ever") }
        if let size = try call.integer("batched_reduce_size"), size < 2 { throw APIError.illegal("batchedReduceSize must be >= 2") }
        if let size = try call.integer("pre_filter_shard_size"), size < 1 { throw APIError.illegal("preFilterShardSize must be >= 1") }
        try check(call)
    }

    /// One of a _msearch.
    init(expression: String, options: IndexOptions, body: JSONValue, rendering: SearchRendering.Options) throws {
        (self.expression, self.options, self.rendering) = (expression, options, rendering)
        request = try SearchRequest(json: body)
        request.typedKeys = rendering.typedKeys
        try check(nil)
    }

    func checkScroll() throws {
        if request.from > 0 { throw APIError.validation("using [from] is not allowed in a scroll context") }
        if request.size == 0 { throw APIError.validation("[size] cannot be [0] in a scroll context") }
        if request.trackTotalHits == .none { throw APIError.validation("disabling [track_total_hits] is not allowed in a scroll context") }
        if !request.rescore.isEmpty { throw APIError.validation("using [rescore] is not allowed in a scroll context") }
        if request.searchAfter != nil { throw APIError.validation("`search_after` cannot be used in a scroll context.") }
        if request.collapse != nil { throw APIError.illegal("cannot use `collapse` in a scroll context") }
        if request.pointInTime != nil { throw APIError.validation("using [point in time] is not allowed in a scroll context") }
    }

    private mutating func check(_ call: APICall?) throws {
        if request.searchAfter != nil, request.from > 0 {
            throw APIError.illegal("`from` parameter must be set to 0 when `search_after` is used.")
        }
        if rendering.totalAsInteger {
            if case .upTo(let count) = request.trackTotalHits, count != 10_000 {
                throw APIError.illegal("[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, got \(count)")
            }
            if request.trackTotalHits != .none { request.trackTotalHits = .exact }
        }
        guard request.pointInTime != nil else { return }
        // Over one snapshot the place of a document breaks every tie, so that pages never overlap.
        if !request.sort.isEmpty, !request.sort.contains(where: { $0.target == .doc }), request.searchAfter?.count != request.sort.count {
            request.sort.append(SortKey(.doc, ascending: true))
        }
        guard let call else { return }
        if call.part("index") != nil { throw APIError.validation("[indices] cannot be used with point in time. Do not specify any index with point in time.") }
        if call.text("routing") != nil { throw APIError.validation("[routing] cannot be used with point in time") }
    }
}

extension SearchRendering.Options {
    init(_ call: APICall) throws {
        self.init()
        compatibility = call.compatibility
        typedKeys = try call.flag("typed_keys") ?? false
        totalAsInteger = try call.flag("rest_total_hits_as_int") ?? false
    }
}

extension Services {
    /// Runs it over the indexes of its expression, or over its point in time.
    func run(_ search: SearchCall) async throws -> SearchRendering {
        guard let pointInTime = search.request.pointInTime else {
            return try await run(search, in: try await targets(search))
        }
        let keepAlive = try pointInTime.keepAlive.map { text throws in try TimeValue.milliseconds(text, setting: "keep_alive") }
        let context = try scrolls.use(pointInTime.id, keepAlive: keepAlive, now: nowMilliseconds)
        var rendering = try await run(search, in: context.targets)
        rendering.pointInTimeID = pointInTime.id
        return rendering
    }

    /// What is searched. The gate of `min_version`: the version is that of the very snapshots that are handed out.
    func targets(_ search: SearchCall) async throws -> [SearchExecutor.Target] {
        guard let wanted = search.minVersion else { return try targets(search.expression, search.options) }
        let deadline = ContinuousClock.now + .milliseconds(search.minVersionMilliseconds)
        while true {
            let targets = try targets(search.expression, search.options)
            let stands = targets.map(\.snapshot.externalVersion).min() ?? 0
            if stands >= wanted { return targets }
            guard ContinuousClock.now < deadline else {
                throw APIError(
                    503, "version_not_reached_exception",
                    "[\(search.expression)] stands at version [\(stands)] and did not reach [min_version] [\(wanted)] within [\(search.minVersionMilliseconds)ms]; "
                        + "ask again, wait longer with [min_version_timeout], or leave [min_version] out", index: targets.first?.index)
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func run(_ search: SearchCall, in targets: [SearchExecutor.Target]) async throws -> SearchRendering {
        let started = nowMilliseconds
        let executor = executor, rendering = search.rendering
        var bounded = search.request
        bounded.timeoutMilliseconds = min(bounded.timeoutMilliseconds ?? .max, self.options.searchMillisecondsMax)
        let request = bounded
        do {
            var answer = try await node.run { () throws -> SearchRendering in
                let response = try executor.search(request, in: targets)
                let aggregations = try executor.aggregationsJSON(response, request, targets, rendering)
                return SearchRendering(response: response, options: rendering, tookMilliseconds: 0, shards: 0, aggregations: aggregations)
            }
            answer.tookMilliseconds = nowMilliseconds - started
            answer.version = targets.map(\.snapshot.externalVersion).min() ?? 0
            answer.shards = shards(of: targets.map(\.index)).primaries
            return answer
        } catch let error as SearchError { throw APIError(error, index: targets.first?.index) }
    }

    var executor: SearchExecutor { node.executor() }
}
