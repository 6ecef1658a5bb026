// stub
package import Bytes
package import JSON
package import QueryDSL
package import Segments

/// The best `size` hits by several sort keys, over segments and indexes.
package final class FieldSortCollector {
    package init(_ keys: [SortKey], snapshots: [IndexSnapshot], size: Int, after: [JSONValue]? = nil) throws(QueryError) {}
    /// `matches`: live documents; `scores` by DocID, needed when a key is `_score` or scores are tracked.
    package func collect(snapshot: Int, segment: Int, matches: BitSet, scores: [Float]?) throws {}
    package func finish() -> [SortedHit] { [] }
    /// The "sort" of a hit as Elasticsearch renders it.
    package func json(_ hit: SortedHit) -> [JSONValue] { [] }
}
