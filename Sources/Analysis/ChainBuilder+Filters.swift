// The token filters by Elasticsearch's names: one row each.

extension ChainBuilder {
    typealias MakeFilter = @Sendable (Definition, AnalysisLimits) throws(AnalysisError) -> any TokenFilter
    typealias MakeChainFilter = @Sendable (Definition, ChainBuilder, Preceding?) throws(AnalysisError) -> any TokenFilter

    static let filterTable: [String: MakeFilter] = {
        var table = basicFilters
        table.merge(gramFilters) { a, _ in a }
        table.merge(stemFilters) { a, _ in a }
        for (name, scalars) in Normalizers.byName {
            let make: MakeFilter = { (_: Definition, _: AnalysisLimits) throws(AnalysisError) -> any TokenFilter in scalars }
            table[name] = make
        }
        return table
    }()

    private static let basicFilters: [String: MakeFilter] = [
        "lowercase": { d, _ throws(AnalysisError) in LowercaseFilter(language: try lowercaseLanguage(d)) },
        "uppercase": { _, _ in UppercaseFilter() },
        "asciifolding": { d, _ throws(AnalysisError) in ASCIIFoldingFilter(preservesOriginal: try d.bool("preserve_original", false)) },
        "icu_folding": { _, _ in NormalizationFilter(form: .nfkcCasefold, dropsMarks: true) },
        "icu_normalizer": { d, _ throws(AnalysisError) in NormalizationFilter(form: try normalizationForm(d)) },
        "stop": { d, _ throws(AnalysisError) in
            StopFilter(words: try stopWords(d, fallback: "_english_", ignoreCase: try d.bool("ignore_case", false)), removesTrailing: try d.bool("remove_trailing", true))
        },
        "keep": { d, _ throws(AnalysisError) in
            guard let words = try d.strings("keep_words") else { throw AnalysisError("keep requires either `keep_words` or `keep_words_path` to be configured") }
            return KeepWordsFilter(words: TermSet(words, ignoringCase: try d.bool("keep_words_case", false)))
        },
        "keep_types": { d, _ throws(AnalysisError) in
            guard let types = try d.strings("types"), !types.isEmpty else { throw AnalysisError("keep_types requires `types` to be configured") }
            let mode = d.string("mode") ?? "include"
            guard mode == "include" || mode == "exclude" else { throw AnalysisError("`keep_types` tokenfilter mode can only be [include] or [exclude] but was [\(mode)].") }
            return KeepTypesFilter(types: Set(types), keeps: mode == "include")
        },
        "length": { d, _ throws(AnalysisError) in LengthFilter(min: try d.int("min", 0), max: try d.int("max", Int(Int32.max))) },
        "limit": { d, _ throws(AnalysisError) in LimitFilter(max: try d.int("max_token_count", 1)) },
        "unique": { d, _ throws(AnalysisError) in UniqueFilter(onlyOnSamePosition: try d.bool("only_on_same_position", false)) },
        "remove_duplicates": { _, _ in UniqueFilter(onlyOnSamePosition: true) },
        "fingerprint": { d, _ throws(AnalysisError) in FingerprintFilter(separator: d.string("separator") ?? " ", outputMax: try d.int("max_output_size", 255)) },
        "trim": { _, _ in TrimFilter() },
        "truncate": { d, _ throws(AnalysisError) in
            guard d.type == d.name || d.has("length") else { throw AnalysisError("length parameter must be provided") }
            return TruncateFilter(length: try d.int("length", 10, 1...Int(Int32.max)))
        },
        "reverse": { _, _ in ReverseFilter() },
        "elision": { d, _ throws(AnalysisError) in
            let articles = try d.strings("articles")
            guard articles != nil || d.type == d.name else { throw AnalysisError("elision filter requires [articles] or [articles_path] setting") }
            return ElisionFilter(articles: TermSet(articles ?? Elisions.french, ignoringCase: try d.bool("articles_case", d.type == d.name)))
        },
        "apostrophe": { _, _ in ApostropheFilter() },
        "classic": { _, _ in ClassicFilter() },
        "decimal_digit": { _, _ in DecimalDigitFilter() },
        "cjk_width": { _, _ in CJKWidthFilter() },
        "pattern_replace": { d, _ throws(AnalysisError) in
            guard let pattern = d.string("pattern") else { throw AnalysisError("pattern is missing for [\(d.name)] token filter of type 'pattern_replace'") }
            return PatternReplaceFilter(
                regex: try Regex(pattern, flags: Regex.flags(d.string("flags"), in: d.name), in: d.name), replacement: RegexReplacement(d.string("replacement") ?? ""),
                all: try d.bool("all", true))
        },
        "dictionary_decompounder": { d, _ throws(AnalysisError) in try DecompounderFilter.make(d) },
        "delimited_payload": { d, _ in DelimitedPayloadFilter(delimiter: Array((d.string("delimiter") ?? "|").utf8)) },
        "delimited_payload_filter": { _, _ throws(AnalysisError) in
            throw AnalysisError("[delimited_payload_filter] is not supported for new indices, use [delimited_payload] instead")
        },
        "flatten_graph": { _, _ in FlattenGraphFilter() },
        "possessive_english": { _, _ in PossessiveFilter() },
    ]

    private static let gramFilters: [String: MakeFilter] = [
        "ngram": { d, l throws(AnalysisError) in try GramFilter.make(d, l, onlyEdges: false) },
        "nGram": { d, l throws(AnalysisError) in try GramFilter.make(d, l, onlyEdges: false) },
        "edge_ngram": { d, l throws(AnalysisError) in try GramFilter.make(d, l, onlyEdges: true) },
        "edgeNGram": { d, l throws(AnalysisError) in try GramFilter.make(d, l, onlyEdges: true) },
        "shingle": { d, l throws(AnalysisError) in try ShingleFilter.make(d, l) },
        "word_delimiter": { d, _ throws(AnalysisError) in try WordDelimiterFilter.make(d, graph: false) },
        "word_delimiter_graph": { d, _ throws(AnalysisError) in try WordDelimiterFilter.make(d, graph: true) },
        "pattern_capture": { d, _ throws(AnalysisError) in
            var patterns: [Regex] = []
            for pattern in try d.lines("patterns") ?? [] { patterns.append(try Regex(pattern, in: d.name)) }
            guard !patterns.isEmpty else { throw AnalysisError("required setting 'patterns' is missing for token filter [\(d.name)]") }
            return PatternCaptureFilter(patterns: patterns, preservesOriginal: try d.bool("preserve_original", true))
        },
        "common_grams": { d, _ throws(AnalysisError) in
            guard d.has("common_words") else { throw AnalysisError("missing or empty [common_words] or [common_words_path] configuration for common_grams token filter") }
            return CommonGramsFilter(words: try stopWords(d, "common_words", fallback: "_none_", ignoreCase: try d.bool("ignore_case", false)), queryMode: try d.bool("query_mode", false))
        },
        "cjk_bigram": { d, _ throws(AnalysisError) in
            var scripts: Set<TokenType> = [.ideographic, .hiragana, .katakana, .hangul]
            for name in try d.strings("ignored_scripts") ?? [] {
                switch name {
                case "han": scripts.remove(.ideographic)
                case "hiragana": scripts.remove(.hiragana)
                case "katakana": scripts.remove(.katakana)
                case "hangul": scripts.remove(.hangul)
                default: break
                }
            }
            return CJKBigramFilter(scripts: scripts, outputsUnigrams: try d.bool("output_unigrams", false))
        },
    ]

    private static let stemFilters: [String: MakeFilter] = {
        var table: [String: MakeFilter] = [
            "porter_stem": { _, _ in PorterStemFilter() },
            "kstem": { d, _ throws(AnalysisError) in try Stemmers.named("kstem", in: d.name) },
            "snowball": { d, _ throws(AnalysisError) in try Stemmers.snowball(d.string("language") ?? "English", in: d.name) },
            "stemmer": { d, _ throws(AnalysisError) in try Stemmers.named(d.string("language") ?? d.string("name") ?? "porter", in: d.name) },
            "keyword_repeat": { _, _ in KeywordRepeatFilter() },
            "keyword_marker": { d, _ throws(AnalysisError) in
                let words = try d.strings("keywords"), pattern = d.string("keywords_pattern")
                if words != nil && pattern != nil { throw AnalysisError("cannot specify both `keywords_pattern` and `keywords` or `keywords_path`") }
                guard words != nil || pattern != nil || d.type == d.name else {
                    throw AnalysisError("keyword filter requires either `keywords`, `keywords_path`, or `keywords_pattern` to be configured")
                }
                var regex: Regex?
                if let pattern { regex = try Regex(pattern, in: d.name) }
                return KeywordMarkerFilter(words: TermSet(words ?? [], ignoringCase: try d.bool("ignore_case", false)), regex: regex)
            },
            "stemmer_override": { d, _ throws(AnalysisError) in
                guard let rules = try d.lines("rules") else { throw AnalysisError("stemmer override filter requires either `rules` or `rules_path` to be configured") }
                return try StemmerOverrideFilter(rules: rules, in: d.name)
            },
        ]
        for name in ["arabic", "brazilian", "czech", "dutch", "french", "german", "russian"] {
            let make: MakeFilter = { (d: Definition, _: AnalysisLimits) throws(AnalysisError) -> any TokenFilter in try Stemmers.named(name, in: d.name) }
            table[name + "_stem"] = make
        }
        return table
    }()

    /// Filters that look at the chain they stand in.
    static let chainFilterTable: [String: MakeChainFilter] = [
        "synonym": { d, b, p throws(AnalysisError) in try b.synonyms(d, after: p, graph: false) },
        "synonym_graph": { d, b, p throws(AnalysisError) in try b.synonyms(d, after: p, graph: true) },
        "multiplexer": { d, b, p throws(AnalysisError) in
            var chains: [[any TokenFilter]] = try d.bool("preserve_original", true) ? [[]] : []
            for line in try d.lines("filters") ?? [] {
                var chain: [any TokenFilter] = []
                for name in line.split(separator: ",") {
                    chain.append(try b.namedFilter(trimmed(String(name)), in: "Multiplexer filter [\(d.name)]", after: p).component)
                }
                chains.append(chain)
            }
            return MultiplexerFilter(chains: chains)
        },
    ]

    private func synonyms(_ d: Definition, after preceding: Preceding?, graph: Bool) throws(AnalysisError) -> any TokenFilter {
        if d.has("synonyms_path") || d.has("synonyms_set") {
            throw AnalysisError("[\(d.name)]: synonyms are taken from [synonyms] only: list the rules there")
        }
        guard let lines = try d.lines("synonyms") else { throw AnalysisError("synonym requires either `synonyms`, `synonyms_set` or `synonyms_path` to be configured") }
        let analyzer = AnalysisChain(
            name: d.name, characterFilters: preceding?.characterFilters ?? [],
            tokenizer: preceding?.tokenizer ?? Named(name: "whitespace", component: CharacterTokenizer(kind: .whitespace)), filters: preceding?.filters ?? [])
        do {
            let rules = try SynonymRules(
                lines, wordNet: d.string("format") == "wordnet", expand: try d.bool("expand", true), lenient: try d.bool("lenient", false), analyzer: analyzer)
            return SynonymFilter(rules: rules, isGraph: graph)
        } catch {
            throw AnalysisError("failed to build synonyms: \(error.reason)")
        }
    }

    static func normalizationForm(_ d: Definition) throws(AnalysisError) -> NormalizationForm {
        let decomposes = d.string("mode") == "decompose"
        switch d.string("name") ?? "nfkc_cf" {
        case "nfc": return decomposes ? .nfd : .nfc
        case "nfkc": return decomposes ? .nfkd : .nfkc
        case "nfkc_cf": return .nfkcCasefold
        case let other: throw AnalysisError("[name] of [\(d.name)] is [\(other)]: use nfc, nfkc or nfkc_cf")
        }
    }

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
