// Creating, deleting and changing indexes. One change at a time; each is durable when it returns.

package import JSON
internal import Storage
import Synchronization

extension Node {
    /// All indexes, by name.
    package var indexNames: [String] { catalogue.all.map(\.name) }

    /// The indexes that a comma list of names, aliases and patterns (`*`, `-x`, `_all`) stands for, by name.
    package func resolve(_ expression: String, _ options: IndexOptions = IndexOptions()) throws(EngineError) -> [ResolvedIndex] {
        try checkOpen()
        let found = try catalogue.resolve(expression, options), shown = found.filter { !self.options.concealed.contains($0.name) }
        if shown.isEmpty, !found.isEmpty, !options.ignoreUnavailable { throw .indexNotFound(expression) }
        return shown
    }

    package func describe(_ index: String) throws(EngineError) -> IndexDescription { try catalogue.index(index).description }

    package func createIndex(_ name: String, _ creation: IndexCreation = IndexCreation()) async throws(EngineError) -> IndexDescription {
        try checkOpen()
        return try await writers.run { [self] () throws(EngineError) in
            try changes.locked { () throws(EngineError) in try create(name, creation) }.description
        }
    }

    /// - Parameter expression: as for `resolve`; aliases are refused.
    package func deleteIndex(_ expression: String, _ options: IndexOptions = IndexOptions()) async throws(EngineError) {
        try checkOpen()
        try await writers.run { [self] () throws(EngineError) in
            try changes.locked { () throws(EngineError) in
                for part in expression.split(separator: ",").map(String.init)
                where !IndexNames.isPattern(part) && catalogue.find(part) == nil && !catalogue.aliased(part).isEmpty {
                    throw .illegalArgument("The provided expression [\(part)] matches an alias, specify the corresponding concrete indices instead.")
                }
                for resolved in try catalogue.resolve(expression, options) { try delete(try catalogue.index(resolved.name)) }
            }
        }
    }

    package func putMapping(_ expression: String, _ mappings: JSONObject) async throws(EngineError) {
        try checkOpen()
        try await writers.run { [self] () throws(EngineError) in
            let indexes = try catalogue.resolve(expression, IndexOptions(allowNoIndices: false))
            for resolved in indexes { try catalogue.index(resolved.name).putMapping(mappings) }
        }
    }

    /// Dynamic settings only; nil values (JSON null) restore the default.
    package func putSettings(_ expression: String, _ settings: JSONObject) async throws(EngineError) {
        try checkOpen()
        try await writers.run { [self] () throws(EngineError) in
            try changes.locked { () throws(EngineError) in
                let indexes = try catalogue.resolve(expression, IndexOptions(allowNoIndices: false))
                for resolved in indexes {
                    let index = try catalogue.index(resolved.name)
                    try index.putSettings(try index.settings.changed(settings, index: "\(index.name)/\(index.uuid)"))
                }
            }
        }
    }

    /// All or nothing, as far as the requests' mistakes go; a failing disk can leave part of the indexes changed.
    package func updateAliases(_ actions: [AliasAction]) async throws(EngineError) {
        try checkOpen()
        try await writers.run { [self] () throws(EngineError) in
            try changes.locked { () throws(EngineError) in
                var plan = AliasPlan(catalogue)
                for action in actions { try plan.apply(action) }
                try plan.checkWriteIndexes()
                for (index, aliases) in plan.changed { try index.setAliases(aliases) }
                for index in plan.removed { try delete(index) }
            }
        }
    }

    // MARK: - With `changes` held

    func create(_ name: String, _ creation: IndexCreation) throws(EngineError) -> Index {
        if let problem = IndexNames.problem(name) { throw .invalidIndexName(name, problem) }
        if let existing = catalogue.find(name) {
            throw EngineError(.badRequest, "resource_already_exists_exception", "index [\(name)/\(existing.uuid)] already exists", index: name)
        }
        if !catalogue.aliased(name).isEmpty { throw .invalidIndexName(name, "already exists as alias") }
        let settings = try IndexSettings(creating: creation.settings)
        let aliases = try creation.aliases.members.map { (member) throws(EngineError) in
            try checkAlias(member.key)
            return try IndexAlias(name: member.key, json: member.value)
        }
        let index = try Index.create(
            name: name, uuid: Self.makeUUID(), created: wallMilliseconds(), settings: settings, mappings: creation.mappings, aliases: aliases, in: folder,
            node: parts)
        catalogue.insert(index)
        return index
    }

    /// 22 characters; a folder's name, which must not look like an option or a hidden file.
    static func makeUUID() -> String {
        var random = SystemRandomNumberGenerator()
        let uuid = Base64URL.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        return uuid.hasPrefix("-") ? "A" + uuid.dropFirst() : uuid
    }

    private func delete(_ index: Index) throws(EngineError) {
        catalogue.remove(index.name)
        index.opened?.abandon()
        do throws(StorageError) {
            // Order matters: without its description it is no index, whatever else a crash leaves.
            if try index.directory.length(IndexFile.name) != nil {
                try index.directory.remove(IndexFile.name)
                try index.directory.sync()
            }
            try folder.removeDirectory(index.uuid)
            try folder.sync()
        } catch { throw EngineError(error) }
    }

    private func checkAlias(_ alias: String) throws(EngineError) {
        if let problem = IndexNames.problem(alias, alias: true) {
            throw EngineError(.badRequest, "invalid_alias_name_exception", "Invalid alias name [\(alias)]: \(problem)")
        }
        if catalogue.find(alias) != nil {
            throw EngineError(
                .badRequest, "invalid_alias_name_exception", "Invalid alias name [\(alias)]: an index or data stream exists with the same name as the alias")
        }
    }
}

/// The aliases as they will be; nothing is changed while it is worked out.
private struct AliasPlan {
    private let catalogue: Catalogue
    private(set) var changed: [(index: Index, aliases: [String: IndexAlias])] = []
    private(set) var removed: [Index] = []

    init(_ catalogue: Catalogue) { self.catalogue = catalogue }

    mutating func apply(_ action: AliasAction) throws(EngineError) {
        switch action {
        case .add(let indices, let alias):
            if let problem = IndexNames.problem(alias.name, alias: true) {
                throw EngineError(.badRequest, "invalid_alias_name_exception", "Invalid alias name [\(alias.name)]: \(problem)")
            }
            if catalogue.find(alias.name) != nil, !removed.contains(where: { $0.name == alias.name }) {
                throw EngineError(
                    .badRequest, "invalid_alias_name_exception",
                    "Invalid alias name [\(alias.name)]: an index or data stream exists with the same name as the alias")
            }
            for resolved in try catalogue.resolve(indices.joined(separator: ","), IndexOptions(allowNoIndices: false)) {
                change(try catalogue.index(resolved.name)) { $0[alias.name] = alias }
            }
        case .remove(let indices, let aliases, let mustExist):
            var found = false
            for resolved in try catalogue.resolve(indices.joined(separator: ","), IndexOptions(allowNoIndices: false)) {
                let index = try catalogue.index(resolved.name)
                let present = changed.first { $0.index === index }?.aliases ?? index.aliases
                let gone = present.keys.filter { name in aliases.contains { $0 == "_all" || IndexNames.matches($0, name) } }
                if gone.isEmpty { continue }
                found = true
                change(index) { for name in gone { $0[name] = nil } }
            }
            if !found, mustExist {
                throw EngineError(.notFound, "aliases_not_found_exception", "aliases [\(aliases.joined(separator: ","))] missing")
            }
        case .removeIndex(let indices):
            for resolved in try catalogue.resolve(indices.joined(separator: ","), IndexOptions(allowNoIndices: false)) {
                let index = try catalogue.index(resolved.name)
                if !removed.contains(where: { $0 === index }) { removed.append(index) }
            }
        }
    }

    /// An alias has at most one write index.
    func checkWriteIndexes() throws(EngineError) {
        var writers: [String: [String]] = [:]
        for index in catalogue.all where !removed.contains(where: { $0 === index }) {
            let aliases = changed.first { $0.index === index }?.aliases ?? index.aliases
            for alias in aliases.values where alias.isWriteIndex == true { writers[alias.name, default: []].append(index.name) }
        }
        for (alias, names) in writers.sorted(by: { $0.key < $1.key }) where names.count > 1 {
            throw EngineError(
                .badRequest, "illegal_state_exception", "alias [\(alias)] has more than one write index [\(names.joined(separator: ","))]")
        }
    }

    private mutating func change(_ index: Index, _ body: (inout [String: IndexAlias]) -> Void) {
        var aliases = changed.first { $0.index === index }?.aliases ?? index.aliases
        body(&aliases)
        if let place = changed.firstIndex(where: { $0.index === index }) { changed[place].aliases = aliases } else { changed.append((index, aliases)) }
    }
}
