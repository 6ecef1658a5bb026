// multi_match: one text over several fields, combined by dis_max, or term by term over blended fields.

internal import Analysis
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

extension QueryBinder {
    func bindMultiMatch(_ m: Query.MultiMatch, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        if m.fuzziness != nil, m.style == .crossFields || m.style == .phrase || m.style == .phrasePrefix {
            throw SearchError("parsing_exception", "Fuzziness not allowed for type [\(m.style.name)]")
        }
        let (fields, isOpen) = try fields(m.fields)
        guard !fields.isEmpty else { return .none(reason: "no field of the index matches [\(m.fields.map(\.name).joined(separator: ", "))]") }
        var m = m
        if isOpen { m.lenient = true }
        if m.style == .crossFields { return try bindCrossFields(m, fields, boost: boost, scored: scored) }
        var plans: [Plan] = []
        for (name, fieldBoost) in fields {
            plans.append(try lenient(m.lenient) { () throws(SearchError) in
                try self.one(m, name, boost: boost * fieldBoost, scored: scored)
            })
        }
        return disMax(plans, m.tieBreaker ?? m.style.tieBreaker, scored: scored)
    }

    /// Patterns resolved, a name's boosts multiplied. `isOpen`: all fields were meant, so values that fit only some are no error.
    func fields(_ given: [(name: String, boost: Float)]) throws(SearchError) -> (fields: [(name: String, boost: Float)], isOpen: Bool) {
        let wanted = given.isEmpty ? settings.defaultFields.map { (name: $0, boost: Float(1)) } : given
        var places: [String: Int] = [:], result: [(name: String, boost: Float)] = []
        for (pattern, boost) in wanted {
            let names = pattern.contains("*") ? mapping.paths(matching: pattern).filter(isSearchable) : [pattern]
            for name in names {
                if let place = places[name] { result[place].boost *= boost } else {
                    places[name] = result.count
                    result.append((name, boost))
                }
            }
        }
        guard result.count <= settings.clausesMax else {
            throw SearchError("illegal_argument_exception", "field expansion matches too many fields, limit: \(settings.clausesMax), got: \(result.count)")
        }
        return (result, wanted.contains { $0.name == "*" })
    }

    // MARK: -

    private func isSearchable(_ name: String) -> Bool {
        guard let type = mapped(name) else { return false }
        return (type.isStringLike || type.isNumeric || type.kind == .ip) && type.index
    }

    private func one(_ m: Query.MultiMatch, _ field: String, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        switch m.style {
        case .phrase, .phrasePrefix:
            var p = Query.Phrase(field: field, text: m.text)
            (p.slop, p.analyzer, p.zeroTerms, p.maxExpansions) = (m.slop, m.analyzer, m.zeroTerms, m.maxExpansions)
            return m.style == .phrase ? try bindPhrase(p, boost: boost, scored: scored) : try bindPhrasePrefix(p, boost: boost, scored: scored)
        default:
            let match = match(m, field)
            return m.style == .boolPrefix
                ? try bindMatchBoolPrefix(match, boost: boost, scored: scored) : try bindMatch(match, boost: boost, scored: scored)
        }
    }

    private func match(_ m: Query.MultiMatch, _ field: String) -> Query.Match {
        var match = Query.Match(field: field, text: m.text)
        (match.op, match.minimumShouldMatch, match.fuzziness) = (m.op, m.minimumShouldMatch, m.fuzziness)
        (match.prefixLength, match.maxExpansions, match.transpositions) = (m.prefixLength, m.maxExpansions, m.transpositions)
        (match.analyzer, match.zeroTerms, match.lenient) = (m.analyzer, m.zeroTerms, m.lenient)
        return match
    }

    /// Fields of one analyzer are searched as one: each word needs to be in any of them.
    private func bindCrossFields(
        _ m: Query.MultiMatch, _ fields: [(name: String, boost: Float)], boost: Float, scored: Bool
    ) throws(SearchError) -> Plan {
        var groups: [(key: String, fields: [(type: FieldType, boost: Float)])] = []
        var plans: [Plan] = []
        for (name, fieldBoost) in fields {
            guard let type = mapped(name) else { continue }
            guard type.isAnalyzed else {
                plans.append(try lenient(m.lenient) { () throws(SearchError) in
                    try self.bindMatch(self.match(m, name), boost: boost * fieldBoost, scored: scored)
                })
                continue
            }
            let key = m.analyzer ?? type.searchAnalyzer?.name ?? ""
            if let place = groups.firstIndex(where: { $0.key == key }) { groups[place].fields.append((type, fieldBoost)) } else {
                groups.append((key, [(type, fieldBoost)]))
            }
        }
        for group in groups {
            let graph = try analyze(m.text, group.fields[0].type, analyzer: m.analyzer, quoted: false, query: "multi_match")
            if graph.isEmpty {
                plans.append(zeroTerms(m.zeroTerms, boost: boost))
                continue
            }
            var words: [Plan] = []
            for place in graph.places {
                var sides: [Plan] = []
                for term in place.terms {
                    sides.append(try blended(term, group.fields, tie: m.tieBreaker ?? 0, boost: boost, scored: scored))
                }
                words.append(sides.count == 1 ? sides[0] : BoolPlan(should: sides).simplified(scored: scored))
            }
            plans.append(try combine(words, m.op, m.minimumShouldMatch, scored: scored))
        }
        return disMax(plans, m.tieBreaker ?? 0, scored: scored)
    }

    /// A term in several fields, each weighed as if it were about as common as in the field where it is commonest, so
    /// that the field where it happens to be rare does not win.
    private func blended(
        _ term: [UInt8], _ fields: [(type: FieldType, boost: Float)], tie: Float, boost: Float, scored: Bool
    ) throws(SearchError) -> Plan {
        var found: [(type: FieldType, boost: Float, docFreq: Int)] = []
        for (type, fieldBoost) in fields {
            try countClause()
            try checkIndexed(type)
            record(type.path) { $0.terms.insert(term) }
            let docFreq = scored ? try reading { () throws(StorageError) in try self.statistics.term(term, of: type.path) }.docFreq : 1
            found.append((type, fieldBoost, docFreq))
        }
        guard scored else { return BoolPlan(should: found.map { .term(.unscored($0.type.path, term)) }).simplified(scored: false) }
        let docFreqs = blend(found.map(\.docFreq), fields.map(\.type.path))
        var plans: [Plan] = []
        for (field, docFreq) in zip(found, docFreqs) where field.docFreq > 0 {
            plans.append(weighed(term, field.type, docFreq: docFreq, boost: boost * field.boost))
        }
        guard !plans.isEmpty else { return noDocument(fields.map(\.type.path).joined(separator: "|"), term) }
        return disMax(plans, tie, scored: true)
    }

    /// Elasticsearch's BlendedTermQuery: the largest docFreq for all; each field with a smaller one counts one more,
    /// so that of two equal matches the field where the term is commoner wins.
    private func blend(_ docFreqs: [Int], _ paths: [String]) -> [Int] {
        guard docFreqs.count > 1, let most = docFreqs.max(), most > 0 else { return docFreqs }
        let tokensMin = paths.map { statistics.field($0).sumTotalTermFreq }.min() ?? 0
        let maxDoc = min(statistics.maxDoc, tokensMin)
        var result = docFreqs, actual = min(maxDoc, most), before = most
        let order = docFreqs.indices.sorted { docFreqs[$0] != docFreqs[$1] ? docFreqs[$0] > docFreqs[$1] : $0 < $1 }
        for i in order {
            if docFreqs[i] == 0 { break }
            if before > docFreqs[i] { actual += 1 }
            result[i] = min(maxDoc, actual)
            before = docFreqs[i]
        }
        return result
    }
}

extension Query.MultiMatch.Style {
    var tieBreaker: Float {
        switch self {
        case .mostFields, .boolPrefix: 1
        default: 0
        }
    }
}
