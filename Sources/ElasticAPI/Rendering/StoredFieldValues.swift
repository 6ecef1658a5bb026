// `stored_fields`: values of fields mapped with "store": true. They are read from `_source`, which has them all.

internal import JSON
internal import Mappings

enum StoredFieldValues {
    static func values(_ patterns: [String], of source: [UInt8], in mapping: Mapping) throws -> JSONObject? {
        var fields = JSONObject()
        let tree = try APICall.parse(source)
        for pattern in patterns where pattern != "_source" {
            for path in mapping.paths(matching: pattern) {
                guard let type = mapping.field(path), type.store else { continue }
                var values: [JSONValue] = []
                collect(tree, path.split(separator: ".").map(String.init)[...], &values)
                if !values.isEmpty { fields[path] = .array(values) }
            }
        }
        return fields.isEmpty ? nil : fields
    }

    private static func collect(_ value: JSONValue, _ path: ArraySlice<String>, _ out: inout [JSONValue]) {
        switch value {
        case .array(let items): for item in items { collect(item, path, &out) }
        case .object(let object):
            // A key may hold dots itself: every prefix of the path is tried.
            for end in path.indices {
                let key = path[path.startIndex...end].joined(separator: ".")
                if let inner = object[key] { collect(inner, path[(end + 1)...], &out) }
            }
        case .null: break
        default: if path.isEmpty { out.append(value) }
        }
    }
}
