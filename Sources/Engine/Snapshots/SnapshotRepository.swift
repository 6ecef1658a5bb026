// Snapshots of indexes on an object store: every file of a segment is there once, however many snapshots hold it.
//
//     index-<generation>     what the repository holds (RepositoryRoot)
//     snapshots/<uuid>       one snapshot (SnapshotManifest)
//     blobs/<word>-<n>       one file's bytes (BlobFormat)
//
// Taking: look at the newest root, upload the files that no snapshot has, write the manifest, put the next root if absent. When another was first, look again:
// what it removed meanwhile is uploaded, what it brought is used.
// Removing: put the root without the snapshot, then remove what no root names any more. Whoever is stopped leaves objects that nothing names; `sweep` finds them.
//
// Any number of processes may use a repository at once.
//
// Invariants
//     1  Whatever a root names was durable before the root was, and is removed after no root names it.
//     2  A change is told as made only when a root that holds it was read as the newest, or remembers it.
//     3  What is read is compared with its digest before anybody uses it.

package import Storage
internal import Bytes
import Synchronization

package final class SnapshotRepository: Sendable {
    /// For messages.
    package let name: String
    package let store: any ObjectStore
    package let isReadOnly: Bool
    /// Whether blobs are packed where that pays.
    let packs: Bool
    /// Thrown from between two steps of long work.
    let checking: @Sendable () throws(EngineError) -> Void
    static let pool = BlockingPool.files

    private static let attemptsMax = 32

    package init(
        name: String, _ store: any ObjectStore, isReadOnly: Bool = false, packs: Bool = true, checking: @escaping @Sendable () throws(EngineError) -> Void = {}
    ) {
        (self.name, self.store, self.isReadOnly, self.packs, self.checking) = (name, store, isReadOnly, packs, checking)
    }

    // MARK: - Reading

    /// All snapshots, oldest first.
    package func list() async throws(EngineError) -> [SnapshotEntry] { try await newest().snapshots }

    package func manifest(_ snapshot: String) async throws(EngineError) -> SnapshotManifest {
        guard let entry = try await newest().snapshot(snapshot), let found = try await manifestIfThere(of: entry) else { throw missing(snapshot) }
        return found
    }

    package func manifest(of entry: SnapshotEntry) async throws(EngineError) -> SnapshotManifest {
        let key = SnapshotManifest.key(entry.uuid), bytes: [UInt8]
        do throws(ObjectStoreError) { bytes = try await store.get(key) } catch { throw failure(error) }
        let manifest: SnapshotManifest
        do throws(StorageError) { manifest = try SnapshotManifest.decode(bytes, path: store.place + "/" + key) } catch { throw failure(error) }
        guard manifest.uuid == entry.uuid else { throw failure(StorageError(.corrupt, path: store.place + "/" + key, "is another snapshot than the root says")) }
        return manifest
    }

    /// Of a listed snapshot; nil when it was removed since.
    package func manifestIfThere(of entry: SnapshotEntry) async throws(EngineError) -> SnapshotManifest? {
        do throws(EngineError) { return try await manifest(of: entry) } catch {
            if try await newest().snapshots.contains(entry) { throw error }
            return nil
        }
    }

    /// The newest root; an empty one where there is none yet.
    package func newest() async throws(EngineError) -> RepositoryRoot {
        for _ in 0..<Self.attemptsMax {
            guard let (key, generation) = try await newestKey() else { return RepositoryRoot() }
            let bytes: [UInt8]
            do throws(ObjectStoreError) { bytes = try await store.get(key) } catch {
                // Others have gone on, and cleared it away.
                if error.kind == .notFound { continue }
                throw failure(error)
            }
            let root: RepositoryRoot, place = store.place + "/" + key
            do throws(StorageError) { root = try RepositoryRoot.decode(bytes, path: place) } catch { throw failure(error) }
            guard root.generation == generation else { throw failure(StorageError(.corrupt, path: place, "holds generation \(root.generation)")) }
            return root
        }
        throw busy
    }

    private func newestKey() async throws(EngineError) -> (key: String, generation: UInt64)? {
        let listed: [ObjectPage.Entry]
        do throws(ObjectStoreError) { listed = try await store.listAll(prefix: "index-") } catch { throw failure(error) }
        return listed.compactMap { entry in RepositoryRoot.generation(ofKey: entry.key[...]).map { (entry.key, $0) } }.max { $0.1 < $1.1 }
    }

    // MARK: - Changing

    /// Puts the next root. Generation and writers are filled in here.
    /// - Returns: false when another was first, and nothing is changed.
    package func commit(_ changed: RepositoryRoot) async throws(EngineError) -> Bool {
        var next = changed
        next.generation += 1
        let me = RepositoryRoot.Writer(generation: next.generation, word: Self.word())
        next.writers = (next.writers + [me]).suffix(RepositoryRoot.writersMax)
        let isOthers = try await !put(next), seen = try await newest()
        // Also where it is told as another's: some file systems over a network tell so of a link that they made, and repeated.
        if seen.writers.contains(me) {
            await clearRoots(below: next.generation)
            return true
        }
        // Who was slow may have put a root that others have left behind and cleared away: it counts for nothing.
        guard seen.generation > next.generation || (isOthers && seen.generation == next.generation), seen.generation - next.generation < UInt64(RepositoryRoot.writersMax) else {
            throw EngineError(.failed, "repository_exception", "[\(name)] so much was changed meanwhile that nobody knows whether this change is in; look, and try again")
        }
        return false
    }

    /// Puts a root; false when there is one of that generation, which may be this very one.
    private func put(_ root: RepositoryRoot) async throws(EngineError) -> Bool {
        let key = RepositoryRoot.key(root.generation), bytes = root.encoded()
        func once() async throws(ObjectStoreError) -> Bool {
            do throws(ObjectStoreError) { try await store.put(key, bytes, ifAbsent: true) } catch {
                if error.kind == .alreadyExists { return false }
                throw error
            }
            return true
        }
        do throws(ObjectStoreError) {
            do throws(ObjectStoreError) { return try await once() } catch {
                // It may be there and not be durable. Asked again, "it exists" is said only of what is.
                guard error.mayHaveBeenApplied else { throw error }
                return try await once()
            }
        } catch { throw failure(error) }
    }

    private func clearRoots(below generation: UInt64) async {
        guard generation > UInt64(RepositoryRoot.kept), let listed = try? await store.listAll(prefix: "index-") else { return }
        for entry in listed {
            if let g = RepositoryRoot.generation(ofKey: entry.key[...]), g <= generation - UInt64(RepositoryRoot.kept) { try? await store.delete(entry.key) }
        }
    }

    /// Writes a snapshot of what was pinned.
    /// - Parameter manifest: without files and end.
    func create(
        _ manifest: SnapshotManifest, _ pinned: [PinnedCommit], progress: SnapshotProgress = SnapshotProgress(), now: @Sendable () -> Int64 = wallMilliseconds
    ) async throws(EngineError) -> SnapshotManifest {
        try checkWritable("create snapshot")
        var uploads = Uploads()
        do throws(EngineError) {
            for _ in 0..<Self.attemptsMax {
                var next = try await newest()
                if next.snapshot(manifest.name) != nil { throw invalidName(manifest.name, "snapshot with the same name already exists") }
                uploads.meet(sweeps: next.sweeps)
                var made = manifest
                made.uuid = uploads.word
                for place in made.indices.indices { try await fill(&made.indices[place], pinned[place], &next, &uploads, progress) }
                made.ended = now()
                do throws(ObjectStoreError) { try await store.put(SnapshotManifest.key(made.uuid), made.encoded()) } catch { throw failure(error) }
                uploads.hasManifest = true
                next.snapshots.append(made.entry)
                uploads.isCommitting = true
                guard try await commit(next) else {
                    uploads.isCommitting = false
                    continue
                }
                for blob in uploads.blobs.values where next.blobs.values.allSatisfy({ $0.blob.name != blob.name }) { try? await store.delete("blobs/" + blob.name) }
                return made
            }
            throw busy
        } catch {
            await discard(uploads)
            throw error
        }
    }

    /// What one `create` has uploaded.
    private struct Uploads {
        /// Of the snapshot, and the beginning of its blobs' names.
        var word = SnapshotRepository.word()
        var number = 0
        var blobs: [String: Blob] = [:]
        var sweeps: Int64?
        var hasManifest = false
        /// From here on it may be in the repository, whatever is thrown.
        var isCommitting = false

        /// A sweep since may take all that no root names: begin again under other names.
        mutating func meet(sweeps: Int64) {
            if let known = self.sweeps, known != sweeps { self = Uploads() }
            self.sweeps = sweeps
        }
    }

    private func fill(
        _ index: inout IndexSnapshotManifest, _ pinned: PinnedCommit, _ root: inout RepositoryRoot, _ uploads: inout Uploads, _ progress: SnapshotProgress
    ) async throws(EngineError) {
        for file in pinned.files {
            try checking()
            let blob: Blob
            if let held = root.blobs[file.key] {
                blob = held.blob
                root.blobs[file.key]?.held += 1
            } else {
                if let mine = uploads.blobs[file.key] { blob = mine } else {
                    blob = try await upload(file, as: "\(uploads.word)-\(uploads.number)", progress)
                    uploads.number += 1
                    uploads.blobs[file.key] = blob
                }
                root.blobs[file.key] = RepositoryRoot.HeldBlob(blob: blob, held: 1)
                index.addedFiles += 1
                index.addedBytes += blob.bytes
                index.addedStored += blob.stored
            }
            index.files.append(IndexSnapshotManifest.File(name: file.name, key: file.key, blob: blob))
        }
    }

    /// What nobody names yet goes again. Names that may be in a root stay: rather an object too many than one too few.
    private func discard(_ uploads: Uploads) async {
        if uploads.isCommitting { return }
        for blob in uploads.blobs.values { try? await store.delete("blobs/" + blob.name) }
        if uploads.hasManifest { try? await store.delete(SnapshotManifest.key(uploads.word)) }
    }

    /// Tries again and again while others come first.
    func change<R>(_ body: (inout RepositoryRoot) async throws(EngineError) -> R?) async throws(EngineError) -> R? {
        for _ in 0..<Self.attemptsMax {
            var next = try await newest()
            let seen = next.generation, result: R?
            do throws(EngineError) { result = try await body(&next) } catch {
                // What another removed while it was read is no damage.
                if try await newest().generation == seen { throw error }
                continue
            }
            guard let result else { return nil }
            if try await commit(next) { return result }
        }
        throw busy
    }

    // MARK: - Words

    /// 22 letters and digits, at random.
    static func word() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        var random = SystemRandomNumberGenerator()
        return String(decoding: (0..<22).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] }, as: UTF8.self)
    }

    func checkWritable(_ what: String) throws(EngineError) {
        if isReadOnly { throw EngineError(.badRequest, "repository_exception", "[\(name)] cannot \(what) in a readonly repository") }
    }

    func missing(_ snapshot: String) -> EngineError {
        EngineError(.notFound, "snapshot_missing_exception", "[\(name):\(snapshot)] is missing")
    }

    func invalidName(_ snapshot: String, _ why: String) -> EngineError {
        EngineError(.badRequest, "invalid_snapshot_name_exception", "[\(name):\(snapshot)] Invalid snapshot name [\(snapshot)], \(why)")
    }

    var busy: EngineError {
        EngineError(.unavailable, "concurrent_snapshot_execution_exception", "[\(name)] others change the repository all the time; try again later")
    }

    func failure(_ error: ObjectStoreError) -> EngineError {
        switch error.kind {
        case .notFound: EngineError(.failed, "corrupt_repository_exception", "[\(name)] an object is named and not there: \(error)")
        case .damaged: EngineError(.failed, "corrupt_repository_exception", "[\(name)] \(error)")
        default: EngineError(.failed, "repository_exception", "[\(name)] \(error)")
        }
    }

    func failure(_ error: StorageError) -> EngineError { EngineError(.failed, "corrupt_repository_exception", "[\(name)] \(error)") }
}

/// How far a snapshot or a restoring is, for who asks meanwhile.
package final class SnapshotProgress: Sendable {
    package struct Counts: Sendable {
        package var files = 0, bytes = 0
    }
    private let state = Mutex(Counts())
    package init() {}
    package var counts: Counts { state.withLock { $0 } }
    func file(_ bytes: Int) { state.withLock { ($0.files, $0.bytes) = ($0.files + 1, $0.bytes + bytes) } }
}
