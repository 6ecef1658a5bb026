// An open segment: an immutable mini-index over one mapped file. Opening decodes the envelope and the
// field table's head only; everything else is decoded, and its checksums compared, on use.

package import Storage

package final class Segment: Sendable {
    package let file: SegmentFile
    /// Documents, deleted ones included: DocIDs are 0..<docCount.
    package let docCount: Int
    package let fields: FieldTable
    /// Term dictionary, postings, positions and norms.
    package let inverted: InvertedReader
    /// Columns, points, stored fields and identifiers.
    package let columns: ColumnsReader

    package init(_ file: SegmentFile) throws(StorageError) {
        self.file = file
        fields = try FieldTable(file)
        docCount = fields.docCount
        inverted = try InvertedReader(file: file, docCount: docCount, fields: fields)
        columns = ColumnsReader(file: file, docCount: docCount)
    }
}
