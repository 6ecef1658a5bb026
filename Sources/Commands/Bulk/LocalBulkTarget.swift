// Loads into a data folder that this process holds: through the ordinary write path, without a server.

internal import Engine
import Storage

actor LocalBulkTarget: BulkTarget {
    private let node: Node
    private let loader: BulkLoader
    /// After each batch: operations sent until then, and how many of them were refused.
    private var marks: [(sent: Int, refused: Int)] = []

    init(data: String, index: String, creation: IndexCreation) async throws {
        node = try await Node.open(root: try FileDirectory(data))
        loader = try await node.bulkLoader(index, creating: creation)
    }

    func load(_ batch: [BulkItem]) async throws -> [BulkReject] {
        let results = try await loader.load(batch.map(\.operation))
        let rejects = zip(batch, results).compactMap { item, result in
            result.error.map { BulkReject(origin: item.origin, reason: LocalBulkTarget.reason($0), document: item.operation.source) }
        }
        marks.append(((marks.last?.sent ?? 0) + batch.count, (marks.last?.refused ?? 0) + rejects.count))
        return rejects
    }

    /// The engine's figure moves batch by batch and has refused operations in it, which are durable nowhere.
    var committed: Int {
        let durable = loader.committed
        return durable - (marks.last { $0.sent <= durable }?.refused ?? 0)
    }

    func finish() async throws -> [BulkReject] {
        try await loader.finish()
        await node.close()
        return []
    }

    private static func reason(_ error: EngineError) -> String { error.description + (error.cause.map { ": " + $0 } ?? "") }
}
