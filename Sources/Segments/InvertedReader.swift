// Reads the inverted side of a segment: here is a term, where are its postings?

package import Bytes
package import Storage

package final class InvertedReader: Sendable {
    package init(file: SegmentFile, docCount: Int, fields: FieldTable) throws(StorageError) {}

    /// Exact look-up; nil when no document of this segment (deleted ones included) has the term.
    package func term(_ bytes: [UInt8], field: UInt32) throws(StorageError) -> TermEntry? { nil }

    /// Shows the field's terms in byte order, from the first at or after `start`, until `body` says stop.
    package func walk(field: UInt32, from start: [UInt8] = [], _ body: (_ term: [UInt8], _ entry: TermEntry) -> TermWalk) throws(StorageError) {}

    /// Adds the documents of a term, deleted ones included, to `set` (of the segment's docCount).
    package func insertDocuments(of entry: TermEntry, field: UInt32, into set: inout BitSet) throws(StorageError) {}

    /// The term's documents, rising, deleted ones included; at most `limit` of them.
    package func documents(of entry: TermEntry, field: UInt32, limit: Int = .max) throws(StorageError) -> [DocID] { [] }

    /// The documents with at least one posting of the field, deleted ones included: O(postings of the field)
    /// unless the field has norms.
    package func documents(withField field: UInt32) throws(StorageError) -> BitSet { BitSet(count: 0) }

    /// The norm byte of each of `docs`; 0 for documents without the field.
    package func norms(field: UInt32, docs: [DocID]) throws(StorageError) -> [UInt8] { [] }
}
