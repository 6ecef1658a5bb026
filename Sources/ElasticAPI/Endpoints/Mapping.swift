// GET and PUT _mapping, and GET _mapping/field.

internal import Engine
internal import JSON

struct MappingGetEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_mapping", "/_mappings", "/{index}/_mapping", "/{index}/_mappings")
    static let parameters = ["local", "master_timeout", "include_type_name"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
    }

    func answer(from services: Services) async throws -> APIAnswer {
        var found = JSONObject()
        for index in try services.node.resolve(call.indexExpression, options) {
            found[index.name] = ["mappings": .object(try services.node.describe(index.name).mapping.definition)]
        }
        return APIAnswer(json: .object(found))
    }
}

struct MappingPutEndpoint: Endpoint {
    static let routes = Route.many([.put, .post], "/{index}/_mapping", "/{index}/_mappings")
    static let parameters = ["timeout", "master_timeout", "write_index_only", "include_type_name"] + APICall.indexParameters

    private let expression: String
    private let options: IndexOptions
    private let mappings: JSONObject

    init(_ call: APICall) throws {
        expression = call.indexExpression
        options = try call.indexOptions(IndexOptions(allowNoIndices: false))
        var body = try call.requiredObject()
        if body.count == 1, let inner = body["_doc"]?.object {
            guard try call.flag("include_type_name") == true else {
                throw APIError.illegal("Types cannot be provided in put mapping requests, unless the include_type_name parameter is set to true.")
            }
            body = inner
        }
        mappings = body
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let names = try services.node.resolve(expression, options).map(\.name)
        try services.refuseOwned(names)
        if !names.isEmpty { try await services.node.putMapping(names.joined(separator: ","), mappings) }
        return .acknowledged
    }
}

struct FieldMappingGetEndpoint: Endpoint {
    static let routes = Route.many([.get], "/_mapping/field/{fields}", "/{index}/_mapping/field/{fields}")
    static let parameters = ["include_defaults", "local", "include_type_name"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    private let fields: [String]
    private let includesDefaults: Bool

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
        fields = (call.part("fields") ?? "*").split(separator: ",").map(String.init)
        includesDefaults = try call.flag("include_defaults") ?? false
    }

    func answer(from services: Services) async throws -> APIAnswer {
        var found = JSONObject()
        for index in try services.node.resolve(call.indexExpression, options) {
            let mapping = try services.node.describe(index.name).mapping
            var shown = JSONObject()
            for field in fields {
                for (path, definition) in mapping.fieldDefinitions(matching: field, includeDefaults: includesDefaults) { shown[path] = definition }
            }
            found[index.name] = ["mappings": .object(shown)]
        }
        return APIAnswer(json: .object(found))
    }
}
