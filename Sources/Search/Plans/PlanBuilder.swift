// Binds a query to an index: analyzes, expands and weighs it with the statistics of the whole snapshot. A plan
// holds no segment, and runs on any segment of the snapshot it was made for.
//
//     Query ── QueryBinder ──> Plan        (one binder per plan: it remembers statistics and counts clauses)

package import QueryDSL

package struct PlanBuilder: Sendable {
    package let snapshot: IndexSnapshot
    /// The index's name, for messages and for `_index`.
    package let index: String
    /// Milliseconds since 1970: what `now` means in date math.
    package let now: Int64
    /// Keeps the bit sets of the plans' sets; nil makes every set anew.
    package let filterCache: FilterCache?

    package init(snapshot: IndexSnapshot, index: String = "", now: Int64, filterCache: FilterCache? = nil) {
        (self.snapshot, self.index, self.now, self.filterCache) = (snapshot, index, now, filterCache)
    }

    /// The query as a scored plan.
    package func plan(_ query: Query, boost: Float = 1) throws(SearchError) -> Plan {
        try QueryBinder(self).bind(query, boost: boost, scored: true)
    }

    /// The query as a filter: the same documents, scores left out (no statistics are read).
    package func filter(_ query: Query) throws(SearchError) -> Plan {
        try QueryBinder(self).bind(query, boost: 1, scored: false)
    }

    /// What to highlight.
    package func terms(_ query: Query) throws(SearchError) -> QueryTerms {
        let binder = QueryBinder(self, keepsTerms: true)
        _ = try binder.bind(query, boost: 1, scored: false)
        return binder.terms
    }
}
