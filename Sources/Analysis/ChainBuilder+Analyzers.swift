// The built-in analyzers by Elasticsearch's names: one row each.

extension ChainBuilder {
    typealias MakeAnalyzer = @Sendable (Definition, ChainBuilder) throws(AnalysisError) -> any Analyzer

    static let unsupportedAnalyzers: Set<String> = ["standard_html_strip"]

    static let analyzerTable: [String: MakeAnalyzer] = [
        "standard": { d, _ throws(AnalysisError) in
            try chain(d, standard(d), [("lowercase", LowercaseFilter())] + stop(d, "_none_"))
        },
        "simple": { d, _ throws(AnalysisError) in
            try chain(d, ("lowercase", CharacterTokenizer(kind: .letter, lowercases: true)), [])
        },
        "whitespace": { d, _ throws(AnalysisError) in try chain(d, ("whitespace", CharacterTokenizer(kind: .whitespace)), []) },
        "keyword": { d, _ throws(AnalysisError) in try chain(d, ("keyword", KeywordTokenizer()), []) },
        "stop": { d, _ throws(AnalysisError) in
            try chain(d, ("lowercase", CharacterTokenizer(kind: .letter, lowercases: true)), stop(d, "_english_"))
        },
        "english": { d, _ throws(AnalysisError) in
            try chain(d, standard(d), [("possessive_english", PossessiveFilter()), ("lowercase", LowercaseFilter())] + stop(d, "_english_")
                + [("porter_stem", PorterStemFilter())])
        },
    ]

    typealias Part<C> = (name: String, component: C)

    static func chain(_ d: Definition, _ tokenizer: Part<any Tokenizer>, _ filters: [Part<any TokenFilter>]) throws(AnalysisError) -> AnalysisChain {
        AnalysisChain(
            name: d.name, positionIncrementGap: try d.int("position_increment_gap", 100),
            tokenizer: Named(name: tokenizer.name, component: tokenizer.component),
            filters: filters.map { Named(name: $0.name, component: $0.component) })
    }

    static func standard(_ d: Definition) throws(AnalysisError) -> Part<any Tokenizer> {
        ("standard", StandardTokenizer(maxTokenLength: try d.int("max_token_length", 255, 1...1_048_576)))
    }

    static func stop(_ d: Definition, _ fallback: String) throws(AnalysisError) -> [Part<any TokenFilter>] {
        let words = try stopWords(d, fallback: fallback)
        return words.count == 0 ? [] : [("stop", StopFilter(words: words))]
    }
}
