// DELETE {index}/_doc/{id}.

internal import Engine

struct DocumentDeleteEndpoint: Endpoint {
    static let routes = [Route(.delete, "/{index}/_doc/{id}")]
    static let parameters = WriteParameters.names

    private let call: APICall
    private let operation: WriteOperation
    private let refresh: RefreshPolicy

    init(_ call: APICall) throws {
        self.call = call
        operation = try WriteParameters.operation(.delete, call, id: call.part("id"))
        refresh = try WriteParameters.refresh(call)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        try await services.write(operation, refresh: refresh, call: call)
    }
}
