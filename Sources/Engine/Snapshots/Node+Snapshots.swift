// Taking snapshots: each index is flushed and its files are pinned one after another, then they go to the repository while writes go on. A snapshot holds of each
// index what was acknowledged when its turn came.

package import JSON
internal import Storage

package struct SnapshotRequest: Sendable {
    package var name: String
    /// A comma list as for searches; nil for every index, hidden ones too.
    package var indices: String?
    package var options = IndexOptions()
    /// An index that cannot be read is left out, and the snapshot says so; without it there is no snapshot.
    package var isPartial = false
    package var includesGlobalState = true
    package var metadata: JSONObject?
    package init(_ name: String, indices: String? = nil) { (self.name, self.indices) = (name, indices) }
}

/// A snapshot that may be taken: nothing stands against it as far as could be seen. In progress until it goes.
package struct SnapshotJob: Sendable {
    fileprivate let node: Node
    fileprivate let repository: SnapshotRepository
    fileprivate let manifest: SnapshotManifest
    fileprivate let indexes: [String]
    fileprivate let isPartial: Bool
    fileprivate let progress: SnapshotProgress
    fileprivate let ticket: SnapshotWork.Ticket

    package func run() async throws(EngineError) -> SnapshotManifest {
        defer { ticket.end() }
        var manifest = manifest, pinned: [PinnedCommit] = []
        for name in indexes {
            do throws(EngineError) {
                let (index, files) = try await node.pin(name)
                manifest.indices.append(index)
                pinned.append(files)
            } catch {
                guard isPartial else { throw error }
                manifest.failures.append(.init(index: name, reason: error.description))
            }
        }
        let files = pinned.flatMap(\.files)
        node.snapshotWork.update(ticket) { ($0.totalFiles, $0.totalBytes) = (files.count, files.reduce(0) { $0 + $1.bytes.count }) }
        return try await repository.create(manifest, pinned, progress: progress)
    }
}

extension Node {
    package var runningSnapshots: [RunningSnapshot] { snapshotWork.snapshots }

    /// Looks whether the snapshot can be taken.
    package func snapshotJob(_ request: SnapshotRequest, in repository: SnapshotRepository) async throws(EngineError) -> SnapshotJob {
        try checkOpen()
        if let problem = SnapshotNames.problem(request.name) { throw repository.invalidName(request.name, problem) }
        try repository.checkWritable("create snapshot")
        var options = request.options
        // What is not seen is not for that reason to be lost.
        options.includesHidden = true
        let indexes = try request.indices.map { expression throws(EngineError) in try catalogue.resolve(expression, options).map(\.name) } ?? indexNames
        var manifest = SnapshotManifest(name: request.name, uuid: SnapshotRepository.word(), started: wallMilliseconds())
        (manifest.includesGlobalState, manifest.metadata) = (request.includesGlobalState, request.metadata)
        let progress = SnapshotProgress()
        let running = RunningSnapshot(
            repository: repository.name, name: request.name, uuid: manifest.uuid, started: manifest.started, includesGlobalState: request.includesGlobalState,
            indices: indexes, totalFiles: 0, totalBytes: 0, progress: progress)
        guard let ticket = snapshotWork.begin(running) else { throw repository.invalidName(request.name, "snapshot with the same name is already in-progress") }
        if try await repository.newest().snapshot(request.name) != nil { throw repository.invalidName(request.name, "snapshot with the same name already exists") }
        return SnapshotJob(
            node: self, repository: repository, manifest: manifest, indexes: indexes, isPartial: request.isPartial, progress: progress, ticket: ticket)
    }

    package func takeSnapshot(_ request: SnapshotRequest, in repository: SnapshotRepository) async throws(EngineError) -> SnapshotManifest {
        try await snapshotJob(request, in: repository).run()
    }

    /// A second snapshot of some of a snapshot's indices.
    package func cloneSnapshot(_ source: String, as target: String, indices: [String], in repository: SnapshotRepository) async throws(EngineError) {
        if let problem = SnapshotNames.problem(target) { throw repository.invalidName(target, problem) }
        _ = try await repository.clone(source, as: target, indices: indices, now: wallMilliseconds())
    }

    fileprivate func pin(_ name: String) async throws(EngineError) -> (IndexSnapshotManifest, PinnedCommit) {
        try await writers.run { [self] () throws(EngineError) in
            try checkOpen()
            let index = try catalogue.index(name), files = try index.shard().pin()
            // Order matters: a mapping only grows, so the one of now knows every field of the files.
            let d = index.description
            let manifest = IndexSnapshotManifest(
                name: name, uuid: d.uuid, created: d.created, settings: d.settings, mappings: d.mapping.definition,
                aliases: JSONObject(d.aliases.map { ($0.name, .object($0.json)) }), documents: files.documents)
            return (manifest, files)
        }
    }
}
