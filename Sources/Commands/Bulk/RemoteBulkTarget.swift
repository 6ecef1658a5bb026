// Loads into a server through `_bulk`: a bounded number of requests at a time, each on its own connection, tried again when the
// server is busy (429, 503) or cannot be reached for a moment.
//
// Trying again after a lost connection may repeat a request that was carried out. Documents with ids come out the same; a `create`
// or a document without id may be refused or doubled, as with any client.
//
// Invariants
//     1  At most `inFlightMax` requests are under way; `load` waits for a place.
//     2  `committed` counts accepted items of a prefix of the batches: every earlier batch has been answered.
//     3  A request is tried at most `triesMax` times.

package import Engine
internal import JSON

package actor RemoteBulkTarget: BulkTarget {
    private static let inFlightMax = 4
    private static let triesMax = 10

    private let address: ServerAddress
    private let index: String
    private var idle: [HTTPConnection] = []
    private var inFlight: [Int: Task<[BulkReject], any Error>] = [:]
    private var sent = 0
    /// The first batch that is not answered, and the sizes of answered ones past it.
    private var firstOpen = 0
    private var answered: [Int: Int] = [:]
    package private(set) var committed = 0

    package init(url: String, index: String, creation: IndexCreation) async throws {
        address = try ServerAddress(parsing: url)
        self.index = index
        let gateway = RemoteGateway(address)
        let path = "/\(percentEncoded(index))"
        if try await gateway.send(HTTPRequest(.head, path)).status == 404 {
            let body = JSONObject([("settings", .object(creation.settings)), ("mappings", .object(creation.mappings)), ("aliases", .object(creation.aliases))])
            _ = try await gateway.json(HTTPRequest(.put, path, body: JSONValue.object(body).serialized()))
        }
        await gateway.close()
    }

    package func load(_ batch: [BulkItem]) async throws -> [BulkReject] {
        var rejects: [BulkReject] = []
        while inFlight.count >= Self.inFlightMax { rejects += try await oldest() }
        let number = sent
        sent += 1
        inFlight[number] = Task { try await self.send(batch, number) }
        return rejects
    }

    package func finish() async throws -> [BulkReject] {
        var rejects: [BulkReject] = []
        while !inFlight.isEmpty { rejects += try await oldest() }
        _ = try await roundTrip(HTTPRequest(.post, "/\(percentEncoded(index))/_refresh"))
        for connection in idle { await connection.close() }
        return rejects
    }

    // MARK: -

    private func oldest() async throws -> [BulkReject] {
        guard let number = inFlight.keys.min(), let task = inFlight[number] else { return [] }
        defer { inFlight[number] = nil }
        return try await task.value
    }

    private func send(_ batch: [BulkItem], _ number: Int) async throws -> [BulkReject] {
        var open = batch, rejects: [BulkReject] = [], tries = 0
        while !open.isEmpty {
            let answer = try await roundTrip(HTTPRequest(.post, "/_bulk", body: body(open), contentType: "application/x-ndjson"))
            guard let items = (try JSONValue.parse(answer.body))["items"]?.array, items.count == open.count else {
                throw CommandError("\(address): the answer to _bulk does not have an item for each document")
            }
            var again: [BulkItem] = []
            for (item, result) in zip(open, items) {
                guard let outcome = result.object?.makeIterator().first(where: { _ in true })?.value, outcome["error"] != nil else { continue }
                if outcome["status"]?.integer == 429 { again.append(item) } else {
                    rejects.append(BulkReject(origin: item.origin, reason: reason(of: outcome) ?? outcome.text, document: item.operation.source))
                }
            }
            open = again
            tries += 1
            if !open.isEmpty { try await pause(tries, "the server refused \(open.count) documents for being busy") }
        }
        close(number, batch.count - rejects.count)
        return rejects
    }

    private func close(_ number: Int, _ count: Int) {
        answered[number] = count
        while let count = answered.removeValue(forKey: firstOpen) {
            committed += count
            firstOpen += 1
        }
    }

    /// An answer below 300, tried for again while that can help.
    private func roundTrip(_ request: HTTPRequest) async throws -> HTTPAnswer {
        for tries in 1... {
            do {
                let connection = try await take()
                let answer = try await connection.send(request)
                idle.append(connection)
                if answer.status < 300 { return answer }
                let text = (try? JSONValue.parse(answer.body)).flatMap(reason(of:)) ?? "status \(answer.status)"
                guard answer.status == 429 || answer.status == 503 else { throw CommandError("\(address): \(text)") }
                try await pause(tries, text)
            } catch let error as CommandError {
                throw error
            } catch {
                try await pause(tries, describe(error))
            }
        }
        throw CommandError("\(address): gave up")
    }

    private func take() async throws -> HTTPConnection {
        while let connection = idle.popLast() { if connection.isOpen { return connection } }
        return try await HTTPConnection.open(address)
    }

    /// Waits 0.1, 0.2, 0.4 … at most 10 seconds.
    private func pause(_ tries: Int, _ why: String) async throws {
        guard tries < Self.triesMax else { throw CommandError("\(address): \(why); tried \(tries) times") }
        try await Task.sleep(for: .milliseconds(min(10_000, 100 << min(tries - 1, 10))))
    }

    private func body(_ items: [BulkItem]) -> [UInt8] {
        var writer = JSONWriter(), result: [UInt8] = []
        for item in items {
            writer.removeAll()
            let operation = item.operation
            writer.object { w in
                w.key(operation.action.rawValue)
                w.object { w in
                    w.member("_index", operation.index)
                    if let id = operation.id { w.member("_id", id) }
                    if let routing = operation.routing { w.member("routing", routing) }
                    if let seqNo = operation.ifSeqNo { w.member("if_seq_no", seqNo) }
                    if let term = operation.ifPrimaryTerm { w.member("if_primary_term", term) }
                    if let version = operation.version { w.member("version", version) }
                    if operation.versionType != .internal { w.member("version_type", operation.versionType.rawValue) }
                    if operation.requireAlias { w.member("require_alias", true) }
                    if operation.retryOnConflict > 0 { w.member("retry_on_conflict", operation.retryOnConflict) }
                }
            }
            result += writer.bytes
            result.append(10)
            if operation.action != .delete {
                // Line ends stand between documents here; within one they can only be blanks of a laid-out text.
                result += operation.source.lazy.map { $0 == 10 || $0 == 13 ? 32 : $0 }
                result.append(10)
            }
        }
        return result
    }
}
