// PUT and POST {index}/_doc[/{id}], and _create: index one document.

internal import Engine

struct DocumentIndexEndpoint: Endpoint {
    static let routes = Route.many([.put, .post], "/{index}/_doc/{id}", "/{index}/_create/{id}") + [Route(.post, "/{index}/_doc")]
    static let parameters = WriteParameters.names + ["op_type"]

    private let call: APICall
    private let operation: WriteOperation
    private let refresh: RefreshPolicy

    init(_ call: APICall) throws {
        let id = call.part("id"), creates = call.segments.count > 1 && call.segments[1] == "_create"
        let action: WriteOperation.Action
        switch call.text("op_type")?.lowercased() {
        // Without an id nothing can be overwritten.
        case nil: action = creates || id == nil ? .create : .index
        case "create": action = .create
        case "index": action = creates ? .create : .index
        case .some(let word): throw APIError.illegal("opType must be 'create' or 'index', found: [\(word)]")
        }
        guard !call.body.isEmpty else { throw APIError.validation("source is missing") }
        self.call = call
        var operation = try WriteParameters.operation(action, call, id: id)
        if id == nil, call.text("op_type") == nil { operation.action = .index }
        self.operation = operation
        refresh = try WriteParameters.refresh(call)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        try await services.write(operation, refresh: refresh, call: call)
    }
}
