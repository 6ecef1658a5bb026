// One snapshot, whole: the object `snapshots/<uuid>`, written once, before the root names it. What restoring needs is all here.
//
//     {"format":1,"name":…,"uuid":…,"started":…,"ended":…,"global_state":true,"metadata":{…},"failures":[{"index":…,"reason":…}],
//      "indices":[{"name":…,"uuid":…,"created":…,"settings":{…},"mappings":{…},"aliases":{…},"documents":…,"added_files":…,"added_bytes":…,
//                  "added_stored":…,"files":[{"file":"s1.seg","key":…,"blob":…,"bytes":…,"stored":…,"packed":true,"digest":…}]}]}
//     {"crc32c":"1a2b3c4d"}

package import JSON
internal import Storage

package struct SnapshotManifest: Sendable {
    static let format: Int64 = 1

    package var name: String
    package var uuid: String
    package var started: Int64, ended: Int64 = 0
    package var includesGlobalState = true
    package var metadata: JSONObject?
    package var indices: [IndexSnapshotManifest] = []
    package var failures: [Failure] = []

    package struct Failure: Sendable {
        package var index: String, reason: String
    }

    var entry: SnapshotEntry {
        SnapshotEntry(
            name: name, uuid: uuid, started: started, ended: ended, indices: indices.map(\.name), failed: failures.map(\.index),
            bytes: Int64(indices.reduce(0) { $0 + $1.bytes }))
    }

    static func key(_ uuid: String) -> String { "snapshots/" + uuid }

    func encoded() -> [UInt8] {
        var object = JSONObject([
            ("format", .integer(Self.format)), ("name", .string(name)), ("uuid", .string(uuid)), ("started", .integer(started)), ("ended", .integer(ended)),
            ("global_state", .bool(includesGlobalState)),
        ])
        if let metadata { object["metadata"] = .object(metadata) }
        object["failures"] = .array(failures.map { ["index": .string($0.index), "reason": .string($0.reason)] })
        object["indices"] = .array(indices.map(\.json))
        return ChecksummedJSON.encode(object)
    }

    static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> SnapshotManifest {
        let object = try ChecksummedJSON.decode(bytes, format: format, path: path)
        func damaged() -> StorageError { StorageError(.corrupt, path: path, "a member is missing or wrong", at: 0) }
        guard let name = object["name"]?.string, let uuid = object["uuid"]?.string, let started = object["started"]?.integer,
            let ended = object["ended"]?.integer, let global = object["global_state"]?.boolean, let failures = object["failures"]?.array,
            let indices = object["indices"]?.array, RepositoryRoot.counts.contains(started), RepositoryRoot.counts.contains(ended)
        else { throw damaged() }
        var manifest = SnapshotManifest(name: name, uuid: uuid, started: started, ended: ended, includesGlobalState: global, metadata: object["metadata"]?.object)
        manifest.failures = failures.map { Failure(index: $0["index"]?.string ?? "", reason: $0["reason"]?.string ?? "") }
        for value in indices {
            guard let index = IndexSnapshotManifest(value) else { throw damaged() }
            manifest.indices.append(index)
        }
        return manifest
    }
}

/// One index of a snapshot.
package struct IndexSnapshotManifest: Sendable {
    package var name: String
    var uuid: String
    var created: Int64
    var settings: JSONObject, mappings: JSONObject, aliases: JSONObject
    package var documents: Int
    var files: [File] = []
    /// What this snapshot brought into the repository.
    package var addedFiles = 0, addedBytes = 0, addedStored = 0

    struct File: Sendable, Equatable {
        /// In the shard's folder.
        var name: String
        var key: String
        var blob: Blob
    }

    package var fileCount: Int { files.count }
    package var bytes: Int { files.reduce(0) { $0 + $1.blob.bytes } }
    package var stored: Int { files.reduce(0) { $0 + $1.blob.stored } }

    var json: JSONValue {
        [
            "name": .string(name), "uuid": .string(uuid), "created": .integer(created), "settings": .object(settings), "mappings": .object(mappings),
            "aliases": .object(aliases), "documents": .integer(Int64(documents)), "added_files": .integer(Int64(addedFiles)),
            "added_bytes": .integer(Int64(addedBytes)), "added_stored": .integer(Int64(addedStored)),
            "files": .array(files.map { .object(JSONObject([("file", .string($0.name)), ("key", .string($0.key))] + $0.blob.members)) }),
        ]
    }
}

extension IndexSnapshotManifest {
    init?(_ json: JSONValue) {
        func count(_ name: String) -> Int? { json[name]?.integer.flatMap { RepositoryRoot.counts.contains($0) ? Int($0) : nil } }
        guard let name = json["name"]?.string, let uuid = json["uuid"]?.string, let created = json["created"]?.integer, RepositoryRoot.counts.contains(created), let settings = json["settings"]?.object,
            let mappings = json["mappings"]?.object, let aliases = json["aliases"]?.object, let documents = count("documents"),
            let addedFiles = count("added_files"), let addedBytes = count("added_bytes"), let addedStored = count("added_stored"), let files = json["files"]?.array
        else { return nil }
        self.init(name: name, uuid: uuid, created: created, settings: settings, mappings: mappings, aliases: aliases, documents: documents)
        (self.addedFiles, self.addedBytes, self.addedStored) = (addedFiles, addedBytes, addedStored)
        for file in files {
            guard let name = file["file"]?.string, let key = file["key"]?.string, let blob = Blob(file) else { return nil }
            self.files.append(File(name: name, key: key, blob: blob))
        }
    }
}
