// Binds a query to an index: analyzes, expands and weighs it with the statistics of the whole snapshot.

package import QueryDSL

package struct PlanBuilder: Sendable {
    package let snapshot: IndexSnapshot
    /// The index's name, for messages.
    package let index: String
    /// Milliseconds since 1970: what `now` means in date math.
    package let now: Int64

    package init(snapshot: IndexSnapshot, index: String = "", now: Int64) {
        (self.snapshot, self.index, self.now) = (snapshot, index, now)
    }

    /// The query as a scored plan.
    package func plan(_ query: Query) throws(SearchError) -> Plan {
        throw SearchError("query_shard_exception", "not built yet")
    }

    /// The query as a filter: the same documents, scores left out.
    package func filter(_ query: Query) throws(SearchError) -> Plan { try plan(query) }
}
