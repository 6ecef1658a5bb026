// A mapping as GET _mapping shows it: what was given and is not the default, properties sorted by name.

package import JSON

extension Mapping {
    package var definition: JSONObject {
        var out = JSONObject()
        root.render(into: &out)
        let tree = Tree(self)
        let properties = tree.properties(of: "")
        if !properties.isEmpty { out["properties"] = .object(properties) }
        return out
    }

    /// As `GET _mapping/field/PATTERN` shows it: full path -> {"full_name": ..., "mapping": {leaf: ...}}.
    package func fieldDefinitions(matching pattern: String, includeDefaults: Bool = false) -> JSONObject {
        var out = JSONObject()
        for path in paths(matching: pattern) {
            guard let entry = fields[path] else { continue }
            var body = entry.rendered
            if includeDefaults {
                for parameter in entry.type.kind.parameters {
                    if body[parameter.name] == nil, let fallback = parameter.fallback { body[parameter.name] = fallback }
                }
            }
            out[path] = ["full_name": .string(path), "mapping": .object([FieldDeclaration.leaf(path): .object(body)])]
        }
        return out
    }

    /// Children by parent path.
    private struct Tree {
        private var children: [String: [(name: String, path: String)]] = [:]
        private let mapping: Mapping

        init(_ mapping: Mapping) {
            self.mapping = mapping
            var children: [String: [(name: String, path: String)]] = [:]
            func add(_ path: String) {
                let dot = path.lastIndex(of: ".")
                let parent = dot.map { String(path[..<$0]) } ?? ""
                children[parent, default: []].append((dot.map { String(path[path.index(after: $0)...]) } ?? path, path))
            }
            mapping.fields.forEach { path, entry in if !entry.isMultiField, !entry.isHidden { add(path) } }
            mapping.objects.forEach { path, _ in add(path) }
            self.children = children.mapValues { $0.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } }
        }

        /// Bounded by the depth limit.
        func properties(of parent: String) -> JSONObject {
            var properties = JSONObject()
            for (name, path) in children[parent] ?? [] {
                if let field = mapping.fields[path] { properties[name] = .object(field.rendered) } else if let object = mapping.objects[path] {
                    properties[name] = .object(render(object))
                }
            }
            return properties
        }

        private func render(_ object: ObjectDeclaration) -> JSONObject {
            var out = JSONObject()
            let properties = properties(of: object.path)
            if object.isNested { out["type"] = "nested" } else if properties.isEmpty { out["type"] = "object" }
            if let include = object.includeInParent { out["include_in_parent"] = .bool(include) }
            if let include = object.includeInRoot { out["include_in_root"] = .bool(include) }
            if let dynamic = object.dynamic { out["dynamic"] = .string(dynamic.rawValue) }
            if object.enabled == false { out["enabled"] = false }
            if !properties.isEmpty { out["properties"] = .object(properties) }
            return out
        }
    }
}

extension MappedField {
    var rendered: JSONObject {
        var body = declaration.definition
        if !declaration.multiFields.isEmpty {
            let sorted = declaration.multiFields.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
            body["fields"] = .object(JSONObject(sorted.map { (FieldDeclaration.leaf($0.path), .object($0.definition)) }))
        }
        return body
    }
}
