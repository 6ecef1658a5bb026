// A commit point's files, held: a flush, and then every file that the commit names is mapped, under the lock that removals take. A mapped file keeps its bytes
// when its name goes, so writes, flushes and merges go on while somebody copies.

internal import Indexing
internal import Segments
internal import Storage

struct PinnedCommit: Sendable {
    struct File: Sendable {
        let name: String
        /// The same key means the same bytes, in whatever index and whenever.
        let key: String
        let bytes: MappedBytes
        let isSegment: Bool
    }
    let files: [File]
    let documents: Int
}

extension IndexShard {
    /// Everything written before the call is in it.
    func pin() throws(EngineError) -> PinnedCommit {
        try flush()
        return try flushes.locked { () throws(EngineError) in
            let commit = self.commit.withLock { $0 }
            do throws(StorageError) { return try pinned(commit) } catch { throw EngineError(error) }
        }
    }

    private func pinned(_ commit: CommitPoint) throws(StorageError) -> PinnedCommit {
        var files: [PinnedCommit.File] = []
        for s in commit.segments {
            let name = s.name + ".seg", bytes = try directory.map(name)
            guard bytes.count == s.length else { throw StorageError(.corrupt, path: bytes.path, "the file has \(bytes.count) bytes, its commit point says \(s.length)") }
            files.append(PinnedCommit.File(name: name, key: "seg-\(s.id)-\(s.length)", bytes: bytes, isSegment: true))
            if s.liveGeneration > 0 { files.append(try small(LiveDocs.fileName(segment: s.name, generation: s.liveGeneration), "live-\(s.id)")) }
            if s.patchGeneration > 0 { files.append(try small(SegmentPatches.fileName(segment: s.name, generation: s.patchGeneration), "upd-\(s.id)")) }
        }
        files.append(try small(commit.fileName, "commit"))
        return PinnedCommit(files: files, documents: commit.segments.reduce(0) { $0 + $1.docCount - $1.deletedCount })
    }

    /// Such a file's name says nothing of its bytes (an index that was restored twice writes two of one name), so its key does.
    private func small(_ name: String, _ kind: String) throws(StorageError) -> PinnedCommit.File {
        let bytes = try directory.read(name)
        return PinnedCommit.File(
            name: name, key: "\(kind)-\(FileDigest.of(bytes))-\(bytes.count)", bytes: MappedBytes(path: directory.path + "/" + name, copying: bytes), isSegment: false)
    }
}
