// GET or POST _count: how many documents match.

internal import Engine
internal import JSON
internal import QueryDSL
internal import Search

struct CountEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_count", "/{index}/_count")
    static let parameters = ["analyze_wildcard", "analyzer", "default_operator", "df", "lenient", "min_score", "preference", "q", "routing", "terminate_after"]
        + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    private let query: Query?

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
        query = try QueryBody.parse(call)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let targets = try services.targets(call.indexExpression, options), executor = services.executor, query = query
        do {
            let count = try await services.node.run { try executor.count(query, in: targets) }
            let shards = JSONValue.int(services.shards(of: targets.map(\.index)).primaries)
            return APIAnswer(json: ["count": .int(count), "_shards": ["total": shards, "successful": shards, "skipped": 0, "failed": 0]])
        } catch let error as SearchError { throw APIError(error, index: targets.first?.index) }
    }
}

/// Bodies that are a query and nothing else: _count, _validate/query, _explain.
enum QueryBody {
    static func parse(_ call: APICall) throws -> Query? {
        var query: Query?
        for (key, value) in try call.object() ?? JSONObject() {
            guard key == "query" else { throw APIError(400, "parsing_exception", "request does not support [\(key)]; it takes [query]") }
            query = value.isNull ? nil : try Query(json: value)
        }
        return try Query(uri: call.parameters) ?? query
    }
}
