// GET or POST _analyze: the tokens that an analyzer, a field, or a chain put together in the request makes of a
// text; with `explain`, after each of its stages.

internal import Analysis
internal import Engine
internal import JSON
internal import QueryDSL

struct AnalyzeEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_analyze", "/{index}/_analyze")
    static let parameters = ["index", "prefer_local"]

    private let index: String?
    private let texts: [String]
    private let request: AnalyzeRequest
    private let field: String?

    init(_ call: APICall) throws {
        index = call.part("index") ?? call.text("index")
        var m = Members(try call.requiredObject(), of: "analyze_request")
        texts = try m.strings("text") ?? []
        guard !texts.isEmpty else { throw APIError.validation("text is missing") }
        _ = m.take("attributes")
        (request, field) = try AnalyzeRequest.read(&m)
        try m.finish()
        if field != nil || request.normalizer != nil, index == nil {
            throw APIError.validation("index is required if normalizer or field is specified")
        }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let (request, texts) = (request, texts)
        var settings: JSONObject?, analyzer: (any Analyzer)?
        if let index {
            let description = try services.node.describe(try services.single(index))
            settings = FlatSettings.nested(description.settings)["index"]?["analysis"]?.object
            if let field {
                let type = description.mapping.field(field)
                analyzer = type?.analyzer ?? type?.normalizer ?? (type == nil ? nil : AnalysisRegistry.builtIn.analyzer(named: "keyword"))
            }
        }
        let (own, usual) = (settings, analyzer)
        let result = try await services.node.run { () throws -> AnalyzeResult in
            do throws(AnalysisError) {
                let registry = own == nil ? AnalysisRegistry.builtIn : try AnalysisRegistry(settings: own.map { AnalysisSetting(.object($0)) })
                return try registry.explain(request, texts: texts, analyzer: usual)
            } catch { throw APIError.illegal(error.reason) }
        }
        return APIAnswer(json: result.json(explain: request.explain))
    }
}

extension AnalyzeRequest {
    /// - Returns: the request, and the field whose analyzer it asks for.
    static func read(_ m: inout Members) throws -> (request: AnalyzeRequest, field: String?) {
        var request = AnalyzeRequest()
        request.analyzer = try m.string("analyzer")
        request.normalizer = try m.string("normalizer")
        request.tokenizer = m.take("tokenizer").map(component)
        func list(_ value: JSONValue?) -> [Component] { value.map { ($0.array ?? [$0]).map(component) } ?? [] }
        request.filters = list(m.take("filter", "token_filter"))
        request.characterFilters = list(m.take("char_filter"))
        request.explain = try m.bool("explain") ?? false
        if request.analyzer != nil, request.tokenizer != nil || !request.filters.isEmpty || !request.characterFilters.isEmpty {
            throw APIError.validation("cannot define extra components on a named analyzer")
        }
        if request.normalizer != nil, request.tokenizer != nil || request.analyzer != nil {
            throw APIError.validation("tokenizer/analyze should be null if normalizer is specified")
        }
        return (request, try m.string("field"))
    }

    private static func component(_ json: JSONValue) -> Component {
        if let name = json.string { .named(name) } else { .inline(AnalysisSetting(json)) }
    }
}

extension AnalyzeResult {
    func json(explain: Bool) -> JSONValue {
        guard explain else { return ["tokens": .array(tokens.map { $0.json(explain: false) })] }
        guard isCustom else {
            return ["detail": ["custom_analyzer": false, "analyzer": ["name": .string(analyzerName ?? ""), "tokens": .array(tokens.map { $0.json(explain: true) })]]]
        }
        var detail = JSONObject([("custom_analyzer", true)])
        if !characterFilters.isEmpty {
            detail["charfilters"] = .array(characterFilters.map { ["name": .string($0.name), "filtered_text": .array($0.texts.map(JSONValue.string))] })
        }
        detail["tokenizer"] = tokenizer.map(Self.json)
        if !filters.isEmpty { detail["tokenfilters"] = .array(filters.map(Self.json)) }
        return ["detail": .object(detail)]
    }

    private static func json(_ stage: Stage) -> JSONValue { ["name": .string(stage.name), "tokens": .array(stage.tokens.map { $0.json(explain: true) })] }
}

extension AnalyzedToken {
    fileprivate func json(explain: Bool) -> JSONValue {
        var row = JSONObject([("token", .string(term)), ("start_offset", .int(start)), ("end_offset", .int(end)), ("type", .string(type)), ("position", .int(position))])
        if positionLength != 1 { row["positionLength"] = .int(positionLength) }
        guard explain else { return .object(row) }
        row["bytes"] = .string(bytes)
        row["keyword"] = .bool(isKeyword)
        row["positionLength"] = .int(positionLength)
        row["termFrequency"] = 1
        return .object(row)
    }
}

extension AnalysisSetting {
    init(_ json: JSONValue) {
        switch json {
        case .object(let object): self = .object(Dictionary(object.members.map { ($0.key, AnalysisSetting($0.value)) }) { $1 })
        case .array(let items): self = .list(items.map(AnalysisSetting.init))
        case .string(let text): self = .string(text)
        case .bool(let flag): self = .bool(flag)
        case .integer(let number): self = .number(Double(number))
        case .number(let number): self = .number(number)
        case .null: self = .string("")
        }
    }
}
