// GET and HEAD {index}/_doc/{id} and {index}/_source/{id}: a document by id, refreshed or not.

internal import Engine
internal import JSON
internal import QueryDSL

struct DocumentGetEndpoint: Endpoint {
    static let routes = Route.many([.get, .head], "/{index}/_doc/{id}", "/{index}/_source/{id}")
    static let parameters = ["_source", "_source_includes", "_source_excludes", "preference", "realtime", "refresh", "routing", "stored_fields", "version", "version_type"]

    private let call: APICall
    private let wanted: DocumentWanted
    private let sourceOnly: Bool
    private let refreshes: Bool

    init(_ call: APICall) throws {
        self.call = call
        var wanted = DocumentWanted(index: call.indexExpression, id: call.part("id") ?? "")
        wanted.realtime = try call.flag("realtime") ?? true
        wanted.version = try call.long("version")
        wanted.versionType = try WriteParameters.versionType(call.text("version_type"))
        wanted.routing = call.text("routing")
        wanted.storedFields = call.list("stored_fields")
        wanted.source = SourceFilter(uri: call.parameters) ?? (wanted.storedFields == nil ? .all : .none)
        self.wanted = wanted
        sourceOnly = call.segments.count > 1 && call.segments[1] == "_source"
        refreshes = try call.flag("refresh") ?? false
    }

    func answer(from services: Services) async throws -> APIAnswer {
        if refreshes { try await services.node.refresh(wanted.index) }
        let rendering: DocumentRendering
        do { rendering = try await services.fetch(wanted, compatibility: call.compatibility) } catch {
            // To HEAD a missing index is only one more way for the document not to be there.
            if call.method == .head, APIError(error).status == 404 { return .exists(false) }
            throw error
        }
        if call.method == .head { return .exists(rendering.document != nil && (!sourceOnly || rendering.source != nil)) }
        guard sourceOnly else { return APIAnswer(rendering.document == nil ? 404 : 200, .written { w in rendering.write(&w) }) }
        guard let source = rendering.source else {
            throw APIError(404, "resource_not_found_exception", rendering.document == nil
                ? "Document not found [\(wanted.index)]/[\(wanted.id)]" : "Source not found [\(wanted.index)]/[\(wanted.id)]")
        }
        return APIAnswer(200, .written { w in w.raw(bytes: source) })
    }
}

/// One document as asked for, here or in a _mget.
struct DocumentWanted: Sendable {
    var index: String
    var id: String
    var realtime = true
    var version: Int64?
    var versionType = WriteOperation.VersionType.internal
    var routing: String?
    var source = SourceFilter.all
    var storedFields: [String]?
}

extension Services {
    func fetch(_ wanted: DocumentWanted, compatibility: Int) async throws -> DocumentRendering {
        let index = try single(wanted.index)
        let description = try node.describe(index)
        guard wanted.routing != nil || !description.mapping.routingRequired else {
            throw APIError(400, "routing_missing_exception", "routing is required for [\(index)]/[\(wanted.id)]")
        }
        let document = try await node.get(index, id: wanted.id, realtime: wanted.realtime)
        guard let document else { return DocumentRendering(index: index, id: wanted.id, document: nil, compatibility: compatibility, hasType: description.mapping.fieldCount > 0) }
        try check(document, wanted)
        var rendering = DocumentRendering(index: index, id: wanted.id, document: document, compatibility: compatibility)
        let whole = description.mapping.source
        rendering.source = whole.enabled ? try wanted.source.apply(to: document.source) : nil
        if let names = wanted.storedFields {
            rendering.fields = try StoredFieldValues.values(names, of: document.source, in: description.mapping)
            if names.contains("_source"), whole.enabled { rendering.source = document.source }
        }
        return rendering
    }

    private func check(_ document: DocumentResult, _ wanted: DocumentWanted) throws {
        guard let version = wanted.version else { return }
        let fits = wanted.versionType == .externalGte ? version >= document.version : version == document.version
        guard fits else {
            throw APIError(409, "version_conflict_engine_exception",
                "[\(wanted.id)]: version conflict, current version [\(document.version)] is different than the one provided [\(version)]", index: document.index)
        }
    }
}
