// Postings being collected in memory, before they become a segment.

package import Analysis
package import Mappings
package import Segments
package import Storage

package final class InvertedBuffer {
    package init() {}

    /// Bytes held, for the flush trigger.
    package var memoryBytes: Int { 0 }

    /// Adds a text's tokens. Documents arrive in rising order. A second call for the same (field, doc) goes on
    /// where the first ended: positions from its positionCount + `gap`, lengths add up.
    /// - Parameter field: an id of the caller's for as long as this buffer lives, dense from 0.
    package func add(
        tokens: TokenBuffer, field: UInt32, options: FieldType.IndexOptions, norms: Bool, doc: DocID, gap: Int32 = 100
    ) {}

    /// Adds one term without frequency, position or norm; the same (field, term, doc) counts once.
    package func add(term: ArraySlice<UInt8>, field: UInt32, doc: DocID) {}

    /// Writes sections termIndex, termBlocks, postings, positions, norms, and fills statistics and feature bits
    /// into `fields` (by final ordinal). The buffer stays as it is.
    /// - Parameter order: buffer-local id -> final ordinal (rising with path).
    package func write(to file: SegmentFileWriter, fields: inout [FieldInfo], order: [UInt32], docCount: Int) throws(StorageError) {}
}
