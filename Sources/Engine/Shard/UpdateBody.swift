// The body of an update, and what it makes of a document. Pure. Objects are merged member by member, all
// else is replaced, as Elasticsearch does with `doc`.

internal import JSON

struct UpdateBody {
    private(set) var doc: JSONObject?
    private var upsert: JSONObject?
    private var docAsUpsert = false
    private(set) var detectNoop = true

    init(_ body: [UInt8]) throws(EngineError) {
        let parsed: JSONValue
        do throws(JSONError) { parsed = try JSONValue.parse(body) } catch {
            throw EngineError(.badRequest, "x_content_parse_exception", "the update's body is no JSON object: \(error)")
        }
        guard let object = parsed.object else {
            throw EngineError(.badRequest, "x_content_parse_exception", "the update's body must be a JSON object")
        }
        for (key, value) in object {
            switch key {
            case "doc": doc = try Self.object(value, key)
            case "upsert": upsert = try Self.object(value, key)
            case "doc_as_upsert": docAsUpsert = try Self.flag(value, key)
            case "detect_noop": detectNoop = try Self.flag(value, key)
            case "_source": break
            case "script", "scripted_upsert":
                throw .illegalArgument("scripts are not supported by this node; send the changed fields in [doc], or read, change and index the document with if_seq_no")
            default:
                throw EngineError(.badRequest, "x_content_parse_exception", "[UpdateRequest] unknown field [\(key)]; known are doc, upsert, doc_as_upsert, detect_noop and _source")
            }
        }
        if doc == nil { throw .validation("script or doc is missing") }
    }

    /// The document after the update; nil when nothing would change.
    func apply(to before: [UInt8]?, id: String, index: String) throws(EngineError) -> [UInt8]? {
        guard let before else {
            if docAsUpsert, let doc { return JSONValue.object(doc).serialized() }
            if let upsert { return JSONValue.object(upsert).serialized() }
            throw EngineError(.notFound, "document_missing_exception", "[\(id)]: document missing", index: index)
        }
        guard !before.isEmpty else {
            throw EngineError(.badRequest, "document_source_missing_exception", "[\(id)]: document source missing", index: index)
        }
        let parsed: JSONValue
        do throws(JSONError) { parsed = try JSONValue.parse(before) } catch {
            throw EngineError(.failed, "corrupt_index_exception", "the stored document [\(id)] is no JSON", index: index)
        }
        guard let old = parsed.object, let doc else { return nil }
        let new = Self.merge(old, doc)
        if detectNoop, new == old { return nil }
        return JSONValue.object(new).serialized()
    }

    // MARK: -

    /// Depth is bounded by the parser's limit.
    private static func merge(_ old: JSONObject, _ change: JSONObject) -> JSONObject {
        var merged = old
        for (key, value) in change {
            if case .object(let inner) = value, case .object(let before)? = merged[key] {
                merged[key] = .object(merge(before, inner))
            } else { merged[key] = value }
        }
        return merged
    }

    private static func object(_ value: JSONValue, _ key: String) throws(EngineError) -> JSONObject {
        guard let object = value.object else { throw .illegalArgument("[\(key)] must be an object") }
        return object
    }

    private static func flag(_ value: JSONValue, _ key: String) throws(EngineError) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .string("true"): return true
        case .string("false"): return false
        default: throw .illegalArgument("[\(key)] must be true or false")
        }
    }
}
