// Index templates: _template (legacy), _index_template and _component_template.

internal import JSON
internal import QueryDSL

struct TemplateEndpoint: Endpoint {
    static let routes = ["_template", "_index_template", "_component_template"].flatMap {
        Route.many([.get], "/\($0)") + Route.many([.get, .head, .put, .post, .delete], "/\($0)/{name}")
    }
    static let parameters = ["create", "order", "cause", "master_timeout", "timeout", "flat_settings", "local", "include_type_name", "include_defaults"]

    private let kind: IndexTemplates.Kind
    private let method: APICall.Method
    private let name: String?
    private let body: JSONObject
    private let creates: Bool, flat: Bool

    init(_ call: APICall) throws {
        kind = call.segments.first == "_template" ? .legacy : call.segments.first == "_index_template" ? .composable : .component
        (method, name) = (call.method, call.part("name"))
        creates = try call.flag("create") ?? false
        flat = try call.flag("flat_settings") ?? false
        guard method == .put || method == .post else {
            body = JSONObject()
            return
        }
        var body = try call.requiredObject()
        if kind == .legacy, let order = try call.integer("order") { body["order"] = .int(order) }
        try Self.check(body, kind)
        self.body = body
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let templates = services.templates, patterns = (name ?? "*").split(separator: ",").map(String.init)
        switch method {
        case .put, .post:
            let name = name ?? ""
            if creates, templates.get(kind, name) != nil {
                throw APIError.illegal(kind == .legacy ? "index_template [\(name)] already exists" : "\(word) [\(name)] already exists")
            }
            templates.put(kind, name, body)
            return .acknowledged
        case .delete:
            let removed = templates.remove(kind, patterns)
            guard removed > 0 || patterns.contains(where: { $0.contains("*") }) else { throw missing(patterns) }
            return .acknowledged
        case .head: return .exists(!templates.matching(kind, patterns).isEmpty)
        default: return try list(templates.matching(kind, patterns), patterns)
        }
    }

    // MARK: -

    private var word: String { kind == .component ? "component template" : "index template" }

    private func missing(_ patterns: [String]) -> APIError {
        kind == .legacy ? APIError(404, "index_template_missing_exception", "index_template [\(patterns.joined(separator: ","))] missing")
            : APIError(404, "resource_not_found_exception", "\(word) matching [\(patterns.joined(separator: ","))] not found")
    }

    private func list(_ found: [(name: String, body: JSONObject)], _ patterns: [String]) throws -> APIAnswer {
        if kind == .legacy {
            guard !found.isEmpty || name == nil || patterns.contains(where: { $0.contains("*") }) else { return APIAnswer(404, json: .object(JSONObject())) }
            return APIAnswer(json: .object(JSONObject(found.map { ($0.name, .object(legacy($0.body))) })))
        }
        guard !found.isEmpty || name == nil || patterns.contains(where: { $0.contains("*") }) else { throw missing(patterns) }
        let (list, member) = kind == .component ? ("component_templates", "component_template") : ("index_templates", "index_template")
        return APIAnswer(json: .object(JSONObject([(list, .array(found.map {
            .object(JSONObject([("name", .string($0.name)), (member, .object(composable($0.body)))]))
        }))])))
    }

    private func settings(_ object: JSONObject) -> JSONValue {
        let texts = FlatSettings.texts(JSONObject(FlatSettings.flat(object)))
        return .object(flat ? texts : FlatSettings.nested(texts))
    }

    private func legacy(_ body: JSONObject) -> JSONObject {
        var shown = JSONObject([("order", body["order"] ?? 0)])
        if let version = body["version"] { shown["version"] = version }
        shown["index_patterns"] = .array(IndexTemplates.patterns(body).map(JSONValue.string))
        shown["settings"] = settings(body["settings"]?.object ?? JSONObject())
        shown["mappings"] = body["mappings"] ?? .object(JSONObject())
        shown["aliases"] = .object(AliasShape.normalized(body["aliases"]?.object ?? JSONObject()))
        return shown
    }

    private func composable(_ body: JSONObject) -> JSONObject {
        var shown = body
        if kind == .composable {
            shown["index_patterns"] = .array(IndexTemplates.patterns(body).map(JSONValue.string))
            shown["composed_of"] = body["composed_of"] ?? []
        }
        if var template = body["template"]?.object {
            if let own = template["settings"]?.object { template["settings"] = settings(own) }
            if let aliases = template["aliases"]?.object { template["aliases"] = .object(AliasShape.normalized(aliases)) }
            shown["template"] = .object(template)
        }
        return shown
    }

    private static func check(_ body: JSONObject, _ kind: IndexTemplates.Kind) throws {
        let known: [String] = switch kind {
        case .legacy: ["index_patterns", "order", "version", "settings", "mappings", "aliases", "template"]
        case .composable: ["index_patterns", "composed_of", "template", "priority", "version", "_meta", "data_stream", "allow_auto_create", "ignore_missing_component_templates", "deprecated"]
        case .component: ["template", "version", "_meta", "deprecated", "allow_auto_create"]
        }
        if let unknown = body.keys.first(where: { !known.contains($0) }) {
            throw APIError(400, kind == .legacy ? "parse_exception" : "x_content_parse_exception", kind == .legacy
                ? "unknown key [\(unknown)] in the template " : "[\(kind == .component ? "component_template" : "index_template")] unknown field [\(unknown)]" + Suggestion.text(for: unknown, among: known))
        }
        if body["data_stream"] != nil { throw APIError.illegal("data streams are not supported; make ordinary indexes and an alias") }
        if kind != .component, IndexTemplates.patterns(body).isEmpty { throw APIError.validation("index patterns are missing") }
    }
}

/// Aliases in the bodies of creations and templates: `routing` stands for both of its kinds.
enum AliasShape {
    static func normalized(_ aliases: JSONObject) -> JSONObject {
        JSONObject(aliases.members.map { name, value in
            guard var alias = value.object, let routing = alias["routing"] else { return (name, value) }
            alias["routing"] = nil
            if alias["index_routing"] == nil { alias["index_routing"] = routing }
            if alias["search_routing"] == nil { alias["search_routing"] = routing }
            return (name, .object(alias))
        })
    }
}
