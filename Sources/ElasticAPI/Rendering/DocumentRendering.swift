// Documents and what became of writes, in Elasticsearch's shape. `_source` goes out as the bytes that came in.

internal import Engine
internal import JSON
internal import QueryDSL

/// The answer to one write: of a single request, or an item of a bulk.
struct WriteRendering: Sendable {
    let result: WriteResult
    /// Shard copies the write was meant for: 1 + replicas.
    let copies: Int
    var compatibility = 8
    /// The document after an update, filtered as asked for.
    var source: [UInt8]?

    func write(_ w: inout JSONWriter) {
        w.object { (w: inout JSONWriter) in
            members(&w)
        }
    }

    func members(_ w: inout JSONWriter) {
        w.member("_index", result.index)
        if compatibility < 8 { w.member("_type", "_doc") }
        w.member("_id", result.id)
        w.member("_version", result.version)
        w.member("result", result.outcome?.rawValue ?? "noop")
        if result.forcedRefresh { w.member("forced_refresh", true) }
        let noop = result.outcome == .noop
        w.key("_shards")
        w.beginObject()
        w.member("total", noop ? 0 : copies)
        w.member("successful", noop ? 0 : 1)
        w.member("failed", 0)
        w.endObject()
        w.member("_seq_no", result.seqNo)
        w.member("_primary_term", result.primaryTerm)
        guard let source else { return }
        w.key("get")
        w.object { (w: inout JSONWriter) in
            w.member("_seq_no", result.seqNo)
            w.member("_primary_term", result.primaryTerm)
            w.member("found", true)
            w.key("_source")
            w.raw(bytes: source)
        }
    }

    var answer: APIAnswer {
        var answer = APIAnswer(result.status, .written { [self] w in write(&w) })
        if result.outcome == .created { answer.headers.append(("Location", "/\(PercentEncoding.path(result.index))/_doc/\(PercentEncoding.path(result.id))")) }
        return answer
    }
}

/// A document found by id, or the news that there is none.
struct DocumentRendering: Sendable {
    let index: String, id: String
    let document: DocumentResult?
    /// After filtering; nil when not asked for.
    var source: [UInt8]?
    var fields: JSONObject?
    var compatibility = 8
    /// Version 7 gave no `_type` for an index without a mapping.
    var hasType = true

    func write(_ w: inout JSONWriter) {
        w.object { (w: inout JSONWriter) in
            w.member("_index", document?.index ?? index)
            if compatibility < 8, hasType { w.member("_type", "_doc") }
            w.member("_id", id)
            if let document {
                w.member("_version", document.version)
                w.member("_seq_no", document.seqNo)
                w.member("_primary_term", document.primaryTerm)
                if let routing = document.routing { w.member("_routing", routing) }
            }
            w.member("found", document != nil)
            if document != nil, let source {
                w.key("_source")
                w.raw(bytes: source)
            }
            if let fields, !fields.isEmpty { w.member("fields", .object(fields)) }
        }
    }
}

extension SourceFilter {
    /// The document's `_source` under this filter; nil for none.
    func apply(to source: [UInt8]) throws -> [UInt8]? {
        switch self {
        case .all: return source
        case .none: return nil
        case .fields(let includes, let excludes):
            var filter = JSONSourceFilter(includes: includes, excludes: excludes)
            // Safe: `UInt8` has no padding.
            return try filter.filtered(unsafe source.span.bytes)
        }
    }
}

extension JSONWriter {
    /// A value that is JSON already.
    mutating func raw(bytes: [UInt8]) {
        // Safe: `UInt8` has no padding.
        raw(unsafe bytes.span.bytes)
    }
}

enum PercentEncoding {
    private static let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    static func path(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            if plain.contains(byte) { out.unicodeScalars.append(Unicode.Scalar(byte)) } else {
                out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}
