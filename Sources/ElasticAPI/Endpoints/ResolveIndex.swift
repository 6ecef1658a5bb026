// GET _resolve/index/{name}: what names and patterns stand for.

internal import Engine
internal import JSON

struct ResolveIndexEndpoint: Endpoint {
    static let routes = [Route(.get, "/_resolve/index/{name}")]
    static let parameters = APICall.indexParameters

    private let patterns: [String]
    init(_ call: APICall) throws {
        _ = try call.indexOptions()
        patterns = (call.part("name") ?? "*").split(separator: ",").map(String.init)
    }

    func answer(from services: Services) async throws -> APIAnswer {
        var indices: [JSONValue] = [], aliases: [String: [String]] = [:]
        for name in services.node.indexNames.sorted() {
            let own = try services.node.describe(name).aliases.map(\.name).sorted()
            for alias in own where AliasGetEndpoint.matches(patterns, alias) { aliases[alias, default: []].append(name) }
            guard AliasGetEndpoint.matches(patterns, name) else { continue }
            var entry = JSONObject([("name", .string(name))])
            if !own.isEmpty { entry["aliases"] = .array(own.map(JSONValue.string)) }
            entry["attributes"] = ["open"]
            indices.append(.object(entry))
        }
        let shown: [JSONValue] = aliases.sorted { $0.key < $1.key }.map { ["name": .string($0.key), "indices": .array($0.value.map(JSONValue.string))] }
        return APIAnswer(json: ["indices": .array(indices), "aliases": .array(shown), "data_streams": []])
    }
}
