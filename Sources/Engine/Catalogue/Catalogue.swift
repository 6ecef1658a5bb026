// The indexes of a node by name, and what names, aliases and patterns stand for.

internal import JSON
import Synchronization

final class Catalogue: Sendable {
    private let indexes = Mutex<[String: Index]>([:])

    var all: [Index] { indexes.withLock { $0.values.sorted { $0.name < $1.name } } }

    func insert(_ index: Index) { indexes.withLock { $0[index.name] = index } }
    func remove(_ name: String) { indexes.withLock { $0[name] = nil } }

    /// A concrete index.
    func index(_ name: String) throws(EngineError) -> Index {
        guard let index = find(name) else { throw .indexNotFound(name) }
        return index
    }

    func find(_ name: String) -> Index? { indexes.withLock { $0[name] } }

    /// The indexes that have an alias of that name.
    func aliased(_ alias: String) -> [Index] { all.filter { $0.aliases[alias] != nil } }

    /// Where a write to a name goes; nil when there is nothing of that name.
    func writeTarget(_ name: String) throws(EngineError) -> Index? {
        if let index = find(name) { return index }
        let holders = aliased(name)
        if holders.isEmpty { return nil }
        let chosen = holders.filter { $0.aliases[name]?.isWriteIndex == true }
        if chosen.count == 1 { return chosen[0] }
        if holders.count == 1, holders[0].aliases[name]?.isWriteIndex != false { return holders[0] }
        throw .illegalArgument(
            "no write index is defined for alias [\(name)]. The write index may be explicitly disabled using is_write_index=false or the alias points to "
                + "multiple indices without one being designated as a write index")
    }

    func resolve(_ expression: String, _ options: IndexOptions) throws(EngineError) -> [ResolvedIndex] {
        let all = self.all
        var found: [String: Reached] = [:], sawPattern = false
        for part in expression.isEmpty ? ["_all"] : expression.split(separator: ",").map(String.init) {
            if part.hasPrefix("-"), sawPattern {
                let pattern = part.dropFirst()
                for index in all where IndexNames.matches(pattern, index.name) || index.aliases.keys.contains(where: { IndexNames.matches(pattern, $0) }) {
                    found[index.name] = nil
                }
            } else if part == "_all" || IndexNames.isPattern(part), options.expandsWildcards {
                sawPattern = true
                let before = found.count
                for index in all where options.includesHidden || !index.isHidden || part.hasPrefix(".") { match(part == "_all" ? "*" : part, index, &found) }
                if found.count == before, !options.allowNoIndices { throw .indexNotFound(part) }
            } else if let index = find(part) {
                found[index.name, default: Reached()].directly = true
            } else {
                let holders = all.filter { $0.aliases[part] != nil }
                for index in holders { found[index.name, default: Reached()].add(index.aliases[part]?.filter) }
                if holders.isEmpty, !options.ignoreUnavailable { throw .indexNotFound(part) }
            }
        }
        if found.isEmpty, !options.allowNoIndices { throw .indexNotFound(expression) }
        return found.sorted { $0.key < $1.key }.map { ResolvedIndex(name: $0.key, filters: $0.value.directly ? [] : $0.value.filters) }
    }

    // MARK: -

    private struct Reached {
        /// By its own name, or by an alias without a filter.
        var directly = false
        var filters: [JSONObject] = []
        mutating func add(_ filter: JSONObject?) {
            if let filter { if !filters.contains(filter) { filters.append(filter) } } else { directly = true }
        }
    }

    private func match(_ pattern: String, _ index: Index, _ found: inout [String: Reached]) {
        if IndexNames.matches(pattern, index.name) { found[index.name, default: Reached()].directly = true }
        if pattern == "*" { return }
        for alias in index.aliases.values where IndexNames.matches(pattern, alias.name) {
            found[index.name, default: Reached()].add(alias.filter)
        }
    }
}
