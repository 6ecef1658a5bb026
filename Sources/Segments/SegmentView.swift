// One segment as a reader sees it: the immutable segment and the documents of it that are alive in this
// snapshot.

package import Bytes

/// A document's number within its segment: dense from 0, and meaningless outside that segment.
package typealias DocID = UInt32

package struct SegmentView: Sendable {
    package let segment: Segment
    /// Nil when no document was deleted.
    package let live: BitSet?
    package let liveCount: Int

    package init(segment: Segment, live: BitSet?) {
        self.segment = segment
        self.live = live
        liveCount = live?.cardinality() ?? segment.docCount
    }

    package var docCount: Int { segment.docCount }
}
