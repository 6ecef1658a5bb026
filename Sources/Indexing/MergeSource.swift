// One segment that a merge reads, and where its documents and fields go. Document order is kept: maps rise
// within a source, and from source to source.

package import Segments

package struct MergeSource: Sendable {
    package let segment: Segment
    /// Source document -> merged document; `DocID.max` for a deleted one.
    package let docMap: [DocID]
    /// Source field ordinal -> merged ordinal; `UInt32.max` for a field that no live document may have.
    package let fieldMap: [UInt32]

    package init(segment: Segment, docMap: [DocID], fieldMap: [UInt32]) {
        (self.segment, self.docMap, self.fieldMap) = (segment, docMap, fieldMap)
    }
}
