// Stemmers by Elasticsearch's names, for the `stemmer` and `snowball` filters and the language analyzers.

enum Stemmers {
    /// `snowball`'s languages ("German", "German2", "Porter", ...).
    static func snowball(_ language: String, in name: String) throws(AnalysisError) -> any TokenFilter {
        switch language.lowercased() {
        case "german2": try SnowballFilter("german", in: name)
        case "dutch": try SnowballFilter("dutch", in: name)
        default: try SnowballFilter(language.lowercased(), in: name)
        }
    }

    /// `stemmer`'s languages ("light_german", "possessive_english", ...).
    static func named(_ language: String, in name: String) throws(AnalysisError) -> any TokenFilter {
        let language = language.lowercased()
        switch language {
        case "english", "porter": return PorterStemFilter()
        case "porter2": return try SnowballFilter("english", in: name)
        case "possessive_english": return PossessiveFilter()
        case "minimal_english", "light_english", "kstem": return ScalarStemFilter(stem: LightStemmers.minimalEnglish)
        default: break
        }
        if let stem = LightStemmers.byName[language] { return ScalarStemFilter(stem: stem) }
        if let algorithm = snowballNames[language] { return try SnowballFilter(algorithm, in: name) }
        throw AnalysisError("Invalid stemmer class specified: \(language) (of [\(name)]): see docs/analysis.md for the languages")
    }

    private static let snowballNames: [String: String] = {
        var names: [String: String] = [:]
        for name in [
            "arabic", "armenian", "basque", "catalan", "danish", "dutch", "finnish", "french", "german", "greek", "hindi", "hungarian", "indonesian",
            "irish", "italian", "lithuanian", "nepali", "norwegian", "portuguese", "romanian", "russian", "serbian", "spanish", "swedish", "tamil",
            "turkish", "yiddish",
        ] { names[name] = name }
        names["german2"] = "german"
        names["brazilian"] = "portuguese"
        return names
    }()
}

/// Articles that elision drops, by language (Lucene's analyzers).
enum Elisions {
    static let french = ["l", "m", "t", "qu", "n", "s", "j", "d", "c", "jusqu", "quoiqu", "lorsqu", "puisqu"]
    static let catalan = ["d", "l", "m", "n", "s", "t"]
    static let irish = ["d", "m", "b"]
    static let italian = [
        "c", "l", "all", "dall", "dell", "nell", "sull", "coll", "pell", "gl", "agl", "dagl", "degl", "negl", "sugl", "un", "m", "t", "s", "v", "d",
    ]
}
