// Boolean combinations, folded the way Lucene's rewriting folds them: fewer clauses to run, the same scores.

internal import QueryDSL

extension QueryBinder {
    func bindBool(_ bool: Query.Bool, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        let direct = bool.must.count + bool.should.count + bool.filter.count + bool.mustNot.count
        guard direct <= settings.clausesMax else {
            throw SearchError("too_many_clauses", "maxClauseCount is set to \(settings.clausesMax)")
        }
        if direct == 0 { return .all(score: boost) }
        var plan = BoolPlan()
        for query in bool.must { plan.must.append(try bind(query, boost: boost, scored: scored)) }
        for query in bool.filter { plan.filter.append(try bind(query, boost: 1, scored: false)) }
        for query in bool.mustNot {
            plan.mustNot.append(try negated { () throws(SearchError) in try self.bind(query, boost: 1, scored: false) })
        }
        plan.minimumShouldMatch = try required(bool.minimumShouldMatch, of: bool.should.count)
        for query in bool.should {
            let clause = try bind(query, boost: boost, scored: scored)
            // A disjunction among disjuncts is one disjunction, unless it is boosted as a whole (Lucene wraps it then).
            if plan.minimumShouldMatch <= 1, query.boost == 1, case .bool(let inner) = clause, inner.isDisjunction {
                plan.should += inner.should
            } else { plan.should.append(clause) }
        }
        return plan.simplified(scored: scored)
    }

    func required(_ specification: String?, of clauses: Int) throws(SearchError) -> Int {
        guard let specification else { return 0 }
        do { return try MinimumShouldMatch.required(specification, of: clauses) } catch { throw .request(error) }
    }

    func bindDisMax(_ queries: [Query], _ tie: Float, boost: Float, scored: Bool) throws(SearchError) -> Plan {
        var plans: [Plan] = []
        for query in queries { plans.append(try bind(query, boost: boost, scored: scored)) }
        return disMax(plans, tie, scored: scored)
    }

    func disMax(_ plans: [Plan], _ tie: Float, scored: Bool) -> Plan {
        let live = plans.filter { !$0.isNone }
        guard live.count > 1 else { return live.first ?? plans.first ?? .none(reason: "empty dis_max") }
        return scored ? .disMax(live, tieBreaker: tie) : BoolPlan(should: live).simplified(scored: false)
    }
}

extension BoolPlan {
    init(must: [Plan] = [], should: [Plan] = [], filter: [Plan] = [], minimumShouldMatch: Int = 0) {
        self.init()
        (self.must, self.should, self.filter, self.minimumShouldMatch) = (must, should, filter, minimumShouldMatch)
    }

    var isDisjunction: Bool { must.isEmpty && filter.isEmpty && mustNot.isEmpty && minimumShouldMatch <= 1 }

    /// The same documents and scores by fewer clauses.
    package func simplified(scored: Bool) -> Plan {
        var plan = self
        plan.dropDeadClauses()
        if !plan.mustNot.isEmpty, plan.must.isEmpty, plan.filter.isEmpty, plan.should.isEmpty, should.isEmpty {
            plan.filter = [.all(score: 0)]
        }
        if let dead = plan.impossible { return dead }
        plan.promoteNeededShoulds()
        if !scored { plan.becomeFilter() }
        plan.inlineFilters()
        return plan.unwrapped(scored: scored)
    }

    // MARK: -

    private mutating func dropDeadClauses() {
        should.removeAll(where: \.isNone)
        mustNot.removeAll(where: \.isNone)
    }

    private var impossible: Plan? {
        for clause in must where clause.isNone { return clause }
        for clause in filter where clause.isNone { return clause }
        for clause in mustNot { if case .all = clause { return .none(reason: "everything is excluded") } }
        if should.count < minimumShouldMatch { return .none(reason: "fewer clauses than minimum_should_match can match") }
        if should.isEmpty, must.isEmpty, filter.isEmpty { return .none(reason: "no clause can match") }
        return nil
    }

    /// Optional clauses that are all needed are required ones.
    private mutating func promoteNeededShoulds() {
        if must.isEmpty, filter.isEmpty { minimumShouldMatch = max(1, minimumShouldMatch) }
        guard minimumShouldMatch > 0, should.count == minimumShouldMatch else { return }
        must += should
        (should, minimumShouldMatch) = ([], 0)
    }

    /// Nobody reads the scores: what only adds to them goes.
    private mutating func becomeFilter() {
        if filter.isEmpty { swap(&filter, &must) } else {
            filter = must + filter
            must = []
        }
        if minimumShouldMatch == 0 { should = [] }
    }

    /// A filter of filters is its clauses.
    private mutating func inlineFilters() {
        if filter.isEmpty { return }
        var flat: [Plan] = []
        for clause in filter {
            switch clause {
            case .all: continue
            case .constant(let inner, _): flat.append(inner)
            case .bool(let inner) where inner.should.isEmpty && inner.minimumShouldMatch == 0:
                flat += inner.must + inner.filter
                mustNot += inner.mustNot
            default: flat.append(clause)
            }
        }
        // Every filter matched everything: with nothing else required, everything it is.
        if flat.isEmpty, must.isEmpty, minimumShouldMatch == 0, !filter.isEmpty { flat = [.all(score: 0)] }
        filter = flat
    }

    private func unwrapped(scored: Bool) -> Plan {
        guard mustNot.isEmpty, should.isEmpty else { return .bool(self) }
        if must.count == 1, filter.isEmpty { return must[0] }
        guard must.isEmpty, filter.count == 1 else { return .bool(self) }
        switch filter[0] {
        case .set(let set, _): return .set(set, score: 0)
        case .all: return .all(score: 0)
        default: return scored ? .constant(filter[0], score: 0) : filter[0]
        }
    }
}

extension Plan {
    package var isNone: Bool {
        switch self {
        case .none: true
        case .named(_, let inner): inner.isNone
        default: false
        }
    }
}
