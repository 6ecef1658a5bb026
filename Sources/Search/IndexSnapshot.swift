// What one search sees: segments, their live documents and the mapping of one moment. Immutable, so readers
// take no lock and nothing waits for them.

package import Mappings
package import Segments

package struct IndexSnapshot: Sendable {
    package let segments: [SegmentView]
    package let mapping: Mapping
    /// The last operation that the snapshot has.
    package let maxSequenceNumber: Int64
    /// Of what the index follows, as a feed's position: everything up to there is in the snapshot. 0: it follows nothing, or has not begun.
    package let externalVersion: Int64
    package let settings: SearchSettings

    package init(
        segments: [SegmentView], mapping: Mapping, maxSequenceNumber: Int64 = -1, externalVersion: Int64 = 0,
        settings: SearchSettings = SearchSettings()
    ) {
        (self.segments, self.mapping, self.maxSequenceNumber, self.settings) = (segments, mapping, maxSequenceNumber, settings)
        self.externalVersion = externalVersion
    }

    package var docCount: Int { segments.reduce(0) { $0 + $1.liveCount } }
}

/// Bounds and similarity of one index, from its settings.
package struct SearchSettings: Sendable {
    package var k1: Float = 1.2
    package var b: Float = 0.75
    /// index.max_result_window: from + size.
    package var resultWindowMax = 10_000
    /// indices.query.bool.max_clause_count.
    package var clausesMax = 1024
    /// index.max_terms_count.
    package var termsMax = 65_536
    package var bucketsMax = 65_536
    package var defaultFields: [String] = ["*"]
    package init() {}
}
