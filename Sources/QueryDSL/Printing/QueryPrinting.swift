// A `Query` back to Elasticsearch's JSON, in the long form with defaults left out: what was parsed and
// printed parses to the same tree.

package import JSON

extension Query {
    package var json: JSONValue {
        var (name, body) = printed
        var options = JSONObject()
        if boost != 1 { options["boost"] = .number(Double(boost)) }
        if let label = self.name { options["_name"] = .string(label) }
        // For a query on one field they are the field's options, else the query's own; [terms] has no such level.
        if case .object(var object) = body, !options.isEmpty {
            if let (field, inner) = object.members.first, case .field = Query.table[name], case .object(var members) = inner {
                for (key, value) in options { members[key] = value }
                object[field] = .object(members)
            } else {
                for (key, value) in options { object[key] = value }
            }
            body = .object(object)
        }
        return .object(JSONObject([(name, body)]))
    }

    private var printed: (String, JSONValue) {
        switch kind {
        case .matchAll: ("match_all", .object(JSONObject()))
        case .matchNone: ("match_none", .object(JSONObject()))
        case .match(let match): ("match", match.json)
        case .matchBoolPrefix(let match): ("match_bool_prefix", match.json)
        case .matchPhrase(let phrase): ("match_phrase", phrase.json(prefix: false))
        case .matchPhrasePrefix(let phrase): ("match_phrase_prefix", phrase.json(prefix: true))
        case .multiMatch(let query): ("multi_match", query.json)
        case .simpleQueryString(let query): ("simple_query_string", query.json)
        case .functionScore(let score): ("function_score", score.json)
        case .bool(let bool): ("bool", bool.json)
        default: printedExact
        }
    }

    private var printedExact: (String, JSONValue) {
        switch kind {
        case .term(let field, let value, let caseInsensitive):
            ("term", .field(field, [("value", value), ("case_insensitive", .flag(caseInsensitive))]))
        case .terms(let field, let values): ("terms", .object(JSONObject([(field, .array(values))])))
        case .range(let range): ("range", range.json)
        case .prefix(let field, let value, let caseInsensitive):
            ("prefix", .field(field, [("value", .string(value)), ("case_insensitive", .flag(caseInsensitive))]))
        case .wildcard(let field, let pattern, let caseInsensitive):
            ("wildcard", .field(field, [("value", .string(pattern)), ("case_insensitive", .flag(caseInsensitive))]))
        case .regexp(let field, let pattern, let caseInsensitive):
            ("regexp", .field(field, [("value", .string(pattern)), ("case_insensitive", .flag(caseInsensitive))]))
        case .fuzzy(let field, let value, let fuzziness, let prefixLength, let maxExpansions, let transpositions):
            ("fuzzy", .field(field, [
                ("value", .string(value)), ("fuzziness", fuzziness.json), ("prefix_length", .count(prefixLength, unless: 0)),
                ("max_expansions", .count(maxExpansions, unless: 50)), ("transpositions", transpositions ? nil : false),
            ]))
        case .exists(let field): ("exists", ["field": .string(field)])
        case .ids(let ids): ("ids", ["values": .array(ids.map(JSONValue.string))])
        default: printedCompound
        }
    }

    private var printedCompound: (String, JSONValue) {
        switch kind {
        case .constantScore(let query): ("constant_score", ["filter": query.json])
        case .disMax(let queries, let tieBreaker):
            ("dis_max", .options([("queries", .array(queries.map(\.json))), ("tie_breaker", tieBreaker == 0 ? nil : .number(Double(tieBreaker)))]))
        case .boosting(let positive, let negative, let factor):
            ("boosting", ["positive": positive.json, "negative": negative.json, "negative_boost": .number(Double(factor))])
        case .nested(let path, let query): ("nested", ["path": .string(path), "query": query.json])
        default: ("match_none", .object(JSONObject()))
        }
    }
}

extension Query.Match {
    fileprivate var json: JSONValue {
        .field(field, [
            ("query", text), ("operator", op == .and ? "and" : nil), ("minimum_should_match", minimumShouldMatch.map(JSONValue.string)),
            ("fuzziness", fuzziness?.json), ("prefix_length", .count(prefixLength, unless: 0)), ("max_expansions", .count(maxExpansions, unless: 50)),
            ("fuzzy_transpositions", transpositions ? nil : false), ("analyzer", analyzer.map(JSONValue.string)),
            ("zero_terms_query", zeroTerms == .all ? "all" : nil), ("lenient", .flag(lenient)),
            ("auto_generate_synonyms_phrase_query", autoGenerateSynonymsPhraseQuery ? nil : false),
        ])
    }
}

extension Query.Phrase {
    fileprivate func json(prefix: Bool) -> JSONValue {
        .field(field, [
            ("query", text), ("slop", .count(slop, unless: 0)), ("analyzer", analyzer.map(JSONValue.string)),
            ("zero_terms_query", zeroTerms == .all ? "all" : nil), ("max_expansions", prefix ? .count(maxExpansions, unless: 50) : nil),
        ])
    }
}

extension Query.MultiMatch {
    fileprivate var json: JSONValue {
        .options([
            ("query", text), ("fields", fields.isEmpty ? nil : .fields(fields)), ("type", style == .bestFields ? nil : .string(style.name)),
            ("operator", op == .and ? "and" : nil), ("minimum_should_match", minimumShouldMatch.map(JSONValue.string)),
            ("fuzziness", fuzziness?.json), ("prefix_length", .count(prefixLength, unless: 0)), ("max_expansions", .count(maxExpansions, unless: 50)),
            ("fuzzy_transpositions", transpositions ? nil : false), ("tie_breaker", tieBreaker.map { .number(Double($0)) }),
            ("slop", .count(slop, unless: 0)), ("analyzer", analyzer.map(JSONValue.string)),
            ("zero_terms_query", zeroTerms == .all ? "all" : nil), ("lenient", .flag(lenient)),
        ])
    }
}

extension Query.SimpleQueryString {
    fileprivate var json: JSONValue {
        .options([
            ("query", .string(text)), ("fields", fields.isEmpty ? nil : .fields(fields)), ("default_operator", defaultOperator == .and ? "and" : nil),
            ("minimum_should_match", minimumShouldMatch.map(JSONValue.string)), ("analyzer", analyzer.map(JSONValue.string)),
            ("lenient", .flag(lenient)), ("analyze_wildcard", .flag(analyzeWildcard)),
            ("fuzzy_prefix_length", .count(fuzzyPrefixLength, unless: 0)), ("fuzzy_max_expansions", .count(fuzzyMaxExpansions, unless: 50)),
            ("fuzzy_transpositions", fuzzyTranspositions ? nil : false), ("flags", flags.map { .string($0.isEmpty ? "NONE" : $0.sorted().joined(separator: "|")) }),
        ])
    }
}

extension Query.Bool {
    fileprivate var json: JSONValue {
        func clauses(_ queries: [Query]) -> JSONValue? { queries.isEmpty ? nil : .array(queries.map(\.json)) }
        return .options([
            ("must", clauses(must)), ("should", clauses(should)), ("filter", clauses(filter)), ("must_not", clauses(mustNot)),
            ("minimum_should_match", minimumShouldMatch.map(JSONValue.string)),
        ])
    }
}

extension Query.Range {
    fileprivate var json: JSONValue {
        .field(field, [
            (includesLower ? "gte" : "gt", lower), (includesUpper ? "lte" : "lt", upper),
            ("format", format.map(JSONValue.string)), ("time_zone", timeZone.map(JSONValue.string)),
        ])
    }
}

extension Query.FunctionScore {
    fileprivate var json: JSONValue {
        .options([
            ("query", query.json), ("functions", .array(functions.map(\.json))),
            ("score_mode", scoreMode == .multiply ? nil : .string(String(describing: scoreMode))),
            ("boost_mode", boostMode == .multiply ? nil : .string(String(describing: boostMode))),
            ("max_boost", maxBoost == .greatestFiniteMagnitude ? nil : .number(Double(maxBoost))), ("min_score", minScore.map { .number(Double($0)) }),
        ])
    }
}

extension Query.FunctionScore.Item {
    fileprivate var json: JSONValue {
        var members: [(String, JSONValue?)] = [("filter", filter?.json), ("weight", weight.map { .number(Double($0)) })]
        switch function {
        case .weight: break
        case .fieldValueFactor(let field, let factor, let modifier, let missing):
            members.append(("field_value_factor", .options([
                ("field", .string(field)), ("factor", .number(factor)), ("modifier", .string(modifier.rawValue)), ("missing", missing.map(JSONValue.number)),
            ])))
        case .decay(let kind, let field, let origin, let scale, let offset, let decay, let mode):
            members.append((kind.rawValue, .object(JSONObject([
                (field, .options([("origin", origin), ("scale", scale), ("offset", offset), ("decay", .number(decay))])), ("multi_value_mode", .string(mode)),
            ]))))
        case .random(let seed, let field):
            members.append(("random_score", .options([("seed", seed.map(JSONValue.integer)), ("field", field.map(JSONValue.string))])))
        }
        return .options(members)
    }
}

extension Query.Fuzziness {
    fileprivate var json: JSONValue {
        switch self {
        case .edits(let edits): .string(String(edits))
        case .auto(3, 6): "AUTO"
        case .auto(let low, let high): .string("AUTO:\(low),\(high)")
        }
    }
}

extension JSONValue {
    /// Members that have a value. (`cond ? nil : json` is JSON's null to the compiler, so null counts as none.)
    static func options(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(JSONObject(members.compactMap { name, value in value.flatMap { $0.isNull ? Optional.none : (name, $0) } }))
    }

    fileprivate static func field(_ field: String, _ members: [(String, JSONValue?)]) -> JSONValue {
        .object(JSONObject([(field, .options(members))]))
    }

    fileprivate static func flag(_ flag: Bool) -> JSONValue? { flag ? true : nil }
    fileprivate static func count(_ count: Int, unless usual: Int) -> JSONValue? { count == usual ? nil : .integer(Int64(count)) }
    fileprivate static func fields(_ fields: [(name: String, boost: Float)]) -> JSONValue {
        .array(fields.map { .string($0.boost == 1 ? $0.name : "\($0.name)^\($0.boost)") })
    }
}
