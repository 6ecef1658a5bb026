// GET and PUT _cluster/settings.

internal import JSON

struct ClusterSettingsEndpoint: Endpoint {
    static let routes = Route.many([.get, .put], "/_cluster/settings")
    static let parameters = ["flat_settings", "include_defaults", "master_timeout", "timeout"]

    private let flat: Bool, includesDefaults: Bool
    private let changes: JSONObject?

    init(_ call: APICall) throws {
        flat = try call.flag("flat_settings") ?? false
        includesDefaults = try call.flag("include_defaults") ?? false
        changes = call.method == .put ? try call.requiredObject() : nil
        for key in changes?.keys ?? [] where key != "persistent" && key != "transient" {
            throw APIError(400, "x_content_parse_exception", "[cluster_update_settings_request] unknown field [\(key)]; settings go under [persistent] or [transient]")
        }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let settings = services.clusterSettings
        if let changes {
            var answer = JSONObject([("acknowledged", true)])
            for kind in ["persistent", "transient"] {
                let flat = Self.flat(changes[kind]?.object ?? JSONObject())
                settings.put(kind, flat)
                answer[kind] = shown(JSONObject(flat.filter { !$0.1.isNull }))
            }
            return APIAnswer(json: .object(answer))
        }
        var answer = JSONObject([("persistent", shown(settings.get("persistent"))), ("transient", shown(settings.get("transient")))])
        if includesDefaults {
            answer["defaults"] = shown(JSONObject([("cluster.name", .string(services.options.clusterName)), ("node.name", .string(services.options.nodeName)),
                ("search.max_open_scroll_context", .int(services.options.limits.scrollsMax)), ("action.auto_create_index", "true")]))
        }
        return APIAnswer(json: .object(answer))
    }

    private func shown(_ settings: JSONObject) -> JSONValue {
        let texts = FlatSettings.texts(settings)
        return .object(flat ? texts : FlatSettings.nested(texts))
    }

    private static func flat(_ settings: JSONObject) -> [(String, JSONValue)] {
        FlatSettings.flat(settings).map { (String($0.0.dropFirst($0.0.hasPrefix("index.") && settings["index"] == nil ? 6 : 0)), $0.1) }
    }
}
