// What the term dictionary says of one term: how often it occurs and where its postings lie.

package struct TermEntry: Sendable, Equatable {
    /// Documents having the term, deleted ones included.
    package var docFreq: Int
    /// Occurrences; equal to `docFreq` where frequencies are not kept.
    package var totalTermFreq: Int
    package var options: PostingsOptions
    /// Postings and positions stand in the dictionary itself: the ranges are of section `termBlocks`.
    package var isInline: Bool
    /// Byte ranges within section `postings`; positions are empty when they are not kept.
    package var postings: Range<Int>
    package var positions: Range<Int>

    package init(docFreq: Int, totalTermFreq: Int, options: PostingsOptions, isInline: Bool, postings: Range<Int>, positions: Range<Int>) {
        (self.docFreq, self.totalTermFreq, self.options, self.isInline) = (docFreq, totalTermFreq, options, isInline)
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
