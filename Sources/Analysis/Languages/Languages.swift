// The language analyzers, as data: what stands before lower-casing, how case is lowered, what is normalized
// before and after the stop words, and the stemmer. The order of parts is that of Lucene's analyzers.
//
//     tokenizer - before - lowercase - normalizers - stop - keyword_marker (stem_exclusion) - late - stemmer

struct Language: Sendable {
    var before: [String] = []
    var lowercase = LowercaseFilter.Language.any
    var lowercasesLast = false
    var normalizers: [String] = []
    /// Normalizers that come before the stop words but after the exclusions (Bengali, Hindi).
    var afterExclusions = false
    /// The list's name; nil for none.
    var stop: String?
    /// More words dropped before lower-casing (Irish hyphenations).
    var late: [String] = []
    /// A name for `Stemmers.named`; nil for none.
    var stemmer: String?
    var overrides: [String] = []
    var elision: [String] = []
    var elidesFirst = true
    var tokenizer: (@Sendable () -> any Tokenizer)?
    var characterFilters: [any CharacterFilter] = []

    func chain(_ d: Definition) throws(AnalysisError) -> AnalysisChain {
        var filters: [Named<any TokenFilter>] = []
        func add(_ name: String, _ filter: any TokenFilter) { filters.append(Named(name: name, component: filter)) }
        func builtIn(_ name: String) throws(AnalysisError) {
            guard let make = ChainBuilder.filterTable[name] else { throw AnalysisError("no filter [\(name)]") }
            add(name, try make(Definition(name: name, type: name), AnalysisLimits()))
        }
        for name in before { try builtIn(name) }
        if !elision.isEmpty { add("elision", ElisionFilter(articles: TermSet(elision, ignoringCase: true))) }
        if stop == "_irish_" { add("stop", StopFilter(words: TermSet(["h", "n", "t"], ignoringCase: true))) }
        if !lowercasesLast { add("lowercase", LowercaseFilter(language: lowercase)) }
        let excluded = try d.strings("stem_exclusion").map { TermSet($0) }
        func exclude() {
            if let excluded, excluded.count > 0 { add("keyword_marker", KeywordMarkerFilter(words: excluded, regex: nil)) }
        }
        if afterExclusions { exclude() }
        for name in normalizers { try builtIn(name) }
        if lowercasesLast { add("lowercase", LowercaseFilter(language: lowercase)) }
        let words = try ChainBuilder.stopWords(d, fallback: stop ?? "_none_")
        if words.count > 0 { add("stop", StopFilter(words: words)) }
        if !afterExclusions { exclude() }
        for name in late { try builtIn(name) }
        if !overrides.isEmpty { add("stemmer_override", try StemmerOverrideFilter(rules: overrides, in: d.name)) }
        if let stemmer { add(stemmer == "english" ? "porter_stem" : "stemmer", try Stemmers.named(stemmer, in: d.name)) }
        let words255: any Tokenizer = tokenizer?() ?? StandardTokenizer()
        let longer = try d.int("max_token_length", 255, 1...1_048_576)
        return AnalysisChain(
            name: d.name, positionIncrementGap: try d.int("position_increment_gap", 100),
            characterFilters: characterFilters.map { Named(name: "persian", component: $0) },
            tokenizer: Named(name: tokenizer == nil ? "standard" : "thai", component: longer == 255 ? words255 : StandardTokenizer(maxTokenLength: longer)),
            filters: filters)
    }
}

extension ChainBuilder {
    static let languages: [String: Language] = [
        "arabic": Language(normalizers: ["decimal_digit"], stop: "_arabic_", late: ["arabic_normalization"], stemmer: "arabic"),
        "armenian": Language(stop: "_armenian_", stemmer: "armenian"),
        "basque": Language(stop: "_basque_", stemmer: "basque"),
        "bengali": Language(normalizers: ["decimal_digit", "indic_normalization", "bengali_normalization"], afterExclusions: true, stop: "_bengali_"),
        "brazilian": Language(stop: "_brazilian_", stemmer: "portuguese"),
        "bulgarian": Language(stop: "_bulgarian_", stemmer: "bulgarian"),
        "catalan": Language(stop: "_catalan_", stemmer: "catalan", elision: Elisions.catalan),
        "cjk": Language(before: ["cjk_width"], normalizers: ["cjk_bigram"], stop: "_cjk_"),
        "czech": Language(stop: "_czech_", stemmer: "czech"),
        "danish": Language(stop: "_danish_", stemmer: "danish"),
        "dutch": Language(stop: "_dutch_", stemmer: "dutch", overrides: ["fiets=>fiets", "bromfiets=>bromfiets", "ei=>eier", "kind=>kinder"]),
        "english": Language(before: ["possessive_english"], stop: "_english_", stemmer: "english"),
        "estonian": Language(stop: "_estonian_"),
        "finnish": Language(stop: "_finnish_", stemmer: "finnish"),
        "french": Language(stop: "_french_", stemmer: "light_french", elision: Elisions.french),
        "galician": Language(stop: "_galician_"),
        "german": Language(stop: "_german_", late: ["german_normalization"], stemmer: "light_german"),
        "greek": Language(lowercase: .greek, stop: "_greek_", stemmer: "greek"),
        "hindi": Language(normalizers: ["decimal_digit", "indic_normalization", "hindi_normalization"], afterExclusions: true, stop: "_hindi_", stemmer: "hindi"),
        "hungarian": Language(stop: "_hungarian_", stemmer: "hungarian"),
        "indonesian": Language(stop: "_indonesian_", stemmer: "indonesian"),
        "irish": Language(lowercase: .irish, stop: "_irish_", stemmer: "irish", elision: Elisions.irish),
        "italian": Language(stop: "_italian_", stemmer: "light_italian", elision: Elisions.italian),
        "latvian": Language(stop: "_latvian_", stemmer: "latvian"),
        "lithuanian": Language(stop: "_lithuanian_", stemmer: "lithuanian"),
        "norwegian": Language(stop: "_norwegian_", stemmer: "norwegian"),
        "persian": Language(
            normalizers: ["decimal_digit", "arabic_normalization", "persian_normalization"], stop: "_persian_", characterFilters: [PersianCharFilter()]),
        "portuguese": Language(stop: "_portuguese_", stemmer: "light_portuguese"),
        "romanian": Language(stop: "_romanian_", stemmer: "romanian"),
        "russian": Language(stop: "_russian_", stemmer: "russian"),
        "serbian": Language(late: ["serbian_normalization"]),
        "sorani": Language(before: ["sorani_normalization"], normalizers: ["decimal_digit"], stop: "_sorani_", stemmer: "sorani"),
        "spanish": Language(stop: "_spanish_", stemmer: "light_spanish"),
        "swedish": Language(stop: "_swedish_", stemmer: "swedish"),
        "thai": Language(normalizers: ["decimal_digit"], stop: "_thai_", tokenizer: { ThaiTokenizer() }),
        "turkish": Language(before: ["apostrophe"], lowercase: .turkish, stop: "_turkish_", stemmer: "turkish"),
    ]
}
