// Write operations over whatever a query matches, in batches: what _delete_by_query, _update_by_query and _reindex
// have in common. The documents are those of one snapshot; a write meets a conflict when a document changed since.

internal import Bytes
internal import Engine
internal import JSON
internal import QueryDSL
internal import Search

/// Their common parameters, in the address and in the body.
struct ByQueryOptions: Sendable {
    static let parameters = ["conflicts", "max_docs", "refresh", "requests_per_second", "scroll", "scroll_size", "size", "slices", "search_timeout", "timeout",
        "wait_for_active_shards", "wait_for_completion"]

    var proceeds = false
    var documentsMax = Int.max
    var batch = 1000
    var refreshes = false

    /// - Parameter m: the body; its `conflicts`, `max_docs` and `size` are taken.
    init(_ call: APICall, _ m: inout Members) throws {
        let conflicts = try m.string("conflicts") ?? call.text("conflicts") ?? "abort"
        guard ["abort", "proceed"].contains(conflicts) else { throw APIError.illegal("conflicts may only be \"proceed\" or \"abort\" but was [\(conflicts)]") }
        proceeds = conflicts == "proceed"
        try readMaximum(call, &m)
        try readSlices(call)
        if let text = call.parameters["requests_per_second"] {
            guard let rate = Double(text), rate > 0 || rate == -1 else {
                throw APIError.illegal("[requests_per_second] must be a float greater than 0. Use -1 to disable throttling.")
            }
        }
        if let size = try call.integer("scroll_size") {
            guard size > 0 else { throw APIError.validation("scroll_size must be greater than 0") }
            batch = min(size, 10_000)
        }
        refreshes = try call.flag("refresh") ?? false
    }

    private mutating func readMaximum(_ call: APICall, _ m: inout Members) throws {
        var given: [Int] = []
        for value in [try m.integer("max_docs"), try m.integer("size"), try call.integer("max_docs"), try call.integer("size")] {
            guard let value, value != -1 else { continue }
            guard value >= 0 else { throw APIError.validation("[max_docs] parameter cannot be negative, found [\(value)]") }
            guard value > 0 else { throw APIError.validation("[max_docs] should be >= [slices]") }
            given.append(value)
        }
        guard let first = given.first else { return }
        if let other = given.first(where: { $0 != first }) { throw APIError.illegal("[max_docs] set to two different values [\(first)] and [\(other)]") }
        documentsMax = first
    }

    /// One pass is all there is; the parameter is checked and otherwise without effect.
    private func readSlices(_ call: APICall) throws {
        guard let text = call.text("slices"), text != "auto" else { return }
        guard let slices = Int(text), slices > 0 else { throw APIError.illegal("[slices] must be a positive integer or the string \"auto\"") }
        if slices > documentsMax { throw APIError.validation("[max_docs] should be >= [slices]") }
    }
}

/// What a run did so far.
struct ByQueryTally: Sendable {
    var total = 0, created = 0, updated = 0, deleted = 0, conflicts = 0, batches = 0
    var failures: [JSONValue] = []
    var failureStatus = 200

    mutating func note(_ result: WriteResult, proceeds: Bool, typed: Bool) {
        switch (result.error, result.outcome) {
        case (nil, .created): created += 1
        case (nil, .deleted): deleted += 1
        case (nil, _): updated += 1
        case (let error?, _):
            let conflict = error.type == "version_conflict_engine_exception"
            if conflict { conflicts += 1 }
            if conflict, proceeds { return }
            var failure = JSONObject([("index", .string(result.index))])
            if typed { failure["type"] = "_doc" }
            for (key, value) in [("id", JSONValue.string(result.id)), ("cause", APIError(error).itemJSON), ("status", .int(error.status))] { failure[key] = value }
            failures.append(.object(failure))
            failureStatus = max(failureStatus, error.status)
        }
    }

    /// - Parameter shows: which of created, updated and deleted the caller can have caused.
    func answer(took: Int64, shows: [String]) -> APIAnswer {
        var body = JSONObject([("took", .integer(took)), ("timed_out", false), ("total", .int(total))])
        for (name, count) in [("updated", updated), ("created", created), ("deleted", deleted)] where shows.contains(name) { body[name] = .int(count) }
        body["batches"] = .int(batches)
        body["version_conflicts"] = .int(conflicts)
        body["noops"] = 0
        body["retries"] = ["bulk": 0, "search": 0]
        body["throttled_millis"] = 0
        body["requests_per_second"] = -1.0
        body["throttled_until_millis"] = 0
        body["failures"] = .array(failures)
        return APIAnswer(failureStatus, json: .object(body))
    }
}

/// One document of the snapshot, and where it lies.
struct FoundDocument: Sendable {
    let index: String, id: String
    let source: [UInt8]
    let sequenceNumber: Int64, version: Int64
}

extension Services {
    /// Finds, makes operations, writes; stops at the first batch with failures.
    func byQuery(
        _ query: Query?, _ target: SearchExecutor.Target, _ options: ByQueryOptions, _ tally: inout ByQueryTally, compatibility: Int,
        operation: @escaping @Sendable (FoundDocument) throws -> WriteOperation
    ) async throws {
        let executor = executor, most = options.documentsMax - tally.total
        let found: [(segment: Int, doc: UInt32)]
        do {
            found = try await node.run {
                var out: [(segment: Int, doc: UInt32)] = []
                for (segment, set) in try executor.matches(query, in: target).enumerated() {
                    set.forEach { doc in if out.count < most { out.append((segment, UInt32(truncatingIfNeeded: doc))) } }
                }
                return out
            }
        } catch let error as SearchError { throw APIError(error, index: target.index) }
        tally.total += found.count
        var start = 0
        while start < found.count, tally.failures.isEmpty {
            let places = Array(found[start..<min(start + options.batch, found.count)])
            start += places.count
            tally.batches += 1
            let operations = try await node.run { try places.map { try operation(try Self.document($0, target)) } }
            try refuseOwned(Set(operations.map(\.index)))
            try await prepare(Set(operations.map(\.index)))
            for result in try await node.bulk(operations) { tally.note(result, proceeds: options.proceeds, typed: compatibility < 8) }
        }
    }

    private static func document(_ place: (segment: Int, doc: UInt32), _ target: SearchExecutor.Target) throws -> FoundDocument {
        let columns = target.snapshot.segments[place.segment].segment.columns
        return FoundDocument(index: target.index, id: try columns.id(of: place.doc), source: try columns.source(of: place.doc),
            sequenceNumber: try columns.sequenceNumber(of: place.doc), version: try columns.version(of: place.doc))
    }
}
