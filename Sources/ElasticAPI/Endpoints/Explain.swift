// GET or POST {index}/_explain/{id}: how a document's score comes about. GET or POST _validate/query: what is
// wrong with a query, without running it.

internal import Engine
internal import JSON
internal import QueryDSL
internal import Search

struct ExplainEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/{index}/_explain/{id}")
    static let parameters = ["analyze_wildcard", "analyzer", "default_operator", "df", "lenient", "preference", "q", "routing", "stored_fields", "_source",
        "_source_includes", "_source_excludes"]

    private let call: APICall
    private let query: Query
    private let source: SourceFilter?

    init(_ call: APICall) throws {
        self.call = call
        guard let query = try QueryBody.parse(call) else { throw APIError.validation("query is missing") }
        self.query = query
        source = SourceFilter(uri: call.parameters)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let index = try services.single(call.indexExpression), id = call.part("id") ?? ""
        let filters = try services.node.resolve(call.indexExpression, IndexOptions()).first?.filters ?? []
        let target = SearchExecutor.Target(index: index, snapshot: try services.node.snapshot(of: index), filter: try Services.filter(filters))
        let executor = services.executor, query = query
        let explanation: Explanation?
        do { explanation = try await services.node.run { try executor.explain(query, id: id, in: target) } } catch let error as SearchError {
            throw APIError(error, index: index)
        }
        var document: DocumentRendering?
        if let source, explanation != nil {
            var wanted = DocumentWanted(index: index, id: id)
            wanted.source = source
            document = try await services.fetch(wanted, compatibility: call.compatibility)
        }
        let compatibility = call.compatibility
        return APIAnswer(explanation == nil ? 404 : 200, .written { [document] w in
            w.object { (w: inout JSONWriter) in
                w.member("_index", index)
                if compatibility < 8 { w.member("_type", "_doc") }
                w.member("_id", id)
                w.member("matched", explanation?.matches ?? false)
                if let explanation {
                    w.key("explanation")
                    SearchRendering.explanation(explanation, &w)
                }
                if let document, document.document != nil {
                    w.key("get")
                    document.write(&w)
                }
            }
        })
    }
}

struct ValidateQueryEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_validate/query", "/{index}/_validate/query")
    static let parameters = ["all_shards", "analyze_wildcard", "analyzer", "default_operator", "df", "explain", "lenient", "q", "rewrite"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    private let query: Result<Query?, APIError>
    private let explains: Bool

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
        explains = try call.flag("explain") ?? false
        do { query = .success(try QueryBody.parse(call)) } catch { query = .failure(APIError(error)) }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let targets = try services.targets(call.indexExpression, options), executor = services.executor
        var explanations: [JSONValue] = [], valid = true
        switch query {
        case .failure:
            valid = false
        case .success(let query):
            for target in targets {
                do {
                    if let query { _ = try executor.validate(query, in: target) }
                    explanations.append(["index": .string(target.index), "valid": true, "explanation": .string(query?.json.text ?? "*:*")])
                } catch {
                    valid = false
                    let error = APIError(error)
                    explanations.append(["index": .string(target.index), "valid": false, "error": .string("[\(target.index)] \(error.type): \(error.reason)")])
                }
            }
        }
        var answer = JSONObject([("_shards", ["total": 1, "successful": 1, "failed": 0]), ("valid", .bool(valid))])
        if case .failure(let error) = query {
            if explains { answer["error"] = .string("parsing_exception: \(error.reason)") }
        } else if explains { answer["explanations"] = .array(explanations) }
        return APIAnswer(json: .object(answer))
    }
}
