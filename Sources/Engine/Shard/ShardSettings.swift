// How one shard writes. Values, so that tests choose small bounds and no randomness.

package import Indexing

package struct ShardSettings: Sendable {
    package enum Durability: String, Sendable { case request, async }

    /// index.translog.durability.
    package var durability = Durability.request
    /// Write buffers side by side: how many threads can index at once.
    package var writers = 2
    /// Bytes of one write buffer before it is sealed into a segment.
    package var bufferBytesMax = 64 << 20
    /// index.translog.flush_threshold_size.
    package var flushBytes = 512 << 20
    /// index.refresh_interval in milliseconds; nil: only when asked.
    package var refreshMilliseconds: Int64? = 1000
    package var mergePolicy = MergePolicy()
    /// Makes segment ids and document ids; set in tests for runs that repeat.
    package var seed: UInt64?
    /// Bulk requests of at least so many bytes are indexed by several threads.
    package var parallelBytesMin = 1 << 20
    /// Told of moments between two steps at which other threads may come in: tests make them come in just there.
    package var observer: (@Sendable (ShardMoment) -> Void)?
    package init() {}
}

package enum ShardMoment: Sendable, Equatable, CaseIterable {
    /// Of a refresh: empty slots have the epoch of now, others are sealed. Of a refresh: slots were looked at for the oldest epoch, seals were not yet.
    case slotsPassed, slotsSeen
    /// A buffer has left its slot and is not sealed yet; is published, and the version map does not know it yet.
    case detached, published
    /// A merge has read its sources; its segment is written and not published; is published.
    case mergeBegun, mergeWritten, mergePublished
}
