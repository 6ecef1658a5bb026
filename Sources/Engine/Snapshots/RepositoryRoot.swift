// What a repository holds: the object `index-<generation>` with the highest generation. A change is a new object, put if absent: of several
// who change the same generation one succeeds, the others look again.
//
//     {"format":1,"generation":7,"sweeps":0,"writers":[["6","…"],["7","…"]],
//      "snapshots":[{"name":…,"uuid":…,"started":…,"ended":…,"indices":[…],"failed":[…],"bytes":…}],
//      "blobs":[{"key":…,"blob":…,"bytes":…,"stored":…,"packed":true,"digest":…,"held":2}]}
//     {"crc32c":"1a2b3c4d"}
//
// Invariants
//     1  `blobs` are those that snapshots hold; `held` is by how many files of how many snapshots.
//     2  A blob's name is given once: who uploads the same bytes again uses another. So nobody who removes an old blob can hit a new one.
//     3  `sweeps` rises before what no root names is removed: who began to upload before that begins again.
// Format page: docs/formats/snapshot.md.

internal import JSON
internal import Storage

package struct RepositoryRoot: Sendable, Equatable {
    static let format: Int64 = 1
    /// How many writers a root remembers: who was overtaken can tell whether its change is in.
    static let writersMax = 64
    /// How many roots are left lying.
    static let kept = 8
    /// No count, sum of lengths or millisecond is larger: a root that says so is damaged, or somebody's who meant harm.
    static let counts: ClosedRange<Int64> = 0...1 << 48

    var generation: UInt64 = 0
    var sweeps: Int64 = 0
    /// Generation and the random word of who wrote it, oldest first.
    var writers: [Writer] = []
    var snapshots: [SnapshotEntry] = []
    /// By key: what a file is, whatever its blob is called.
    var blobs: [String: HeldBlob] = [:]

    struct Writer: Sendable, Equatable {
        var generation: UInt64
        var word: String
    }

    struct HeldBlob: Sendable, Equatable {
        var blob: Blob
        var held: Int64
    }

    func snapshot(_ name: String) -> SnapshotEntry? { snapshots.first { $0.name == name } }

    // MARK: - As an object

    /// Digits enough for all of them, so that byte order is the order of numbers.
    static func key(_ generation: UInt64) -> String {
        let digits = String(generation)
        return "index-" + String(repeating: "0", count: max(0, 16 - digits.count)) + digits
    }
    static func generation(ofKey key: Substring) -> UInt64? { key.hasPrefix("index-") ? UInt64(key.dropFirst(6)) : nil }

    func encoded() -> [UInt8] {
        let entries = blobs.sorted { $0.key < $1.key }.map { key, held in
            JSONValue.object(JSONObject([("key", .string(key))] + held.blob.members + [("held", .integer(held.held))]))
        }
        return ChecksummedJSON.encode(JSONObject([
            ("format", .integer(Self.format)), ("generation", .integer(Int64(clamping: generation))), ("sweeps", .integer(sweeps)),
            ("writers", .array(writers.map { .array([.string(String($0.generation)), .string($0.word)]) })),
            ("snapshots", .array(snapshots.map(\.json))), ("blobs", .array(entries)),
        ]))
    }

    static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> RepositoryRoot {
        let object = try ChecksummedJSON.decode(bytes, format: format, path: path)
        func damaged() -> StorageError { StorageError(.corrupt, path: path, "a member is missing or wrong", at: 0) }
        var root = RepositoryRoot()
        guard let generation = object["generation"]?.integer, generation > 0, Self.counts.contains(generation), let sweeps = object["sweeps"]?.integer, Self.counts.contains(sweeps), let writers = object["writers"]?.array,
            let snapshots = object["snapshots"]?.array, let blobs = object["blobs"]?.array
        else { throw damaged() }
        (root.generation, root.sweeps) = (UInt64(generation), sweeps)
        for writer in writers {
            guard let pair = writer.array, pair.count == 2, let g = pair[0].string.flatMap({ UInt64($0) }), let word = pair[1].string else { throw damaged() }
            root.writers.append(Writer(generation: g, word: word))
        }
        for snapshot in snapshots {
            guard let entry = SnapshotEntry(snapshot) else { throw damaged() }
            root.snapshots.append(entry)
        }
        for value in blobs {
            guard let key = value["key"]?.string, let blob = Blob(value), let held = value["held"]?.integer, held > 0, Self.counts.contains(held) else { throw damaged() }
            root.blobs[key] = HeldBlob(blob: blob, held: held)
        }
        return root
    }
}

/// A file's bytes as an object under `blobs/`.
struct Blob: Sendable, Equatable {
    /// Without "blobs/".
    var name: String
    /// Of the file, and of the object.
    var bytes: Int, stored: Int
    var isPacked: Bool
    var digest: String

    var members: [(String, JSONValue)] {
        [("blob", .string(name)), ("bytes", .integer(Int64(bytes))), ("stored", .integer(Int64(stored))), ("packed", .bool(isPacked)), ("digest", .string(digest))]
    }
}

extension Blob {
    /// A file of an index is far smaller; so many of these as a manifest has room for add up without overflow.
    private static let lengths: ClosedRange<Int64> = 0...1 << 40

    init?(_ json: JSONValue) {
        guard let name = json["blob"]?.string, let bytes = json["bytes"]?.integer, let stored = json["stored"]?.integer,
            Self.lengths.contains(bytes), Self.lengths.contains(stored),
            let isPacked = json["packed"]?.boolean, let digest = json["digest"]?.string, ObjectKey.fault("blobs/" + name) == nil
        else { return nil }
        self.init(name: name, bytes: Int(bytes), stored: Int(stored), isPacked: isPacked, digest: digest)
    }
}

/// A snapshot as the root names it: enough to list it.
package struct SnapshotEntry: Sendable, Equatable {
    package var name: String
    package var uuid: String
    /// Milliseconds since 1970.
    package var started: Int64, ended: Int64
    package var indices: [String]
    /// Of `partial` ones: indices that could not be read.
    package var failed: [String]
    /// Of all its files.
    package var bytes: Int64
    package var state: String { failed.isEmpty ? "SUCCESS" : "PARTIAL" }

    var json: JSONValue {
        [
            "name": .string(name), "uuid": .string(uuid), "started": .integer(started), "ended": .integer(ended), "bytes": .integer(bytes),
            "indices": .array(indices.map { .string($0) }), "failed": .array(failed.map { .string($0) }),
        ]
    }
}

extension SnapshotEntry {
    init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, let uuid = json["uuid"]?.string, let started = json["started"]?.integer, let ended = json["ended"]?.integer,
            RepositoryRoot.counts.contains(started), RepositoryRoot.counts.contains(ended), let bytes = json["bytes"]?.integer, RepositoryRoot.counts.contains(bytes), let indices = json["indices"]?.array, let failed = json["failed"]?.array, ObjectKey.fault("snapshots/" + uuid) == nil
        else { return nil }
        self.init(
            name: name, uuid: uuid, started: started, ended: ended, indices: indices.compactMap(\.string), failed: failed.compactMap(\.string), bytes: bytes)
    }
}
