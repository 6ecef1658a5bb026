// What single writes and bulk items have in common: their parameters, and the checks before the engine is asked.

internal import Engine
internal import JSON
internal import QueryDSL

enum WriteParameters {
    static let names = ["refresh", "routing", "timeout", "version", "version_type", "if_seq_no", "if_primary_term", "wait_for_active_shards", "require_alias", "pipeline"]

    /// Elasticsearch's bound on an id, in bytes.
    static let idBytesMax = 512

    static func operation(_ action: WriteOperation.Action, _ call: APICall, id: String?) throws -> WriteOperation {
        var operation = WriteOperation(action, index: call.indexExpression, id: id, source: action == .delete ? [] : call.body, routing: call.text("routing"))
        operation.ifSeqNo = try call.long("if_seq_no")
        operation.ifPrimaryTerm = try call.long("if_primary_term")
        operation.version = try call.long("version")
        operation.versionType = try versionType(call.text("version_type"))
        operation.requireAlias = try call.flag("require_alias") ?? false
        if let pipeline = call.text("pipeline") { try refuse(pipeline: pipeline) }
        try check(operation)
        return operation
    }

    static func versionType(_ word: String?) throws -> WriteOperation.VersionType {
        switch word {
        case nil, "internal": return .internal
        case "external", "external_gt": return .external
        case "external_gte": return .externalGte
        case .some(let word): throw APIError.illegal("No version type match [\(word)]")
        }
    }

    static func refresh(_ call: APICall) throws -> RefreshPolicy {
        switch call.parameters["refresh"] {
        case nil, "false": return .none
        case "", "true": return .immediate
        case "wait_for": return .waitFor
        case .some(let word): throw APIError.illegal("Unknown value for refresh: [\(word)].")
        }
    }

    static func refuse(pipeline: String) throws {
        guard pipeline == "_none" else {
            throw APIError.illegal("pipeline with id [\(pipeline)] does not exist; ingest pipelines are not supported: prepare documents before sending them")
        }
    }

    static func check(_ operation: WriteOperation) throws {
        if let id = operation.id {
            guard !id.isEmpty else { throw APIError.illegal("if _id is specified it must not be empty") }
            guard id.utf8.count <= idBytesMax else {
                throw APIError.validation("id [\(id.prefix(64))...] is too long, must be no longer than \(idBytesMax) bytes but was: \(id.utf8.count)")
            }
        }
        if (operation.ifSeqNo == nil) != (operation.ifPrimaryTerm == nil) {
            throw APIError.validation(operation.ifSeqNo == nil ? "ifSeqNo is unassigned, but primary term is [\(operation.ifPrimaryTerm ?? 0)]"
                : "ifSeqNo is set, but primary term is [0]")
        }
        if operation.action == .create, operation.versionType != .internal {
            throw APIError.validation("create operations only support internal versioning. use index instead")
        }
        if operation.action == .create, operation.version != nil {
            throw APIError.validation("create operations do not support explicit versions. use index instead")
        }
        if operation.version != nil, operation.versionType == .internal, operation.action != .update {
            throw APIError.validation("internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead")
        }
    }

    /// The `_source` that an update should give back, named in the address or in its body.
    static func sourceWanted(_ call: APICall, body: [UInt8]) throws -> SourceFilter? {
        if let filter = SourceFilter(uri: call.parameters) { return filter }
        return try sourceWanted(body: body)
    }

    /// Bodies without the word are not looked at further.
    static func sourceWanted(body: [UInt8]) throws -> SourceFilter? {
        guard ByteSearch.contains(body, "\"_source\""), let value = try APICall.parse(body)["_source"] else { return nil }
        return try SourceFilter(json: value)
    }
}

enum ByteSearch {
    static func contains(_ bytes: [UInt8], _ needle: StaticString) -> Bool {
        let word = Array("\(needle)".utf8)
        guard bytes.count >= word.count, let first = word.first else { return false }
        var i = 0
        while i <= bytes.count - word.count {
            if bytes[i] == first, bytes[i..<(i + word.count)].elementsEqual(word) { return true }
            i += 1
        }
        return false
    }
}

extension Services {
    /// One write with its templates applied, as an answer.
    func write(_ operation: WriteOperation, refresh: RefreshPolicy, call: APICall, source: SourceFilter? = nil) async throws -> APIAnswer {
        try refuseOwned([operation.index])
        try await prepare([operation.index])
        let result = try await node.write(operation, refresh: refresh)
        return try rendering(result, call: call, source: source).answer
    }

    /// Copies of each shard that settings ask for, the primary among them.
    func copies(of index: String) -> Int {
        let shards = (try? node.describe(index)).map { ShardCount($0.settings) } ?? ShardCount()
        return shards.primaries > 0 ? 1 + shards.replicas / shards.primaries : 1
    }

    /// - Parameter copies: where it is known already.
    func rendering(_ result: WriteResult, call: APICall, source: SourceFilter? = nil, copies: Int? = nil) throws -> WriteRendering {
        var rendering = WriteRendering(result: result, copies: copies ?? self.copies(of: result.index), compatibility: call.compatibility)
        if let source, let document = result.source { rendering.source = try source.apply(to: document) }
        return rendering
    }
}
