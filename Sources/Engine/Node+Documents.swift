// Writes and reads by id. A bulk request is shared out to its indexes; each index's part runs on the write
// threads, and then waits for the disk together with everybody else's.

internal import Storage
import Synchronization

extension Node {
    /// Runs the operations, each with its own result, in the given order; returns when all that succeeded are durable.
    /// - Throws: `rejected` (nothing was done), when the node is closed, or when durability failed: then what happened is unknown.
    package func bulk(_ operations: [WriteOperation], refresh: RefreshPolicy = .none) async throws(EngineError) -> [WriteResult] {
        try checkOpen()
        let bytes = operations.reduce(0) { $0 &+ $1.source.count &+ 200 }
        try admit(bytes)
        defer { bytesInFlight.withLock { $0 -= bytes } }
        var results = [WriteResult?](repeating: nil, count: operations.count)
        var shares: [(index: Index, places: [Int], operations: [WriteOperation])] = []
        var known: [String: Int] = [:]
        for (i, operation) in operations.enumerated() {
            do throws(EngineError) {
                let index = try await writeIndex(operation)
                let share: Int
                if let place = known[index.name] { share = place } else {
                    share = shares.count
                    known[index.name] = share
                    shares.append((index, [], []))
                }
                var concrete = operation
                concrete.index = index.name
                shares[share].places.append(i)
                shares[share].operations.append(concrete)
            } catch {
                results[i] = WriteResult(operation.action, index: operation.index, id: operation.id ?? "", error: error)
            }
        }
        for share in shares {
            let answers = try await perform(share.operations, on: share.index, refresh: refresh)
            for (place, answer) in zip(share.places, answers) { results[place] = answer }
        }
        return results.compactMap { $0 }
    }

    /// One operation; its error is thrown.
    package func write(_ operation: WriteOperation, refresh: RefreshPolicy = .none) async throws(EngineError) -> WriteResult {
        let results = try await bulk([operation], refresh: refresh)
        guard let result = results.first else { throw EngineError(.failed, "illegal_state_exception", "a write without a result") }
        if var error = result.error {
            if error.index == nil { error.index = result.index }
            throw error
        }
        return result
    }

    /// The document of that id, nil when there is none.
    /// - Parameter realtime: also when not yet refreshed.
    package func get(_ index: String, id: String, realtime: Bool = true) async throws(EngineError) -> DocumentResult? {
        try checkOpen()
        let found = try single(index), shard = try found.shard()
        return try await searchers.run { () throws(EngineError) in try shard.get(id, index: found.name, realtime: realtime) }
    }

    /// For one who keeps an index in step with a feed outside: writes what the feed brought up to `version`, notes the version, and makes both visible.
    /// A snapshot's `externalVersion` is then at least `version`. What the caller can read again needs no disk: after a crash the index stands at the version
    /// that it kept, with just what belongs to it.
    /// - Parameter durably: returns when all of it is on the disk, which everybody's later durable write does too.
    /// - Throws: when an operation failed for reasons of this node's: nothing is noted then. Operations that are themselves wrong have errors as results.
    package func follow(_ index: String, _ operations: [WriteOperation], upTo version: Int64, durably: Bool) async throws(EngineError) -> [WriteResult] {
        try checkOpen()
        guard let found = try catalogue.writeTarget(index) else { throw .indexNotFound(index) }
        let shard = try found.shard(), name = found.name
        let bytes = operations.reduce(0) { $0 &+ $1.source.count &+ 200 }
        try admit(bytes)
        defer { bytesInFlight.withLock { $0 -= bytes } }
        let (results, position) = try await writers.run { () throws(EngineError) -> ([WriteResult], Int) in
            let (results, last) = shard.bulk(operations.map { operation in
                var operation = operation
                operation.index = name
                return operation
            })
            for result in results { if let error = result.error, error.status >= 429 { throw error } }
            let noted = try shard.follow(upTo: version)
            if !durably { try shard.refresh() }
            return (results, max(last, noted))
        }
        if durably {
            do throws(StorageError) { try await shard.translog.whenDurable(position) } catch { throw shard.fail(error) }
            try await writers.run { () throws(EngineError) in try shard.refresh() }
        }
        return results
    }

    // MARK: -

    /// A concrete index, or an alias of just one.
    private func single(_ name: String) throws(EngineError) -> Index {
        if let index = catalogue.find(name) { return index }
        let holders = catalogue.aliased(name)
        if holders.count == 1 { return holders[0] }
        if holders.isEmpty { throw .indexNotFound(name) }
        throw .illegalArgument(
            "alias [\(name)] has more than one index associated with it [\(holders.map(\.name).joined(separator: ", "))], can't execute a single index op")
    }

    private func writeIndex(_ operation: WriteOperation) async throws(EngineError) -> Index {
        if operation.requireAlias, catalogue.aliased(operation.index).isEmpty {
            throw EngineError(
                .notFound, "index_not_found_exception", "no such index [\(operation.index)] and [require_alias] request flag is [true] and [\(operation.index)] is not an alias",
                index: operation.index)
        }
        if let index = try catalogue.writeTarget(operation.index) { return index }
        if operation.action == .delete, operation.versionType == .internal { throw .indexNotFound(operation.index) }
        guard options.autoCreateIndex else { throw .indexNotFound(operation.index) }
        let name = operation.index
        return try await writers.run { [self] () throws(EngineError) in
            try changes.locked { () throws(EngineError) in
                // Somebody may have been faster.
                if let index = try catalogue.writeTarget(name) { return index }
                return try create(name, IndexCreation())
            }
        }
    }

    func perform(_ operations: [WriteOperation], on index: Index, refresh: RefreshPolicy) async throws(EngineError) -> [WriteResult] {
        let shard: IndexShard
        do throws(EngineError) { shard = try index.shard() } catch {
            return operations.map { WriteResult($0.action, index: index.name, id: $0.id ?? "", error: error) }
        }
        var (results, position) = await writers.run { shard.bulk(operations) }
        if position > 0, shard.settings.durability == .request {
            do throws(StorageError) { try await shard.translog.whenDurable(position) } catch { throw shard.fail(error) }
        }
        if refresh != .none {
            try await writers.run { () throws(EngineError) in try shard.refresh() }
            if refresh == .immediate { for i in results.indices where results[i].error == nil { results[i].forcedRefresh = true } }
        }
        return results
    }

    /// Counts a request in.
    /// - Throws: `rejected`, when there is too much in work already.
    func admit(_ bytes: Int) throws(EngineError) {
        let limit = options.bulkBytesInFlightMax
        let admitted = bytesInFlight.withLock { n in
            // A single request is let in however large it is: the HTTP layer bounds it.
            if n > 0, n + bytes > limit { return false }
            n += bytes
            return true
        }
        if !admitted {
            throw EngineError(
                .rejected, "es_rejected_execution_exception",
                "rejected execution of bulk operation: \(bytes) more bytes would exceed the limit of \(limit) bytes in work; send smaller or fewer requests at a time")
        }
    }
}
