// From a folder to a shard: the newest commit point, its segments and live docs; what no commit names is
// cleared away; then the translog is done again.

internal import Indexing
internal import Segments
internal import Storage
import Synchronization

extension IndexShard {
    static func openCommit(_ directory: any Directory) throws(EngineError) -> (commit: CommitPoint, translogs: any Directory, state: ShardState) {
        do throws(StorageError) {
            guard let commit = try CommitPoint.newest(in: directory) else {
                throw StorageError(.corrupt, path: directory.path, "no commit point")
            }
            var state = ShardState()
            state.maxSeqNo = commit.maxSeqNo
            state.externalVersion = commit.externalVersion
            for entry in commit.segments { state.segments.append(try open(entry, in: directory)) }
            state.views = state.segments.map(\.view)
            let highest = try removeOrphans(directory, keeping: commit)
            state.nextNumber = UInt32(clamping: max(commit.nextSegment, UInt64(highest) + 1))
            return (commit, try directory.directory("translog"), state)
        } catch { throw EngineError(error) }
    }

    private static func open(_ entry: CommitPoint.SegmentEntry, in directory: any Directory) throws(StorageError) -> ShardSegment {
        let fileName = entry.name + ".seg", path = directory.path + "/" + fileName
        guard let number = number(ofSegment: entry.name) else { throw StorageError(.corrupt, path: path, "not a segment's name") }
        let file: SegmentFile
        do throws(StorageError) {
            file = try SegmentFile.open(directory, name: fileName, length: entry.length)
        } catch where error.kind == .notFound {
            throw StorageError(.corrupt, path: path, "the commit point names this file, and it is not there")
        }
        guard file.id == entry.id else { throw StorageError(.corrupt, path: path, "is another segment than the commit point says", at: 16) }
        let segment = try Segment(file)
        guard segment.docCount == entry.docCount else { throw StorageError(.corrupt, path: path, "document count differs from the commit point's") }
        var opened = ShardSegment(number: number, name: entry.name, length: entry.length, segment: segment)
        if entry.liveGeneration > 0 {
            let name = LiveDocs.fileName(segment: entry.name, generation: entry.liveGeneration), livePath = directory.path + "/" + name
            guard try directory.length(name) == entry.liveLength else {
                throw StorageError(.corrupt, path: livePath, "missing, or not as long as the commit point says")
            }
            opened.live = try LiveDocs.decode(try directory.read(name), id: entry.id, docCount: entry.docCount, path: livePath)
            opened.liveGeneration = entry.liveGeneration
            opened.liveLength = entry.liveLength
        }
        if entry.patchGeneration > 0 {
            let name = SegmentPatches.fileName(segment: entry.name, generation: entry.patchGeneration), patchPath = directory.path + "/" + name
            guard try directory.length(name) == entry.patchLength else {
                throw StorageError(.corrupt, path: patchPath, "missing, or not as long as the commit point says")
            }
            opened.lay(try SegmentPatches.decode(
                try directory.read(name), id: entry.id, docCount: entry.docCount, fieldCount: segment.fields.count, path: patchPath))
            (opened.patchGeneration, opened.patchLength) = (entry.patchGeneration, entry.patchLength)
        }
        return opened
    }

    static func segmentName(_ number: UInt32) -> String { "s\(number)" }
    static func number(ofSegment name: String) -> UInt32? { name.hasPrefix("s") ? UInt32(name.dropFirst()) : nil }

    /// Removes what a crash left behind.
    /// - Returns: the highest segment number seen.
    private static func removeOrphans(_ directory: any Directory, keeping commit: CommitPoint) throws(StorageError) -> UInt32 {
        let kept = files(of: commit)
        var highest: UInt32 = 0, orphans: [String] = []
        for name in try directory.list() where isOurs(name) {
            if let number = number(ofSegment: String(name.prefix { $0 != "." })) { highest = max(highest, number) }
            if !kept.contains(name) { orphans.append(name) }
        }
        // Order matters: the newest commit point's name may not be durable yet, and an older one may still need these files.
        if !orphans.isEmpty { try directory.sync() }
        for name in orphans { try directory.remove(name) }
        return highest
    }

    /// The names of the files that a commit point needs, its own among them.
    static func files(of commit: CommitPoint) -> Set<String> {
        var names: Set<String> = [commit.fileName]
        for s in commit.segments {
            names.insert(s.name + ".seg")
            if s.liveGeneration > 0 { names.insert(LiveDocs.fileName(segment: s.name, generation: s.liveGeneration)) }
            if s.patchGeneration > 0 { names.insert(SegmentPatches.fileName(segment: s.name, generation: s.patchGeneration)) }
        }
        return names
    }

    static func isOurs(_ name: String) -> Bool {
        name.hasPrefix("commit-") || name.hasSuffix(".seg") || name.hasSuffix(".live") || name.hasSuffix(".upd") || name.hasSuffix(".tmp")
    }

    /// Does a logged operation again, unless its effect is in a segment already.
    func replay(_ operation: LoggedOperation) throws(EngineError) {
        switch operation {
        case .marker: return
        case .mapping(let definition): try replayMapping(definition)
        case .index(let id, let routing, let source, let version, let seqNo, let term):
            noteSeqNo(seqNo)
            try replayIndex(id: id, routing: routing, source: source, version: version, seqNo: seqNo, primaryTerm: term)
        case .delete(let id, let version, let seqNo, let term):
            noteSeqNo(seqNo)
            try replayDelete(id: id, version: version, seqNo: seqNo, primaryTerm: term)
        case .patch(let id, let values, let version, let seqNo, let term):
            noteSeqNo(seqNo)
            try replayPatch(id: id, values: values, version: version, seqNo: seqNo, primaryTerm: term)
        case .position(let version): external.raise(to: version)
        }
    }

    private func noteSeqNo(_ seqNo: Int64) {
        if seqNo >= nextSeqNo.load(ordering: .relaxed) { nextSeqNo.store(seqNo + 1, ordering: .relaxed) }
    }
}
