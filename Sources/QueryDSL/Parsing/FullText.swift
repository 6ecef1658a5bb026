// Queries over analyzed text: match and its kin, multi_match, the two query string forms.

internal import JSON

enum FullText {
    static func match(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        .match(try matchOptions(field, &m))
    }

    static func matchBoolPrefix(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        .matchBoolPrefix(try matchOptions(field, &m))
    }

    static func matchPhrase(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        .matchPhrase(try phraseOptions(field, &m))
    }

    static func matchPhrasePrefix(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        var phrase = try phraseOptions(field, &m)
        phrase.maxExpansions = try m.integer("max_expansions", from: 1, to: 1024) ?? 50
        return .matchPhrasePrefix(phrase)
    }

    static func multiMatch(_ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let text = m.take("query"), text.scalar != nil else {
            throw QueryError("parsing_exception", "No text specified for multi_match query")
        }
        var query = Query.MultiMatch(fields: try fields(try m.strings("fields") ?? []), text: text)
        query.style = try m.choice("type", [
            "best_fields": .bestFields, "most_fields": .mostFields, "cross_fields": .crossFields,
            "phrase": .phrase, "phrase_prefix": .phrasePrefix, "bool_prefix": .boolPrefix,
        ]) ?? .bestFields
        query.op = try op("operator", &m) ?? .or
        query.minimumShouldMatch = try m.string("minimum_should_match")
        query.fuzziness = try fuzziness(&m)
        query.prefixLength = try m.integer("prefix_length", from: 0, to: 1024) ?? 0
        query.maxExpansions = try m.integer("max_expansions", from: 1, to: 1024) ?? 50
        query.transpositions = try m.bool("fuzzy_transpositions") ?? true
        query.tieBreaker = try m.float("tie_breaker")
        query.slop = try m.integer("slop", from: 0, to: 1 << 20) ?? 0
        query.analyzer = try m.string("analyzer")
        query.zeroTerms = try zeroTerms(&m)
        query.lenient = try m.bool("lenient") ?? false
        try check(query)
        ignore(&m, "auto_generate_synonyms_phrase_query", "fuzzy_rewrite", "cutoff_frequency")
        return .multiMatch(query)
    }

    static func simpleQueryString(_ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let text = try m.string("query") else {
            throw QueryError("parsing_exception", "[simple_query_string] query text missing")
        }
        var query = Query.SimpleQueryString(text: text, fields: try fields(try m.strings("fields") ?? []))
        query.defaultOperator = try op("default_operator", &m) ?? .or
        query.minimumShouldMatch = try m.string("minimum_should_match")
        query.analyzer = try m.string("analyzer")
        query.lenient = try m.bool("lenient") ?? false
        query.analyzeWildcard = try m.bool("analyze_wildcard") ?? false
        query.fuzzyPrefixLength = try m.integer("fuzzy_prefix_length", from: 0, to: 1024) ?? 0
        query.fuzzyMaxExpansions = try m.integer("fuzzy_max_expansions", from: 1, to: 1024) ?? 50
        query.fuzzyTranspositions = try m.bool("fuzzy_transpositions") ?? true
        query.flags = try flags(&m)
        ignore(&m, "auto_generate_synonyms_phrase_query", "quote_field_suffix")
        return .simpleQueryString(query)
    }

    /// Lucene's syntax, taken apart here into bool, match, range and the rest (LuceneSyntax.swift).
    static func queryString(_ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let text = try m.string("query") else {
            throw QueryError("parsing_exception", "[query_string] must be provided with a [query]")
        }
        var syntax = LuceneSyntax()
        let field = try m.string("default_field")
        syntax.fields = try fields(try m.strings("fields") ?? (field.map { $0 == "*" ? [] : [$0] } ?? []))
        syntax.defaultOperator = try op("default_operator", &m) ?? .or
        syntax.analyzer = try m.string("analyzer")
        syntax.lenient = try m.bool("lenient") ?? false
        syntax.minimumShouldMatch = try m.string("minimum_should_match")
        syntax.slop = try m.integer("phrase_slop", from: 0, to: 1 << 20) ?? 0
        ignore(&m, "allow_leading_wildcard", "analyze_wildcard", "auto_generate_synonyms_phrase_query", "enable_position_increments",
            "escape", "fuzziness", "fuzzy_max_expansions", "fuzzy_prefix_length", "fuzzy_rewrite", "fuzzy_transpositions",
            "max_determinized_states", "quote_analyzer", "quote_field_suffix", "rewrite", "tie_breaker", "time_zone", "type",
            "auto_generate_phrase_queries")
        return try syntax.parse(text, bounds: m.bounds).kind
    }

    // MARK: - options that several share

    /// "title^2" -> ("title", 2)
    static func fields(_ names: [String]) throws(QueryError) -> [(name: String, boost: Float)] {
        var fields: [(name: String, boost: Float)] = []
        for name in names {
            guard let caret = name.lastIndex(of: "^") else {
                fields.append((name, 1))
                continue
            }
            guard let boost = Float(name[name.index(after: caret)...]), boost.isFinite, boost >= 0 else {
                throw QueryError("illegal_argument_exception", "[\(name)] has no number after its ^; write field^2")
            }
            fields.append((String(name[..<caret]), boost))
        }
        return fields
    }

    static func op(_ name: String, _ m: inout Members) throws(QueryError) -> Query.Operator? {
        try m.choice(name, ["or": .or, "and": .and])
    }

    static func fuzziness(_ m: inout Members) throws(QueryError) -> Query.Fuzziness? {
        guard let value = m.take("fuzziness"), !value.isNull else { return nil }
        guard let fuzziness = Query.Fuzziness(value) else {
            throw QueryError("parse_exception", "Invalid fuzziness value: \(value.scalar ?? value.shown); write 0, 1, 2, AUTO or AUTO:3,6")
        }
        return fuzziness
    }

    /// Options that we know and that change nothing here.
    static func ignore(_ m: inout Members, _ names: String...) { for name in names { _ = m.take(name) } }

    private static func matchOptions(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Match {
        var match = Query.Match(field: field, text: try text(&m))
        match.op = try op("operator", &m) ?? .or
        match.minimumShouldMatch = try m.string("minimum_should_match")
        match.fuzziness = try fuzziness(&m)
        match.prefixLength = try m.integer("prefix_length", from: 0, to: 1024) ?? 0
        match.maxExpansions = try m.integer("max_expansions", from: 1, to: 1024) ?? 50
        match.transpositions = try m.bool("fuzzy_transpositions") ?? true
        match.analyzer = try m.string("analyzer")
        match.zeroTerms = try zeroTerms(&m)
        match.lenient = try m.bool("lenient") ?? false
        match.autoGenerateSynonymsPhraseQuery = try m.bool("auto_generate_synonyms_phrase_query") ?? true
        ignore(&m, "fuzzy_rewrite", "cutoff_frequency")
        return match
    }

    private static func phraseOptions(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Phrase {
        var phrase = Query.Phrase(field: field, text: try text(&m))
        phrase.slop = try m.integer("slop", from: 0, to: 1 << 20) ?? 0
        phrase.analyzer = try m.string("analyzer")
        phrase.zeroTerms = try zeroTerms(&m)
        return phrase
    }

    private static func text(_ m: inout Members) throws(QueryError) -> JSONValue {
        guard let text = m.take("query"), !text.isNull else {
            throw QueryError("illegal_argument_exception", "[\(m.owner)] requires query value")
        }
        guard text.scalar != nil else {
            throw QueryError("parsing_exception", "[\(m.owner)] unknown token [\(text.tokenName)] after [query]")
        }
        return text
    }

    private static func zeroTerms(_ m: inout Members) throws(QueryError) -> Query.ZeroTerms {
        try m.choice("zero_terms_query", ["none": Query.ZeroTerms.none, "all": .all]) ?? .none
    }

    private static func flags(_ m: inout Members) throws(QueryError) -> Set<String>? {
        guard let text = try m.string("flags") else { return nil }
        let flags = Set(text.split(separator: "|").map { $0.filter { $0 != " " }.uppercased() })
        let known: Set = ["ALL", "NONE", "AND", "NOT", "OR", "PREFIX", "PHRASE", "PRECEDENCE", "ESCAPE", "WHITESPACE", "FUZZY", "NEAR", "SLOP"]
        if let unknown = flags.subtracting(known).min(), Int(unknown) == nil {
            throw QueryError("illegal_argument_exception", "Unknown simple_query_string flag [\(unknown)]")
        }
        return flags.contains("ALL") || flags == ["-1"] ? nil : flags.subtracting(["NONE"])
    }

    /// Combinations that Elasticsearch refuses.
    private static func check(_ query: Query.MultiMatch) throws(QueryError) {
        let exclusive: [Query.MultiMatch.Style] = [.crossFields, .phrase, .phrasePrefix]
        if query.fuzziness != nil, let style = exclusive.first(where: { $0 == query.style }) {
            throw QueryError("parsing_exception", "Fuzziness not allowed for type [\(style.name)]")
        }
        if query.slop != 0, query.style == .boolPrefix {
            throw QueryError("parsing_exception", "[slop] not allowed for type [bool_prefix]")
        }
    }
}

extension Query.Fuzziness {
    /// "AUTO", "AUTO:3,6", 1, "1", "1.0"
    init?(_ value: JSONValue) {
        guard let text = value.scalar?.uppercased() else { return nil }
        if text == "AUTO" {
            self = .auto
        } else if text.hasPrefix("AUTO:") {
            let parts = text.dropFirst(5).split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard parts.count == 2, let low = parts[0], let high = parts[1], low >= 0, low <= high else { return nil }
            self = .auto(low: low, high: high)
        } else {
            guard let number = Double(text), let edits = Int(exactly: number), (0...2).contains(edits) else { return nil }
            self = .edits(edits)
        }
    }
}

extension Query.MultiMatch.Style {
    /// As requests write it.
    package var name: String {
        switch self {
        case .bestFields: "best_fields"
        case .mostFields: "most_fields"
        case .crossFields: "cross_fields"
        case .phrase: "phrase"
        case .phrasePrefix: "phrase_prefix"
        case .boolPrefix: "bool_prefix"
        }
    }
}
