// Write buffers become segments that searches see (refresh), segments become durable (flush), many become
// few (merge). Indexing and searching go on beside all three.

internal import Bytes
internal import Indexing
internal import Segments
internal import Storage
import Synchronization

extension IndexShard {
    // MARK: - Refresh

    /// Everything written before the call is visible after it.
    package func refresh() throws(EngineError) {
        try checkUsable()
        // Order matters: everything up to there was written before it was noted, and so before the slots are looked at.
        let followed = external.written
        var detached: [(buffer: DetachedBuffer, ticket: Int)] = []
        for slot in slots {
            slot.monitor.locked {
                if slot.isEmpty { slot.epoch = state.withLock { $0.epoch } } else { detached.append(detach(slot)) }
            }
        }
        settings.observer?(.slotsPassed)
        if !detached.isEmpty {
            try seal(detached)
            counters.refreshes.wrappingAdd(1, ordering: .relaxed)
        }
        seals.wait()
        try checkUsable()
        // Order matters: slots first. A buffer that leaves its slot after that was counted there; one that left before is
        // among the seals, or published already.
        let inSlots = slots.reduce(Int.max) { n, slot in min(n, slot.monitor.locked { slot.epoch }) }
        settings.observer?(.slotsSeen)
        let oldest = min(inSlots, seals.oldestEpoch)
        state.withLock { s in
            s.forgetRetired(upTo: oldest)
            s.externalVersion = max(s.externalVersion, followed)
        }
    }

    /// Takes the buffer out of a slot whose lock is held, and begins a new one.
    func detach(_ slot: WriterSlot) -> (buffer: DetachedBuffer, ticket: Int) {
        let ticket = seals.begin(epoch: slot.epoch)
        let buffer = DetachedBuffer(writer: slot.writer, number: slot.number, deletes: slot.deletes, patches: slot.patches, maxSeqNo: slot.maxSeqNo)
        (slot.number, slot.epoch) = state.withLock { ($0.beginBuffer(), $0.epoch) }
        slot.writer = DocumentWriter()
        slot.deletes = []
        slot.patches = []
        return (buffer, ticket)
    }

    /// Writes the buffers' segments and makes them visible in one step.
    func seal(_ detached: [(buffer: DetachedBuffer, ticket: Int)]) throws(EngineError) {
        defer { for d in detached { seals.end(d.ticket) } }
        settings.observer?(.detached)
        try checkUsable()
        var sealed: [SealedBuffer] = []
        do throws(StorageError) {
            for (buffer, _) in detached { sealed.append(SealedBuffer(number: buffer.number, segment: try write(buffer), deletes: buffer.deletes, patches: buffer.patches)) }
        } catch { throw fail(error) }
        let maxSeqNo = detached.reduce(-1) { max($0, $1.buffer.maxSeqNo) }
        state.withLock { s in
            s.publish(sealed)
            s.maxSeqNo = max(s.maxSeqNo, maxSeqNo)
        }
        settings.observer?(.published)
        versions.purge(published: Set(sealed.map(\.number)), now: monotonicMilliseconds())
    }

    private func write(_ buffer: DetachedBuffer) throws(StorageError) -> ShardSegment? {
        guard Set(buffer.writer.dead).count < buffer.writer.docCount else { return nil }
        let name = Self.segmentName(buffer.number), id = makeSegmentID()
        let length = try buffer.writer.seal(into: directory, name: name + ".seg", id: id)
        var segment = ShardSegment(
            number: buffer.number, name: name, length: length, segment: try Segment(SegmentFile.open(directory, name: name + ".seg", length: length)))
        for doc in buffer.writer.dead { segment.delete(doc) }
        return segment
    }

    // MARK: - Flush

    /// Commits: everything written before the call is in segments that a commit point names, and the translog is trimmed.
    package func flush(force: Bool = false) throws(EngineError) {
        try flushes.locked { () throws(EngineError) in
            try checkUsable()
            guard force || needsFlush else { return }
            let first: UInt64
            do throws(StorageError) { first = try translog.roll() } catch { throw fail(error) }
            try refresh()
            do throws(StorageError) {
                try persistMappingIfChanged()
                try writeCommit(translogGeneration: first)
                counters.flushes.wrappingAdd(1, ordering: .relaxed)
                try translog.trim(below: first, operationsLeft: 0)
                try removeUnreferenced()
            } catch { throw EngineError(error) }
        }
    }

    private var needsFlush: Bool {
        if isDirty || translog.size.operations > 0 || mapping.generation != persistedMapping.withLock({ $0 }) { return true }
        let committed = commit.withLock { $0.segments }, now = state.withLock { $0.segments }
        return committed.map(\.name) != now.map(\.name) || now.contains { $0.liveChanged || $0.patchesChanged }
    }

    private func persistMappingIfChanged() throws(StorageError) {
        let generation = mapping.generation
        guard generation != persistedMapping.withLock({ $0 }) else { return }
        try persistMapping(mapping.current)
        persistedMapping.withLock { $0 = generation }
    }

    private func writeCommit(translogGeneration: UInt64) throws(StorageError) {
        let (segments, nextNumber, followed) = state.withLock { ($0.segments, $0.nextNumber, $0.externalVersion) }
        let before = commit.withLock { $0 }
        var next = CommitPoint(
            generation: (doubtfulCommits.withLock { $0.last } ?? before).generation + 1, maxSeqNo: nextSeqNo.load(ordering: .relaxed) - 1, translogGeneration: translogGeneration,
            nextSegment: UInt64(nextNumber), notes: before.notes)
        next.externalVersion = max(before.externalVersion, followed)
        var written: [UInt32: (live: BitSet, generation: UInt64, length: Int)] = [:], patched: [UInt32: (edition: Int, length: Int)] = [:]
        for segment in segments {
            var entry = CommitPoint.SegmentEntry(
                name: segment.name, id: segment.segment.file.id, length: segment.length, docCount: segment.segment.docCount,
                liveGeneration: segment.liveGeneration, liveLength: segment.liveLength,
                deletedCount: segment.segment.docCount - segment.liveCount)
            if segment.liveChanged, let live = segment.live {
                (entry.liveGeneration, entry.liveLength) = (next.generation, try write(live, of: segment, next.generation))
                written[segment.number] = (live, entry.liveGeneration, entry.liveLength)
            }
            (entry.patchGeneration, entry.patchLength) = (segment.patchGeneration, segment.patchLength)
            if segment.patchesChanged, let patches = segment.segment.columns.patches {
                let name = SegmentPatches.fileName(segment: segment.name, generation: next.generation)
                entry.patchGeneration = next.generation
                entry.patchLength = try write(patches.encoded(id: segment.segment.file.id), to: name)
                patched[segment.number] = (segment.patchEdition, entry.patchLength)
            }
            next.segments.append(entry)
        }
        try directory.sync()
        do throws(StorageError) { try next.write(to: directory) } catch {
            if !isAbsent(next.fileName) { doubtfulCommits.withLock { $0.append(next) } }
            throw error
        }
        commit.withLock { $0 = next }
        doubtfulCommits.withLock { $0 = [] }
        state.withLock { s in
            for i in s.segments.indices {
                if let file = patched[s.segments[i].number] {
                    (s.segments[i].patchGeneration, s.segments[i].patchLength) = (next.generation, file.length)
                    if s.segments[i].patchEdition == file.edition { s.segments[i].patchesChanged = false }
                }
                guard let file = written[s.segments[i].number] else { continue }
                s.segments[i].liveGeneration = file.generation
                s.segments[i].liveLength = file.length
                if s.segments[i].live == file.live { s.segments[i].liveChanged = false }
            }
        }
    }

    private func write(_ live: BitSet, of segment: ShardSegment, _ generation: UInt64) throws(StorageError) -> Int {
        try write(LiveDocs.encode(live, id: segment.segment.file.id), to: LiveDocs.fileName(segment: segment.name, generation: generation))
    }

    /// A small new file, synced.
    /// - Returns: its length.
    private func write(_ bytes: [UInt8], to name: String) throws(StorageError) -> Int {
        // Left by a flush that failed.
        if try directory.length(name) != nil { try directory.remove(name) }
        let file = try directory.create(name)
        try file.append(bytes)
        try file.sync()
        try file.close()
        return bytes.count
    }

    /// False also when that cannot be told.
    private func isAbsent(_ name: String) -> Bool {
        do throws(StorageError) { return try directory.length(name) == nil } catch { return false }
    }

    /// Files of the newest commit point, and of those that may be newer still.
    private var committedFiles: Set<String> {
        doubtfulCommits.withLock { $0 }.reduce(into: Self.files(of: commit.withLock { $0 })) { $0.formUnion(Self.files(of: $1)) }
    }

    /// Removes files that neither the newest commit nor a reader to come needs. Readers that have them mapped keep them.
    private func removeUnreferenced() throws(StorageError) {
        // Order matters: the listing comes first, so a file made after it is never looked at.
        let names = try directory.list()
        let kept = committedFiles
        let (segments, open) = state.withLock { s in (Set(s.segments.map(\.fileName)), s.unpublished) }
        for name in names where Self.isOurs(name) && !kept.contains(name) && !segments.contains(name) {
            if let number = Self.number(ofSegment: String(name.prefix { $0 != "." })), open.contains(number) { continue }
            try directory.remove(name)
        }
    }

    // MARK: - Merge

    /// Does the merge that the policy wants most.
    /// - Returns: whether there was one.
    @discardableResult
    package func mergeOnce() throws(EngineError) -> Bool {
        try merges.locked { () throws(EngineError) in
            let segments = state.withLock { $0.segments }
            guard let group = settings.mergePolicy.next(candidates(segments)) else { return false }
            try merge(group.map { segments[$0] })
            return true
        }
    }

    /// Merges until there are at most `segmentsMax` segments and no deleted documents.
    package func forceMerge(segmentsMax: Int) throws(EngineError) {
        try refresh()
        try merges.locked { () throws(EngineError) in
            for _ in 0..<1000 {
                let segments = state.withLock { $0.segments }
                guard let group = settings.mergePolicy.forced(candidates(segments), segmentsMax: segmentsMax) else { return }
                try merge(group.map { segments[$0] })
            }
        }
    }

    private func candidates(_ segments: [ShardSegment]) -> [MergePolicy.Candidate] {
        segments.enumerated().map {
            MergePolicy.Candidate(index: $0, bytes: $1.length, docCount: $1.segment.docCount, liveCount: $1.liveCount)
        }
    }

    private func merge(_ sources: [ShardSegment]) throws(EngineError) {
        try checkUsable()
        var merged: ShardSegment?
        var docMaps = sources.map { [DocID](repeating: .max, count: $0.segment.docCount) }
        if sources.contains(where: { $0.liveCount > 0 }) {
            // Its number is open like a write buffer's until it is published: nobody clears the file away meanwhile.
            let number = state.withLock { $0.beginBuffer() }
            settings.observer?(.mergeBegun)
            let name = Self.segmentName(number)
            do throws(StorageError) {
                let result = try SegmentMerger.merge(sources.map(\.view), into: directory, name: name + ".seg", id: makeSegmentID())
                let file = try SegmentFile.open(directory, name: name + ".seg", length: result.length)
                merged = ShardSegment(number: number, name: name, length: result.length, segment: try Segment(file))
                docMaps = result.docMaps
            } catch {
                try? directory.remove(name + ".seg")
                state.withLock { _ = $0.unpublished.remove(number) }
                throw EngineError(error)
            }
            settings.observer?(.mergeWritten)
            state.withLock { $0.replace(sources, by: merged, docMaps: docMaps) }
            settings.observer?(.mergePublished)
        } else {
            state.withLock { $0.replace(sources, by: nil, docMaps: docMaps) }
        }
        counters.merges.wrappingAdd(1, ordering: .relaxed)
        // Under the flush's lock: a commit being written may still name them.
        flushes.locked {
            let kept = committedFiles
            for source in sources where !kept.contains(source.fileName) { try? directory.remove(source.fileName) }
        }
    }
}
