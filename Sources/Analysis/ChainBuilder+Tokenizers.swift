// The tokenizers by Elasticsearch's names: one row each.

extension ChainBuilder {
    typealias MakeTokenizer = @Sendable (Definition, AnalysisLimits) throws(AnalysisError) -> any Tokenizer

    static let tokenizerTable: [String: MakeTokenizer] = [
        "standard": { d, _ throws(AnalysisError) in StandardTokenizer(maxTokenLength: try d.int("max_token_length", 255, 1...1_048_576)) },
        "keyword": { _, _ in KeywordTokenizer() },
        "whitespace": { d, _ throws(AnalysisError) in CharacterTokenizer(kind: .whitespace, maxTokenLength: try d.int("max_token_length", 255, 1...1_048_576)) },
        "letter": { _, _ in CharacterTokenizer(kind: .letter) },
        "pattern": { d, _ throws(AnalysisError) in
            try PatternTokenizer.make(
                d.string("pattern") ?? "\\W+", flags: Regex.flags(d.string("flags"), in: d.name), group: d.int("group", -1, -1...1000), in: d.name)
        },
        "simple_pattern": { d, _ throws(AnalysisError) in
            PatternTokenizer(regex: try Regex(d.string("pattern") ?? "", in: d.name), group: 0)
        },
        "simple_pattern_split": { d, _ throws(AnalysisError) in
            try PatternTokenizer.make(d.string("pattern") ?? "", flags: 0, group: -1, in: d.name)
        },
        "ngram": { d, l throws(AnalysisError) in try GramTokenizer.make(d, l, onlyEdges: false) },
        "nGram": { d, l throws(AnalysisError) in try GramTokenizer.make(d, l, onlyEdges: false) },
        "edge_ngram": { d, l throws(AnalysisError) in try GramTokenizer.make(d, l, onlyEdges: true) },
        "edgeNGram": { d, l throws(AnalysisError) in try GramTokenizer.make(d, l, onlyEdges: true) },
        "path_hierarchy": { d, _ throws(AnalysisError) in try PathTokenizer.make(d) },
        "PathHierarchy": { d, _ throws(AnalysisError) in try PathTokenizer.make(d) },
        "char_group": { d, _ throws(AnalysisError) in try charGroup(d) },
        "icu_tokenizer": { _, _ in ICUTokenizer() },
        "icu": { _, _ in ICUTokenizer() },
        "thai": { _, _ in ThaiTokenizer() },
        "classic": { d, _ throws(AnalysisError) in ClassicTokenizer(maxTokenLength: try d.int("max_token_length", 255, 1...1_048_576), findsAddresses: false) },
        "uax_url_email": { d, _ throws(AnalysisError) in ClassicTokenizer(maxTokenLength: try d.int("max_token_length", 255, 1...1_048_576), findsAddresses: true) },
        "lowercase": { _, _ in CharacterTokenizer(kind: .letter, lowercases: true) },
    ]

    private static func charGroup(_ d: Definition) throws(AnalysisError) -> any Tokenizer {
        var group = CharacterGroup()
        for entry in try d.lines("tokenize_on_chars") ?? [] {
            if group.add(named: entry) { continue }
            if let scalar = entry.unicodeScalars.first, entry.unicodeScalars.count == 1 {
                group.add(scalar: scalar.value)
            } else if entry.hasPrefix("\\"), let scalar = unescaped(entry).unicodeScalars.first {
                group.add(scalar: scalar.value)
            } else {
                throw AnalysisError("Invalid escaped char in [\(entry)]")
            }
        }
        return CharacterTokenizer(kind: .group(group), maxTokenLength: try d.int("max_token_length", 255, 1...1_048_576))
    }
}

/// Java's escapes \t \n \r \b \f \uXXXX \\ in settings.
func unescaped(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    var scalars = Array(text.unicodeScalars)[...]
    while let c = scalars.popFirst() {
        guard c == "\\", let e = scalars.popFirst() else {
            out.append(c)
            continue
        }
        switch e {
        case "t": out.append("\t")
        case "n": out.append("\n")
        case "r": out.append("\r")
        case "b": out.append("\u{8}")
        case "f": out.append("\u{C}")
        case "u":
            let hex = String(String.UnicodeScalarView(scalars.prefix(4)))
            if hex.unicodeScalars.count == 4, let value = UInt32(hex, radix: 16), let scalar = Unicode.Scalar(value) {
                out.append(scalar)
                scalars = scalars.dropFirst(4)
            } else {
                out.append(e)
            }
        default: out.append(e)
        }
    }
    return String(out)
}
