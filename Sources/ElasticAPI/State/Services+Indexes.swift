// What most endpoints ask about indexes: which an expression stands for, what to search, shard counts to show.

internal import Engine
internal import JSON
internal import QueryDSL
internal import Search

extension Services {
    func resolve(_ call: APICall, _ usual: IndexOptions = IndexOptions()) throws -> [ResolvedIndex] {
        try node.resolve(call.indexExpression, call.indexOptions(usual))
    }

    /// Snapshots of the indexes an expression stands for, with the filters of the aliases they were reached by.
    func targets(_ expression: String, _ options: IndexOptions) throws -> [SearchExecutor.Target] {
        try node.resolve(expression, options).map { index in
            SearchExecutor.Target(index: index.name, snapshot: try node.snapshot(of: index.name), filter: try Self.filter(index.filters))
        }
    }

    /// The one index that a name or alias stands for.
    func single(_ name: String) throws -> String {
        let resolved = try node.resolve(name, IndexOptions(allowNoIndices: false, expandsWildcards: false))
        guard let first = resolved.first else { throw EngineError.indexNotFound(name) }
        guard resolved.count == 1 else {
            throw APIError.illegal("alias [\(name)] has more than one index associated with it [\(resolved.map(\.name).joined(separator: ", "))], can't execute a single index op")
        }
        return first.name
    }

    func exists(_ name: String) -> Bool { (try? node.resolve(name, IndexOptions(allowNoIndices: false, expandsWildcards: false)).isEmpty) == false }

    /// Makes an index, templates applied.
    func create(_ name: String, _ creation: IndexCreation) async throws -> IndexDescription {
        try refuseOwned([name] + creation.aliases.members.map(\.key))
        return try await node.createIndex(name, templates.creation(for: name, creation))
    }

    /// Indexes about to be made by a write get their templates; others are left to the engine.
    func prepare(_ names: Set<String>) async throws {
        guard !templates.isEmpty, node.options.autoCreateIndex else { return }
        for name in names.sorted() where !exists(name) {
            let creation = templates.creation(for: name, IndexCreation())
            guard !(creation.settings.isEmpty && creation.mappings.isEmpty && creation.aliases.isEmpty) else { continue }
            try refuseOwned(creation.aliases.members.map(\.key))
            // Another request may have made it since: that is as good. What else is wrong the write will say.
            _ = try? await node.createIndex(name, creation)
        }
    }

    /// Indexes that the shop's tiers write are written by nobody else: an order that was forged or removed there is nowhere else.
    func refuseOwned(_ names: some Sequence<String>) throws(APIError) {
        for name in names { if let refusal = refusal(name) { throw refusal } }
    }

    /// Why a request may not write an index; nil when it may.
    func refusal(_ name: String) -> APIError? {
        guard options.owned.contains(name) else { return nil }
        return APIError(
            403, "security_exception",
            "index [\(name)] holds the orders of the warm tier, which only the shop itself writes: orders are changed by [/api/orders], and the index comes back by [isotherm snapshot restore]",
            index: name)
    }

    static func filter(_ filters: [JSONObject]) throws(QueryError) -> Query? {
        guard !filters.isEmpty else { return nil }
        var bool = Query.Bool()
        for filter in filters { bool.should.append(try Query(json: .object(filter))) }
        return bool.should.count == 1 ? bool.should[0] : Query(.bool(bool))
    }
}

/// Shards as the settings declare them: what `_shards` and the health count.
struct ShardCount {
    var primaries = 0, replicas = 0
    /// Copies asked for.
    var total: Int { primaries + replicas }

    init() {}

    init(_ settings: JSONObject) {
        primaries = max(1, settings["index.number_of_shards"]?.wholeNumber ?? 1)
        replicas = primaries * max(0, settings["index.number_of_replicas"]?.wholeNumber ?? 1)
    }

    static func + (a: ShardCount, b: ShardCount) -> ShardCount {
        var sum = a
        sum.primaries += b.primaries
        sum.replicas += b.replicas
        return sum
    }
}

extension Services {
    func shards(of indexes: some Sequence<String>) -> ShardCount {
        indexes.reduce(ShardCount()) { sum, name in sum + ((try? node.describe(name)).map { ShardCount($0.settings) } ?? ShardCount()) }
    }

    /// For operations that every copy takes part in: refresh, flush.
    func broadcast(_ indexes: some Sequence<String>) -> JSONValue {
        let count = shards(of: indexes)
        return ["total": .int(count.total), "successful": .int(count.primaries), "failed": 0]
    }
}

extension APICall {
    func indexOptions(_ usual: IndexOptions = IndexOptions()) throws(APIError) -> IndexOptions {
        var options = usual
        if let flag = try flag("ignore_unavailable") { options.ignoreUnavailable = flag }
        if let flag = try flag("allow_no_indices") { options.allowNoIndices = flag }
        if let words = list("expand_wildcards") {
            for word in words where !["open", "closed", "hidden", "none", "all"].contains(word) {
                throw .illegal("No valid expand wildcard value [\(word)]")
            }
            options.expandsWildcards = words != ["none"]
            options.includesHidden = words.contains("hidden") || words.contains("all")
        }
        return options
    }

    static let indexParameters = ["ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled"]
}

extension JSONValue {
    static func int(_ value: Int) -> JSONValue { .integer(Int64(value)) }
}
