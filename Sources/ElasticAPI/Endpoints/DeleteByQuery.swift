// POST _delete_by_query and _update_by_query: write operations over whatever matches, in batches, each guarded by
// the sequence number that the snapshot saw.

internal import Bytes
internal import Engine
internal import JSON
internal import QueryDSL
internal import Search

struct ByQueryEndpoint: Endpoint {
    static let routes = Route.many([.post], "/{index}/_delete_by_query", "/{index}/_update_by_query")
    static let parameters = ["analyze_wildcard", "analyzer", "conflicts", "default_operator", "df", "from", "lenient", "max_docs", "preference", "q", "refresh",
        "request_cache", "requests_per_second", "routing", "scroll", "scroll_size", "search_timeout", "search_type", "size", "slices", "sort", "_source",
        "_source_includes", "_source_excludes", "stats", "terminate_after", "timeout", "version", "version_type", "wait_for_active_shards",
        "wait_for_completion", "pipeline"] + APICall.indexParameters
    static let batchMax = 1000

    private let call: APICall
    private let options: IndexOptions
    private let deletes: Bool
    private let query: Query?
    private let documentsMax: Int
    private let proceeds: Bool
    private let refresh: RefreshPolicy

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
        deletes = call.segments.last == "_delete_by_query"
        var m = Members(try call.object() ?? JSONObject(), of: deletes ? "delete_by_query" : "update_by_query")
        let body = try m.query("query")
        query = try Query(uri: call.parameters) ?? body
        if deletes, query == nil { throw APIError.validation("query is missing") }
        if m.take("script") != nil { throw APIError.illegal("[script] is not supported; read the documents, change them and index them again") }
        let conflicts = try m.string("conflicts") ?? call.text("conflicts") ?? "abort"
        guard ["abort", "proceed"].contains(conflicts) else { throw APIError.illegal("conflicts may only be \"proceed\" or \"abort\" but was [\(conflicts)]") }
        proceeds = conflicts == "proceed"
        let inBody = try m.integer("max_docs", "size"), inAddress = try call.integer("max_docs") ?? call.integer("size")
        documentsMax = inBody ?? inAddress ?? .max
        if documentsMax < 1 && documentsMax != -1 { throw APIError.validation("[max_docs] parameter must be greater than 0, found [\(documentsMax)]") }
        if let inBody, let inAddress, inBody != inAddress { throw APIError.illegal("[max_docs] set to two different values [\(inBody)] and [\(inAddress)]") }
        _ = m.take("slice", "sort")
        if let (unknown, value) = m.rest.first { throw APIError(400, "parsing_exception", "Unknown key for a \(value.tokenName) in [\(unknown)].") }
        if let pipeline = call.text("pipeline") { try WriteParameters.refuse(pipeline: pipeline) }
        refresh = try call.flag("refresh") ?? false ? .immediate : .none
        if let size = try call.integer("scroll_size"), size < 1 { throw APIError.validation("scroll_size must be greater than 0") }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let started = services.nowMilliseconds
        var tally = Tally(), left = documentsMax < 0 ? .max : documentsMax
        for target in try services.targets(call.indexExpression, options) where left > 0 && tally.failures.isEmpty {
            try await run(target, &left, &tally, services)
            if refresh == .immediate { try await services.node.refresh(target.index) }
        }
        return answer(tally, took: services.nowMilliseconds - started)
    }

    // MARK: -

    private struct Tally: Sendable {
        var total = 0, done = 0, conflicts = 0, batches = 0, noops = 0
        var failures: [JSONValue] = []
        var failureStatus = 200
    }

    private func run(_ target: SearchExecutor.Target, _ left: inout Int, _ tally: inout Tally, _ services: Services) async throws {
        let executor = services.executor, query = query
        let found: [(segment: Int, doc: UInt32)]
        do {
            let most = left
            found = try await services.node.run {
                var out: [(segment: Int, doc: UInt32)] = []
                for (segment, set) in try executor.matches(query, in: target).enumerated() {
                    set.forEach { doc in if out.count < most { out.append((segment, UInt32(truncatingIfNeeded: doc))) } }
                }
                return out
            }
        } catch let error as SearchError { throw APIError(error, index: target.index) }
        tally.total += found.count
        left -= found.count
        var start = 0
        while start < found.count, tally.failures.isEmpty {
            let batch = Array(found[start..<min(start + Self.batchMax, found.count)])
            start += batch.count
            tally.batches += 1
            let operations = try await services.node.run { [deletes] in try batch.map { try Self.operation($0, target, deletes: deletes) } }
            for result in try await services.node.bulk(operations) { note(result, &tally) }
        }
    }

    private static func operation(_ place: (segment: Int, doc: UInt32), _ target: SearchExecutor.Target, deletes: Bool) throws -> WriteOperation {
        let columns = target.snapshot.segments[place.segment].segment.columns
        var operation = WriteOperation(deletes ? .delete : .index, index: target.index, id: try columns.id(of: place.doc))
        if !deletes { operation.source = try columns.source(of: place.doc) }
        operation.ifSeqNo = try columns.sequenceNumber(of: place.doc)
        operation.ifPrimaryTerm = 1
        return operation
    }

    private func note(_ result: WriteResult, _ tally: inout Tally) {
        guard let error = result.error else {
            tally.done += 1
            return
        }
        if error.type == "version_conflict_engine_exception" { tally.conflicts += 1 }
        if error.type == "version_conflict_engine_exception", proceeds { return }
        tally.failures.append(["index": .string(result.index), "id": .string(result.id), "cause": APIError(error).itemJSON, "status": .int(error.status)])
        tally.failureStatus = max(tally.failureStatus, error.status)
    }

    private func answer(_ tally: Tally, took: Int64) -> APIAnswer {
        var body = JSONObject([("took", .integer(took)), ("timed_out", false), ("total", .int(tally.total))])
        if !deletes { body["updated"] = .int(tally.done) }
        body["deleted"] = .int(deletes ? tally.done : 0)
        body["batches"] = .int(tally.batches)
        body["version_conflicts"] = .int(tally.conflicts)
        body["noops"] = 0
        body["retries"] = ["bulk": 0, "search": 0]
        body["throttled_millis"] = 0
        body["requests_per_second"] = -1
        body["throttled_until_millis"] = 0
        body["failures"] = .array(tally.failures)
        return APIAnswer(tally.failureStatus, json: .object(body))
    }
}
