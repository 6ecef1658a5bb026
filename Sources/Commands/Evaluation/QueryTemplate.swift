// A search body with `{{query}}` where a query's text goes. The text is put into the parsed tree, not into the file's
// letters: quotes and backslashes in a query cannot break out of their string.

package import JSON

package struct QueryTemplate: Sendable {
    private let body: JSONValue

    /// - Throws: when the body is no object or nowhere says {{query}}.
    package init(_ body: JSONValue) throws(CommandError) {
        guard body.object != nil else { throw CommandError("a template is a search body: a JSON object") }
        guard QueryTemplate.mentions(body, depth: 0) else { throw CommandError("the template says {{query}} nowhere") }
        self.body = body
    }

    /// All fields, best field counts.
    package static let standard = QueryTemplate(unchecked: ["query": ["multi_match": ["query": "{{query}}", "fields": ["*"]]]])

    /// The body for one query: `depth` hits, without their sources.
    package func body(for query: String, depth: Int) -> JSONValue {
        guard case .object(var object) = QueryTemplate.filled(body, query, depth: 0) else { return body }
        object["size"] = .integer(Int64(depth))
        object["track_total_hits"] = false
        if object["_source"] == nil { object["_source"] = false }
        return .object(object)
    }

    // MARK: -

    private static let place = "{{query}}"
    private static let depthMax = 100

    private init(unchecked body: JSONValue) { self.body = body }

    private static func mentions(_ value: JSONValue, depth: Int) -> Bool {
        guard depth < depthMax else { return false }
        return switch value {
        case .string(let text): text.contains(place)
        case .array(let items): items.contains { mentions($0, depth: depth + 1) }
        case .object(let object): object.contains { mentions($0.value, depth: depth + 1) }
        default: false
        }
    }

    private static func filled(_ value: JSONValue, _ query: String, depth: Int) -> JSONValue {
        guard depth < depthMax else { return value }
        switch value {
        case .string(let text): return .string(text.split(separator: place, omittingEmptySubsequences: false).joined(separator: query))
        case .array(let items): return .array(items.map { filled($0, query, depth: depth + 1) })
        case .object(let object): return .object(JSONObject(object.map { ($0.key, filled($0.value, query, depth: depth + 1)) }))
        default: return value
        }
    }
}
