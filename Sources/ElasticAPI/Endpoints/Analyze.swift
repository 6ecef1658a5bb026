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
    private let explains: Bool

    init(_ call: APICall) throws {
        index = call.part("index") ?? call.text("index")
        var m = Members(try call.requiredObject(), of: "analyze_request")
        texts = try m.strings("text") ?? []
        guard !texts.isEmpty else { throw APIError.validation("text is missing") }
        explains = try m.bool("explain") ?? false
        _ = m.take("attributes")
        request = try AnalyzeRequest(&m)
        try m.finish()
        if request.field != nil, index == nil {
            throw APIError.validation("index is required if normalizer or field is specified")
        }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let (request, texts, explains) = (request, texts, explains)
        let settings: JSONObject?, field: (any Analyzer)?
        if let index {
            let description = try services.node.describe(try services.single(index))
            settings = FlatSettings.nested(description.settings)["index"]?["analysis"]?.object
            field = request.field.flatMap { description.mapping.field($0) }.flatMap { $0.analyzer ?? $0.normalizer }
        } else { (settings, field) = (nil, nil) }
        let registry = try AnalyzeRequest.analysis { () throws(AnalysisError) in
            try settings.map { settings throws(AnalysisError) in try AnalysisRegistry(settings: AnalysisSetting(.object(settings))) } ?? .builtIn
        }
        let json = try await services.node.run { try request.run(texts, registry: registry, settings: settings, field: field, explains: explains) }
        return APIAnswer(json: json)
    }
}

/// Which analysis is asked for: one by name, a field's, or a chain of named and inline components.
struct AnalyzeRequest: Sendable {
    var analyzer: String?
    var normalizer: String?
    var field: String?
    var tokenizer: JSONValue?
    var filters: [JSONValue]
    var characterFilters: [JSONValue]

    init(_ m: inout Members) throws {
        analyzer = try m.string("analyzer")
        normalizer = try m.string("normalizer")
        field = try m.string("field")
        tokenizer = m.take("tokenizer")
        func list(_ value: JSONValue?) -> [JSONValue] { value.map { $0.array ?? [$0] } ?? [] }
        filters = list(m.take("filter", "token_filter"))
        characterFilters = list(m.take("char_filter"))
        if analyzer != nil, tokenizer != nil || !filters.isEmpty || !characterFilters.isEmpty {
            throw APIError.validation("cannot define extra components on a named analyzer")
        }
        if normalizer != nil, tokenizer != nil || analyzer != nil { throw APIError.validation("tokenizer/analyze should be null if normalizer is specified") }
    }

    private var isChain: Bool { analyzer == nil && normalizer == nil && (tokenizer != nil || !filters.isEmpty || !characterFilters.isEmpty) }

    func run(_ texts: [String], registry: AnalysisRegistry, settings: JSONObject?, field: (any Analyzer)?, explains: Bool) throws -> JSONValue {
        if isChain { return try runChain(texts, settings, explains) }
        let chosen: any Analyzer
        if let analyzer {
            guard let found = registry.analyzer(named: analyzer) else { throw APIError.illegal("failed to find global analyzer [\(analyzer)]".scoped(settings, analyzer)) }
            chosen = found
        } else if let normalizer {
            guard let found = registry.normalizer(named: normalizer) else { throw APIError.illegal("failed to find normalizer under [\(normalizer)]") }
            return try tokens(Self.normalized(found, texts))
        } else { chosen = field ?? (self.field != nil ? registry.analyzer(named: "keyword") : nil) ?? registry.defaultAnalyzer }
        let rows = try Self.rows(chosen, texts)
        guard explains else { return try tokens(rows) }
        return ["detail": ["custom_analyzer": false, "analyzer": ["name": .string(chosen.name), "tokens": .array(rows)]]]
    }

    // MARK: - Chains of the request

    private func runChain(_ texts: [String], _ settings: JSONObject?, _ explains: Bool) throws -> JSONValue {
        let whole = try chain(settings, filters: filters.count)
        guard explains else { return try tokens(Self.rows(whole, texts)) }
        var detail = JSONObject([("custom_analyzer", true)])
        if !characterFilters.isEmpty {
            detail["charfilters"] = .array(characterFilters.map { ["name": .string(Self.name($0, "char_filter")), "filtered_text": .array(texts.map(JSONValue.string))] })
        }
        let tokenized = try Self.rows(try chain(settings, filters: 0), texts)
        detail["tokenizer"] = ["name": .string(Self.name(tokenizer ?? "keyword", "tokenizer")), "tokens": .array(tokenized)]
        var stages: [JSONValue] = []
        for count in filters.indices {
            let rows = try Self.rows(try chain(settings, filters: count + 1), texts)
            stages.append(["name": .string(Self.name(filters[count], "tokenfilter")), "tokens": .array(rows)])
        }
        if !stages.isEmpty { detail["tokenfilters"] = .array(stages) }
        return ["detail": .object(detail)]
    }

    private static func name(_ component: JSONValue, _ kind: String) -> String { component.string ?? "__anonymous__" + (component["type"]?.string ?? kind) }

    /// The request's chain cut off after some of its filters, as an analyzer of a registry made for it.
    private func chain(_ settings: JSONObject?, filters count: Int) throws -> any Analyzer {
        var own = settings ?? JSONObject()
        func register(_ section: String, _ component: JSONValue, _ i: Int) -> JSONValue {
            guard component.object != nil else { return component }
            var entries = own[section]?.object ?? JSONObject()
            let name = "isotherm_anonymous_\(section)_\(i)"
            entries[name] = component
            own[section] = .object(entries)
            return .string(name)
        }
        let analyzer: JSONObject = JSONObject([
            ("type", "custom"), ("tokenizer", register("tokenizer", tokenizer ?? "keyword", 0)),
            ("filter", .array(filters.prefix(count).enumerated().map { register("filter", $1, $0) })),
            ("char_filter", .array(characterFilters.enumerated().map { register("char_filter", $1, $0) })),
        ])
        var analyzers = own["analyzer"]?.object ?? JSONObject()
        analyzers["isotherm_anonymous"] = .object(analyzer)
        own["analyzer"] = .object(analyzers)
        let all = own
        let registry = try Self.analysis { () throws(AnalysisError) in try AnalysisRegistry(settings: AnalysisSetting(.object(all))) }
        guard let made = registry.analyzer(named: "isotherm_anonymous") else { throw APIError.illegal("the chain of the request could not be made") }
        return made
    }

    // MARK: - Tokens

    static func analysis<T>(_ body: () throws(AnalysisError) -> T) throws(APIError) -> T {
        do { return try body() } catch { throw .illegal(error.reason) }
    }

    /// index.analyze.max_token_count
    private static let tokensMax = 10_000

    private func tokens(_ rows: [JSONValue]) throws -> JSONValue { ["tokens": .array(rows)] }

    private static func rows(_ analyzer: any Analyzer, _ texts: [String]) throws -> [JSONValue] {
        var rows: [JSONValue] = [], position = 0, offset = 0
        for text in texts {
            let tokens = try analysis { () throws(AnalysisError) in try analyzer.tokens(of: text) }
            let utf16 = UTF16Offsets(text)
            for i in 0..<tokens.count {
                var row = JSONObject([
                    ("token", .string(tokens.term(i))), ("start_offset", .int(offset + utf16.at(Int(tokens.startOffsets[i])))),
                    ("end_offset", .int(offset + utf16.at(Int(tokens.endOffsets[i])))), ("type", .string(tokens.types[i].name)),
                    ("position", .int(position + Int(tokens.positions[i]))),
                ])
                if tokens.positionLengths[i] != 1 { row["positionLength"] = .int(Int(tokens.positionLengths[i])) }
                rows.append(.object(row))
            }
            guard rows.count <= tokensMax else {
                throw APIError.illegal("The number of tokens produced by calling _analyze has exceeded the allowed maximum of [\(tokensMax)]."
                    + " This limit can be set by changing the [index.analyze.max_token_count] index level setting.")
            }
            position += Int(tokens.positionCount) + analyzer.positionIncrementGap
            offset += utf16.total + 1
        }
        return rows
    }

    private static func normalized(_ normalizer: any Analyzer, _ texts: [String]) throws -> [JSONValue] {
        var rows: [JSONValue] = [], offset = 0
        for (i, text) in texts.enumerated() {
            let utf8 = Array(text.utf8)
            var term: [UInt8] = []
            try analysis { () throws(AnalysisError) in try normalizer.normalize(utf8.span, into: &term) }
            rows.append(["token": .string(String(decoding: term, as: UTF8.self)), "start_offset": .int(offset), "end_offset": .int(offset + text.utf16.count), "type": "word",
                "position": .int(i * 101)])
            offset += text.utf16.count + 1
        }
        return rows
    }
}

/// Elasticsearch counts offsets in UTF-16 units; analyzers count bytes.
private struct UTF16Offsets {
    private let units: [Int]
    let total: Int

    init(_ text: String) {
        var units: [Int] = [], count = 0
        units.reserveCapacity(text.utf8.count + 1)
        for scalar in text.unicodeScalars {
            let bytes = UTF8.width(scalar)
            for _ in 0..<bytes { units.append(count) }
            count += UTF16.width(scalar)
        }
        units.append(count)
        (self.units, total) = (units, count)
    }

    func at(_ byte: Int) -> Int { units.indices.contains(byte) ? units[byte] : total }
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

extension String {
    fileprivate func scoped(_ settings: JSONObject?, _ name: String) -> String { settings == nil ? self : "failed to find analyzer [\(name)]" }
}
