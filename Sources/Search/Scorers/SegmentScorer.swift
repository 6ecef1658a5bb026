// Runs a plan over one segment: the best k documents, all matches, or how many there are.

package import Bytes
package import Segments
package import Storage

/// One thread at a time; made per search and segment.
package final class SegmentScorer {
    package let plan: Plan
    package let view: SegmentView

    package init(plan: Plan, view: SegmentView) throws(StorageError) {
        (self.plan, self.view) = (plan, view)
    }

    /// The best `k` live documents, best first; of equal scores the lower DocID. Only documents that score above
    /// `threshold` are looked for; when k hits are there, `threshold` is raised to the worst one's score (pass it
    /// on to the next segment). Before the first segment pass `-Float.infinity`.
    /// - Parameter countUpTo: matches are counted at least up to here (`Int.max`: all; 0: not at all); past it
    ///   whole blocks may be skipped. `count` is the number of live matches when `countIsExact`, else a lower
    ///   bound of it that is above `countUpTo`, or whatever was seen when `countUpTo` is 0.
    package func top(_ k: Int, threshold: inout Float, countUpTo: Int) throws(StorageError) -> (hits: [(doc: DocID, score: Float)], count: Int, countIsExact: Bool) {
        ([], 0, true)
    }

    /// Exhaustive: all live matches, the best k, and each match's score when asked for.
    package func collect(k: Int, scores: Bool) throws(StorageError) -> SegmentMatches {
        SegmentMatches(matches: BitSet(count: view.docCount), hits: [], scores: nil)
    }

    /// All live matches.
    package func matches() throws(StorageError) -> BitSet { BitSet(count: view.docCount) }

    /// How many live matches there are.
    package func count() throws(StorageError) -> Int { 0 }

    /// The document's score, nil when it does not match.
    package func score(of doc: DocID) throws(StorageError) -> Float? { nil }

    /// The `_name`s of the clauses that match the document, in the plan's order.
    package func matchedNames(_ doc: DocID) throws(StorageError) -> [String] { [] }
}

package struct SegmentMatches: Sendable {
    package var matches: BitSet
    package var hits: [(doc: DocID, score: Float)]
    /// By DocID; 0 where the document does not match.
    package var scores: [Float]?
    package init(matches: BitSet, hits: [(doc: DocID, score: Float)], scores: [Float]?) {
        (self.matches, self.hits, self.scores) = (matches, hits, scores)
    }
}
