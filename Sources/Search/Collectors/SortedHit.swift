// A hit of a sorted search, and the values it was sorted by.

package import JSON
package import Segments

package enum SortValue: Sendable, Equatable {
    case integer(Int64)
    case double(Double)
    case string([UInt8])
    /// A keyword that is missing.
    case null
}

package struct SortedHit: Sendable, Equatable {
    package var snapshot: Int
    package var segment: Int
    package var doc: DocID
    /// NaN when scores were not asked for.
    package var score: Float
    package var sort: [SortValue]
    package init(snapshot: Int, segment: Int, doc: DocID, score: Float, sort: [SortValue]) {
        (self.snapshot, self.segment, self.doc, self.score, self.sort) = (snapshot, segment, doc, score, sort)
    }
}
