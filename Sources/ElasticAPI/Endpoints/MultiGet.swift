// GET and POST _mget: several documents by id; one that fails says so in its place.

internal import JSON
internal import QueryDSL

struct MultiGetEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_mget", "/{index}/_mget")
    static let parameters = ["_source", "_source_includes", "_source_excludes", "preference", "realtime", "refresh", "routing", "stored_fields"]
    /// A bound of our own, so that one request cannot hold the node for long.
    static let documentsMax = 10_000

    private let call: APICall
    private let wanted: [DocumentWanted]
    private let refreshes: Bool

    init(_ call: APICall) throws {
        self.call = call
        refreshes = try call.flag("refresh") ?? false
        var usual = DocumentWanted(index: call.part("index") ?? "", id: "")
        usual.realtime = try call.flag("realtime") ?? true
        usual.storedFields = call.list("stored_fields")
        usual.routing = call.text("routing")
        usual.source = SourceFilter(uri: call.parameters) ?? (usual.storedFields == nil ? .all : .none)
        wanted = try Self.documents(try call.object() ?? JSONObject(), usual)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        if refreshes { for index in Set(wanted.map(\.index)) { try? await services.node.refresh(index) } }
        var found: [Result<DocumentRendering, APIError>] = []
        for one in wanted {
            do { found.append(.success(try await services.fetch(one, compatibility: call.compatibility))) } catch {
                found.append(.failure(APIError(error)))
            }
        }
        let (all, wanted, compatibility) = (found, wanted, call.compatibility)
        return APIAnswer(200, .written { w in
            w.object { (w: inout JSONWriter) in
                w.key("docs")
                w.array { (w: inout JSONWriter) in
                    for (one, result) in zip(wanted, all) {
                        switch result {
                        case .success(let rendering): rendering.write(&w)
                        case .failure(let error):
                            var entry = JSONObject([("_index", .string(one.index))])
                            if compatibility < 8, error.type != "index_not_found_exception" { entry["_type"] = "_doc" }
                            entry["_id"] = .string(one.id)
                            entry["error"] = error.json
                            w.value(.object(entry))
                        }
                    }
                }
            }
        })
    }

    // MARK: -

    private static func documents(_ body: JSONObject, _ usual: DocumentWanted) throws -> [DocumentWanted] {
        for key in body.keys where key != "docs" && key != "ids" {
            throw APIError(400, "parsing_exception", "unknown key [\(key)] for a \(body[key]?.tokenName ?? ""), expected [docs] or [ids]")
        }
        let listed = (body["docs"]?.array ?? []).map { ($0, false) } + (body["ids"]?.array ?? []).map { ($0, true) }
        guard !listed.isEmpty else { throw APIError.validation("no documents to get") }
        guard listed.count <= documentsMax else { throw APIError.illegal("[\(listed.count)] documents are asked for, at most [\(documentsMax)] at once") }
        var problems: [String] = [], wanted: [DocumentWanted] = []
        for (i, (value, isID)) in listed.enumerated() {
            let one = isID || value.object == nil ? try bare(value, usual) : try document(value.object ?? JSONObject(), usual)
            if one.index.isEmpty { problems.append("index is missing for doc \(i)") }
            if one.id.isEmpty { problems.append("id is missing for doc \(i)") }
            wanted.append(one)
        }
        guard problems.isEmpty else {
            throw APIError(400, "action_request_validation_exception",
                "Validation Failed: " + problems.enumerated().map { "\($0 + 1): \($1);" }.joined())
        }
        return wanted
    }

    private static func bare(_ value: JSONValue, _ usual: DocumentWanted) throws -> DocumentWanted {
        guard let id = value.scalar else { throw APIError.illegal("ids array element should only contain ids") }
        var wanted = usual
        wanted.id = id
        return wanted
    }

    private static func document(_ object: JSONObject, _ usual: DocumentWanted) throws -> DocumentWanted {
        var wanted = usual, m = Members(object, of: "docs")
        if let index = try m.string("_index") { wanted.index = index }
        wanted.id = try m.string("_id") ?? ""
        if let routing = try m.string("routing") { wanted.routing = routing }
        wanted.version = try m.integer("version", "_version").map(Int64.init)
        wanted.versionType = try WriteParameters.versionType(try m.string("version_type", "_version_type"))
        if let fields = try m.strings("stored_fields") {
            wanted.storedFields = fields
            wanted.source = .none
        }
        if let source = m.take("_source") { wanted.source = try SourceFilter(json: source) }
        _ = m.take("_type")
        if let (unknown, _) = m.rest.first { throw APIError.parse("unknown field [\(unknown)] in multi get request; each of docs takes _index, _id, routing, _source, stored_fields, version") }
        return wanted
    }
}
