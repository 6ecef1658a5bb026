// The built-in analyzers by Elasticsearch's names: one row each. Languages are rows of `languages`.

extension ChainBuilder {
    typealias MakeAnalyzer = @Sendable (Definition, ChainBuilder) throws(AnalysisError) -> any Analyzer
    typealias Part<C> = (name: String, component: C)

    static let unsupportedAnalyzers: Set<String> = ["standard_html_strip"]

    static let analyzerTable: [String: MakeAnalyzer] = {
        var table = generalAnalyzers
        for (name, language) in languages {
            let make: MakeAnalyzer = { (d: Definition, _: ChainBuilder) throws(AnalysisError) -> any Analyzer in try language.chain(d) }
            table[name] = make
        }
        return table
    }()

    private static let generalAnalyzers: [String: MakeAnalyzer] = [
        "standard": { d, _ throws(AnalysisError) in
            try chain(d, standard(d), [("lowercase", LowercaseFilter())] + stop(d, "_none_"))
        },
        "default": { d, _ throws(AnalysisError) in
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
        "pattern": { d, _ throws(AnalysisError) in
            let tokenizer = try PatternTokenizer.make(d.string("pattern") ?? "\\W+", flags: Regex.flags(d.string("flags"), in: d.name), group: -1, in: d.name)
            let lowers: [Part<any TokenFilter>] = try d.bool("lowercase", true) ? [("lowercase", LowercaseFilter())] : []
            return try chain(d, ("pattern", tokenizer), lowers + stop(d, "_none_"))
        },
        "fingerprint": { d, _ throws(AnalysisError) in
            try chain(d, standard(d), [("lowercase", LowercaseFilter()), ("asciifolding", ASCIIFoldingFilter(preservesOriginal: false))]
                + stop(d, "_none_")
                + [("fingerprint", FingerprintFilter(separator: d.string("separator") ?? " ", outputMax: try d.int("max_output_size", 255)))])
        },
        "snowball": { d, _ throws(AnalysisError) in
            let language = d.string("language") ?? "English"
            let words = StopWords.named("_\(language.lowercased())_") == nil || language == "Porter" ? "_english_" : "_\(language.lowercased())_"
            return try chain(d, standard(d), [("lowercase", LowercaseFilter())] + stop(d, words) + [("snowball", Stemmers.snowball(language, in: d.name))])
        },
        "chinese": { d, _ throws(AnalysisError) in
            try chain(d, standard(d), [("lowercase", LowercaseFilter())] + stop(d, "_english_"))
        },
        "product": { d, _ throws(AnalysisError) in
            try chain(d, ("product", ProductTokenizer()), [
                ("lowercase", LowercaseFilter()), ("asciifolding", ASCIIFoldingFilter(preservesOriginal: false)), ("product", ProductFilter()),
            ])
        },
        "icu_analyzer": { d, _ throws(AnalysisError) in
            var characters: [Named<any CharacterFilter>] = []
            characters.append(Named(name: "icu_normalizer", component: NormalizationCharFilter(form: .nfkcCasefold)))
            return AnalysisChain(
                name: d.name, positionIncrementGap: try d.int("position_increment_gap", 100), characterFilters: characters,
                tokenizer: Named(name: "icu_tokenizer", component: ICUTokenizer()),
                filters: [Named(name: "icu_folding", component: NormalizationFilter(form: .nfkcCasefold, dropsMarks: true))])
        },
    ]

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
