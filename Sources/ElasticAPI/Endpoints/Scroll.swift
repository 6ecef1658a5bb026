// The next page of a scroll, and letting scrolls go: POST, DELETE _search/scroll.

internal import JSON
internal import QueryDSL
internal import Search

struct ScrollEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_search/scroll", "/_search/scroll/{scroll_id}")
    static let parameters = ["scroll", "scroll_id", "rest_total_hits_as_int", "typed_keys"]

    private let id: String
    private let keepAlive: Int64?
    private let totalAsInteger: Bool

    init(_ call: APICall) throws {
        var m = Members(try call.object() ?? JSONObject(), of: "scroll")
        let bodyID = try m.string("scroll_id"), bodyAlive = try m.string("scroll")
        if let (unknown, _) = m.rest.first { throw APIError.illegal("Unknown parameter [\(unknown)] in request body or parameter is of the wrong type[VALUE_STRING] ") }
        guard let id = bodyID ?? call.part("scroll_id") ?? call.text("scroll_id") else { throw APIError.validation("scrollId is missing") }
        self.id = id
        keepAlive = try bodyAlive.map { text throws in try TimeValue.milliseconds(text, setting: "scroll") } ?? call.duration("scroll")
        totalAsInteger = try call.flag("rest_total_hits_as_int") ?? false
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let context = try services.scrolls.use(id, keepAlive: keepAlive, now: services.nowMilliseconds)
        guard var cursor = context.scroll else { throw SearchContexts.missing(id) }
        var rendering = try await services.run(SearchCall(scrolling: cursor.request, context.rendering), in: context.targets)
        cursor.advance(past: rendering.response.hits)
        rendering.response = cursor.shown(rendering.response)
        rendering.options.totalAsInteger = totalAsInteger
        rendering.scrollID = id
        services.scrolls.advance(id, to: cursor)
        return APIAnswer(200, .written { [rendering] w in rendering.write(&w) })
    }
}

extension SearchCall {
    fileprivate init(scrolling request: SearchRequest, _ rendering: SearchRendering.Options) {
        (expression, options, self.request, self.rendering) = ("", .init(), request, rendering)
    }
}

struct ScrollClearEndpoint: Endpoint {
    static let routes = Route.many([.delete], "/_search/scroll", "/_search/scroll/{scroll_id}")
    static let parameters = ["scroll_id"]

    private let ids: [String]

    init(_ call: APICall) throws {
        var m = Members(try call.object() ?? JSONObject(), of: "clear_scroll")
        let named = (call.part("scroll_id") ?? call.text("scroll_id")).map { $0.split(separator: ",").map(String.init) }
        ids = try m.strings("scroll_id") ?? named ?? []
        if let (unknown, _) = m.rest.first { throw APIError.illegal("Unknown parameter [\(unknown)] in request body or parameter is of the wrong type[VALUE_STRING] ") }
        guard !ids.isEmpty else { throw APIError.validation("no scroll ids specified") }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let freed = ids == ["_all"] ? services.scrolls.closeAll(scrolls: true) : services.scrolls.close(ids)
        return .members(freed > 0 || ids == ["_all"] ? 200 : 404, [("succeeded", true), ("num_freed", .int(freed))])
    }
}
