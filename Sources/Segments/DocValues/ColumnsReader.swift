// Everything a segment keeps by document rather than by term: number and keyword columns, points, stored
// `_source`, identifiers, versions and sequence numbers. A column is decoded and checked on first use and
// then kept for the life of the segment.

package import Bytes
package import Storage
import Synchronization

package final class ColumnsReader: Sendable {
    package let file: SegmentFile
    package let docCount: Int

    /// Touches nothing: made when a segment is opened.
    package init(file: SegmentFile, docCount: Int) { (self.file, self.docCount) = (file, docCount) }

    // MARK: Columns

    package func numbers(_ field: UInt32) throws(StorageError) -> NumberColumn? { nil }
    package func keywords(_ field: UInt32) throws(StorageError) -> KeywordColumn? { nil }
    /// Documents that have a value of the field; nil when none has a column.
    package func presence(_ field: UInt32) throws(StorageError) -> Presence? { nil }

    /// Documents, deleted ones included, with a value in `range`, by points or by scanning the column,
    /// whichever is cheaper. Values in the field's encoding (`SortableDouble`).
    package func documents(_ field: UInt32, in range: ClosedRange<Int64>) throws(StorageError) -> BitSet { BitSet(count: docCount) }
    /// About how many documents `documents(_:in:)` would give.
    package func estimate(_ field: UInt32, in range: ClosedRange<Int64>) -> Int { 0 }
    /// Tests single documents; nil when the field has no column.
    package func test(_ field: UInt32, in range: ClosedRange<Int64>) throws(StorageError) -> (@Sendable (DocID) -> Bool)? { nil }

    // MARK: Documents

    package func source(of doc: DocID) throws(StorageError) -> [UInt8] { [] }
    package func id(of doc: DocID) throws(StorageError) -> String { "" }
    /// The document with that `_id`, the last one when several have it (earlier ones are deleted ones); it may be deleted.
    package func doc(forID id: String) throws(StorageError) -> DocID? { nil }
    package func version(of doc: DocID) throws(StorageError) -> Int64 { 1 }
    package func sequenceNumber(of doc: DocID) throws(StorageError) -> Int64 { 0 }
    package func primaryTerm(of doc: DocID) throws(StorageError) -> Int64 { 1 }
    package func routing(of doc: DocID) throws(StorageError) -> String? { nil }
}
