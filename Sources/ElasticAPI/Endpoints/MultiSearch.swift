// POST _msearch: several searches in one request, as pairs of NDJSON lines: a header, a body. One that fails
// says so in its place.

internal import Engine
internal import JSON
internal import QueryDSL

struct MultiSearchEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_msearch", "/{index}/_msearch")
    static let parameters = ["max_concurrent_searches", "max_concurrent_shard_requests", "pre_filter_shard_size", "rest_total_hits_as_int", "search_type",
        "typed_keys", "ccs_minimize_roundtrips", "index", "routing", "allow_partial_search_results", "preference"] + APICall.indexParameters
    static let searchesMax = 10_000

    private let searches: [SearchCall]

    init(_ call: APICall) throws {
        if let concurrent = try call.integer("max_concurrent_searches"), concurrent < 1 {
            throw APIError.illegal("maxConcurrentSearchRequests must be positive")
        }
        searches = try Self.parse(call)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let started = services.nowMilliseconds
        var answers: [Result<SearchRendering, APIError>] = []
        for search in searches {
            do { answers.append(.success(try await services.run(search))) } catch { answers.append(.failure(APIError(error))) }
        }
        let took = services.nowMilliseconds - started
        return APIAnswer(200, .written { [answers] w in
            w.object { (w: inout JSONWriter) in
                w.member("took", took)
                w.key("responses")
                w.array { (w: inout JSONWriter) in
                    for answer in answers {
                        switch answer {
                        case .success(var rendering):
                            rendering.status = 200
                            rendering.write(&w)
                        case .failure(let error):
                            w.value(["error": error.json, "status": .int(error.status)])
                        }
                    }
                }
            }
        })
    }

    // MARK: -

    private static func parse(_ call: APICall) throws -> [SearchCall] {
        guard !call.body.isEmpty else { throw APIError.parse("request body is required") }
        guard call.body.last == 0x0A else { throw APIError.illegal("The msearch request must be terminated by a newline [\\n]") }
        let options = try call.indexOptions(), rendering = try SearchRendering.Options(call)
        var searches: [SearchCall] = [], lines = JSONLines()
        // Safe: `UInt8` has no padding.
        let span = unsafe call.body.span.bytes
        while let line = lines.next(in: span) {
            var search = Header(expression: call.indexExpression, options: options)
            if !line.isEmpty { try search.read(try APICall.parse(Array(call.body[line]))) }
            guard let body = lines.next(in: span) else { break }
            let json = body.isEmpty ? .object(JSONObject()) : try APICall.parse(Array(call.body[body]))
            searches.append(try SearchCall(expression: search.expression, options: search.options, body: json, rendering: rendering))
        }
        guard !searches.isEmpty else { throw APIError.validation("no requests added") }
        guard searches.count <= searchesMax else { throw APIError.illegal("[\(searches.count)] searches in one request, at most [\(searchesMax)]") }
        return searches
    }

    private struct Header {
        var expression: String
        var options: IndexOptions

        mutating func read(_ json: JSONValue) throws {
            guard let object = json.object else { throw APIError.parse("the header of a search in _msearch must be an object") }
            for (key, value) in object {
                switch key {
                case "index", "indices": expression = (value.array ?? [value]).compactMap(\.string).joined(separator: ",")
                case "ignore_unavailable", "ignoreUnavailable": options.ignoreUnavailable = value.boolean ?? (value.string == "true")
                case "allow_no_indices", "allowNoIndices": options.allowNoIndices = value.boolean ?? (value.string == "true")
                case "expand_wildcards": options.expandsWildcards = value.string != "none"
                case "search_type", "searchType", "preference", "routing", "request_cache", "requestCache", "ccs_minimize_roundtrips",
                    "allow_partial_search_results", "max_concurrent_shard_requests", "type", "types": break
                default: throw APIError.illegal("key [\(key)] is not supported in the metadata section")
                }
            }
            if expression.isEmpty { expression = "_all" }
        }
    }
}
