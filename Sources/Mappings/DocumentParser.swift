// JSON bytes and a mapping become typed, normalized, encoded values; fields the mapping lacks come back as
// an update. One parser per thread of work: it keeps its tape and look-up tables from document to document.

internal import JSON

package struct DocumentParser: ~Copyable {
    package init() {}

    /// Fills `document` (all but its id and routing, which the caller has set) from `source`.
    ///
    /// - Returns: nil when the mapping has every field. Otherwise what it lacks: hand it to `Mapping.adopt`, which
    ///   says whether the parsed document stands or has to be parsed again.
    /// - Throws: document_parsing_exception, strict_dynamic_mapping_exception, ...: the document is then undefined.
    package mutating func parse(
        _ source: RawSpan, with mapping: Mapping, into document: inout ParsedDocument
    ) throws(MappingError) -> MappingUpdate? { nil }
}
