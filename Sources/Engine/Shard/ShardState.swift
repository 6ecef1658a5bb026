// Which segments a shard has now, and how deletes find their way to them. A plain value: the shard keeps it
// behind a lock, changes it in one step per refresh or merge, and hands out copies.
//
// A delete names (segment number, document). Numbers are given to write buffers when they are begun, so the
// name holds while the buffer is open, being sealed, a segment, and after the segment was merged away:
//     open or being sealed   the delete waits in `waiting` and is applied when the segment appears
//     a segment              its bit is cleared
//     merged away            `retired` says where the document went
//
// Invariants
//     1  A document's new version and the delete of its old one become visible in the same change.
//     2  A retired segment's map is kept until no write buffer can hold a delete that names it.

internal import Bytes
internal import Indexing
internal import Segments

struct ShardSegment: Sendable {
    let number: UInt32
    /// File name without ".seg".
    let name: String
    let length: Int
    let segment: Segment
    /// Nil: all alive.
    var live: BitSet?
    /// Generation of the live docs file that holds `live`; 0 for none.
    var liveGeneration: UInt64 = 0
    var liveLength = 0
    /// `live` changed since that file was written.
    var liveChanged = false

    var view: SegmentView { SegmentView(segment: segment, live: live) }
    var liveCount: Int { live?.cardinality() ?? segment.docCount }
    var fileName: String { name + ".seg" }

    mutating func delete(_ doc: DocID) {
        guard Int(doc) < segment.docCount else { return }
        if live == nil { live = BitSet(count: segment.docCount, all: true) }
        if live?[Int(doc)] == true {
            live?.remove(Int(doc))
            liveChanged = true
        }
    }

    func isLive(_ doc: DocID) -> Bool { live.map { $0[Int(doc)] } ?? true }
}

/// A document of a segment that is, will be or was.
struct DocumentPlace: Sendable {
    var segment: UInt32
    var doc: DocID
}

struct ShardState: Sendable {
    /// Oldest first.
    var segments: [ShardSegment] = []
    /// As readers see them.
    var views: [SegmentView] = []
    var maxSeqNo: Int64 = -1
    /// Numbers of write buffers that are open or being sealed.
    var unpublished: Set<UInt32> = []
    var nextNumber: UInt32 = 1
    /// Rises with every merge.
    var epoch = 0
    private var waiting: [UInt32: [DocID]] = [:]
    private var retired: [UInt32: Retired] = [:]

    private struct Retired {
        var docMap: [DocID]
        /// Nil when nothing was left.
        var target: UInt32?
        var epoch: Int
    }

    var hasRetired: Bool { !retired.isEmpty }

    mutating func beginBuffer() -> UInt32 {
        defer { nextNumber += 1 }
        unpublished.insert(nextNumber)
        return nextNumber
    }

    /// Makes sealed buffers visible, together with all the deletes they carry.
    /// - Parameter sealed: the segment is nil when no document of the buffer was alive.
    mutating func publish(_ sealed: [(number: UInt32, segment: ShardSegment?, deletes: [DocumentPlace])]) {
        for buffer in sealed {
            unpublished.remove(buffer.number)
            let early = waiting.removeValue(forKey: buffer.number) ?? []
            guard var segment = buffer.segment else { continue }
            for doc in early { segment.delete(doc) }
            segments.append(segment)
        }
        var byNumber: [UInt32: [DocID]] = [:]
        for buffer in sealed { for place in buffer.deletes { resolve(place, &byNumber) } }
        for i in segments.indices { for doc in byNumber[segments[i].number] ?? [] { segments[i].delete(doc) } }
        views = segments.map(\.view)
    }

    /// Puts `merged` in the place of `sources`, with what was deleted of them since the merge began.
    mutating func replace(_ sources: [ShardSegment], by merged: ShardSegment?, docMaps: [[DocID]]) {
        epoch += 1
        var merged = merged
        for (source, map) in zip(sources, docMaps) {
            guard let now = segments.first(where: { $0.number == source.number }) else { continue }
            for doc in map.indices where map[doc] != .max && !now.isLive(DocID(doc)) { merged?.delete(map[doc]) }
            retired[source.number] = Retired(docMap: map, target: merged?.number, epoch: epoch)
        }
        let gone = Set(sources.map(\.number))
        let place = segments.firstIndex { gone.contains($0.number) } ?? segments.count
        segments.removeAll { gone.contains($0.number) }
        if let merged {
            segments.insert(merged, at: min(place, segments.count))
            // In the same step: a delete that finds its way here from now on must find a segment, not one yet to come.
            unpublished.remove(merged.number)
        }
        views = segments.map(\.view)
    }

    /// Drops the maps of merges that every write buffer is younger than.
    mutating func forgetRetired(upTo epoch: Int) { retired = retired.filter { $0.value.epoch > epoch } }

    // MARK: -

    private mutating func resolve(_ place: DocumentPlace, _ found: inout [UInt32: [DocID]]) {
        var place = place
        while let step = retired[place.segment] {
            guard let target = step.target, Int(place.doc) < step.docMap.count, step.docMap[Int(place.doc)] != .max else { return }
            place = DocumentPlace(segment: target, doc: step.docMap[Int(place.doc)])
        }
        if unpublished.contains(place.segment) { waiting[place.segment, default: []].append(place.doc) }
        else { found[place.segment, default: []].append(place.doc) }
    }
}
