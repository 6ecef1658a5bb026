// Restoring indexes from a snapshot, under their own names or others. All files are laid down and compared with their digests first; then, in one change, each index
// gets its description, which makes it one, and is opened. Whoever is stopped before that leaves folders that are no index and go at the next start.
//
// An index that is there is never touched: a name that is taken is refused.

package import JSON
internal import Indexing
internal import Storage
import Synchronization

package struct RestoreRequest: Sendable {
    package var snapshot: String
    /// A comma list over the snapshot's indices; nil for all.
    package var indices: String?
    package var ignoreUnavailable = false
    package var includesAliases = true
    /// A changed setting, or null for its default.
    package var settings = JSONObject()
    /// Patterns of settings that are restored to their defaults.
    package var ignoredSettings: [String] = []
    /// What an index is to be called.
    package var rename: @Sendable (String) throws(EngineError) -> String = { name throws(EngineError) in name }
    package init(_ snapshot: String, indices: String? = nil) { (self.snapshot, self.indices) = (snapshot, indices) }
}

/// Indexes that may be restored: nothing stands against it as far as could be seen. The names are taken until it goes.
package struct RestoreJob: Sendable {
    fileprivate let node: Node
    fileprivate let repository: SnapshotRepository
    fileprivate let snapshot: SnapshotManifest
    fileprivate let parts: [(source: IndexSnapshotManifest, file: IndexFile)]
    fileprivate let ticket: SnapshotWork.Ticket

    /// Of the indexes that come back.
    package var names: [String] { parts.map(\.file.name) }

    /// Instead of `run`.
    package func abandon() { ticket.end() }

    /// - Returns: the names.
    package func run() async throws(EngineError) -> [String] {
        defer { ticket.end() }
        do throws(EngineError) {
            for part in parts { try await node.lay(part.source, part.file.uuid, from: repository) }
            return try await node.writers.run { () throws(EngineError) in try node.publish(parts.map(\.file), repository, snapshot.name) }
        } catch {
            await node.writers.run { node.clear(parts.map(\.file.uuid)) }
            // What was removed meanwhile is no damage.
            if error.type == "corrupt_repository_exception", let there = try? await repository.list(), !there.contains(where: { $0.uuid == snapshot.uuid }) {
                throw Node.refusal(repository, snapshot.name, "the snapshot was removed meanwhile", .notFound)
            }
            throw error
        }
    }
}

extension Node {
    /// Looks whether the snapshot's indexes can be restored.
    package func restoreJob(_ request: RestoreRequest, from repository: SnapshotRepository) async throws(EngineError) -> RestoreJob {
        try checkOpen()
        let manifest: SnapshotManifest
        do throws(EngineError) { manifest = try await repository.manifest(request.snapshot) } catch {
            guard error.type == "snapshot_missing_exception" else { throw error }
            throw Self.refusal(repository, request.snapshot, "snapshot does not exist", .notFound)
        }
        let (chosen, missing) = SnapshotNames.select(request.indices ?? "_all", from: manifest.indices.map(\.name))
        if let name = missing.first, !request.ignoreUnavailable { throw .indexNotFound(name) }
        var parts: [(source: IndexSnapshotManifest, file: IndexFile)] = [], names: [String: String] = [:]
        for source in manifest.indices where chosen.contains(source.name) {
            let name = try request.rename(source.name)
            if let other = names.updateValue(source.name, forKey: name) {
                throw Self.refusal(repository, request.snapshot, "indices [\(source.name)] and [\(other)] are renamed into the same index [\(name)]")
            }
            parts.append((source, try file(source, name, request)))
        }
        try checkFree(parts.map(\.file), repository, request.snapshot)
        guard let ticket = snapshotWork.begin(restoring: Set(names.keys)) else {
            throw Self.refusal(repository, request.snapshot, "cannot restore index [\(names.keys.sorted().joined(separator: ","))] because it is being restored already")
        }
        return RestoreJob(node: self, repository: repository, snapshot: manifest, parts: parts, ticket: ticket)
    }

    package func restore(_ request: RestoreRequest, from repository: SnapshotRepository) async throws(EngineError) -> [String] {
        try await restoreJob(request, from: repository).run()
    }

    fileprivate static func refusal(
        _ repository: SnapshotRepository, _ snapshot: String, _ why: String, _ family: EngineError.Family = .failed
    ) -> EngineError {
        EngineError(family, "snapshot_restore_exception", "[\(repository.name):\(snapshot)] \(why)")
    }

    private func file(_ source: IndexSnapshotManifest, _ name: String, _ request: RestoreRequest) throws(EngineError) -> IndexFile {
        if let problem = IndexNames.problem(name) { throw .invalidIndexName(name, problem) }
        var stored = source.settings
        for key in source.settings.keys where request.ignoredSettings.contains(where: { IndexNames.matches($0.hasPrefix("index.") ? $0 : "index." + $0, key) }) {
            stored[key] = nil
        }
        var settings = IndexSettings(stored: stored)
        if !request.settings.isEmpty { settings = try settings.changed(request.settings, index: name) }
        let aliases = request.includesAliases ? try source.aliases.members.map { (m) throws(EngineError) in try IndexAlias(name: m.key, json: m.value) } : []
        let file = IndexFile(
            name: name, uuid: Self.makeUUID(), created: source.created, settings: settings.object, mappings: source.mappings, aliases: aliases)
        // Before any file is fetched, and before a description lies on the disk that a start could not read.
        try Index.check(file)
        return file
    }

    private func checkFree(_ files: [IndexFile], _ repository: SnapshotRepository, _ snapshot: String) throws(EngineError) {
        func refuse(_ why: String) -> EngineError { Self.refusal(repository, snapshot, why) }
        var writers: [String: String] = [:]
        for index in catalogue.all { for alias in index.aliases.values where alias.isWriteIndex == true { writers[alias.name] = index.name } }
        for file in files {
            if catalogue.find(file.name) != nil {
                throw refuse("cannot restore index [\(file.name)] because an open index with same name already exists in the cluster. Either close or delete the "
                    + "existing index or restore the index under a different name by providing a rename pattern and replacement name")
            }
            if !catalogue.aliased(file.name).isEmpty { throw refuse("cannot restore index [\(file.name)] because an alias has that name; rename the one or remove the other") }
            for alias in file.aliases {
                if catalogue.find(alias.name) != nil || files.contains(where: { $0.name == alias.name }) {
                    throw refuse("cannot restore index [\(file.name)] with alias [\(alias.name)], which is an index's name; give include_aliases false")
                }
                if alias.isWriteIndex == true, let other = writers.updateValue(file.name, forKey: alias.name) {
                    throw refuse("alias [\(alias.name)] would have more than one write index [\(other),\(file.name)]; give include_aliases false")
                }
            }
        }
    }

    /// Fetches an index's files into a folder of its own, synced, which is no index yet.
    fileprivate func lay(_ source: IndexSnapshotManifest, _ uuid: String, from repository: SnapshotRepository) async throws(EngineError) {
        func damaged(_ why: String) -> EngineError { repository.failure(StorageError(.corrupt, path: "index [\(source.name)]", why)) }
        let folder = folder, pool = SnapshotRepository.pool
        guard source.files.allSatisfy({ IndexShard.isOurs($0.name) && !$0.name.utf8.contains(UInt8(ascii: "/")) }),
            let last = source.files.last(where: { CommitPoint.generation(ofFile: $0.name) != nil })
        else { throw damaged("its files are not those of an index") }
        let shard = try await pool.storage { () throws(StorageError) in try folder.directory(uuid).directory("0") }
        for file in source.files where file != last {
            try checkOpen()
            try await repository.fetch(file.blob, into: shard, as: file.name)
        }
        // Order matters: a commit point that can be seen is one whose files are there.
        try await pool.storage { () throws(StorageError) in try shard.sync() }
        try await repository.fetch(last.blob, into: shard, as: last.name)
        let names = Set(source.files.map(\.name))
        let needed = try await pool.storage { () throws(StorageError) -> Set<String> in
            guard let commit = try CommitPoint.newest(in: shard) else { return [] }
            // What the commit leaves to the log was nothing: the index was flushed.
            try Translog(try shard.directory("translog"), generation: commit.translogGeneration, previousLength: 0, io: nil).close()
            try shard.sync()
            try folder.directory(uuid).sync()
            return IndexShard.files(of: commit)
        }
        guard needed == names else { throw damaged("its commit point names other files than the snapshot has") }
    }

    fileprivate func publish(_ files: [IndexFile], _ repository: SnapshotRepository, _ snapshot: String) throws(EngineError) -> [String] {
        try changes.locked { () throws(EngineError) in
            try checkOpen()
            try checkFree(files, repository, snapshot)
            // All are opened before the first is there for others: of several that belong together none is left alone.
            var opened: [Index] = []
            do throws(EngineError) {
                if files.count > 1 { try RestoreJournal.begin(files.map(\.uuid), root) }
                for file in files {
                    do throws(StorageError) {
                        try folder.sync()
                        try folder.directory(file.uuid).replace(IndexFile.name, with: file.encoded())
                    } catch { throw EngineError(error) }
                    guard let index = try Index.open(file.uuid, in: folder, node: parts) else { throw EngineError(.failed, "illegal_state_exception", "a restored index is gone") }
                    opened.append(index)
                    _ = try index.shard()
                }
                if files.count > 1 { try RestoreJournal.end(root) }
            } catch {
                for index in opened { index.opened?.abandon() }
                throw error
            }
            for index in opened { catalogue.insert(index) }
            return files.map(\.name)
        }
    }

    /// Removes the folders of those that have not become indexes.
    fileprivate func clear(_ uuids: [String]) {
        let indexes = Set(catalogue.all.map(\.uuid))
        for uuid in uuids where !indexes.contains(uuid) {
            guard let found = try? folder.existing(uuid) else { continue }
            if (try? found.length(IndexFile.name)) != .some(nil) {
                try? found.remove(IndexFile.name)
                try? found.sync()
            }
            try? folder.removeDirectory(uuid)
        }
        // Order matters: while a description lies there that may have outlived its removal, the journal says what it is.
        func isGone(_ uuid: String) -> Bool {
            do throws(StorageError) { return try folder.existing(uuid) == nil } catch { return false }
        }
        if uuids.count > 1, uuids.allSatisfy({ indexes.contains($0) || isGone($0) }) { try? RestoreJournal.end(root) }
    }
}

extension BlockingPool {
    func storage<R: Sendable>(_ body: @escaping @Sendable () throws(StorageError) -> R) async throws(EngineError) -> R {
        do throws(StorageError) { return try await run(body) } catch { throw EngineError(error) }
    }
}
