// A plan becomes the nodes that run it over one segment: terms are looked up, what cannot match is folded away.

internal import Bytes
internal import Segments
internal import Storage

struct NodeBuilder {
    let context: ScorerContext
    private var inverted: InvertedReader { context.view.segment.inverted }

    init(_ context: ScorerContext) { self.context = context }

    /// Nil when the plan matches nothing in this segment.
    func node(_ plan: Plan) throws(StorageError) -> Node? {
        switch plan {
        case .none: nil
        case .all(let score): AllNode(context, score: score)
        case .term(let term): try self.term(term)
        case .synonym(let synonym): try self.synonym(synonym)
        case .phrase(let phrase): try self.phrase(phrase)
        case .set(let set, let score): SetNode(context, set, score: score)
        case .constant(let inner, let score): try node(inner).map { ConstantNode(context, $0, score: score) }
        case .bool(let bool): try self.bool(bool)
        case .disMax(let plans, let tieBreaker): try disMax(plans, tieBreaker)
        case .boosting(let positive, let negative, let factor): try boosting(positive, negative, factor)
        case .function(let function): try self.function(function)
        case .named(_, let inner): try node(inner)
        }
    }

    private func nodes(_ plans: [Plan]) throws(StorageError) -> [Node] {
        var out: [Node] = []
        for plan in plans { if let node = try node(plan) { out.append(node) } }
        return out
    }

    // MARK: Terms

    private func cursor(
        _ term: [UInt8], _ ordinal: UInt32, _ similarity: Similarity, weight: Float, positions: Bool = false, known: TermPlaces? = nil
    ) throws(StorageError) -> TermCursor? {
        let entry: TermEntry?
        if let known { entry = known.place(in: context.view.segment)?.entry } else { entry = try inverted.term(term, field: ordinal) }
        guard let entry else { return nil }
        return try cursor(entry, ordinal, similarity, weight: weight, positions: positions)
    }

    private func cursor(_ entry: TermEntry, _ ordinal: UInt32, _ similarity: Similarity, weight: Float, positions: Bool = false) throws(StorageError) -> TermCursor {
        // Safe: the scorer holds the plan, and that the similarity.
        unsafe TermCursor(
            list: try inverted.list(entry, positions: positions), norms: try inverted.norms(ordinal), inverse: similarity.table, weight: weight,
            damage: context.damage)
    }

    private func term(_ plan: TermPlan) throws(StorageError) -> Node? {
        guard let found = try plan.entry(in: context.view.segment) else { return nil }
        return TermNode(context, try cursor(found.entry, found.field, plan.similarity, weight: plan.weight))
    }

    private func synonym(_ plan: SynonymPlan) throws(StorageError) -> Node? {
        guard let ordinal = context.view.segment.fields.ordinal(of: plan.field) else { return nil }
        var cursors: [(TermCursor, Float)] = []
        for (term, boost) in plan.terms {
            if let cursor = try cursor(term, ordinal, plan.similarity, weight: 1) { cursors.append((cursor, boost)) }
        }
        return cursors.isEmpty ? nil : SynonymNode(context, cursors, weight: plan.weight)
    }

    private func phrase(_ plan: PhrasePlan) throws(StorageError) -> Node? {
        let fields = context.view.segment.fields
        guard let ordinal = fields.ordinal(of: plan.field), !plan.places.isEmpty,
            fields[ordinal: ordinal].features.contains(.positions) else { return nil }
        if plan.slop == 0, plan.places.allSatisfy({ $0.terms.count == 1 }) {
            var cursors: [(TermCursor, Int)] = []
            for (i, (terms, position)) in plan.places.enumerated() {
                let known = i < plan.found.count ? plan.found[i].first : nil
                guard let term = terms.first, let cursor = try cursor(term, ordinal, plan.similarity, weight: 1, positions: true, known: known) else {
                    for (cursor, _) in cursors { cursor.free() }
                    return nil
                }
                cursors.append((cursor, position))
            }
            return ExactPhraseNode(context, cursors, weight: plan.weight, norms: try inverted.norms(ordinal))
        }
        var places: [PhrasePlace] = []
        for (terms, position) in plan.places {
            var cursors: [TermCursor] = [], names: [[UInt8]] = []
            for term in terms where !names.contains(term) {
                if let cursor = try cursor(term, ordinal, plan.similarity, weight: 1, positions: true) {
                    cursors.append(cursor)
                    names.append(term)
                }
            }
            if cursors.isEmpty { return nil }
            places.append(PhrasePlace(offset: position, names: names, cursors: cursors))
        }
        return PhraseNode(
            context, places: places, slop: plan.slop, weight: plan.weight, norms: try inverted.norms(ordinal),
            inverse: plan.similarity.inverseNorms)
    }

    // MARK: Compounds

    private func bool(_ plan: BoolPlan) throws(StorageError) -> Node? {
        var must: [Node] = [], filter: [Node] = []
        for clause in plan.must {
            guard let node = try node(clause) else { return nil }
            must.append(node)
        }
        for clause in plan.filter {
            guard let node = try node(clause) else { return nil }
            filter.append(node)
        }
        let should = try nodes(plan.should), excluded = try nodes(plan.mustNot)
        let isLed = !must.isEmpty || !filter.isEmpty
        let minimum = isLed || plan.should.isEmpty ? plan.minimumShouldMatch : max(1, plan.minimumShouldMatch)
        if should.count < minimum { return nil }
        if !isLed {
            if plan.should.isEmpty {
                let all = AllNode(context, score: plan.mustNot.isEmpty ? 1 : 0)
                return excluded.isEmpty ? all : ExclusionNode(context, all, excluded: excluded)
            }
            let any = disjunction(should, minimum)
            return excluded.isEmpty ? any : ExclusionNode(context, any, excluded: excluded)
        }
        if minimum > 0 {
            // Required, and scored as the optional clauses are: float plus float.
            let any = disjunction(should, minimum)
            if must.count > 1 { must = [ConjunctionNode(context, must: must, filter: [])] }
            return ConjunctionNode(context, must: must + [any], filter: filter, excluded: excluded)
        }
        if must.count == 1, filter.isEmpty, should.isEmpty, excluded.isEmpty { return must[0] }
        return ConjunctionNode(context, must: must, filter: filter, optional: should, excluded: excluded)
    }

    private func disjunction(_ clauses: [Node], _ minimum: Int) -> Node {
        if clauses.count == 1, minimum <= 1 { return clauses[0] }
        if clauses.count == minimum { return ConjunctionNode(context, must: clauses, filter: []) }
        return DisjunctionNode(context, clauses, minimum: minimum)
    }

    private func disMax(_ plans: [Plan], _ tieBreaker: Float) throws(StorageError) -> Node? {
        let clauses = try nodes(plans)
        if clauses.count <= 1 { return clauses.first }
        return DisMaxNode(context, clauses, try nodes(plans), tieBreaker: tieBreaker)
    }

    private func boosting(_ positive: Plan, _ negative: Plan, _ factor: Float) throws(StorageError) -> Node? {
        guard let inner = try node(positive) else { return nil }
        guard let less = try node(negative) else { return inner }
        return BoostingNode(context, positive: inner, negative: less, factor: factor)
    }

    private func function(_ plan: FunctionPlan) throws(StorageError) -> Node? {
        guard let inner = try node(plan.inner) else { return nil }
        return FunctionNode(context, inner, minScore: plan.minScore, function: try plan.scorer(context.view))
    }
}

extension TermPlan {
    /// Where it lies in a segment of the plan's snapshot; nil when it is not there.
    func entry(in segment: Segment) throws(StorageError) -> (field: UInt32, entry: TermEntry)? {
        if let places { return places.place(in: segment) }
        guard let ordinal = segment.fields.ordinal(of: field) else { return nil }
        return try segment.inverted.term(term, field: ordinal).map { (ordinal, $0) }
    }
}
