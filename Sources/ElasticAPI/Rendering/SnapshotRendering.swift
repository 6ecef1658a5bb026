// Snapshots as Elasticsearch shows them: in lists, and with what they cost (_status).

internal import Engine
internal import JSON

enum SnapshotRendering {
    static let version = "8.19.0", versionID: Int64 = 8_536_000

    static func full(_ manifest: SnapshotManifest, repository: String?, withIndexDetails: Bool = false) -> JSONValue {
        var o = head(name: manifest.name, uuid: manifest.uuid, repository: repository)
        o["version_id"] = .integer(versionID)
        o["version"] = .string(version)
        o["indices"] = .array(manifest.indices.map { .string($0.name) })
        o["data_streams"] = []
        o["include_global_state"] = .bool(manifest.includesGlobalState)
        if let metadata = manifest.metadata { o["metadata"] = .object(metadata) }
        o["state"] = .string(manifest.failures.isEmpty ? "SUCCESS" : "PARTIAL")
        times(&o, manifest.started, manifest.ended)
        o["failures"] = .array(manifest.failures.map { failure in
            ["index": .string(failure.index), "index_uuid": .string(failure.index), "shard_id": 0, "reason": .string(failure.reason), "status": "INTERNAL_SERVER_ERROR"]
        })
        o["shards"] = shards(manifest.indices.count, failed: manifest.failures.count)
        o["feature_states"] = []
        if withIndexDetails {
            o["index_details"] = .object(JSONObject(manifest.indices.map { index in
                (index.name, ["shard_count": 1, "size_in_bytes": .int(index.bytes), "max_segments_per_shard": .int(index.fileCount)])
            }))
        }
        return .object(o)
    }

    /// `verbose=false`.
    static func brief(_ entry: SnapshotEntry, repository: String?) -> JSONValue {
        var o = head(name: entry.name, uuid: entry.uuid, repository: repository)
        o["indices"] = .array(entry.indices.map { .string($0) })
        o["data_streams"] = []
        o["state"] = .string(entry.state)
        return .object(o)
    }

    static func running(_ snapshot: RunningSnapshot, now: Int64, repository: String?) -> JSONValue {
        var o = head(name: snapshot.name, uuid: snapshot.uuid, repository: repository)
        o["version_id"] = .integer(versionID)
        o["version"] = .string(version)
        o["indices"] = .array(snapshot.indices.map { .string($0) })
        o["data_streams"] = []
        o["include_global_state"] = .bool(snapshot.includesGlobalState)
        o["state"] = "IN_PROGRESS"
        o["start_time"] = .string(DateText.iso(snapshot.started))
        o["start_time_in_millis"] = .integer(snapshot.started)
        o["failures"] = []
        o["shards"] = ["total": 0, "failed": 0, "successful": 0]
        o["feature_states"] = []
        return .object(o)
    }

    private static func head(name: String, uuid: String, repository: String?) -> JSONObject {
        var o = JSONObject([("snapshot", .string(name)), ("uuid", .string(uuid))])
        if let repository { o["repository"] = .string(repository) }
        return o
    }

    private static func times(_ o: inout JSONObject, _ started: Int64, _ ended: Int64) {
        o["start_time"] = .string(DateText.iso(started))
        o["start_time_in_millis"] = .integer(started)
        o["end_time"] = .string(DateText.iso(ended))
        o["end_time_in_millis"] = .integer(ended)
        o["duration_in_millis"] = .integer(max(0, ended - started))
    }

    static func shards(_ successful: Int, failed: Int = 0) -> JSONValue {
        ["total": .int(successful + failed), "failed": .int(failed), "successful": .int(successful)]
    }

    // MARK: - _status

    static func status(_ manifest: SnapshotManifest, repository: String) -> JSONValue {
        let took = max(0, manifest.ended - manifest.started)
        func stats(_ indices: [IndexSnapshotManifest]) -> JSONValue {
            Self.stats(
                added: (indices.reduce(0) { $0 + $1.addedFiles }, indices.reduce(0) { $0 + $1.addedBytes }), processed: nil,
                total: (indices.reduce(0) { $0 + $1.fileCount }, indices.reduce(0) { $0 + $1.bytes }), started: manifest.started, took: took)
        }
        let indices = manifest.indices.map { index -> (String, JSONValue) in
            (index.name, ["shards_stats": counts(done: 1), "stats": stats([index]), "shards": ["0": ["stage": "DONE", "stats": stats([index])]]])
        }
        return [
            "snapshot": .string(manifest.name), "repository": .string(repository), "uuid": .string(manifest.uuid),
            "state": .string(manifest.failures.isEmpty ? "SUCCESS" : "PARTIAL"), "include_global_state": .bool(manifest.includesGlobalState),
            "shards_stats": counts(done: manifest.indices.count, failed: manifest.failures.count), "stats": stats(manifest.indices),
            "indices": .object(JSONObject(indices)),
        ]
    }

    static func status(_ snapshot: RunningSnapshot, now: Int64) -> JSONValue {
        let sent = snapshot.progress.counts
        return [
            "snapshot": .string(snapshot.name), "repository": .string(snapshot.repository), "uuid": .string(snapshot.uuid), "state": "STARTED",
            "include_global_state": .bool(snapshot.includesGlobalState), "shards_stats": counts(started: snapshot.indices.count),
            "stats": stats(
                added: (sent.files, sent.bytes), processed: (sent.files, sent.bytes), total: (snapshot.totalFiles, snapshot.totalBytes),
                started: snapshot.started, took: max(0, now - snapshot.started)),
            "indices": .object(JSONObject(snapshot.indices.map { ($0, ["shards_stats": counts(started: 1)]) })),
        ]
    }

    private static func counts(started: Int = 0, done: Int = 0, failed: Int = 0) -> JSONValue {
        ["initializing": 0, "started": .int(started), "finalizing": 0, "done": .int(done), "failed": .int(failed), "total": .int(started + done + failed)]
    }

    private typealias Amount = (files: Int, bytes: Int)

    private static func stats(added: Amount, processed: Amount?, total: Amount, started: Int64, took: Int64) -> JSONValue {
        func amount(_ a: Amount) -> JSONValue { ["file_count": .int(a.files), "size_in_bytes": .int(a.bytes)] }
        var o = JSONObject([("incremental", amount(added))])
        if let processed { o["processed"] = amount(processed) }
        o["total"] = amount(total)
        o["start_time_in_millis"] = .integer(started)
        o["time_in_millis"] = .integer(took)
        return .object(o)
    }
}
