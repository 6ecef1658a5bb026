// Runs a whole search request over the snapshots of one or more indexes: plan, score or filter per segment,
// collect, sort, fetch. Pure but for reading segments: time comes in as a value, nothing is written.

package import QueryDSL
package import Segments
package import Storage
package import Bytes

package struct SearchExecutor: Sendable {
    package struct Target: Sendable {
        package var index: String
        package var snapshot: IndexSnapshot
        /// An alias's filter; searched documents match it too.
        package var filter: Query?
        package init(index: String, snapshot: IndexSnapshot, filter: Query? = nil) {
            (self.index, self.snapshot, self.filter) = (index, snapshot, filter)
        }
    }

    /// Milliseconds since 1970: what `now` means in date math.
    package let now: Int64
    /// Shared by all searches of a node; nil runs every filter anew.
    package let filterCache: FilterCache?
    /// The monotonic clock, in nanoseconds, for `timeout`; nil never times out.
    package let monotonic: (@Sendable () -> UInt64)?

    package init(now: Int64, filterCache: FilterCache? = nil, monotonic: (@Sendable () -> UInt64)? = nil) {
        (self.now, self.filterCache, self.monotonic) = (now, filterCache, monotonic)
    }

    package func search(_ request: SearchRequest, in targets: [Target]) throws(SearchError) -> SearchResponse {
        throw SearchError("search_phase_execution_exception", "search is not built yet")
    }

    /// How many live documents match; nil matches all.
    package func count(_ query: Query?, in targets: [Target]) throws(SearchError) -> Int {
        throw SearchError("search_phase_execution_exception", "count is not built yet")
    }

    /// The live documents that match, per segment of the snapshot: for delete and update by query.
    package func matches(_ query: Query?, in target: Target) throws(SearchError) -> [BitSet] {
        throw SearchError("search_phase_execution_exception", "matches is not built yet")
    }

    /// How the document's score comes about. Nil when there is no live document of that id.
    package func explain(_ query: Query, id: String, in target: Target) throws(SearchError) -> Explanation? {
        throw SearchError("search_phase_execution_exception", "explain is not built yet")
    }

    /// Finds what is wrong with a query without running it (`_validate/query`).
    package func validate(_ query: Query, in target: Target) throws(SearchError) -> Plan {
        try PlanBuilder(snapshot: target.snapshot, index: target.index, now: now).plan(query)
    }
}
