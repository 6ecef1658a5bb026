// _snapshot/{repository}: registering the places where snapshots are kept, forgetting them, trying them out, clearing up in them.

internal import Engine
internal import JSON

struct RepositoryEndpoint: Endpoint {
    static let routes = [Route(.get, "/_snapshot")] + Route.many([.get, .put, .post, .delete], "/_snapshot/{repository}")
    static let parameters = ["local", "master_timeout", "timeout", "verify"]

    private let method: APICall.Method
    private let name: String
    private let definition: RepositoryDefinition?
    private let isTried: Bool

    init(_ call: APICall) throws {
        (method, name) = (call.method, call.part("repository") ?? "_all")
        isTried = try call.flag("verify") ?? true
        guard method == .put || method == .post else {
            definition = nil
            return
        }
        let body = try call.requiredObject()
        for key in body.keys where key != "type" && key != "settings" { throw APIError.parse("unknown key [\(key)] for a repository; there are type and settings") }
        guard let type = body["type"]?.string else { throw APIError.validation("type is missing") }
        guard let settings = (body["settings"] ?? .object(JSONObject())).object else { throw APIError.parse("Malformed settings section, should include an inner object") }
        definition = RepositoryDefinition(type: type, settings: settings)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        if let definition {
            try await services.node.putRepository(name, definition, isTried: isTried)
            return .acknowledged
        }
        if method == .delete {
            try await services.node.removeRepositories(name)
            return .acknowledged
        }
        return APIAnswer(json: .object(JSONObject(try services.node.repositories(name).map { name, definition in
            (name, ["type": .string(definition.type), "settings": .object(FlatSettings.texts(definition.settings))])
        })))
    }
}

struct RepositoryVerifyEndpoint: Endpoint {
    static let routes = Route.many([.post], "/_snapshot/{repository}/_verify", "/_snapshot/{repository}/_cleanup")
    static let parameters = ["master_timeout", "timeout"]

    private let name: String
    private let cleansUp: Bool

    init(_ call: APICall) throws { (name, cleansUp) = (call.part("repository") ?? "", call.segments.last == "_cleanup") }

    func answer(from services: Services) async throws -> APIAnswer {
        let repository = try await services.node.repository(name)
        if cleansUp {
            let swept = try await repository.sweep()
            return APIAnswer(json: ["results": ["deleted_bytes": .int(swept.bytes), "deleted_blobs": .int(swept.objects)]])
        }
        try await repository.tryOut()
        let node: JSONValue = ["name": .string(services.options.nodeName)]
        return APIAnswer(json: ["nodes": .object(JSONObject([(services.options.clusterUUID, node)]))])
    }
}
