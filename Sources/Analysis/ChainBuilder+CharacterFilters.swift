// The character filters by Elasticsearch's names: one row each.

extension ChainBuilder {
    typealias MakeCharacterFilter = @Sendable (Definition) throws(AnalysisError) -> any CharacterFilter

    static let characterFilterTable: [String: MakeCharacterFilter] = [
        "html_strip": { d throws(AnalysisError) in HTMLStripCharFilter(escapedTags: Set((try d.strings("escaped_tags") ?? []).map { $0.lowercased() })) },
        "mapping": { d throws(AnalysisError) in
            guard let rules = try d.lines("mappings") else { throw AnalysisError("mapping requires either `mappings` or `mappings_path` to be configured") }
            return try MappingCharFilter(rules: rules, in: d.name)
        },
        "pattern_replace": { d throws(AnalysisError) in
            guard let pattern = d.string("pattern") else { throw AnalysisError("pattern is missing for [\(d.name)] char filter of type 'pattern_replace'") }
            return PatternReplaceCharFilter(
                regex: try Regex(pattern, flags: Regex.flags(d.string("flags"), in: d.name), in: d.name), replacement: RegexReplacement(d.string("replacement") ?? ""))
        },
        "icu_normalizer": { d throws(AnalysisError) in NormalizationCharFilter(form: try normalizationForm(d)) },
        "persian": { _ in PersianCharFilter() },
    ]
}
