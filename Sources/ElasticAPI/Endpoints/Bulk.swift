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
        let operations = items.compactMap { if case .success(let item) = $0.operation { item } else { nil } }
        try await services.prepare(Set(operations.map(\.index)))
        var results = (try await services.node.bulk(operations, refresh: refresh)).makeIterator()

        var rendered: [RenderedItem] = [], errors = false
        for item in items {
            switch item.operation {
            case .failure(let error): rendered.append(.refused(item.action, item.index, item.id, error))
            case .success:
                guard let result = results.next() else { continue }
                rendered.append(try render(result, item, services))
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

    private func render(_ result: WriteResult, _ item: BulkBody.Item, _ services: Services) throws -> RenderedItem {
        if let error = result.error { return .refused(item.action, result.index, result.id, APIError(error)) }
        return .done(item.action, try services.rendering(result, call: call, source: item.source))
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

/// The lines of a bulk request as operations.
enum BulkBody {
    struct Item: Sendable {
        var action: WriteOperation.Action
        var index: String
        var id: String?
        var operation: Result<WriteOperation, APIError>
        /// For updates: what of the document goes back.
        var source: SourceFilter?
    }

    static func parse(_ call: APICall) throws -> [Item] {
        guard !call.body.isEmpty else { throw APIError.parse("request body is required") }
        guard call.body.last == 0x0A else { throw APIError.illegal("The bulk request must be terminated by a newline [\\n]") }
        if let pipeline = call.text("pipeline") { try WriteParameters.refuse(pipeline: pipeline) }
        let usual = Usual(index: call.part("index"), routing: call.text("routing"), requireAlias: try call.flag("require_alias") ?? false,
            source: SourceFilter(uri: call.parameters))
        var items: [Item] = [], lines = JSONLines()
        // Safe: `UInt8` has no padding.
        let span = unsafe call.body.span.bytes
        while let line = lines.next(in: span) {
            if line.isEmpty { continue }
            var (item, metadata) = try action(Array(call.body[line]), lines.number, usual)
            if item.action != .delete {
                guard let document = lines.next(in: span) else { throw APIError.validation("The bulk request ends after the action on line [\(lines.number)]; its document is missing") }
                try finish(&item, &metadata, Array(call.body[document]))
            }
            items.append(item)
        }
        guard !items.isEmpty else { throw APIError.validation("no requests added") }
        return items
    }

    // MARK: -

    private struct Usual {
        var index: String?, routing: String?, requireAlias: Bool, source: SourceFilter?
    }

    private static func malformed(_ line: Int, _ expected: String, _ found: String) -> APIError {
        .illegal("Malformed action/metadata line [\(line)], expected \(expected) but found [\(found)]")
    }

    private static func action(_ bytes: [UInt8], _ line: Int, _ usual: Usual) throws -> (Item, JSONObject) {
        guard let object = try APICall.parse(bytes).object else { throw malformed(line, "START_OBJECT", "VALUE_STRING") }
        guard let (word, body) = object.members.first else { throw malformed(line, "FIELD_NAME", "END_OBJECT") }
        guard let metadata = body.object else { throw malformed(line, "START_OBJECT", body.tokenName) }
        guard object.count == 1 else { throw malformed(line, "END_OBJECT", "FIELD_NAME") }
        guard var action = WriteOperation.Action(rawValue: word) else {
            throw APIError.illegal("Malformed action/metadata line [\(line)], expected field [create], [delete], [index] or [update] but found [\(word)]")
        }
        var m = Members(metadata, of: "bulk")
        let index = try m.string("_index") ?? usual.index ?? ""
        if try m.string("op_type", "_op_type") == "create", action == .index { action = .create }
        var operation = WriteOperation(action, index: index, id: try m.string("_id"), routing: try m.string("routing", "_routing") ?? usual.routing)
        operation.ifSeqNo = try m.integer("if_seq_no").map(Int64.init)
        operation.ifPrimaryTerm = try m.integer("if_primary_term").map(Int64.init)
        operation.version = try m.integer("version", "_version").map(Int64.init)
        operation.versionType = try WriteParameters.versionType(try m.string("version_type", "_version_type"))
        operation.requireAlias = try m.bool("require_alias") ?? usual.requireAlias
        operation.retryOnConflict = try m.integer("retry_on_conflict", "_retry_on_conflict", from: 0) ?? 0
        if let pipeline = try m.string("pipeline") { try WriteParameters.refuse(pipeline: pipeline) }
        let source = try m.take("_source").map { value throws in try SourceFilter(json: value) } ?? usual.source
        _ = m.take("_type", "dynamic_templates")
        if let (unknown, value) = m.rest.first {
            throw APIError.illegal("Action/metadata line [\(line)] contains an unknown parameter [\(unknown)]"
                + (value.object != nil ? "" : "") + Suggestion.text(for: unknown, among: ["_index", "_id", "routing", "if_seq_no", "require_alias"]))
        }
        return (Item(action: action, index: index, id: operation.id, operation: checked(operation), source: source), metadata)
    }

    private static func finish(_ item: inout Item, _ metadata: inout JSONObject, _ document: [UInt8]) throws {
        guard case .success(var operation) = item.operation else { return }
        operation.source = document
        if item.action == .update {
            item.source = try WriteParameters.sourceWanted(body: document) ?? item.source
            operation.returnsSource = item.source.map { $0 != .none } ?? false
        }
        item.operation = .success(operation)
    }

    private static func checked(_ operation: WriteOperation) -> Result<WriteOperation, APIError> {
        do {
            guard !operation.index.isEmpty else { throw APIError.validation("index is missing") }
            if operation.action == .delete || operation.action == .update, operation.id == nil { throw APIError.validation("id is missing") }
            try WriteParameters.check(operation)
            return .success(operation)
        } catch { return .failure(APIError(error)) }
    }
}
