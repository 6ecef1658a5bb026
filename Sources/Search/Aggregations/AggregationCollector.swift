// stub

package import Bytes
package import QueryDSL
package import Segments
package import Storage

/// Why an aggregation has no answer.
package enum AggregationError: Error {
    /// The caller erred, or asked for too much (`too_many_buckets_exception`).
    case query(QueryError)
    /// A segment is damaged.
    case storage(StorageError)
}

package final class AggregationCollector {
    /// - Parameters:
    ///   - snapshots: one per index searched.
    ///   - evaluate: documents of a segment matching a query (live ones only): for filter and filters.
    package init(
        _ aggregations: [Aggregation], snapshots: [IndexSnapshot],
        evaluate: @escaping (_ query: Query, _ snapshot: Int, _ segment: Int) throws -> BitSet
    ) throws(QueryError) {}

    /// Counts one segment's matches (live documents only). Every segment is collected once, in order.
    package func collect(snapshot: Int, segment: Int, matches: BitSet, scores: [Float]?) throws {}
    /// The same with, for each top-level aggregation by name, its own set (multi-select facets).
    package func collect(snapshot: Int, segment: Int, matches: (_ aggregation: String) -> BitSet, scores: [Float]?) throws {}

    package func finish() throws(QueryError) -> [AggregationResult] { [] }
}
