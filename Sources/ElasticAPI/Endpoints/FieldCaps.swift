// GET or POST _field_caps: which fields the indexes have, and what can be done with them.

internal import Engine
internal import JSON
internal import Mappings
internal import QueryDSL

struct FieldCapsEndpoint: Endpoint {
    static let routes = Route.many([.get, .post], "/_field_caps", "/{index}/_field_caps")
    static let parameters = ["fields", "include_unmapped", "filters", "types", "include_empty_fields"] + APICall.indexParameters

    private let call: APICall
    private let options: IndexOptions
    private let fields: [String]
    private let includesUnmapped: Bool

    init(_ call: APICall) throws {
        self.call = call
        options = try call.indexOptions()
        var m = Members(try call.object() ?? JSONObject(), of: "field_caps_request")
        fields = try m.strings("fields") ?? call.list("fields") ?? []
        _ = m.take("index_filter", "runtime_mappings")
        try m.finish()
        guard !fields.isEmpty else { throw APIError.validation("no fields specified") }
        includesUnmapped = try call.flag("include_unmapped") ?? false
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let names = try services.node.resolve(call.indexExpression, options).map(\.name)
        var found: [String: [String: Kind]] = [:]
        for name in names {
            let mapping = try services.node.describe(name).mapping
            for path in Set(fields.flatMap { mapping.paths(matching: $0) }) {
                guard let type = mapping.field(path) else { continue }
                found[path, default: [:]][type.kind.rawValue, default: Kind()].add(name, type)
            }
        }
        var answer = JSONObject()
        for (path, kinds) in found.sorted(by: { $0.key < $1.key }) { answer[path] = shown(kinds, of: names) }
        return APIAnswer(json: ["indices": .array(names.map(JSONValue.string)), "fields": .object(answer)])
    }

    // MARK: -

    private func shown(_ kinds: [String: Kind], of names: [String]) -> JSONValue {
        var object = JSONObject()
        let mapped = Set(kinds.values.flatMap(\.indexes))
        let unmapped = includesUnmapped ? names.filter { !mapped.contains($0) } : []
        let several = kinds.count + (unmapped.isEmpty ? 0 : 1) > 1
        for (kind, one) in kinds.sorted(by: { $0.key < $1.key }) { object[kind] = one.json(kind, several) }
        if !unmapped.isEmpty {
            object["unmapped"] = ["type": "unmapped", "metadata_field": false, "searchable": false, "aggregatable": false, "indices": .array(unmapped.map(JSONValue.string))]
        }
        return .object(object)
    }

    private struct Kind {
        var indexes: [String] = []
        var notSearchable: [String] = [], notAggregatable: [String] = []

        mutating func add(_ index: String, _ type: FieldType) {
            indexes.append(index)
            if !type.index, !type.docValues { notSearchable.append(index) }
            if !type.docValues || type.kind == .text { notAggregatable.append(index) }
        }

        func json(_ kind: String, _ several: Bool) -> JSONValue {
            func names(_ list: [String]) -> JSONValue { .array(list.map(JSONValue.string)) }
            var object = JSONObject([("type", .string(kind)), ("metadata_field", false), ("searchable", .bool(notSearchable.isEmpty)),
                ("aggregatable", .bool(notAggregatable.isEmpty))])
            if several { object["indices"] = names(indexes) }
            if !notSearchable.isEmpty, notSearchable.count < indexes.count { object["non_searchable_indices"] = names(notSearchable) }
            if !notAggregatable.isEmpty, notAggregatable.count < indexes.count { object["non_aggregatable_indices"] = names(notAggregatable) }
            return .object(object)
        }
    }
}
