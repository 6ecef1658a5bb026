// Which segments a shard has now, and how deletes find their way to them. A plain value: the shard keeps it
// behind a lock, changes it in one step per refresh or merge, and hands out copies.
//
// A delete names (segment number, document). Numbers are given to write buffers when they are begun, so the
// name holds while the buffer is open, being sealed, a segment, and after the segment was merged away:
//     open or being sealed   the delete waits in `waiting` and is applied when the segment appears
//     a segment              its bit is cleared
//     merged away            `retired` says where the document went
// So does a patch of updatable columns, which is only ever made for a document of a published segment.
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
    /// With the patches laid over it.
    private(set) var segment: Segment
    /// Nil: all alive.
    var live: BitSet?
    /// Generation of the live docs file that holds `live`; 0 for none.
    var liveGeneration: UInt64 = 0
    var liveLength = 0
    /// `live` changed since that file was written.
    var liveChanged = false
    /// Generation of the patches file that has the segment's patches; 0 for none.
    var patchGeneration: UInt64 = 0
    var patchLength = 0
    /// The segment's patches changed since that file was written.
    var patchesChanged = false
    /// Rises with every change of patches.
    private(set) var patchEdition = 0

    init(number: UInt32, name: String, length: Int, segment: Segment) {
        (self.number, self.name, self.length, self.segment) = (number, name, length, segment)
    }

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

    /// Lays patches over the segment, but for those that it or the document has newer ones of.
    mutating func apply(_ patches: [(doc: DocID, patch: PlacedPatch)]) {
        var changes: [PatchedDocument] = []
        for (doc, patch) in patches.sorted(by: { ($0.doc, $0.patch.seqNo) < ($1.doc, $1.patch.seqNo) }) where Int(doc) < segment.docCount && isLive(doc) {
            // Of buffers that are published in another order than they were written in, the later one has it all.
            if let known = try? segment.columns.sequenceNumber(of: doc), known >= patch.seqNo { continue }
            var values: [UInt32: PatchedDocument.Value] = [:]
            if changes.last?.doc == doc, let last = changes.popLast() { for v in last.values { values[v.field] = v } }
            for v in patch.values {
                guard let field = segment.fields.ordinal(of: v.path) else { continue }
                values[field] = PatchedDocument.Value(field: field, value: v.value, text: v.text)
            }
            changes.append(PatchedDocument(
                doc: doc, version: patch.version, seqNo: patch.seqNo, values: values.values.sorted { $0.field < $1.field }))
        }
        if changes.isEmpty { return }
        var all = segment.columns.patches ?? SegmentPatches(docCount: segment.docCount)
        all.apply(changes)
        segment = Segment(segment, patches: all, changes: changes)
        patchesChanged = true
        patchEdition += 1
    }

    /// As they were read from a file.
    mutating func lay(_ patches: SegmentPatches) { segment = Segment(segment, patches: patches, changes: []) }

    /// The patches that this segment has and `older`, the same one before, had not.
    func patches(since older: ShardSegment) -> [PlacedPatch] {
        if patchEdition == older.patchEdition { return [] }
        var found: [PlacedPatch] = []
        segment.columns.patches?.forEach { p in
            if let known = older.segment.columns.patches?.seqNo(of: p.doc), known >= p.seqNo { return }
            found.append(PlacedPatch(
                place: DocumentPlace(segment: number, doc: p.doc), version: p.version, seqNo: p.seqNo,
                values: p.values.map { FieldPatch(path: segment.fields[ordinal: $0.field].path, value: $0.value, text: $0.text) }))
        }
        return found
    }
}

/// Other values for a document's updatable columns, on their way to its segment.
struct PlacedPatch: Sendable {
    var place: DocumentPlace
    var version: Int64
    var seqNo: Int64
    var values: [FieldPatch]
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
    /// Of the feed outside that the index follows: everything up to there is in `segments`.
    var externalVersion: Int64 = 0
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

    /// Makes sealed buffers visible, together with all the deletes and patches they carry.
    mutating func publish(_ sealed: [SealedBuffer]) {
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
        apply(sealed.flatMap(\.patches))
        views = segments.map(\.view)
    }

    /// A patch names a document of a published segment, which a merge may have moved since.
    private mutating func apply(_ patches: [PlacedPatch]) {
        if patches.isEmpty { return }
        var byNumber: [UInt32: [(doc: DocID, patch: PlacedPatch)]] = [:]
        for patch in patches { if let place = moved(patch.place) { byNumber[place.segment, default: []].append((place.doc, patch)) } }
        for i in segments.indices { if let found = byNumber[segments[i].number] { segments[i].apply(found) } }
    }

    /// Puts `merged` in the place of `sources`, with what was deleted and patched of them since the merge began.
    mutating func replace(_ sources: [ShardSegment], by merged: ShardSegment?, docMaps: [[DocID]]) {
        epoch += 1
        var merged = merged, patches: [(doc: DocID, patch: PlacedPatch)] = []
        for (source, map) in zip(sources, docMaps) {
            guard let now = segments.first(where: { $0.number == source.number }) else { continue }
            for doc in map.indices where map[doc] != .max && !now.isLive(DocID(doc)) { merged?.delete(map[doc]) }
            for patch in now.patches(since: source) where map[Int(patch.place.doc)] != .max { patches.append((map[Int(patch.place.doc)], patch)) }
            retired[source.number] = Retired(docMap: map, target: merged?.number, epoch: epoch)
        }
        merged?.apply(patches)
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
        guard let place = moved(place) else { return }
        if unpublished.contains(place.segment) { waiting[place.segment, default: []].append(place.doc) }
        else { found[place.segment, default: []].append(place.doc) }
    }

    /// Where merges have taken a document; nil when it was deleted on the way.
    private func moved(_ place: DocumentPlace) -> DocumentPlace? {
        var place = place
        while let step = retired[place.segment] {
            guard let target = step.target, Int(place.doc) < step.docMap.count, step.docMap[Int(place.doc)] != .max else { return nil }
            place = DocumentPlace(segment: target, doc: step.docMap[Int(place.doc)])
        }
        return place
    }
}

/// A write buffer ready to be published. The segment is nil when no document of it was alive.
struct SealedBuffer: Sendable {
    var number: UInt32
    var segment: ShardSegment?
    var deletes: [DocumentPlace] = []
    var patches: [PlacedPatch] = []
}
