// An open segment: an immutable mini-index over one mapped file, and the patches of updatable columns that one snapshot sees over it. Opening decodes the envelope and the
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

    /// The same segment with patches laid over its columns.
    /// - Parameters:
    ///   - patches: all there are.
    ///   - changes: those of them that `previous` does not have.
    package init(_ previous: Segment, patches: SegmentPatches, changes: [PatchedDocument]) {
        (file, docCount, fields, inverted) = (previous.file, previous.docCount, previous.fields, previous.inverted)
        columns = ColumnsReader(ColumnOverlay(over: previous.columns, fields: previous.fields, patches: patches, changes: changes))
    }
}
