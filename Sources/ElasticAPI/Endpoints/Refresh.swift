// POST _refresh, _flush, _forcemerge and _cache/clear: upkeep that callers may ask for.

internal import Engine
internal import JSON

struct RefreshEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_refresh", "/{index}/_refresh")
    static let parameters = ["force"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    init(_ call: APICall) throws { (self.call, options) = (call, try call.indexOptions()) }

    func answer(from services: Services) async throws -> APIAnswer {
        let names = try services.node.resolve(call.indexExpression, options).map(\.name)
        if !names.isEmpty { try await services.node.refresh(names.joined(separator: ",")) }
        return .members([("_shards", services.broadcast(names))])
    }
}

struct FlushEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_flush", "/{index}/_flush")
    static let parameters = ["force", "wait_if_ongoing"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
        if try call.flag("force") == true, try call.flag("wait_if_ongoing") == false {
            throw APIError.validation("wait_if_ongoing must be true for a force flush")
        }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let names = try services.node.resolve(call.indexExpression, options).map(\.name)
        if !names.isEmpty { try await services.node.flush(names.joined(separator: ",")) }
        return .members([("_shards", services.broadcast(names))])
    }
}

struct ForceMergeEndpoint: Endpoint {
    static let routes = Route.many([.post], "/_forcemerge", "/{index}/_forcemerge")
    static let parameters = ["max_num_segments", "only_expunge_deletes", "flush", "wait_for_completion"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    private let segmentsMax: Int

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
        let segments = try call.integer("max_num_segments"), expunges = try call.flag("only_expunge_deletes") ?? false
        if segments != nil, expunges {
            throw APIError.validation("cannot set only_expunge_deletes and max_num_segments at the same time, those two parameters are mutually exclusive")
        }
        if let segments, segments < 1 { throw APIError.illegal("[max_num_segments] must be at least 1, got [\(segments)]") }
        segmentsMax = segments ?? (expunges ? .max : 1)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let names = try services.node.resolve(call.indexExpression, options).map(\.name)
        if !names.isEmpty { try await services.node.forceMerge(names.joined(separator: ","), segmentsMax: segmentsMax) }
        return .members([("_shards", services.broadcast(names))])
    }
}

/// There is nothing to clear that would change an answer; the call is one of those clients make.
struct CacheClearEndpoint: Endpoint {
    static let routes = Route.many([.post], "/_cache/clear", "/{index}/_cache/clear")
    static let parameters = ["fielddata", "fields", "query", "request", "index"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    init(_ call: APICall) throws { (self.call, options) = (call, try call.indexOptions()) }

    func answer(from services: Services) async throws -> APIAnswer {
        .members([("_shards", services.broadcast(try services.node.resolve(call.indexExpression, options).map(\.name)))])
    }
}
