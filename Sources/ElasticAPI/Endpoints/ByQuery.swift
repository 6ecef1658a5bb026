// POST {index}/_delete_by_query and {index}/_update_by_query.

internal import Engine
internal import JSON
internal import QueryDSL
internal import Search

struct ByQueryEndpoint: Endpoint {
    static let routes = Route.many([.post], "/{index}/_delete_by_query", "/{index}/_update_by_query")
    static let parameters = ByQueryOptions.parameters + ["analyze_wildcard", "analyzer", "default_operator", "df", "from", "lenient", "preference", "q",
        "request_cache", "routing", "search_type", "sort", "_source", "_source_includes", "_source_excludes", "stats", "terminate_after", "version",
        "version_type", "pipeline"] + APICall.indexParameters

    private let call: APICall
    private let indexOptions: IndexOptions
    private let deletes: Bool
    private let query: Query?
    private let options: ByQueryOptions

    init(_ call: APICall) throws {
        self.call = call
        indexOptions = try call.indexOptions()
        deletes = call.segments.last == "_delete_by_query"
        var m = Members(try call.object() ?? JSONObject(), of: deletes ? "delete_by_query" : "update_by_query")
        let body = try m.query("query")
        query = try Query(uri: call.parameters) ?? body
        if deletes, query == nil { throw APIError.validation("query is missing") }
        if m.take("script") != nil { throw APIError.illegal("[script] is not supported; read the documents, change them and index them again") }
        for name in ["stored_fields", "from"] where m.take(name) != nil { throw APIError.illegal("\(name) is not supported in this context") }
        options = try ByQueryOptions(call, &m)
        _ = m.take("slice", "sort")
        if let (unknown, value) = m.rest.first { throw APIError(400, "parsing_exception", "Unknown key for a \(value.tokenName) in [\(unknown)].") }
        if let pipeline = call.text("pipeline") { try WriteParameters.refuse(pipeline: pipeline) }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let started = services.nowMilliseconds, deletes = deletes
        var tally = ByQueryTally()
        for target in try services.targets(call.indexExpression, indexOptions) where tally.total < options.documentsMax && tally.failures.isEmpty {
            try await services.byQuery(query, target, options, &tally, compatibility: call.compatibility) { document in
                var operation = WriteOperation(deletes ? .delete : .index, index: document.index, id: document.id, source: deletes ? [] : document.source)
                (operation.ifSeqNo, operation.ifPrimaryTerm) = (document.sequenceNumber, 1)
                return operation
            }
            if options.refreshes { try await services.node.refresh(target.index) }
        }
        return tally.answer(took: services.nowMilliseconds - started, shows: deletes ? ["deleted"] : ["updated", "deleted"])
    }
}
