// What the term dictionary says of one term: how often it occurs and where its postings lie.

package struct TermEntry: Sendable, Equatable {
    /// Documents having the term, deleted ones included.
    package var docFreq: Int
    /// Occurrences; equal to `docFreq` where frequencies are not kept.
    package var totalTermFreq: Int
    /// Postings and positions stand in the dictionary itself, at `postings`, positions right behind.
    package var isInline: Bool
    /// Byte range within section `postings` (or `termBlocks`, when inline).
    package var postings: Range<Int>
    /// Byte range within section `positions`; empty when there are none or they are inline.
    package var positions: Range<Int>

    package init(docFreq: Int, totalTermFreq: Int, isInline: Bool, postings: Range<Int>, positions: Range<Int>) {
        (self.docFreq, self.totalTermFreq, self.isInline) = (docFreq, totalTermFreq, isInline)
        (self.postings, self.positions) = (postings, positions)
    }
}

/// What a walk over terms does after the term it was shown.
package enum TermWalk: Sendable {
    case next
    /// Goes on at the first term at or after these bytes (which must lie behind the term shown).
    case seek([UInt8])
    case stop
}
