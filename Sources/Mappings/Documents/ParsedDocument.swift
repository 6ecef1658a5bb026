// A document after mapping: typed values by field, in flat arrays, ready for the write buffers. Reused
// from document to document.


package struct ParsedDocument: Sendable {
    package enum Value: Sendable {
        /// To be analyzed by the field's analyzer. Where the UTF-8 lies in `bytes`.
        case text(Range<Int>)
        /// One term, normalized already.
        case keyword(Range<Int>)
        /// In the encoding of the field's kind (see `SortableDouble`).
        case number(Int64)
    }

    package struct Field: Sendable {
        package let type: FieldType
        package let value: Value
        package init(type: FieldType, value: Value) { (self.type, self.value) = (type, value) }
    }

    package var id = ""
    package var routing: String?
    /// The arena of `fields`' text.
    package var bytes: [UInt8] = []
    /// Values in document order; a field's several values follow each other in that order, though values of
    /// other fields may lie between.
    package var fields: [Field] = []
    /// Full paths of fields that had a value but were not indexed for it (ignore_above, ignore_malformed).
    package var ignored: [String] = []
    /// `_source` as it came.
    package var source: [UInt8] = []

    package init() {}

    package mutating func removeAll() {
        id = ""
        routing = nil
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        ignored.removeAll(keepingCapacity: true)
        source.removeAll(keepingCapacity: true)
    }
}

/// The caller erred: the document does not fit the mapping, or the mapping is wrong.
package struct MappingError: Error, Equatable {
    /// Elasticsearch's `type`: "mapper_parsing_exception" / "document_parsing_exception",
    /// "strict_dynamic_mapping_exception", "illegal_argument_exception".
    package let type: String
    package let reason: String
    package let causedBy: String?
    package init(_ type: String, _ reason: String, causedBy: String? = nil) { (self.type, self.reason, self.causedBy) = (type, reason, causedBy) }
}
