// The best hits by several sort keys, over segments and indexes: the best of each segment by its integer
// keys, merged by value.

package import Bytes
package import JSON
package import QueryDSL
package import Segments

package final class FieldSortCollector {
    private let plan: SortPlan
    private let snapshots: [IndexSnapshot]
    private let size: Int
    private var best: [SortedHit] = []
    private let buffer = UnsafeMutableBufferPointer<DocID>.allocate(capacity: ValueBatch.docsMax)

    /// - Parameters:
    ///   - size: from + size of the request.
    ///   - after: search_after: only hits that come strictly after these values.
    ///   - now: for date math in `missing` and `after`.
    package init(_ keys: [SortKey], snapshots: [IndexSnapshot], size: Int, after: [JSONValue]? = nil, now: Int64 = 0) throws(QueryError) {
        plan = try SortPlan(keys, snapshots: snapshots, after: after, now: now)
        (self.snapshots, self.size) = (snapshots, max(0, size))
    }

    deinit { unsafe buffer.deallocate() }

    /// `matches`: live documents; `scores` by DocID, needed when a key is `_score` or scores are tracked.
    /// - Throws: StorageError.
    package func collect(snapshot: Int, segment: Int, matches: BitSet, scores: [Float]?) throws {
        let sorter = try SegmentSorter(plan, snapshot: snapshot, segment: segment, index: snapshots[snapshot], scores: scores)
        var heap = SortHeap(size: size), walk = BitSet.Walk()
        while true {
            let n = unsafe matches.next(&walk, into: buffer)
            if n == 0 { break }
            let docs = unsafe UnsafeBufferPointer(rebasing: buffer[0..<n])
            unsafe sorter.gather(docs)
            unsafe heap.add(docs, sorter)
        }
        var hits = try heap.entries.map { try sorter.hit($0) }
        hits.sort(by: plan.precedes)
        merge(hits)
    }

    /// In order, at most `size`.
    package func finish() -> [SortedHit] { best }

    /// The "sort" of a hit as Elasticsearch renders it.
    package func json(_ hit: SortedHit) -> [JSONValue] { hit.sort.enumerated().map { plan.json($1, $0) } }

    private func merge(_ hits: [SortedHit]) {
        if best.isEmpty {
            best = hits
            return
        }
        var merged: [SortedHit] = [], i = 0, j = 0
        while merged.count < size, i < best.count || j < hits.count {
            if j == hits.count || (i < best.count && plan.precedes(best[i], hits[j])) {
                merged.append(best[i])
                i += 1
            } else {
                merged.append(hits[j])
                j += 1
            }
        }
        best = merged
    }
}
