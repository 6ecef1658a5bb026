// What a bulk load reads and what becomes of it: operations with the line they came from, and lines that were refused.

import Engine

/// Where a document came from, for messages.
struct BulkOrigin: Sendable {
    var file: String
    /// From 1; of the first line of a document.
    var line: Int
}

struct BulkItem: Sendable {
    var operation: WriteOperation
    var origin: BulkOrigin
}

struct BulkReject: Sendable {
    var origin: BulkOrigin
    var reason: String
    /// The document as it was read, for the file of rejects.
    var document: [UInt8]
}

/// Takes batches. Batches may be sent before earlier ones are durable; `finish` waits for all.
protocol BulkTarget: Sendable {
    /// Sends one batch; returns when the next may be sent, with what was refused of this or earlier batches.
    func load(_ batch: [BulkItem]) async throws -> [BulkReject]
    /// So many of the items sent are durable, counted from the first without a gap.
    var committed: Int { get async }
    func finish() async throws -> [BulkReject]
}
