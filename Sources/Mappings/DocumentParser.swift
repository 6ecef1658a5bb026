// JSON bytes and a mapping become typed, normalized, encoded values; fields the mapping lacks come back as
// an update. One parser per thread of work: it keeps its tape and look-up tables from document to document.

package import JSON

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

/// Fields that a document brought along.
package struct MappingUpdate: Sendable {
    /// The mapping it was found missing in.
    let base: UInt64
    /// That mapping with the fields.
    let result: Mapping
    /// `{"properties": {...}}` with just the new fields, for the translog: `Mapping.merging` replays it.
    package let definition: JSONObject
}

extension Mapping {
    /// - Returns: true: the document that brought the update stands as parsed. False: the mapping had changed
    ///   meanwhile, the update was merged into it, and the document has to be parsed again.
    /// - Throws: the update contradicts the mapping as it is now; nothing has changed.
    package mutating func adopt(_ update: MappingUpdate) throws(MappingError) -> Bool { true }
}
