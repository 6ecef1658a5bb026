// An index's mapping at one moment: immutable; documents that bring new fields make a new one.

package import Analysis
package import JSON

package struct Mapping: Sendable {
    private var fields: [String: FieldType] = [:]
    private var analyzers: [String: any Analyzer] = [:]

    package init() {}

    /// From the `mappings` of an index creation.
    /// - Throws: mapper_parsing_exception, in Elasticsearch's words.
    package init(_ mappings: JSONObject, analyzers: AnalyzerSet, limits: MappingLimits = MappingLimits()) throws(MappingError) {}

    /// With the body of `PUT _mapping` merged in, or a `MappingUpdate.definition`.
    /// - Throws: mapper_parsing_exception, or illegal_argument_exception for what may not change.
    package func merging(_ mappings: JSONObject) throws(MappingError) -> Mapping { self }

    /// As `GET _mapping` shows it: what was given and is not the default, sorted.
    package var definition: JSONObject { JSONObject() }

    /// As `GET _mapping/field/PATTERN` shows it: full path -> {"full_name": ..., "mapping": {leaf: ...}}.
    package func fieldDefinitions(matching pattern: String, includeDefaults: Bool = false) -> JSONObject { JSONObject() }

    /// The field at a full path; aliases are followed. Nil when unmapped.
    package func field(_ path: String) -> FieldType? {
        guard let type = fields[path] else { return nil }
        return type.aliasPath.flatMap { fields[$0] } ?? type
    }

    /// Paths of mapped leaf fields (multi-fields and aliases too, objects not) that match a name or a pattern with `*`, sorted.
    package func paths(matching pattern: String) -> [String] { fields.keys.filter { $0 == pattern }.sorted() }

    /// Leaf fields below an object, sorted; empty when the path is not an object. `exists` on an object asks for any of them.
    package func paths(below object: String) -> [String] { [] }

    package func hasObject(_ path: String) -> Bool { false }

    package var fieldCount: Int { fields.count }

    /// An analyzer of the index's settings, or a built-in one.
    package func analyzer(named name: String) -> (any Analyzer)? { analyzers[name] }

    /// `_source`: whether documents keep theirs, and what of it.
    package var source: SourceRule { SourceRule() }
    /// `_routing.required`.
    package var routingRequired: Bool { false }
}

package struct SourceRule: Sendable, Equatable {
    package var enabled = true
    package var includes: [String] = []
    package var excludes: [String] = []
    package init() {}
}

/// Bounds, from index.mapping.*.
package struct MappingLimits: Sendable {
    package var fieldsMax = 100_000
    package var depthMax = 20
    package var nameLengthMax = Int.max
    package var coerce = true
    package var ignoreMalformed = false
    package init() {}
    /// From flat index settings ("index.mapping.total_fields.limit"); unknown ones are not ours to judge.
    package init(settings: JSONObject) throws(MappingError) {}
}

/// Where a mapping finds its analyzers and normalizers.
package struct AnalyzerSet: Sendable {
    let analyzer: @Sendable (String) throws(AnalysisError) -> (any Analyzer)?
    let normalizer: @Sendable (String) throws(AnalysisError) -> (any Analyzer)?

    /// - Parameter analyzer: "default", "default_search", built-in names and the index's own; nil when unknown.
    package init(
        analyzer: @escaping @Sendable (String) throws(AnalysisError) -> (any Analyzer)?,
        normalizer: @escaping @Sendable (String) throws(AnalysisError) -> (any Analyzer)?
    ) {
        (self.analyzer, self.normalizer) = (analyzer, normalizer)
    }
}
