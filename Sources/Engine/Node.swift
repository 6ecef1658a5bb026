// All indexes of one data folder, and what can be done with them. Calls may come from anywhere; work that
// takes a processor or waits for a disk runs on the node's own threads, never on the caller's event loop.

package import JSON
package import QueryDSL
package import Search
package import Storage

package struct NodeOptions: Sendable {
    /// Threads for searches and reads; writes have as many of their own.
    package var threads = 2
    /// Bytes of bulk requests in work at one time; past it a request is refused (429).
    package var bulkBytesInFlightMax = 256 << 20
    /// Bytes of documents in memory, over all indexes, before segments are sealed.
    package var bufferBytesMax = 192 << 20
    /// Merges, interval refreshes and flushes happen by themselves. Off in tests that want every step in hand.
    package var background = true
    package var autoCreateIndex = true
    package init() {}
}

package final class Node: Sendable {
    package let options: NodeOptions

    private init(options: NodeOptions) { self.options = options }

    /// Opens every index of the folder, replaying what is not in a commit. A folder that another node has open is refused.
    package static func open(root: any Directory, options: NodeOptions = NodeOptions()) async throws(EngineError) -> Node {
        Node(options: options)
    }

    /// Makes everything durable and lets the folder go. Calls after it fail.
    package func close() async {}

    // MARK: - Indexes

    /// All indexes, by name.
    package var indexNames: [String] { [] }

    /// The indexes that a comma list of names, aliases and patterns (`*`, `-x`, `_all`) stands for, by name.
    package func resolve(_ expression: String, _ options: IndexOptions = IndexOptions()) throws(EngineError) -> [ResolvedIndex] { throw .notBuilt }

    package func describe(_ index: String) throws(EngineError) -> IndexDescription { throw .notBuilt }

    package func createIndex(_ name: String, _ creation: IndexCreation = IndexCreation()) async throws(EngineError) -> IndexDescription { throw .notBuilt }

    /// - Parameter expression: as for `resolve`; aliases are refused.
    package func deleteIndex(_ expression: String, _ options: IndexOptions = IndexOptions()) async throws(EngineError) { throw .notBuilt }

    package func putMapping(_ expression: String, _ mappings: JSONObject) async throws(EngineError) { throw .notBuilt }

    /// Dynamic settings only; nil values (JSON null) restore the default.
    package func putSettings(_ expression: String, _ settings: JSONObject) async throws(EngineError) { throw .notBuilt }

    package func updateAliases(_ actions: [AliasAction]) async throws(EngineError) { throw .notBuilt }

    // MARK: - Documents

    /// Runs the operations, each with its own result, in the given order; returns when all that succeeded are durable.
    /// - Throws: only `rejected` (nothing was done), or when the node is closed.
    package func bulk(_ operations: [WriteOperation], refresh: RefreshPolicy = .none) async throws(EngineError) -> [WriteResult] { throw .notBuilt }

    /// One operation; its error is thrown.
    package func write(_ operation: WriteOperation, refresh: RefreshPolicy = .none) async throws(EngineError) -> WriteResult { throw .notBuilt }

    /// The document of that id, nil when there is none.
    /// - Parameter realtime: also when not yet refreshed.
    package func get(_ index: String, id: String, realtime: Bool = true) async throws(EngineError) -> DocumentResult? { throw .notBuilt }

    // MARK: - Search

    /// What a search of that index sees now. Cheap; hold it as long as one request needs it.
    package func snapshot(of index: String) throws(EngineError) -> IndexSnapshot { throw .notBuilt }

    /// Searches all indexes the expression stands for, on the node's threads.
    package func search(_ expression: String, _ request: SearchRequest, _ options: IndexOptions = IndexOptions()) async throws -> SearchResponse {
        throw EngineError.notBuilt
    }

    package func count(_ expression: String, _ query: Query?, _ options: IndexOptions = IndexOptions()) async throws -> Int { throw EngineError.notBuilt }

    /// Runs any work on the node's search threads.
    package func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R { try body() }

    // MARK: - Upkeep

    package func refresh(_ expression: String, _ options: IndexOptions = IndexOptions()) async throws(EngineError) { throw .notBuilt }
    package func flush(_ expression: String, _ options: IndexOptions = IndexOptions()) async throws(EngineError) { throw .notBuilt }
    /// Merges down to at most `segmentsMax` segments (or drops deleted documents only), then flushes.
    package func forceMerge(_ expression: String, segmentsMax: Int = 1) async throws(EngineError) { throw .notBuilt }
    package func stats(_ index: String) throws(EngineError) -> IndexStats { throw .notBuilt }

    // MARK: - Bulk loads

    /// For loading much at once: batches are indexed while earlier ones are being made durable.
    /// - Parameter index: made with `creation` when it is not there.
    package func bulkLoader(_ index: String, creating creation: IndexCreation = IndexCreation()) async throws(EngineError) -> BulkLoader { throw .notBuilt }
}

extension EngineError {
    static var notBuilt: EngineError { EngineError(.failed, "unsupported_operation_exception", "not built yet") }
}
