// Merges the inverted side of several segments into a new one: dictionaries k ways, postings source by source.

package import Segments
package import Storage

package enum InvertedMerge {
    /// Writes sections termIndex, termBlocks, postings, positions, norms of the merged segment, without deleted
    /// documents, and fills statistics and feature bits into `fields` (by merged ordinal).
    package static func write(sources: [MergeSource], fields: inout [FieldInfo], docCount: Int, to file: SegmentFileWriter) throws(StorageError) {}
}
