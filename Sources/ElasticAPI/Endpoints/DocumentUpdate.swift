// POST {index}/_update/{id}: merge a partial document into one that is there, or insert it.

internal import Engine
internal import JSON
internal import QueryDSL

struct DocumentUpdateEndpoint: Endpoint {
    static let routes = [Route(.post, "/{index}/_update/{id}")]
    static let parameters = WriteParameters.names + ["_source", "_source_includes", "_source_excludes", "retry_on_conflict", "lang"]

    private let call: APICall
    private let operation: WriteOperation
    private let refresh: RefreshPolicy
    private let source: SourceFilter?

    init(_ call: APICall) throws {
        self.call = call
        var operation = try WriteParameters.operation(.update, call, id: call.part("id"))
        guard !call.body.isEmpty else { throw APIError.validation("script or doc is missing") }
        if operation.version != nil || operation.versionType != .internal {
            throw APIError.validation("internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead")
        }
        operation.retryOnConflict = try call.integer("retry_on_conflict") ?? 0
        if operation.retryOnConflict > 0, operation.ifSeqNo != nil {
            throw APIError.validation("compare and write operations can not be retried")
        }
        source = try WriteParameters.sourceWanted(call, body: call.body)
        operation.returnsSource = source.map { $0 != .none } ?? false
        self.operation = operation
        refresh = try WriteParameters.refresh(call)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        try await services.write(operation, refresh: refresh, call: call, source: source)
    }
}
