// Loads into a data folder that this process holds: through the ordinary write path, without a server.

internal import Engine
import Storage

actor LocalBulkTarget: BulkTarget {
    private let node: Node
    private let loader: BulkLoader
    /// Sent, without results yet. At most as many as the loader has batches in work.
    private var open: [BulkItem] = []
    private var refused = 0

    init(data: String, index: String, creation: IndexCreation) async throws {
        node = try await Node.open(root: try FileDirectory(data))
        loader = try await node.bulkLoader(index, creating: creation)
    }

    func load(_ batch: [BulkItem]) async throws -> [BulkReject] {
        open += batch
        return rejects(of: try await loader.load(batch.map(\.operation)))
    }

    /// Refused operations are durable nowhere; results come as batches become durable.
    var committed: Int { loader.committed - refused }

    func finish() async throws -> [BulkReject] {
        let rejects = rejects(of: try await loader.finish())
        await node.close()
        return rejects
    }

    // MARK: -

    /// - Parameter results: of the oldest items that have none yet.
    private func rejects(of results: [WriteResult]) -> [BulkReject] {
        let rejects = zip(open, results).compactMap { item, result in
            result.error.map { BulkReject(origin: item.origin, reason: LocalBulkTarget.reason($0), document: item.operation.source) }
        }
        open.removeFirst(min(open.count, results.count))
        refused += rejects.count
        return rejects
    }

    private static func reason(_ error: EngineError) -> String { error.description + (error.cause.map { ": " + $0 } ?? "") }
}
