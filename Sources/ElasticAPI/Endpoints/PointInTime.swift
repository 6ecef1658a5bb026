// POST {index}/_pit opens the snapshots of the moment for several searches; DELETE _pit lets them go.

internal import Engine
internal import JSON
internal import QueryDSL

struct PointInTimeOpenEndpoint: Endpoint {
    static let routes = [Route(.post, "/{index}/_pit")]
    static let parameters = ["keep_alive", "preference", "routing", "allow_partial_search_results", "max_concurrent_shard_requests"] + APICall.indexParameters

    private let expression: String
    private let options: IndexOptions
    private let keepAlive: Int64

    init(_ call: APICall) throws {
        expression = call.indexExpression
        options = try call.indexOptions()
        guard let keepAlive = try call.duration("keep_alive") else { throw APIError.validation("[keep_alive] is not specified") }
        self.keepAlive = keepAlive
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let targets = try services.targets(expression, options)
        let id = try services.scrolls.open(targets, scroll: nil, rendering: .init(), keepAlive: keepAlive, now: services.nowMilliseconds)
        let count = services.shards(of: targets.map(\.index)).primaries
        return APIAnswer(json: ["id": .string(id), "_shards": ["total": .int(count), "successful": .int(count), "skipped": 0, "failed": 0]])
    }
}

struct PointInTimeCloseEndpoint: Endpoint {
    static let routes = [Route(.delete, "/_pit")]
    static let parameters: [String] = []

    private let id: String

    init(_ call: APICall) throws {
        var m = Members(try call.requiredObject(), of: "close_point_in_time")
        guard let id = try m.string("id") else { throw APIError.illegal("Required [id]") }
        try m.finish()
        self.id = id
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let freed = services.scrolls.close([id])
        return .members(freed > 0 ? 200 : 404, [("succeeded", .bool(freed > 0)), ("num_freed", .int(freed))])
    }
}
