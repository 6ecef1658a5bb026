// What a bulk load reads: operations with the line they began on, and records that are none, with the reason.

package struct BulkRecord: Sendable, Equatable {
    package enum Action: String, Sendable { case index, create, update, delete }

    /// `index` but for Elasticsearch bulk bodies, whose action lines say.
    package var action: Action = .index
    /// Named by the action line.
    package var index: String?
    /// Of the action line, else the value of the reader's id field.
    package var id: String?
    package var routing: String?
    /// The rest of the action line's metadata (if_seq_no, version, pipeline, ...), as JSON members by name.
    package var metadata: [String: String] = [:]
    /// One JSON object, checked; for `update` its body, for `delete` empty.
    package var source: [UInt8]
    /// From 1.
    package var line: Int

    package init(source: [UInt8], line: Int) { (self.source, self.line) = (source, line) }
}

/// A record that is skipped.
package struct BulkRejection: Sendable, Equatable {
    package var line: Int
    package var reason: String
    /// As it was read; cut at 64 KiB.
    package var bytes: [UInt8]

    static let bytesMax = 65_536

    package init(line: Int, reason: String, bytes: some Collection<UInt8>) {
        (self.line, self.reason, self.bytes) = (line, reason, Array(bytes.prefix(BulkRejection.bytesMax)))
    }
}

package enum BulkInputItem: Sendable, Equatable {
    case record(BulkRecord)
    case rejected(BulkRejection)
}

package enum BulkFormat: String, Sendable, CaseIterable {
    /// One JSON object a line.
    case ndjson
    /// One array of objects.
    case array
    /// A head line with names, then records (RFC 4180).
    case csv
    /// Elasticsearch's action and source lines.
    case bulk
}

/// The input as a whole cannot be read on: the file is gone, damaged, or in no known format.
package struct BulkInputError: Error, Equatable, CustomStringConvertible {
    package let reason: String
    package init(_ reason: String) { self.reason = reason }
    package var description: String { reason }
}

package struct BulkInputOptions: Sendable {
    /// Nil: told by the first bytes.
    package var format: BulkFormat?
    /// The member whose value is the document's id, where no action line says.
    package var idField: String?
    /// A longer record is skipped.
    package var recordBytesMax = 32 << 20
    /// CSV: nil picks the one of `,` `;` tab `|` that the head line has most.
    package var delimiter: UInt8?
    /// CSV: how many records decide what a column holds.
    package var sampledRecords = 1_000
    package init(format: BulkFormat? = nil, idField: String? = nil) { (self.format, self.idField) = (format, idField) }
}
