// _snapshot/{repository}/{snapshot}: taking, copying, listing and removing snapshots.

internal import Engine
internal import JSON

/// The body of a request about a snapshot: members that may stand as flags, lists or comma lists.
struct SnapshotBody {
    private let object: JSONObject

    init(_ call: APICall, _ known: [String]) throws {
        object = try call.object() ?? JSONObject()
        for key in object.keys where !known.contains(key) {
            throw APIError.illegal("Unknown parameter \(key)" + Router.suggestions(for: key, among: known))
        }
    }

    func flag(_ name: String) throws -> Bool? {
        switch object[name] {
        case nil, .null: return nil
        case .bool(let value): return value
        case .string("true"): return true
        case .string("false"): return false
        default: throw APIError.illegal("malformed \(name), should be true or false")
        }
    }

    /// As a comma list.
    func names(_ name: String) throws -> String? {
        switch object[name] {
        case nil, .null: return nil
        case .string(let text): return text
        case .array(let items):
            let texts = items.compactMap(\.string)
            guard texts.count == items.count else { throw APIError.illegal("malformed \(name) section, should be an array of strings") }
            return texts.joined(separator: ",")
        default: throw APIError.illegal("malformed \(name) section, should be an array of strings")
        }
    }

    func text(_ name: String) throws -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let text = value.string else { throw APIError.illegal("malformed \(name)") }
        return text
    }

    func object(_ name: String) throws -> JSONObject? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let inner = value.object else { throw APIError.illegal("malformed \(name), should be an object") }
        return inner
    }
}

struct SnapshotCreateEndpoint: Endpoint {
    static let routes = Route.many([.put, .post], "/_snapshot/{repository}/{snapshot}")
    static let parameters = ["wait_for_completion", "master_timeout"]

    private let repository: String
    private let request: SnapshotRequest
    private let waits: Bool

    init(_ call: APICall) throws {
        repository = call.part("repository") ?? ""
        waits = try call.flag("wait_for_completion") ?? false
        let body = try SnapshotBody(call, [
            "indices", "ignore_unavailable", "allow_no_indices", "expand_wildcards", "include_global_state", "partial", "metadata", "feature_states"])
        let indices = try body.names("indices")
        var request = SnapshotRequest(call.part("snapshot") ?? "", indices: indices.flatMap { ["", "_all", "*"].contains($0) ? Optional.none : $0 })
        request.options.ignoreUnavailable = try body.flag("ignore_unavailable") ?? false
        request.options.allowNoIndices = try body.flag("allow_no_indices") ?? true
        request.isPartial = try body.flag("partial") ?? false
        request.includesGlobalState = try body.flag("include_global_state") ?? true
        request.metadata = try body.object("metadata")
        self.request = request
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let job = try await services.node.snapshotJob(request, in: try await services.node.repository(repository))
        guard waits else {
            Task { _ = try? await job.run() }
            return APIAnswer(json: ["accepted": true])
        }
        return APIAnswer(json: ["snapshot": SnapshotRendering.full(try await job.run(), repository: repository)])
    }
}

struct SnapshotCloneEndpoint: Endpoint {
    static let routes = [Route(.put, "/_snapshot/{repository}/{snapshot}/_clone/{target_snapshot}")]
    static let parameters = ["master_timeout"]

    private let call: APICall
    private let indices: String

    init(_ call: APICall) throws {
        self.call = call
        guard let indices = try SnapshotBody(call, ["indices"]).names("indices") else { throw APIError.validation("indices list missing") }
        self.indices = indices
    }

    func answer(from services: Services) async throws -> APIAnswer {
        let repository = try await services.node.repository(call.part("repository") ?? ""), source = call.part("snapshot") ?? ""
        let (found, missing) = SnapshotNames.select(indices, from: try await repository.manifest(source).indices.map(\.name))
        if let name = missing.first ?? (found.isEmpty ? indices : Optional.none) { throw EngineError.indexNotFound(name) }
        try await services.node.cloneSnapshot(source, as: call.part("target_snapshot") ?? "", indices: found, in: repository)
        return .acknowledged
    }
}

struct SnapshotDeleteEndpoint: Endpoint {
    static let routes = [Route(.delete, "/_snapshot/{repository}/{snapshot}")]
    static let parameters = ["master_timeout", "wait_for_completion"]

    private let repository: String, expression: String
    init(_ call: APICall) throws { (repository, expression) = (call.part("repository") ?? "", call.part("snapshot") ?? "") }

    func answer(from services: Services) async throws -> APIAnswer {
        let repository = try await services.node.repository(repository)
        let (found, missing) = SnapshotNames.select(expression, from: try await repository.list().map(\.name))
        // One that is not there is told by the repository, in its words.
        try await repository.delete(found + missing)
        return .acknowledged
    }
}

struct SnapshotGetEndpoint: Endpoint {
    static let routes = [Route(.get, "/_snapshot/{repository}/{snapshot}")]
    static let parameters = [
        "master_timeout", "ignore_unavailable", "verbose", "index_details", "index_names", "include_repository", "sort", "order", "size", "offset",
    ]

    private let repositories: String, expression: String
    private let ignoresMissing: Bool, isVerbose: Bool, withIndexDetails: Bool, withRepository: Bool, isDescending: Bool
    private let sort: String, size: Int, offset: Int
    private static let sorts = ["start_time", "name", "duration", "index_count", "shard_count", "failed_shard_count", "repository"]

    init(_ call: APICall) throws {
        (repositories, expression) = (call.part("repository") ?? "", call.part("snapshot") ?? "")
        ignoresMissing = try call.flag("ignore_unavailable") ?? false
        isVerbose = try call.flag("verbose") ?? true
        withIndexDetails = try call.flag("index_details") ?? false
        withRepository = try call.flag("include_repository") ?? true
        sort = call.text("sort") ?? "start_time"
        guard Self.sorts.contains(sort) else { throw APIError.illegal("unknown sort order [\(sort)]; there are \(Self.sorts.joined(separator: ", "))") }
        guard ["asc", "desc", nil].contains(call.text("order")) else { throw APIError.illegal("unknown order; give asc or desc") }
        isDescending = call.text("order") == "desc"
        size = try call.integer("size") ?? -1
        offset = try call.integer("offset") ?? 0
        guard size > 0 || size == -1 else { throw APIError.validation("size must be -1 or greater than 0, but was [\(size)]") }
        guard offset >= 0 else { throw APIError.validation("offset must not be negative, but was [\(offset)]") }
    }

    private struct Found {
        let repository: SnapshotRepository
        let name: String
        let entry: SnapshotEntry?
        let running: RunningSnapshot?
        var started: Int64 { entry?.started ?? running?.started ?? 0 }
        var duration: Int64 { entry.map { $0.ended - $0.started } ?? 0 }
        var indices: Int { entry?.indices.count ?? running?.indices.count ?? 0 }
    }

    func answer(from services: Services) async throws -> APIAnswer {
        var found: [Found] = []
        for (name, _) in try services.node.repositories(repositories) { found += try await matching(services, try await services.node.repository(name)) }
        found.sort { before($0, $1) }
        if isDescending { found.reverse() }
        let total = found.count, first = min(offset, total), last = size < 0 ? total : first + min(size, total - first), chosen = found[first..<last]
        var shown: [JSONValue] = []
        for one in chosen {
            let name = withRepository ? one.repository.name : nil
            if let running = one.running { shown.append(SnapshotRendering.running(running, now: services.nowMilliseconds, repository: name)) }
            else if let entry = one.entry {
                if !isVerbose { shown.append(SnapshotRendering.brief(entry, repository: name)) }
                else if let manifest = try await one.repository.manifestIfThere(of: entry) {
                    shown.append(SnapshotRendering.full(manifest, repository: name, withIndexDetails: withIndexDetails))
                }
            }
        }
        return APIAnswer(json: ["snapshots": .array(shown), "total": .int(total), "remaining": .int(total - last)])
    }

    private func matching(_ services: Services, _ repository: SnapshotRepository) async throws -> [Found] {
        let running = services.node.runningSnapshots.filter { $0.repository == repository.name }
        var entries: [SnapshotEntry] = []
        let parts = expression.split(separator: ",").map(String.init), wantsCurrent = parts.contains("_current")
        if parts != ["_current"] { entries = try await repository.list() }
        let (names, missing) = SnapshotNames.select(
            parts.filter { $0 != "_current" }.joined(separator: ","), from: parts == ["_current"] ? [] : entries.map(\.name) + running.map(\.name))
        if let name = missing.first, !ignoresMissing {
            throw EngineError(.notFound, "snapshot_missing_exception", "[\(repository.name):\(name)] is missing")
        }
        return entries.filter { names.contains($0.name) }.map { Found(repository: repository, name: $0.name, entry: $0, running: nil) }
            + running.filter { (wantsCurrent || names.contains($0.name)) && !entries.map(\.name).contains($0.name) }
            .map { Found(repository: repository, name: $0.name, entry: nil, running: $0) }
    }

    private func before(_ a: Found, _ b: Found) -> Bool {
        switch sort {
        case "name": (a.name, a.started) < (b.name, b.started)
        case "duration": (a.duration, a.name) < (b.duration, b.name)
        case "index_count", "shard_count": (a.indices, a.name) < (b.indices, b.name)
        case "failed_shard_count": (a.entry?.failed.count ?? 0, a.name) < (b.entry?.failed.count ?? 0, b.name)
        case "repository": (a.repository.name, a.name) < (b.repository.name, b.name)
        default: (a.started, a.name) < (b.started, b.name)
        }
    }
}
