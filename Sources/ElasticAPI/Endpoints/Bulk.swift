// POST _bulk: many writes in one request, each with its own result. Lines of NDJSON: an action, then its
// document where it has one.
//
// A malformed line fails the whole request before anything is written; what is wrong with one operation only
// fails that item.

internal import Engine
internal import JSON
internal import QueryDSL

struct BulkEndpoint: Endpoint {
    static let routes = Route.many([.post, .put], "/_bulk", "/{index}/_bulk")
    static let parameters = ["refresh", "routing", "timeout", "wait_for_active_shards", "pipeline", "require_alias", "_source", "_source_includes",
        "_source_excludes", "type", "list_executed_pipelines", "require_data_stream", "include_source_on_error"]

    private let call: APICall
    private let items: [BulkBody.Item]
    private let refresh: RefreshPolicy

    init(_ call: APICall) throws {
        self.call = call
        refresh = try WriteParameters.refresh(call)
        items = try BulkBody.parse(call)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let started = services.nowMilliseconds
        let items = items.map { item in
            var item = item
            if let refusal = services.refusal(item.index) { item.operation = .failure(refusal) }
            return item
        }
        let operations = items.compactMap { if case .success(let item) = $0.operation { item } else { nil } }
        try await services.prepare(Set(operations.map(\.index)))
        var results = (try await services.node.bulk(operations, refresh: refresh)).makeIterator()

        var rendered: [RenderedItem] = [], errors = false, copies: [String: Int] = [:]
        rendered.reserveCapacity(items.count)
        for item in items {
            switch item.operation {
            case .failure(let error): rendered.append(.refused(item.action, item.index, item.id, error))
            case .success:
                guard let result = results.next() else { continue }
                rendered.append(try render(result, item, services, &copies))
            }
            if case .refused = rendered.last { errors = true }
        }
        let took = services.nowMilliseconds - started
        return APIAnswer(200, .written { [rendered, errors] w in
            w.object { (w: inout JSONWriter) in
                w.member("errors", errors)
                w.member("took", took)
                w.key("items")
                w.array { (w: inout JSONWriter) in for item in rendered { item.write(&w) } }
            }
        })
    }

    // MARK: -

    private func render(_ result: WriteResult, _ item: BulkBody.Item, _ services: Services, _ copies: inout [String: Int]) throws -> RenderedItem {
        if let error = result.error { return .refused(item.action, result.index, result.id, APIError(error)) }
        let known = copies[result.index] ?? services.copies(of: result.index)
        copies[result.index] = known
        return .done(item.action, try services.rendering(result, call: call, source: item.source, copies: known))
    }

    private enum RenderedItem: Sendable {
        case done(WriteOperation.Action, WriteRendering)
        case refused(WriteOperation.Action, String, String?, APIError)

        func write(_ w: inout JSONWriter) {
            w.beginObject()
            switch self {
            case .done(let action, let rendering):
                w.key(action.rawValue)
                w.object { (w: inout JSONWriter) in
                    rendering.members(&w)
                    w.member("status", rendering.result.status)
                }
            case .refused(let action, let index, let id, let error):
                w.member(action.rawValue, .object(JSONObject([
                    ("_index", .string(index)), ("_id", id.map(JSONValue.string) ?? .null), ("status", .int(error.status)), ("error", error.itemJSON),
                ])))
            }
            w.endObject()
        }
    }
}

extension APIError {
    /// Within an answer that is otherwise good there is no root cause.
    var itemJSON: JSONValue {
        guard case .object(var object) = json else { return json }
        object["root_cause"] = nil
        return .object(object)
    }
}
