// simple_query_string: the parsed tree over the fields, each leaf a multi_match of kind most_fields.

internal import Analysis
internal import JSON
internal import Mappings
internal import QueryDSL

extension QueryBinder {
    func bindSimpleQueryString(_ s: Query.SimpleQueryString, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        let (fields, isOpen) = try fields(s.fields)
        guard !fields.isEmpty else { return .none(reason: "no field to search in") }
        var parser = SimpleQueryParser(s.text, flags: s.flags, defaultOperator: s.defaultOperator)
        guard let tree = parser.parse() else { return .none(reason: "the text has no terms") }
        var request = s
        request.lenient = s.lenient || isOpen
        guard let query = try query(tree, request, fields) else { return .none(reason: "the text has no terms") }
        if let minimum = s.minimumShouldMatch, case .bool(var bool) = query.kind {
            bool.minimumShouldMatch = minimum
            return try bind(Query(.bool(bool)), boost: boost, scored: scored)
        }
        return try bind(query, boost: boost, scored: scored)
    }

    // MARK: -

    /// Nil for a leaf that analysis leaves nothing of: in a conjunction it must not count.
    private func query(_ tree: SimpleQuery, _ s: Query.SimpleQueryString, _ fields: [(name: String, boost: Float)]) throws(SearchError) -> Query? {
        switch tree {
        case .text(let text):
            guard try hasTerms(text, s, fields) else { return nil }
            var m = Query.MultiMatch(fields: fields, text: .string(text))
            (m.style, m.op, m.analyzer, m.lenient) = (.mostFields, s.defaultOperator, s.analyzer, s.lenient)
            return Query(.multiMatch(m))
        case .phrase(let text, let slop):
            guard try hasTerms(text, s, fields) else { return nil }
            var m = Query.MultiMatch(fields: fields, text: .string(text))
            (m.style, m.slop, m.analyzer, m.lenient) = (.phrase, slop, s.analyzer, s.lenient)
            return Query(.multiMatch(m))
        case .prefix(let text): return try perField(fields) { name, text in .prefix(field: name, value: text, caseInsensitive: false) } (text)
        case .fuzzy(let text, let edits):
            return try perField(fields) { name, text in
                .fuzzy(field: name, value: text, fuzziness: .edits(edits), prefixLength: s.fuzzyPrefixLength,
                    maxExpansions: s.fuzzyMaxExpansions, transpositions: s.fuzzyTranspositions)
            } (text)
        case .not(let inner):
            guard let inner = try query(inner, s, fields) else { return nil }
            var bool = Query.Bool()
            bool.mustNot = [inner]
            bool.should = [Query(.matchAll)]
            return Query(.bool(bool))
        case .all(let parts):
            var bool = Query.Bool()
            for part in parts { if let q = try query(part, s, fields) { bool.must.append(q) } }
            return bool.must.count > 1 ? Query(.bool(bool)) : bool.must.first
        case .any(let parts):
            var bool = Query.Bool()
            for part in parts { if let q = try query(part, s, fields) { bool.should.append(q) } }
            return bool.should.count > 1 ? Query(.bool(bool)) : bool.should.first
        }
    }

    private func hasTerms(_ text: String, _ s: Query.SimpleQueryString, _ fields: [(name: String, boost: Float)]) throws(SearchError) -> Bool {
        for (name, _) in fields {
            guard let type = mapping.field(name), type.isAnalyzed else { return true }
            if try !analyze(.string(text), type, analyzer: s.analyzer, quoted: false, query: "simple_query_string").isEmpty { return true }
        }
        return false
    }

    /// A term-level query on every string field, the word normalized as the field's terms are.
    private func perField(
        _ fields: [(name: String, boost: Float)], _ kind: @escaping (String, String) -> Query.Kind
    ) throws(SearchError) -> (String) throws(SearchError) -> Query? {
        { text throws(SearchError) in
            var sides: [Query] = []
            for (name, boost) in fields {
                guard let type = self.mapping.field(name), type.isStringLike else { continue }
                var word = text
                if type.isAnalyzed, let analyzer = type.searchAnalyzer {
                    var term: [UInt8] = []
                    do throws(AnalysisError) { try analyzer.normalize(Array(text.utf8).span, into: &term) } catch {
                        throw SearchError("query_shard_exception", "failed to create query: \(error.reason)")
                    }
                    word = String(decoding: term, as: UTF8.self)
                }
                sides.append(Query(kind(name, word), boost: boost))
            }
            return sides.count > 1 ? Query(.disMax(sides, tieBreaker: 1)) : sides.first
        }
    }
}
