// The token filters by Elasticsearch's names: one row each.

extension ChainBuilder {
    typealias MakeFilter = @Sendable (Definition, AnalysisLimits) throws(AnalysisError) -> any TokenFilter
    typealias MakeChainFilter = @Sendable (Definition, ChainBuilder, Preceding?) throws(AnalysisError) -> any TokenFilter

    static let filterTable: [String: MakeFilter] = [
        "lowercase": { d, _ throws(AnalysisError) in LowercaseFilter(language: try lowercaseLanguage(d)) },
        "uppercase": { _, _ in UppercaseFilter() },
        "stop": { d, _ throws(AnalysisError) in
            StopFilter(words: try stopWords(d, fallback: "_english_", ignoreCase: try d.bool("ignore_case", false)), removesTrailing: try d.bool("remove_trailing", true))
        },
        "porter_stem": { _, _ in PorterStemFilter() },
    ]

    /// Filters that look at the chain they stand in.
    static let chainFilterTable: [String: MakeChainFilter] = [:]

    static func lowercaseLanguage(_ d: Definition) throws(AnalysisError) -> LowercaseFilter.Language {
        switch d.string("language") {
        case nil: .any
        case "greek": .greek
        case "irish": .irish
        case "turkish": .turkish
        case let other?: throw AnalysisError("language [\(other)] not support for lower case")
        }
    }

    /// Under `stopwords`: a list, or a named one as "_german_".
    static func stopWords(_ d: Definition, _ key: String = "stopwords", fallback: String, ignoreCase: Bool = false) throws(AnalysisError) -> TermSet {
        var words: [String] = []
        for entry in try d.strings(key) ?? [fallback] {
            if entry.hasPrefix("_") && entry.hasSuffix("_") && entry.count > 1 {
                if entry == "_none_" { continue }
                guard let list = StopWords.named(entry) else {
                    throw AnalysisError("[\(entry)] of [\(d.name)] is no list of stop words: use one as _english_, or _none_, or list the words")
                }
                words += list
            } else {
                words.append(entry)
            }
        }
        return TermSet(words, ignoringCase: ignoreCase)
    }
}
