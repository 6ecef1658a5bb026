// Index templates, legacy and composable, and component templates: kept while the node runs; applied when an
// index is created.

package import Engine
internal import JSON
internal import QueryDSL
internal import Synchronization

package final class IndexTemplates: Sendable {
    package enum Kind: String, Sendable { case legacy, composable, component }

    /// Guards the templates by kind and name, as their callers wrote them.
    private let stored = Mutex<[Kind: [String: JSONObject]]>([:])

    package init() {}

    func put(_ kind: Kind, _ name: String, _ body: JSONObject) { stored.withLock { $0[kind, default: [:]][name] = body } }
    func get(_ kind: Kind, _ name: String) -> JSONObject? { stored.withLock { $0[kind]?[name] } }

    /// By name, those that match any of the patterns.
    func matching(_ kind: Kind, _ patterns: [String]) -> [(name: String, body: JSONObject)] {
        stored.withLock { ($0[kind] ?? [:]).filter { name, _ in patterns.contains { $0 == "_all" || Wildcard.matches($0, name) } } }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func remove(_ kind: Kind, _ patterns: [String]) -> Int {
        let names = matching(kind, patterns).map(\.name)
        stored.withLock { stored in for name in names { stored[kind]?[name] = nil } }
        return names.count
    }

    var isEmpty: Bool { stored.withLock { $0.values.allSatisfy(\.isEmpty) } }

    /// What the templates give to a new index of that name, the creation's own words laid over.
    package func creation(for index: String, _ own: IndexCreation) -> IndexCreation {
        guard !isEmpty else { return own }
        var layers = composable(for: index)
        if layers.isEmpty { layers = legacy(for: index) }
        guard !layers.isEmpty else { return own }
        var settings = JSONObject(), mappings = JSONObject(), aliases = JSONObject()
        for layer in layers + [JSONObject([("settings", .object(own.settings)), ("mappings", .object(own.mappings)), ("aliases", .object(own.aliases))])] {
            for (key, value) in FlatSettings.flat(layer["settings"]?.object ?? JSONObject()) { settings[key] = value }
            mappings = Self.merged(mappings, layer["mappings"]?.object ?? JSONObject())
            for (key, value) in layer["aliases"]?.object ?? JSONObject() { aliases[key] = value }
        }
        return IndexCreation(settings: settings, mappings: mappings, aliases: aliases)
    }

    // MARK: -

    /// The composable template of the highest priority, after its components; lowest layer first.
    private func composable(for index: String) -> [JSONObject] {
        let fitting = matching(.composable, ["*"]).filter { Self.patterns($0.body).contains { Wildcard.matches($0, index) } }
        guard let best = fitting.max(by: { ($0.body["priority"]?.integer ?? 0) < ($1.body["priority"]?.integer ?? 0) }) else { return [] }
        let components = (best.body["composed_of"]?.array ?? []).compactMap { $0.string.flatMap { get(.component, $0)?["template"]?.object } }
        return components + [best.body["template"]?.object ?? JSONObject()]
    }

    /// All legacy templates that fit, lowest order first.
    private func legacy(for index: String) -> [JSONObject] {
        matching(.legacy, ["*"]).filter { Self.patterns($0.body).contains { Wildcard.matches($0, index) } }
            .sorted { ($0.body["order"]?.integer ?? 0) < ($1.body["order"]?.integer ?? 0) }.map(\.body)
    }

    static func patterns(_ body: JSONObject) -> [String] {
        guard let value = body["index_patterns"] else { return [] }
        return (value.array ?? [value]).compactMap(\.string)
    }

    private static func merged(_ a: JSONObject, _ b: JSONObject) -> JSONObject {
        var out = a
        for (key, value) in b {
            if case .object(let below)? = out[key], case .object(let above) = value, below["type"] == nil || above["type"] == nil {
                out[key] = .object(merged(below, above))
            } else { out[key] = value }
        }
        return out
    }
}

/// Index settings as callers write them (nested, flat, with or without "index.") and as answers show them.
enum FlatSettings {
    /// "index.number_of_shards" -> value.
    static func flat(_ settings: JSONObject) -> [(String, JSONValue)] {
        var out: [(String, JSONValue)] = []
        func walk(_ object: JSONObject, _ prefix: String, _ depth: Int) {
            for (key, value) in object {
                let path = prefix.isEmpty ? key : prefix + "." + key
                if case .object(let inner) = value, depth < 20, !inner.isEmpty { walk(inner, path, depth + 1) } else { out.append((path, value)) }
            }
        }
        walk(settings, "", 0)
        return out.map { key, value in (key.hasPrefix("index.") ? key : "index." + key, value) }
    }

    /// "a.b.c" -> {"a": {"b": {"c": ...}}}
    static func nested(_ flat: JSONObject) -> JSONObject {
        var out = JSONObject()
        for (key, value) in flat { insert(key.split(separator: ".").map(String.init)[...], value, &out) }
        return out
    }

    /// Every scalar as text, as Elasticsearch answers settings.
    static func texts(_ flat: JSONObject) -> JSONObject {
        JSONObject(flat.members.map { ($0.key, text($0.value)) })
    }

    private static func text(_ value: JSONValue) -> JSONValue {
        if case .array(let items) = value { return .array(items.map(text)) }
        return value.scalar.map(JSONValue.string) ?? value
    }

    private static func insert(_ path: ArraySlice<String>, _ value: JSONValue, _ object: inout JSONObject) {
        guard let first = path.first else { return }
        if path.count == 1 {
            object[first] = value
            return
        }
        var inner = object[first]?.object ?? JSONObject()
        insert(path.dropFirst(), value, &inner)
        object[first] = .object(inner)
    }
}
