// Loads many documents through the ordinary write path (translog included), with large group commits:
// while one batch is being made durable the next is indexed. One caller at a time.

package final class BulkLoader: Sendable {
    init() {}

    /// Indexes the batch; returns when it is indexed, and durable up to `committed`. Batches of 4 to 16 MB do well.
    package func load(_ operations: [WriteOperation]) async throws(EngineError) -> [WriteResult] { throw .notBuilt }

    /// Operations of this load that are durable now: what `committed N` prints.
    package var committed: Int { 0 }

    /// Makes all durable and searchable, and flushes.
    package func finish() async throws(EngineError) { throw .notBuilt }
}
