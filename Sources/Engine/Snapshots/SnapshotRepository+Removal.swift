// Removing snapshots, copying them within the repository, sweeping what stopped processes left, and looking whether all is there.

internal import Storage

/// What `verify` saw.
package struct RepositoryReport: Sendable {
    package var snapshots = 0, blobs = 0
    /// Of objects that are blobs, and of the files in them.
    package var stored = 0, bytes = 0
    /// Objects that nothing names: left by who was stopped, or being written right now.
    package var unnamed = 0
    package var problems: [String] = []
}

extension SnapshotRepository {
    /// Removes snapshots. Once the root is without them they are gone, whatever becomes of their blobs.
    package func delete(_ names: [String]) async throws(EngineError) {
        try checkWritable("delete snapshot")
        let garbage = try await change { root async throws(EngineError) -> [String]? in
            var gone: [SnapshotEntry] = []
            for name in names {
                guard let entry = root.snapshot(name) else { throw self.missing(name) }
                // Named twice it is let go once.
                if !gone.contains(entry) { gone.append(entry) }
            }
            if gone.isEmpty { return nil }
            root.snapshots.removeAll { gone.contains($0) }
            let before = Set(root.blobs.values.map(\.blob.name))
            try await self.letGo(gone, of: &root)
            return before.subtracting(root.blobs.values.map(\.blob.name)).sorted().map { "blobs/" + $0 } + gone.map { SnapshotManifest.key($0.uuid) }
        }
        for key in garbage ?? [] { try? await store.delete(key) }
    }

    private func letGo(_ gone: [SnapshotEntry], of root: inout RepositoryRoot) async throws(EngineError) {
        var blobs = root.blobs
        for entry in gone {
            do throws(EngineError) {
                for file in try await manifest(of: entry).indices.flatMap(\.files) {
                    blobs[file.key]?.held -= 1
                    if let left = blobs[file.key]?.held, left <= 0 { blobs[file.key] = nil }
                }
            } catch {
                // A damaged snapshot can be removed all the same: what the others hold is counted anew.
                guard error.type == "corrupt_repository_exception" else { throw error }
                root.blobs = try await counted(root)
                return
            }
        }
        root.blobs = blobs
    }

    /// What the snapshots of a root hold, by their manifests.
    private func counted(_ root: RepositoryRoot) async throws(EngineError) -> [String: RepositoryRoot.HeldBlob] {
        var held: [String: RepositoryRoot.HeldBlob] = [:]
        for entry in root.snapshots {
            for file in try await manifest(of: entry).indices.flatMap(\.files) { held[file.key, default: .init(blob: file.blob, held: 0)].held += 1 }
        }
        return held
    }

    /// A second snapshot of some indices of the first; nothing is uploaded but its manifest.
    package func clone(_ source: String, as target: String, indices: [String], now: Int64) async throws(EngineError) -> SnapshotManifest {
        try checkWritable("clone snapshot")
        let made = try await change { root async throws(EngineError) -> SnapshotManifest? in
            guard let entry = root.snapshot(source) else { throw self.missing(source) }
            if root.snapshot(target) != nil { throw self.invalidName(target, "snapshot with the same name already exists") }
            var copy = try await self.manifest(of: entry)
            (copy.name, copy.uuid, copy.started, copy.ended) = (target, Self.word(), now, now)
            copy.failures = []
            copy.indices = copy.indices.filter { indices.contains($0.name) }
            for place in copy.indices.indices {
                (copy.indices[place].addedFiles, copy.indices[place].addedBytes, copy.indices[place].addedStored) = (0, 0, 0)
                for file in copy.indices[place].files { root.blobs[file.key, default: .init(blob: file.blob, held: 0)].held += 1 }
            }
            do throws(ObjectStoreError) { try await self.store.put(SnapshotManifest.key(copy.uuid), copy.encoded()) } catch { throw self.failure(error) }
            root.snapshots.append(copy.entry)
            return copy
        }
        guard let made else { throw missing(source) }
        return made
    }

    /// Removes objects that nothing names. In a folder also half-written files: what another process is writing at this moment fails, and is to be tried again.
    /// - Returns: how many, and their bytes.
    @discardableResult
    package func sweep() async throws(EngineError) -> (objects: Int, bytes: Int) {
        try checkWritable("cleanup")
        // Without a root nothing here is known to be a repository's.
        if try await newest().generation == 0 {
            if try await unnamed(RepositoryRoot()).isEmpty { return (0, 0) }
            throw noRepository
        }
        if let folder = store as? FolderObjectStore { do throws(ObjectStoreError) { try await folder.sweep() } catch { throw failure(error) } }
        // Order matters: the root that says so comes first. Who is uploading sees it, and uses none of these.
        let garbage = try await change { root async throws(EngineError) -> [ObjectPage.Entry]? in
            let found = try await self.unnamed(root)
            if root.generation == 0, !found.isEmpty { throw self.noRepository }
            root.sweeps += 1
            return found.isEmpty ? nil : found
        } ?? []
        for entry in garbage { do throws(ObjectStoreError) { try await store.delete(entry.key) } catch { throw failure(error) } }
        return (garbage.count, garbage.reduce(0) { $0 + $1.size })
    }

    private func unnamed(_ root: RepositoryRoot) async throws(EngineError) -> [ObjectPage.Entry] {
        var listed: [ObjectPage.Entry] = []
        do throws(ObjectStoreError) { for prefix in ["blobs/", "snapshots/", Self.trialPrefix] { listed += try await store.listAll(prefix: prefix) } } catch { throw failure(error) }
        let named = Set(root.blobs.values.map { "blobs/" + $0.blob.name }).union(root.snapshots.map { SnapshotManifest.key($0.uuid) })
        return listed.filter { !named.contains($0.key) && Self.isOurs($0.key) }
    }

    /// Whether a key is one that a repository makes: what else lies beside it is somebody's.
    private static func isOurs(_ key: String) -> Bool {
        func isWord(_ text: Substring) -> Bool { text.utf8.count == 22 && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) } }
        if key.hasPrefix("snapshots/") { return isWord(key.dropFirst(10)) }
        if key.hasPrefix(trialPrefix) { return isWord(key.dropFirst(trialPrefix.count)) }
        let parts = key.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        return key.hasPrefix("blobs/") && parts.count == 2 && isWord(parts[0]) && Int(parts[1]) != nil
    }

    private var noRepository: EngineError {
        EngineError(.badRequest, "repository_exception", "[\(name)] there is no repository here (no object index-<number>): nothing is removed; check the location")
    }

    // MARK: - Looking

    private static let trialPrefix = "trial-"

    /// Writes, reads and removes a small object.
    package func tryOut() async throws(EngineError) {
        do throws(ObjectStoreError) {
            if isReadOnly {
                _ = try await store.list(ObjectListRequest(prefix: "index-", limit: 1))
                return
            }
            // Twice: what another's sweep takes between the two puts is not the server's doing.
            var isKept = try await isKeptIfThere()
            if !isKept { isKept = try await isKeptIfThere() }
            guard isKept else {
                throw ObjectStoreError(.invalid, place: store.place, "this server does not keep to If-None-Match: two writers would take away each other's snapshots; use one that does")
            }
        } catch { throw EngineError(.failed, "repository_verification_exception", "[\(name)] \(error)") }
    }

    /// Writes a small object, and looks whether a second put of its key is refused.
    private func isKeptIfThere() async throws(ObjectStoreError) -> Bool {
        let key = Self.trialPrefix + Self.word(), bytes = Array(key.utf8)
        try await store.put(key, bytes, ifAbsent: true)
        guard try await store.get(key) == bytes else { throw ObjectStoreError(.damaged, place: store.place + "/" + key, "reads otherwise than it was written") }
        var isKept = false
        do throws(ObjectStoreError) { try await store.put(key, bytes, ifAbsent: true) } catch {
            guard error.kind == .alreadyExists else { throw error }
            isKept = true
        }
        try await store.delete(key)
        return isKept
    }

    /// Whether every snapshot is whole.
    /// - Parameter reading: every byte of every blob, compared with its digest; without it names and lengths.
    package func verify(reading: Bool) async throws(EngineError) -> RepositoryReport {
        // What was removed while it was looked at is no damage.
        for _ in 0..<3 {
            let root = try await newest(), report = try await verify(root, reading: reading)
            if report.problems.isEmpty { return report }
            if try await newest().generation == root.generation { return report }
        }
        throw busy
    }

    private func verify(_ root: RepositoryRoot, reading: Bool) async throws(EngineError) -> RepositoryReport {
        var report = RepositoryReport()
        let sizes: [String: Int]
        do throws(ObjectStoreError) {
            sizes = Dictionary(try await store.listAll(prefix: "blobs/").map { ($0.key, $0.size) }) { $1 }
        } catch { throw failure(error) }
        report.snapshots = root.snapshots.count
        var held: [String: Int64] = [:], isCounted = true
        for entry in root.snapshots {
            do throws(EngineError) {
                for file in try await manifest(of: entry).indices.flatMap(\.files) {
                    held[file.key, default: 0] += 1
                    if root.blobs[file.key]?.blob != file.blob { report.problems.append("snapshot [\(entry.name)] names a blob for \(file.key) that the root does not") }
                }
            } catch {
                report.problems.append("snapshot [\(entry.name)]: \(error.reason)")
                isCounted = false
            }
        }
        for (key, blob) in root.blobs.sorted(by: { $0.key < $1.key }) {
            report.blobs += 1
            (report.stored, report.bytes) = (report.stored + blob.blob.stored, report.bytes + blob.blob.bytes)
            if isCounted, held[key, default: 0] != blob.held { report.problems.append("\(key) is held \(held[key, default: 0]) times, the root says \(blob.held)") }
            guard let size = sizes["blobs/" + blob.blob.name] else {
                report.problems.append("blobs/\(blob.blob.name) is not there")
                continue
            }
            if size != blob.blob.stored { report.problems.append("blobs/\(blob.blob.name) has \(size) bytes, not \(blob.blob.stored)") }
            else if reading { do throws(EngineError) { try await read(blob.blob) { _ async throws(EngineError) in } } catch { report.problems.append(error.reason) } }
        }
        if root.generation == 0 { report.problems.append("there is no repository here: no object index-<number>") }
        report.unnamed = try await unnamed(root).count
        return report
    }
}
