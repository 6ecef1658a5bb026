// The making of one plan: walks the query once, parent before child, boosts multiplied on the way down as Lucene
// does, so that every weight is rounded alike.
//
// Invariants
//     1  At most `clausesMax` leaves and `depthMax` levels; more is refused, not cut.
//     2  A clause that cannot match becomes `.none` and is folded away by `BoolPlan.simplified`.

internal import Analysis
internal import Bytes
internal import JSON
internal import Mappings
internal import QueryDSL
internal import Segments
internal import Storage

final class QueryBinder {
    let builder: PlanBuilder
    let statistics: FieldStatistics
    var terms = QueryTerms()
    /// Nobody but a highlighter asks what is looked for.
    private let keepsTerms: Bool
    /// The last field asked for, by the name it was asked by: most queries name one again and again.
    private var last: (name: String, type: FieldType?)?
    private var clauses = 0
    private var depth = 0
    /// Below a must_not: nothing there is highlighted.
    private var isNegated = false
    static let depthMax = 30

    init(_ builder: PlanBuilder, keepsTerms: Bool = false) {
        (self.builder, self.keepsTerms) = (builder, keepsTerms)
        statistics = FieldStatistics(builder.snapshot)
    }

    var mapping: Mapping { builder.snapshot.mapping }
    var settings: SearchSettings { builder.snapshot.settings }

    func mapped(_ name: String) -> FieldType? {
        if let last, last.name == name { return last.type }
        let type = mapping.field(name)
        last = (name, type)
        return type
    }

    func bind(_ query: Query, boost outer: Float, scored: Bool) throws(SearchError) -> Plan {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else {
            throw SearchError("illegal_argument_exception",
                "The nested depth of the query exceeds the maximum nested depth for bool queries set in [indices.query.bool.max_nested_depth] (\(Self.depthMax)): flatten the nested clauses into one bool query")
        }
        let plan = try bindKind(query.kind, boost: outer * query.boost, scored: scored)
        return query.name.map { .named($0, plan) } ?? plan
    }

    private func bindKind(_ kind: Query.Kind, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        switch kind {
        case .matchAll: return .all(score: boost)
        case .matchNone: return .none(reason: "User requested \"match_none\" query.")
        case .bool(let bool): return try bindBool(bool, boost: boost, scored: scored)
        case .constantScore(let inner): return constant(try bind(inner, boost: 1, scored: false), score: boost)
        case .disMax(let queries, let tie): return try bindDisMax(queries, tie, boost: boost, scored: scored)
        case .boosting(let positive, let negative, let factor):
            let plan = try bind(positive, boost: boost, scored: scored)
            let demoted = try negated { () throws(SearchError) in try self.bind(negative, boost: 1, scored: false) }
            return scored ? .boosting(positive: plan, negative: demoted, factor: factor) : plan
        case .functionScore(let f): return try bindFunctionScore(f, boost: boost, scored: scored)
        case .nested(let path, let inner):
            guard mapping.hasObject(path) else {
                throw SearchError("query_shard_exception", "failed to create query: [nested] failed to find nested object under path [\(path)]")
            }
            return try bind(inner, boost: boost, scored: scored)
        case .match(let m): return try bindMatch(m, boost: boost, scored: scored)
        case .matchBoolPrefix(let m): return try bindMatchBoolPrefix(m, boost: boost, scored: scored)
        case .matchPhrase(let p): return try bindPhrase(p, boost: boost, scored: scored)
        case .matchPhrasePrefix(let p): return try bindPhrasePrefix(p, boost: boost, scored: scored)
        case .multiMatch(let m): return try bindMultiMatch(m, boost: boost, scored: scored)
        case .simpleQueryString(let s): return try bindSimpleQueryString(s, boost: boost, scored: scored)
        default: return try bindTermLevel(kind, boost: boost, scored: scored)
        }
    }

    private func bindTermLevel(_ kind: Query.Kind, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        switch kind {
        case .term(let field, let value, let anyCase):
            return try bindTerm(field, value, ignoresCase: anyCase, boost: boost, scored: scored)
        case .terms(let field, let values): return try bindTerms(field, values, boost: boost)
        case .range(let range): return try bindRange(range, boost: boost)
        case .prefix(let field, let value, let anyCase): return try bindPrefix(field, value, ignoresCase: anyCase, boost: boost)
        case .wildcard(let field, let pattern, let anyCase): return try bindWildcard(field, pattern, ignoresCase: anyCase, boost: boost)
        case .regexp(let field, let pattern, let anyCase): return try bindRegexp(field, pattern, ignoresCase: anyCase, boost: boost)
        case .fuzzy(let field, let value, let fuzziness, let prefixLength, let expansions, let transpositions):
            return try bindFuzzy(field, value, fuzziness, prefixLength: prefixLength, expansions: expansions,
                transpositions: transpositions, boost: boost, scored: scored)
        case .exists(let field): return try bindExists(field, boost: boost)
        case .ids(let ids): return try bindIDs(ids, boost: boost)
        default: return .none(reason: "no such query")
        }
    }

    // MARK: Leaves

    /// Counts a leaf against the bound.
    func countClause() throws(SearchError) {
        clauses += 1
        guard clauses <= settings.clausesMax else {
            throw SearchError("too_many_nested_clauses", "Query contains too many nested clauses; maxClauseCount is set to \(settings.clausesMax)")
        }
    }

    /// Remembers what is looked for, unless under a must_not.
    func record(_ field: String, _ change: (inout QueryTerms.Field) -> Void) {
        if keepsTerms, !isNegated { change(&terms.fields[field, default: QueryTerms.Field()]) }
    }

    func negated(_ body: () throws(SearchError) -> Plan) throws(SearchError) -> Plan {
        let before = isNegated
        isNegated = true
        defer { isNegated = before }
        return try body()
    }

    /// A storage failure in the errors of a search.
    func reading<R>(_ body: () throws(StorageError) -> R) throws(SearchError) -> R {
        do { return try body() } catch { throw .storage(error) }
    }

    func constant(_ plan: Plan, score: Float) -> Plan {
        switch plan {
        case .none: plan
        case .all: .all(score: score)
        case .set(let set, _): .set(set, score: score)
        case .constant(let inner, _): .constant(inner, score: score)
        default: .constant(plan, score: score)
        }
    }

    /// A set whose bits the filter cache may keep.
    /// - Parameter changes: the set depends on what can change under a segment (updatable columns): it is not kept.
    func set(
        _ description: String, score: Float, changes: Bool = false, estimate: @escaping @Sendable (SegmentView) -> Int,
        test: (@Sendable (SegmentView) throws(StorageError) -> (@Sendable (DocID) -> Bool)?)? = nil,
        documents: @escaping @Sendable (SegmentView) throws(StorageError) -> BitSet
    ) -> Plan {
        guard let cache = builder.filterCache, !changes else {
            return .set(SetPlan(description: description, estimate: estimate, test: test, documents: documents), score: score)
        }
        return .set(SetPlan(description: description, estimate: estimate, test: test) { view throws(StorageError) in
            try cache.documents(description, in: view, documents)
        }, score: score)
    }
}
