// match and match_bool_prefix: a text, analyzed, as clauses over terms.

internal import Analysis
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments

extension QueryBinder {
    func bindMatch(_ m: Query.Match, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        guard let type = mapped(m.field) else { return try bindUnmapped(m.field, m.text, boost: boost) }
        return try lenient(m.lenient) { () throws(SearchError) in
            guard type.isAnalyzed else { return try self.exact(type, m.text, fuzziness: m.fuzziness, match: m, boost: boost, scored: scored) }
            let graph = try self.analyze(m.text, type, analyzer: m.analyzer, quoted: false, query: "match")
            if graph.isEmpty { return self.zeroTerms(m.zeroTerms, boost: boost) }
            return try self.clauses(graph, type, m, boost: boost, scored: scored)
        }
    }

    /// All words as in match, the last one as a prefix.
    func bindMatchBoolPrefix(_ m: Query.Match, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        guard let type = mapped(m.field) else { return try bindUnmapped(m.field, m.text, boost: boost) }
        return try lenient(m.lenient) { () throws(SearchError) in
            guard type.isAnalyzed else { return try self.exact(type, m.text, fuzziness: nil, match: m, boost: boost, scored: scored) }
            let places = try self.analyze(m.text, type, analyzer: m.analyzer, quoted: false, query: "match_bool_prefix").places
            guard let last = places.last else { return self.zeroTerms(m.zeroTerms, boost: boost) }
            var plans: [Plan] = []
            for place in places.dropLast() { plans.append(try self.place(place.terms, type, m, boost: boost, scored: scored)) }
            var prefixes: [Plan] = []
            for term in last.terms { prefixes.append(try self.prefixSet(type, term, score: boost)) }
            plans.append(BoolPlan(should: prefixes).simplified(scored: scored))
            return try self.combine(plans, m.op, m.minimumShouldMatch, scored: scored)
        }
    }

    // MARK: Pieces that other queries use

    /// The tokens of a text by the analyzer asked for, or the field's.
    func analyze(_ text: JSONValue, _ type: FieldType, analyzer name: String?, quoted: Bool, query: String) throws(SearchError) -> TokenGraph {
        var analyzer = quoted ? type.searchQuoteAnalyzer : type.searchAnalyzer
        if let name {
            analyzer = mapping.analyzer(named: name)
            guard analyzer != nil else { throw SearchError("query_shard_exception", "[\(query)] analyzer [\(name)] not found") }
        }
        let text = text.queryText
        guard let analyzer else { return TokenGraph(single: try normalized(text, type)) }
        do { return TokenGraph(try analyzer.tokens(of: text)) } catch {
            throw SearchError("query_shard_exception", "failed to create query: \(error.reason)")
        }
    }

    /// A keyword's normal form; other text as it is.
    func normalized(_ text: String, _ type: FieldType) throws(SearchError) -> [UInt8] {
        let bytes = Array(text.utf8)
        if type.kind == .ip {
            guard let address = IPText.canonical(text) else {
                throw SearchError("query_shard_exception", "failed to create query: '\(text)' is not an IP string literal.")
            }
            return Array(address.utf8)
        }
        guard let normalizer = type.normalizer else { return bytes }
        var term: [UInt8] = []
        do { try normalizer.normalize(bytes.span, into: &term) } catch {
            throw SearchError("query_shard_exception", "failed to create query: \(error.reason)")
        }
        return term
    }

    /// Terms of one place: the only one, or synonyms scored as one; with fuzziness their expansions.
    func place(_ terms: [[UInt8]], _ type: FieldType, _ m: Query.Match, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        guard let fuzziness = m.fuzziness else {
            return terms.count == 1 ? try term(terms[0], type, boost: boost, scored: scored) : try synonyms(terms, type, boost: boost, scored: scored)
        }
        var plans: [Plan] = []
        for term in terms {
            plans.append(try fuzzy(term, type, fuzziness, prefixLength: m.prefixLength, expansions: m.maxExpansions,
                transpositions: m.transpositions, boost: boost, scored: scored))
        }
        return BoolPlan(should: plans).simplified(scored: scored)
    }

    func combine(_ plans: [Plan], _ op: Query.Operator, _ minimum: String?, scored: Bool) throws(SearchError) -> Plan {
        guard plans.count > 1 else { return plans.first ?? .none(reason: "no terms") }
        if op == .and { return BoolPlan(must: plans).simplified(scored: scored) }
        let needed = try required(minimum, of: plans.count)
        var flat: [Plan] = []
        for plan in plans {
            if needed <= 1, case .bool(let inner) = plan, inner.isDisjunction { flat += inner.should } else { flat.append(plan) }
        }
        return BoolPlan(should: flat, minimumShouldMatch: needed).simplified(scored: scored)
    }

    func zeroTerms(_ choice: Query.ZeroTerms, boost: Float) -> Plan {
        choice == .all ? .all(score: boost) : .none(reason: "the text has no terms after analysis")
    }

    /// `lenient`: a value that does not fit the field's type matches nothing.
    func lenient(_ isLenient: Bool, _ body: () throws(SearchError) -> Plan) throws(SearchError) -> Plan {
        do { return try body() } catch {
            guard isLenient, case .request(let why) = error, why.type != "too_many_nested_clauses", why.type != "too_many_clauses" else { throw error }
            return .none(reason: why.reason)
        }
    }

    // MARK: -

    /// Fields that are not analyzed: the value is one term.
    private func exact(
        _ type: FieldType, _ value: JSONValue, fuzziness: Query.Fuzziness?, match m: Query.Match, boost: Float, scored: Bool
    ) throws(SearchError) -> Plan {
        if let fuzziness, type.isStringLike {
            return try fuzzy(try normalized(value.queryText, type), type, fuzziness, prefixLength: m.prefixLength,
                expansions: m.maxExpansions, transpositions: m.transpositions, boost: boost, scored: scored)
        }
        return try valueTerm(type, value, ignoresCase: false, boost: boost, scored: scored)
    }

    private func clauses(_ graph: TokenGraph, _ type: FieldType, _ m: Query.Match, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        var plans: [Plan] = []
        if !graph.isGraph {
            for place in graph.places { plans.append(try self.place(place.terms, type, m, boost: boost, scored: scored)) }
            return try combine(plans, m.op, m.minimumShouldMatch, scored: scored)
        }
        for stretch in graph.stretches() { plans.append(try self.stretch(stretch, type, m, boost: boost, scored: scored)) }
        return try combine(plans, m.op, m.minimumShouldMatch, scored: scored)
    }

    /// One stretch of a graph: a place, or its ways as alternatives, each a phrase (or all of its words).
    private func stretch(
        _ tokens: [TokenGraph.Token], _ type: FieldType, _ m: Query.Match, boost: Float, scored: Bool
    ) throws(SearchError) -> Plan {
        if !tokens.contains(where: { $0.end - $0.position > 1 }) {
            let places = TokenGraph.places(tokens)
            if places.count == 1 { return try place(places[0].terms, type, m, boost: boost, scored: scored) }
        }
        let ways: [[TokenGraph.Token]]
        do { ways = try TokenGraph.ways(tokens) } catch { throw .request(error) }
        var plans: [Plan] = []
        for way in ways {
            if way.count == 1 {
                plans.append(try place([way[0].term], type, m, boost: boost, scored: scored))
            } else if m.autoGenerateSynonymsPhraseQuery, type.indexOptions >= .positions {
                plans.append(try phrase(TokenGraph.places(way), type, slop: 0, boost: boost, scored: scored))
            } else {
                var all: [Plan] = []
                for token in way { all.append(try place([token.term], type, m, boost: boost, scored: scored)) }
                plans.append(BoolPlan(must: all).simplified(scored: scored))
            }
        }
        return BoolPlan(should: plans).simplified(scored: scored)
    }
}

extension JSONValue {
    /// A query's value as text: numbers and booleans as written.
    var queryText: String {
        switch self {
        case .string(let s): s
        case .integer(let i): String(i)
        case .number(let d): String(d)
        case .bool(let b): b ? "true" : "false"
        case .null: ""
        case .array(let values): values.first?.queryText ?? ""
        case .object: ""
        }
    }
}

extension FieldType {
    var isAnalyzed: Bool { kind == .text }
    /// Its terms are strings: prefixes, wildcards and edits make sense.
    var isStringLike: Bool {
        switch kind {
        case .text, .keyword, .constantKeyword, .wildcard, .flattened: true
        default: false
        }
    }
}
