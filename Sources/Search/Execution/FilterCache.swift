// Bit sets of filters, kept per segment and shared by all searches of a node. Segments are immutable and the sets
// hold deleted documents too, so an entry never goes stale; it is let go when memory is needed.
//
//     first use    the filter is run, its name remembered among the last 256 seen
//     second use   run once more and kept
//     from then    read; the clock's hand passes over entries used since it last came by, and drops the others
//
// Invariants
//     1  `bytes` never passes `bytesMax` after a call returned.
//     2  No filter runs under the lock.

package import Bytes
package import Segments
package import Storage
import Synchronization

package final class FilterCache: Sendable {
    package let bytesMax: Int

    private struct Key: Hashable { let segment: SegmentID; let filter: String }
    private struct Entry { let key: Key; let set: BitSet; var used: Bool }
    private struct State {
        var places: [Key: Int] = [:]
        var entries: [Entry] = []
        var hand = 0
        var bytes = 0
        var seen: [Int: Void] = [:], recent: [Int] = [], recentHand = 0
        var hits = 0, misses = 0
    }
    private let state = Mutex(State())
    private static let recentMax = 256, nameMax = 4096
    /// Smaller segments are as quickly searched as looked up.
    private static let docCountMin = 4096

    package init(bytesMax: Int = 64 << 20) { self.bytesMax = bytesMax }

    package var statistics: (entries: Int, bytes: Int, hits: Int, misses: Int) {
        state.withLock { ($0.entries.count, $0.bytes, $0.hits, $0.misses) }
    }

    package func removeAll() { state.withLock { $0 = State() } }

    /// The filter's documents in a segment: kept ones, or made by `make`.
    func documents(
        _ filter: String, in view: SegmentView, _ make: (SegmentView) throws(StorageError) -> BitSet
    ) throws(StorageError) -> BitSet {
        guard view.docCount >= Self.docCountMin, filter.utf8.count <= Self.nameMax else { return try make(view) }
        let key = Key(segment: view.segment.file.id, filter: filter)
        if let kept = state.withLock({ Self.find(key, in: &$0) }) { return kept }
        let set = try make(view)
        state.withLock { keep(key, set, in: &$0) }
        return set
    }

    // MARK: -

    private static func find(_ key: Key, in state: inout State) -> BitSet? {
        guard let place = state.places[key] else {
            state.misses += 1
            return nil
        }
        state.hits += 1
        state.entries[place].used = true
        return state.entries[place].set
    }

    private func keep(_ key: Key, _ set: BitSet, in state: inout State) {
        let size = set.words.count * 8 + key.filter.utf8.count + 128
        guard size <= bytesMax / 8, state.places[key] == nil, wasSeen(key.hashValue, in: &state) else { return }
        while state.bytes + size > bytesMax, !state.entries.isEmpty { evictOne(&state) }
        state.places[key] = state.entries.count
        state.entries.append(Entry(key: key, set: set, used: false))
        state.bytes += size
    }

    private func wasSeen(_ hash: Int, in state: inout State) -> Bool {
        if state.seen[hash] != nil { return true }
        if state.recent.count < Self.recentMax { state.recent.append(hash) } else {
            state.seen[state.recent[state.recentHand]] = nil
            state.recent[state.recentHand] = hash
            state.recentHand = (state.recentHand + 1) % Self.recentMax
        }
        state.seen[hash] = ()
        return false
    }

    private func evictOne(_ state: inout State) {
        while state.entries[state.hand % state.entries.count].used {
            state.entries[state.hand % state.entries.count].used = false
            state.hand = (state.hand + 1) % state.entries.count
        }
        let place = state.hand % state.entries.count
        let gone = state.entries[place]
        state.bytes -= gone.set.words.count * 8 + gone.key.filter.utf8.count + 128
        state.places[gone.key] = nil
        state.entries.swapAt(place, state.entries.count - 1)
        state.entries.removeLast()
        if place < state.entries.count { state.places[state.entries[place].key] = place }
        state.hand = state.entries.isEmpty ? 0 : place % state.entries.count
    }
}
