// match_phrase and match_phrase_prefix.

internal import Analysis
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

extension QueryBinder {
    func bindPhrase(_ p: Query.Phrase, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        guard let type = mapped(p.field) else { return try bindUnmapped(p.field, p.text, boost: boost) }
        guard type.isAnalyzed else { return try valueTerm(type, p.text, ignoresCase: false, boost: boost, scored: scored) }
        let graph = try analyze(p.text, type, analyzer: p.analyzer, quoted: true, query: "match_phrase")
        if graph.isEmpty { return zeroTerms(p.zeroTerms, boost: boost) }
        guard graph.isGraph else { return try phrase(graph.places, type, slop: p.slop, boost: boost, scored: scored) }
        let ways: [[TokenGraph.Token]]
        do { ways = try TokenGraph.ways(graph.tokens) } catch { throw .request(error) }
        var plans: [Plan] = []
        for way in ways { plans.append(try phrase(Self.closedUp(way), type, slop: p.slop, boost: boost, scored: scored)) }
        return BoolPlan(should: plans).simplified(scored: scored)
    }

    func bindPhrasePrefix(_ p: Query.Phrase, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        guard let type = mapped(p.field) else { return try bindUnmapped(p.field, p.text, boost: boost) }
        guard type.isAnalyzed else {
            guard type.isStringLike else { return try valueTerm(type, p.text, ignoresCase: false, boost: boost, scored: scored) }
            return try prefixSet(type, try normalized(p.text.queryText, type), score: boost)
        }
        var places = try analyze(p.text, type, analyzer: p.analyzer, quoted: true, query: "match_phrase_prefix").places
        guard let last = places.popLast() else { return zeroTerms(p.zeroTerms, boost: boost) }
        let expanded = try reading { () throws(StorageError) in try self.expand(last.terms, type.path, limit: max(1, p.maxExpansions)) }
        if places.isEmpty {
            last.terms.forEach { term in record(type.path) { $0.patterns.append(.prefix(term)) } }
            var plans: [Plan] = []
            for term in expanded { plans.append(try self.term(term, type, boost: boost, scored: scored)) }
            return BoolPlan(should: plans).simplified(scored: scored)
        }
        guard !expanded.isEmpty else { return noDocument(type.path, (last.terms.first ?? []) + Array("*".utf8)) }
        places.append((expanded, last.position))
        return try phrase(places, type, slop: p.slop, boost: boost, scored: scored)
    }

    // MARK: -

    /// The first terms, in the order of the dictionary, that begin with one of the prefixes.
    private func expand(_ prefixes: [[UInt8]], _ path: String, limit: Int) throws(StorageError) -> [[UInt8]] {
        var found = Set<[UInt8]>()
        for view in builder.snapshot.segments {
            guard let terms = SegmentTerms(view.segment, field: path) else { continue }
            for prefix in prefixes {
                var count = 0
                try terms.walk(prefix: prefix) { term, _ in
                    found.insert(term)
                    count += 1
                    return count < limit ? .next : .stop
                }
            }
        }
        return Array(found.sorted { $0.lexicographicallyPrecedes($1) }.prefix(limit))
    }

    /// Positions along one way: a token that spans several positions is followed directly by the next one.
    static func closedUp(_ way: [TokenGraph.Token]) -> [(terms: [[UInt8]], position: Int)] {
        var position = 0, end = way.first?.position ?? 0
        return way.map { token in
            position += token.position - end
            defer {
                position += 1
                end = token.end
            }
            return ([token.term], position)
        }
    }
}
