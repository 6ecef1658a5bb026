// Other names of indexes: GET/HEAD _alias, PUT and DELETE {index}/_alias/{name}, POST _aliases.

internal import Engine
internal import JSON
internal import QueryDSL

struct AliasGetEndpoint: Endpoint {
    static let routes = Route.many([.get, .head], "/_alias", "/_alias/{name}", "/{index}/_alias", "/{index}/_alias/{name}") + [Route(.get, "/_aliases")]
    static let parameters = ["local", "master_timeout"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let patterns = call.part("name").map { $0.split(separator: ",").map(String.init) }
        var found = JSONObject(), seen: Set<String> = []
        for index in try services.node.resolve(call.indexExpression, options) {
            let aliases = try services.node.describe(index.name).aliases.filter { alias in patterns.map { Self.matches($0, alias.name) } ?? true }
            if patterns != nil, aliases.isEmpty { continue }
            seen.formUnion(aliases.map(\.name))
            found[index.name] = ["aliases": .object(JSONObject(aliases.map { ($0.name, $0.json) }))]
        }
        let missing = (patterns ?? []).filter { !$0.contains("*") && $0 != "_all" && !$0.hasPrefix("-") && !seen.contains($0) }.sorted()
        if call.method == .head { return .exists(!found.isEmpty && missing.isEmpty) }
        guard missing.isEmpty else {
            let names = missing.joined(separator: ",")
            var body = JSONObject([("error", .string(missing.count == 1 ? "alias [\(names)] missing" : "aliases [\(names)] missing")), ("status", 404)])
            for (index, entry) in found { body[index] = entry }
            return APIAnswer(404, json: .object(body))
        }
        return APIAnswer(json: .object(found))
    }

    /// Patterns in order; "-x" takes away what those before it gave.
    static func matches(_ patterns: [String], _ name: String) -> Bool {
        var matched = false
        for pattern in patterns {
            if pattern.hasPrefix("-"), pattern.count > 1 {
                if Wildcard.matches(String(pattern.dropFirst()), name) { matched = false }
            } else if pattern == "_all" || Wildcard.matches(pattern, name) { matched = true }
        }
        return matched
    }
}

struct AliasPutEndpoint: Endpoint {
    static let routes = Route.many([.put, .post], "/{index}/_alias/{name}", "/{index}/_aliases/{name}", "/_alias/{name}", "/_aliases/{name}")
        + Route.many([.put], "/{index}/_alias", "/_alias")
    static let parameters = ["timeout", "master_timeout"]

    private let action: AliasAction

    init(_ call: APICall) throws {
        var m = Members(try call.object() ?? JSONObject(), of: "alias")
        let indices = try call.part("index").map { [$0] } ?? m.strings("index", "indices")
        guard let name = try call.part("name") ?? m.string("alias") else { throw APIError.validation("[alias] is missing") }
        guard let indices else { throw APIError.validation("[index] is missing") }
        action = .add(indices: indices.flatMap { $0.split(separator: ",").map(String.init) }, alias: try IndexAlias(name, &m))
        try m.finish()
    }

    func answer(from services: Services) async throws -> APIAnswer {
        try services.refuseOwned([action])
        try await services.node.updateAliases([action])
        return .acknowledged
    }
}

struct AliasDeleteEndpoint: Endpoint {
    static let routes = Route.many([.delete], "/{index}/_alias/{name}", "/{index}/_aliases/{name}")
    static let parameters = ["timeout", "master_timeout"]

    private let indices: [String], names: [String]

    init(_ call: APICall) throws {
        indices = call.indexExpression.split(separator: ",").map(String.init)
        names = (call.part("name") ?? "_all").split(separator: ",").map { $0 == "_all" ? "*" : String($0) }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let resolved = try services.node.resolve(indices.joined(separator: ",")).map(\.name)
        let present = try resolved.contains { index in
            try services.node.describe(index).aliases.contains { alias in names.contains { Wildcard.matches($0, alias.name) } }
        }
        guard present else {
            throw APIError(404, "aliases_not_found_exception", "aliases [\(names.joined(separator: ","))] missing")
        }
        try services.refuseOwned(resolved)
        try await services.node.updateAliases([.remove(indices: indices, aliases: names, mustExist: false)])
        return .acknowledged
    }
}

struct AliasesUpdateEndpoint: Endpoint {
    static let routes = [Route(.post, "/_aliases")]
    static let parameters = ["timeout", "master_timeout"]

    private let actions: [AliasAction]

    init(_ call: APICall) throws {
        var m = Members(try call.requiredObject(), of: "aliases")
        guard let list = m.take("actions")?.array else { throw APIError.illegal("No action specified") }
        try m.finish()
        actions = try list.flatMap(Self.actions)
        guard !actions.isEmpty else { throw APIError.validation("Must specify at least one alias action") }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        try services.refuseOwned(actions)
        try await services.node.updateAliases(actions)
        return .acknowledged
    }

    private static func actions(_ json: JSONValue) throws -> [AliasAction] {
        guard let object = json.object, object.count == 1, let (kind, body) = object.members.first, let options = body.object else {
            throw APIError.illegal("Too many operations declared on operation entry; write one of add, remove and remove_index in each")
        }
        var m = Members(options, of: kind)
        guard let indices = try m.strings("index", "indices") else { throw APIError.illegal("One of [index] or [indices] is required") }
        if kind == "remove_index" {
            try m.finish()
            return [.removeIndex(indices: indices)]
        }
        guard kind == "add" || kind == "remove" else { throw APIError(400, "x_content_parse_exception", "[aliases] unknown field [\(kind)]") }
        let alias = try m.string("alias"), aliases = try m.strings("aliases") ?? alias.map { [$0] }
        guard let aliases, !aliases.isEmpty else { throw APIError.illegal("One of [alias] or [aliases] is required") }
        guard kind == "add" else {
            let mustExist = try m.bool("must_exist") ?? false
            try m.finish()
            return [.remove(indices: indices, aliases: aliases, mustExist: mustExist)]
        }
        let first = try IndexAlias(aliases[0], &m)
        _ = m.take("must_exist")
        try m.finish()
        return aliases.map { name in
            var alias = first
            alias.name = name
            return .add(indices: indices, alias: alias)
        }
    }
}

extension IndexAlias {
    fileprivate init(_ name: String, _ m: inout Members) throws {
        self.init(name: name)
        filter = try m.object("filter")
        if let filter { _ = try Query(json: .object(filter)) }
        let routing = try m.string("routing")
        indexRouting = try m.string("index_routing", "index-routing", "indexRouting") ?? routing
        searchRouting = try m.string("search_routing", "search-routing", "searchRouting") ?? routing
        isWriteIndex = try m.bool("is_write_index")
        isHidden = try m.bool("is_hidden")
    }
}

extension Services {
    /// Patterns in actions do not reach hidden indexes, as those that are owned are.
    fileprivate func refuseOwned(_ actions: [AliasAction]) throws(APIError) {
        for action in actions {
            switch action {
            case .add(let indices, let alias): try refuseOwned(indices + [alias.name])
            case .remove(let indices, _, _), .removeIndex(let indices): try refuseOwned(indices)
            }
        }
    }
}
