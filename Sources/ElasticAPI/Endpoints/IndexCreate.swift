// PUT /{index}: settings, mappings and aliases, all optional.

internal import Engine
internal import JSON
internal import QueryDSL

struct IndexCreateEndpoint: Endpoint {
    static let routes = [Route(.put, "/{index}")]
    static let parameters = ["wait_for_active_shards", "timeout", "master_timeout", "include_type_name"]

    private let name: String
    private let creation: IndexCreation

    init(_ call: APICall) throws {
        name = call.indexExpression
        creation = try IndexCreation(call.object() ?? JSONObject(), typed: call.flag("include_type_name") ?? false)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let made = try await services.create(name, creation)
        return APIAnswer(json: ["acknowledged": true, "shards_acknowledged": true, "index": .string(made.name)])
    }
}

extension IndexCreation {
    /// - Parameter typed: mappings stand under a type's name, as before version 7.
    init(_ body: JSONObject, typed: Bool) throws {
        self.init()
        for (key, value) in body {
            guard ["settings", "mappings", "aliases"].contains(key) else {
                throw APIError.parse("unknown key [\(key)] for create index" + Suggestion.text(for: key, among: ["settings", "mappings", "aliases"]))
            }
            if value.isNull { continue }
            guard let object = value.object else { throw APIError.parse("key [\(key)] must be an object") }
            switch key {
            case "settings": settings = object
            case "mappings": mappings = try Self.untyped(object, typed)
            default: aliases = object
            }
        }
    }

    private static func untyped(_ mappings: JSONObject, _ typed: Bool) throws -> JSONObject {
        if typed, mappings.count == 1, let inner = mappings.members.first?.value.object { return inner }
        if mappings.count == 1, mappings["_doc"] != nil {
            throw APIError.illegal("The mapping definition cannot be nested under a type [_doc] unless include_type_name is set to true.")
        }
        return mappings
    }
}
