// stub
package import Segments
package import Storage

/// What a field wants of the columns; the same at every call for a field.
package struct ColumnOptions: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A column (doc_values). Without it and `points`, calls for the field do nothing.
    package static let column = ColumnOptions(rawValue: 1)
    /// Points for ranges (index: true).
    package static let points = ColumnOptions(rawValue: 2)
    /// Values are `SortableDouble`s: decimals are packed as such.
    package static let doubles = ColumnOptions(rawValue: 4)
}

package final class ColumnBuffer {
    package init() {}
    /// Documents come in rising order, from 0; several values of a field and document may.
    package func addNumber(field: UInt32, doc: DocID, value: Int64, options: ColumnOptions) {}
    package func addKeyword(field: UInt32, doc: DocID, bytes: ArraySlice<UInt8>) {}
    /// Once per document, in rising order without gaps.
    package func addDocument(doc: DocID, id: String, source: [UInt8], version: Int64, sequenceNumber: Int64, primaryTerm: Int64 = 1, routing: String? = nil) {}
    package var memoryBytes: Int { 0 }
    /// For look-ups before the buffer is sealed (real-time get).
    package func source(of doc: DocID) -> [UInt8] { [] }
    package func write(to file: SegmentFileWriter, fields: inout [FieldInfo], order: [UInt32], docCount: Int) throws(StorageError) {}
}
