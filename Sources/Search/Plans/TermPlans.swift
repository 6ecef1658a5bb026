// Weighed terms, synonyms, phrases and fuzzy expansions: the leaves that BM25 scores.

internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

extension QueryBinder {
    func term(_ term: [UInt8], _ type: FieldType, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        try countClause()
        try checkIndexed(type)
        record(type.path) { $0.terms.insert(term) }
        guard scored else { return .term(.unscored(type.path, term)) }
        let found = try reading { () throws(StorageError) in try self.statistics.term(term, of: type.path) }
        guard found.docFreq > 0 else { return noDocument(type.path, term) }
        return weighed(term, type, docFreq: found.docFreq, boost: boost, places: found.places)
    }

    func weighed(_ term: [UInt8], _ type: FieldType, docFreq: Int, boost: Float, places: TermPlaces? = nil) -> Plan {
        let docCount = statistics.field(type.path).docCount, idf = FieldStatistics.idf(docFreq: docFreq, docCount: docCount)
        var plan = TermPlan(field: type.path, term: term, weight: boost * idf, boost: boost, idf: idf,
            similarity: statistics.similarity(type), docFreq: docFreq, docCount: docCount)
        plan.places = places
        return .term(plan)
    }

    func noDocument(_ field: String, _ term: [UInt8]) -> Plan {
        .none(reason: "no document has \(field):\(String(decoding: term, as: UTF8.self))")
    }

    /// Terms of one position, scored as one term: the commonest one's docFreq, the sum of frequencies.
    func synonyms(_ terms: [[UInt8]], _ type: FieldType, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        try checkIndexed(type)
        var docFreq = 0
        for term in terms {
            try countClause()
            record(type.path) { $0.terms.insert(term) }
            if scored { docFreq = max(docFreq, try reading { () throws(StorageError) in try self.statistics.term(term, of: type.path) }.docFreq) }
        }
        guard scored else { return BoolPlan(should: terms.map { .term(.unscored(type.path, $0)) }).simplified(scored: false) }
        guard docFreq > 0 else { return noDocument(type.path, terms.first ?? []) }
        let idf = statistics.idf(docFreq: docFreq, of: type.path)
        return .synonym(SynonymPlan(field: type.path, terms: terms.map { ($0, 1) }, weight: boost * idf, boost: boost, idf: idf,
            similarity: statistics.similarity(type), docFreq: docFreq, docCount: statistics.field(type.path).docCount))
    }

    /// Places of one or more terms, next to each other within `slop` moves.
    func phrase(
        _ places: [(terms: [[UInt8]], position: Int)], _ type: FieldType, slop: Int, boost: Float, scored: Bool
    ) throws(SearchError) -> Plan {
        guard let first = places.first else { return .none(reason: "empty phrase") }
        if places.count == 1 {
            return first.terms.count == 1
                ? try term(first.terms[0], type, boost: boost, scored: scored)
                : try synonyms(first.terms, type, boost: boost, scored: scored)
        }
        try countClause()
        try checkIndexed(type)
        guard places.count <= settings.clausesMax else {
            throw SearchError("too_many_clauses", "a phrase may have \(settings.clausesMax) places, this one has \(places.count): search for a shorter one")
        }
        guard type.indexOptions >= .positions else {
            throw SearchError("query_shard_exception", "failed to create query: field:[\(type.path)] was indexed without position data; cannot run PhraseQuery")
        }
        let shifted = places.map { (terms: $0.terms, position: $0.position - first.position) }
        record(type.path) { $0.phrases.append(QueryTerms.Phrase(places: shifted, slop: slop)) }
        guard scored else {
            return .phrase(PhrasePlan(field: type.path, places: shifted, slop: slop, weight: 0, boost: 0, idf: 0, similarity: .unscored))
        }
        return try weighed(shifted, type, slop: slop, boost: boost)
    }

    private func weighed(
        _ places: [(terms: [[UInt8]], position: Int)], _ type: FieldType, slop: Int, boost: Float
    ) throws(SearchError) -> Plan {
        var sum = 0.0, found: [[TermPlaces]] = []
        for place in places {
            var terms: [TermPlaces] = [], isFound = false
            for term in place.terms {
                let known = try reading { () throws(StorageError) in try self.statistics.term(term, of: type.path) }
                terms.append(known.places)
                guard known.docFreq > 0 else { continue }
                isFound = true
                sum += Double(statistics.idf(docFreq: known.docFreq, of: type.path))
            }
            if !isFound { return noDocument(type.path, place.terms.first ?? []) }
            found.append(terms)
        }
        let idf = Float(sum)
        var plan = PhrasePlan(field: type.path, places: places, slop: slop, weight: boost * idf, boost: boost, idf: idf,
            similarity: statistics.similarity(type))
        plan.found = found
        return .phrase(plan)
    }

    /// The best `expansions` terms within the distance; each weighed by 1 - edits / length, all with the docFreq of
    /// the commonest (Lucene's TopTermsBlendedFreqScoringRewrite), so that a rare misspelling does not win.
    func fuzzy(
        _ word: [UInt8], _ type: FieldType, _ fuzziness: Query.Fuzziness, prefixLength: Int, expansions: Int, transpositions: Bool,
        boost: Float, scored: Bool
    ) throws(SearchError) -> Plan {
        let text = String(decoding: word, as: UTF8.self)
        let edits = fuzziness.edits(for: text)
        // Of words past the bound no misspelling is looked for: a row per character would cost too much.
        if edits == 0 || prefixLength >= text.unicodeScalars.count || text.utf8.count > FuzzyMatcher.lengthMax { return try term(word, type, boost: boost, scored: scored) }
        try countClause()
        try checkIndexed(type)
        record(type.path) { $0.patterns.append(.fuzzy(text, edits: edits, prefixLength: prefixLength, transpositions: transpositions)) }
        let matcher = FuzzyMatcher(text, editsMax: edits, prefixLength: prefixLength, transpositions: transpositions)
        let best = try reading { () throws(StorageError) in try self.expand(matcher, type.path, limit: min(max(1, expansions), self.settings.clausesMax)) }
        guard let commonest = best.map(\.docFreq).max() else { return noDocument(type.path, word) }
        guard scored else { return BoolPlan(should: best.map { .term(.unscored(type.path, $0.term)) }).simplified(scored: false) }
        let plans = best.map { weighed($0.term, type, docFreq: commonest, boost: boost * $0.boost) }
        return BoolPlan(should: plans).simplified(scored: true)
    }

    private func expand(_ matcher: FuzzyMatcher, _ path: String, limit: Int) throws(StorageError) -> [ExpandedTerm] {
        var found: [[UInt8]: ExpandedTerm] = [:]
        for view in builder.snapshot.segments {
            guard let terms = SegmentTerms(view.segment, field: path) else { continue }
            var local = matcher
            try terms.walk(prefix: matcher.prefix) { term, entry in
                switch local.verdict(term) {
                case .noMatch: return .next
                case .dead(let length): return behind(term[..<length]).map { .seek($0) } ?? .stop
                case .match(let edits, let length):
                    let similarity = edits == 0 ? 1 : 1 - Float(edits) / Float(max(1, min(length, matcher.length)))
                    found[term, default: ExpandedTerm(term: term, boost: similarity, docFreq: 0, totalTermFreq: 0)].add(entry)
                    return .next
                }
            }
        }
        let ranked = found.values.sorted { $0.boost != $1.boost ? $0.boost > $1.boost : $0.term.lexicographicallyPrecedes($1.term) }
        return Array(ranked.prefix(limit))
    }

    func checkIndexed(_ type: FieldType) throws(SearchError) {
        guard type.index else {
            throw SearchError("query_shard_exception", "failed to create query: Cannot search on field [\(type.path)] since it is not indexed.")
        }
    }
}

extension ExpandedTerm {
    mutating func add(_ entry: TermEntry) {
        docFreq += entry.docFreq
        totalTermFreq += entry.totalTermFreq
    }
}

extension TermPlan {
    /// Of a filter: nobody reads its score, so no statistics were looked up.
    static func unscored(_ field: String, _ term: [UInt8]) -> TermPlan {
        TermPlan(field: field, term: term, weight: 0, boost: 0, idf: 0, similarity: .unscored, docFreq: 0, docCount: 0)
    }
}
