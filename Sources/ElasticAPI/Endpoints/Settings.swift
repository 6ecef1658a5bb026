// GET and PUT _settings.

internal import Engine
internal import JSON

struct SettingsGetEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_settings", "/_settings/{name}", "/{index}/_settings", "/{index}/_settings/{name}", "/{index}/_setting/{name}")
    static let parameters = ["local", "flat_settings", "include_defaults", "master_timeout"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    private let names: [String]
    private let flat: Bool, includesDefaults: Bool

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
        names = (call.part("name") ?? "_all").split(separator: ",").map(String.init)
        flat = try call.flag("flat_settings") ?? false
        includesDefaults = try call.flag("include_defaults") ?? false
    }

    func answer(from services: Services) async throws -> APIAnswer {
        var found = JSONObject()
        for index in try services.node.resolve(call.indexExpression, options) {
            let all = try services.node.describe(index.name).flatSettings
            var entry = JSONObject([("settings", shown(all))])
            if includesDefaults {
                let defaults = Self.defaults.filter { all[$0.0] == nil }
                entry["defaults"] = shown(JSONObject(defaults))
            }
            found[index.name] = .object(entry)
        }
        return APIAnswer(json: .object(found))
    }

    private func shown(_ settings: JSONObject) -> JSONValue {
        let chosen = JSONObject(settings.members.filter { key, _ in names.contains { $0 == "_all" || Wildcard.matches($0, key) } }.map { ($0.key, $0.value) })
        return .object(flat ? chosen : FlatSettings.nested(chosen))
    }

    private static let defaults: [(String, JSONValue)] = [
        ("index.refresh_interval", "1s"), ("index.max_result_window", "10000"), ("index.translog.durability", "REQUEST"),
        ("index.mapping.total_fields.limit", "100000"), ("index.max_terms_count", "65536"), ("index.max_regex_length", "1000"),
        ("index.blocks.read_only", "false"), ("index.codec", "default"), ("index.hidden", "false"),
    ]
}

struct SettingsPutEndpoint: Endpoint {
    static let routes = Route.many([.put], "/_settings", "/{index}/_settings")
    static let parameters = ["timeout", "master_timeout", "preserve_existing", "flat_settings", "reopen"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    private let settings: [(String, JSONValue)]
    private let preserves: Bool

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions(IndexOptions(allowNoIndices: false))
        let body = try call.requiredObject()
        settings = FlatSettings.flat(body.count == 1 ? body["settings"]?.object ?? body : body)
        preserves = try call.flag("preserve_existing") ?? false
        guard !settings.isEmpty else { throw APIError.validation("no settings to update") }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let indexes = try services.node.resolve(call.indexExpression, options)
        try services.refuseOwned(indexes.map(\.name))
        for index in indexes {
            let present = preserves ? try services.node.describe(index.name).settings : JSONObject()
            let changes = settings.filter { present[$0.0] == nil }
            if !changes.isEmpty { try await services.node.putSettings(index.name, JSONObject(changes)) }
        }
        return .acknowledged
    }
}
