// DELETE /{index}: names and patterns; never an alias.

internal import Engine
internal import JSON

struct IndexDeleteEndpoint: Endpoint {
    static let routes = [Route(.delete, "/{index}")]
    static let parameters = ["timeout", "master_timeout"] + APICall.indexParameters

    private let expression: String
    private let options: IndexOptions

    init(_ call: APICall) throws {
        expression = call.indexExpression
        options = try call.indexOptions()
    }

    func answer(from services: Services) async throws -> APIAnswer {
        try await services.node.deleteIndex(expression, options)
        return .acknowledged
    }
}
