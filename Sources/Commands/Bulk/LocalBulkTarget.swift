// Loads into a data folder that this process holds: through the ordinary write path, without a server.

internal import Engine
internal import JSON
import Storage

final class LocalBulkTarget: BulkTarget {
    private let node: Node
    private let loader: BulkLoader

    init(data: String, index: String, creation: IndexCreation) async throws {
        node = try await Node.open(root: try FileDirectory(data))
        loader = try await node.bulkLoader(index, creating: creation)
    }

    func load(_ batch: [BulkItem]) async throws -> [BulkReject] {
        let results = try await loader.load(batch.map(\.operation))
        return zip(batch, results).compactMap { item, result in
            result.error.map { BulkReject(origin: item.origin, reason: LocalBulkTarget.reason($0), document: item.operation.source) }
        }
    }

    var committed: Int { loader.committed }

    func finish() async throws -> [BulkReject] {
        try await loader.finish()
        await node.close()
        return []
    }

    private static func reason(_ error: EngineError) -> String { error.description + (error.cause.map { ": " + $0 } ?? "") }
}
