// GET and HEAD /{index}: aliases, mappings and settings.

internal import Engine
internal import JSON

struct IndexGetEndpoint: Endpoint {
    static let routes = [Route(.get, "/{index}"), Route(.head, "/{index}")]
    static let parameters = ["local", "flat_settings", "include_defaults", "master_timeout", "include_type_name", "features"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    private let flat: Bool

    init(_ call: APICall) throws {
        self.call = call
        // A missing index is an answer to HEAD and an error to GET.
        options = try call.indexOptions(IndexOptions(allowNoIndices: call.method == .get))
        flat = try call.flag("flat_settings") ?? false
    }

    func answer(from services: Services) async throws -> APIAnswer {
        if call.method == .head {
            return .exists((try? services.node.resolve(call.indexExpression, options).isEmpty) == false)
        }
        var found = JSONObject()
        for index in try services.node.resolve(call.indexExpression, options) {
            let description = try services.node.describe(index.name)
            found[index.name] = [
                "aliases": .object(JSONObject(description.aliases.map { ($0.name, $0.json) })),
                "mappings": .object(description.mapping.definition),
                "settings": .object(description.shownSettings(flat: flat)),
            ]
        }
        return APIAnswer(json: .object(found))
    }
}

extension IndexDescription {
    /// Settings with what Elasticsearch adds to them.
    var flatSettings: JSONObject {
        var all = JSONObject([("index.creation_date", .integer(created)), ("index.uuid", .string(uuid)), ("index.provided_name", .string(name)),
            ("index.version.created", "8536000"), ("index.number_of_shards", "1"), ("index.number_of_replicas", "1")])
        for (key, value) in settings { all[key] = value }
        return FlatSettings.texts(all)
    }

    func shownSettings(flat: Bool) -> JSONObject { flat ? flatSettings : FlatSettings.nested(flatSettings) }
}

extension IndexAlias {
    var json: JSONValue {
        var object = JSONObject()
        if let filter { object["filter"] = .object(filter) }
        if let indexRouting { object["index_routing"] = .string(indexRouting) }
        if let searchRouting { object["search_routing"] = .string(searchRouting) }
        if let isWriteIndex { object["is_write_index"] = .bool(isWriteIndex) }
        if let isHidden { object["is_hidden"] = .bool(isHidden) }
        return .object(object)
    }
}
