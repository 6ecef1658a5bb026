// What a bulk load reads and what becomes of it: operations with the line they came from, and lines that were refused.

package import Engine

/// Where a document came from, for messages.
package struct BulkOrigin: Sendable, Equatable {
    package var file: String
    /// From 1; of the first line of a document.
    package var line: Int
    package init(file: String, line: Int) { (self.file, self.line) = (file, line) }
}

package struct BulkItem: Sendable {
    package var operation: WriteOperation
    package var origin: BulkOrigin
    package init(operation: WriteOperation, origin: BulkOrigin) { (self.operation, self.origin) = (operation, origin) }
}

package struct BulkReject: Sendable, Equatable {
    package var origin: BulkOrigin
    package var reason: String
    /// The document as it was read, for the file of rejects.
    package var document: [UInt8]
    package init(origin: BulkOrigin, reason: String, document: [UInt8]) { (self.origin, self.reason, self.document) = (origin, reason, document) }
}

/// Takes batches. Batches may be sent before earlier ones are durable; `finish` waits for all.
package protocol BulkTarget: Sendable {
    /// Sends one batch; returns when the next may be sent, with what was refused of this or earlier batches.
    func load(_ batch: [BulkItem]) async throws -> [BulkReject]
    /// So many of the items sent were accepted and are durable; no item before them is still open.
    var committed: Int { get async }
    func finish() async throws -> [BulkReject]
}
