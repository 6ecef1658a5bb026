// What a snapshot promises: what was there comes back as it was, under another name too; what is there already is not sent again; what is damaged is told.

import Engine
import IsothermTesting
import JSON
import Search
import Storage
import Testing

private func object(_ json: String) throws -> JSONObject { try JSONValue.parse(json).object ?? JSONObject() }

@Suite("Snapshots")
struct SnapshotTests {
    /// An index with several segments, deleted documents, patches, and operations that no commit has.
    static func shop(_ node: Node, _ name: String = "shop") async throws {
        _ = try await node.createIndex(name, IndexCreation(
            settings: try object(#"{"refresh_interval":"5s","number_of_replicas":0}"#), mappings: try object(shopMapping),
            aliases: try object(#"{"all":{},"cheap":{"filter":{"range":{"price":{"lt":20}}}}}"#)))
        try await node.fill(name, 0..<120)
        try await node.flush(name)
        try await node.fill(name, 100..<200, title: "new")
        _ = try await node.bulk((0..<20).map { WriteOperation(.delete, index: name, id: "\($0 * 3)") })
        try await node.refresh(name)
        _ = try await node.bulk((101..<120).map { WriteOperation(.update, index: name, id: "\($0)", source: Array(#"{"doc":{"stock":-1}}"#.utf8)) })
        try await node.fill(name, 200..<210)
    }

    @Test("restored under another name it holds the same documents, versions and sequence numbers, answers alike, and takes writes; also after a restart", arguments: [true, false])
    func restored(packs: Bool) async throws {
        let root = MemoryDirectory(), store = memoryStore(), repository = repository(store, packs: packs)
        var node = try await nodeInMemory(root)
        try await Self.shop(node)
        let manifest = try await node.takeSnapshot(SnapshotRequest("first"), in: repository)
        let (contents, answers) = (try await node.contents("shop"), try await node.answers("shop"))
        #expect(manifest.indices.map(\.documents) == [190] && contents.count == 190)
        #expect(manifest.indices[0].addedFiles == manifest.indices[0].fileCount)

        var request = RestoreRequest("first")
        request.rename = { name throws(EngineError) in name + "-2" }
        #expect(try await node.restore(request, from: repository) == ["shop-2"])
        #expect(try await node.contents("shop-2") == contents)
        #expect(try await node.answers("shop-2") == answers)
        let (old, new) = (try node.describe("shop"), try node.describe("shop-2"))
        #expect(old.settings == new.settings && old.aliases == new.aliases && old.mapping.definition == new.mapping.definition && old.uuid != new.uuid)
        // It lives on: the next version of a document, a new one, another mapping.
        #expect(try await node.write(WriteOperation(.index, index: "shop-2", id: "105", source: Array(#"{"title":"green","colour":"green"}"#.utf8))).version == 4)
        try await node.fill("shop-2", 1000..<1010)
        let after = try await node.contents("shop-2")
        for close in [false, true] {
            if close { await node.close() } else { root.releaseLocks() }
            node = try await nodeInMemory(root)
            #expect(try await node.contents("shop-2") == after)
            #expect(try await node.contents("shop") == contents)
        }
        #expect(try await repository.verify(reading: true).problems == [])
        await node.close()
    }

    @Test("what the repository has is not sent again: after few documents few bytes, after none the manifest and the root alone")
    func incremental() async throws {
        let node = try await nodeInMemory(), counting = CountingObjectStore(memoryStore()), repository = repository(counting)
        try await Self.shop(node)
        let first = try await node.takeSnapshot(SnapshotRequest("a"), in: repository)
        let afterFirst = counting.counts
        let second = try await node.takeSnapshot(SnapshotRequest("b"), in: repository)
        let afterSecond = counting.counts
        #expect(second.indices[0].addedFiles == 0 && second.indices[0].fileCount == first.indices[0].fileCount)
        #expect(afterSecond.puts - afterFirst.puts == 2)
        try await node.fill("shop", 500..<503)
        let third = try await node.takeSnapshot(SnapshotRequest("c"), in: repository)
        // A segment and a commit point; the patches and live documents of others are as they were.
        #expect(third.indices[0].addedFiles == 2, "\(third.indices[0].addedFiles)")
        #expect(counting.counts.puts - afterSecond.puts == 4)
        let written = counting.counts.bytesWritten - afterSecond.bytesWritten
        #expect(third.indices[0].addedStored < first.indices[0].stored / 3 && written < afterFirst.bytesWritten)
        // A copy of the index shares its segments.
        var copy = RestoreRequest("c")
        copy.rename = { _ throws(EngineError) in "copy" }
        _ = try await node.restore(copy, from: repository)
        let fourth = try await node.takeSnapshot(SnapshotRequest("d", indices: "copy"), in: repository)
        #expect(fourth.indices[0].addedFiles == 0)
        await node.close()
    }

    @Test("writes, flushes and merges go on while files are sent, and the snapshot has what was there when it began")
    func meanwhile() async throws {
        let node = try await nodeInMemory(), store = memoryStore()
        try await Self.shop(node)
        let before = try await node.contents("shop")
        let slow = PuttingStore.busy(store) {
            try await node.fill("shop", 0..<300, title: "later")
            try await node.forceMerge("shop")
        }
        _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository(slow))
        #expect(try await node.contents("shop") != before)
        var request = RestoreRequest("a")
        request.rename = { _ throws(EngineError) in "then" }
        _ = try await node.restore(request, from: repository(store))
        #expect(try await node.contents("then") == before)
        await node.close()
    }

    @Test("names that are taken, reserved or wrong are refused in Elasticsearch's words")
    func refusals() async throws {
        let node = try await nodeInMemory(), repository = repository(memoryStore())
        try await Self.shop(node)
        _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository)
        func refused(_ type: String, _ part: String, _ body: () async throws(EngineError) -> Void) async {
            do throws(EngineError) {
                try await body()
                Issue.record("nothing was refused: \(type), \(part)")
            } catch { #expect(error.type == type && error.reason.contains(part), "\(error)") }
        }
        for (name, why) in [("A", "must be lowercase"), ("_a", "must not start with '_'"), ("a b", "whitespace"), ("a,b", "','"), ("a#", "'#'"), ("a/b", "characters"), ("", "empty")] {
            await refused("invalid_snapshot_name_exception", why) { () async throws(EngineError) in _ = try await node.takeSnapshot(SnapshotRequest(name), in: repository) }
        }
        await refused("invalid_snapshot_name_exception", "already exists") { () async throws(EngineError) in _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository) }
        await refused("index_not_found_exception", "none") { () async throws(EngineError) in _ = try await node.takeSnapshot(SnapshotRequest("b", indices: "none"), in: repository) }
        await refused("snapshot_missing_exception", "[repo:b] is missing") { () async throws(EngineError) in try await repository.delete(["a", "b"]) }
        await refused("snapshot_restore_exception", "snapshot does not exist") { () async throws(EngineError) in _ = try await node.restore(RestoreRequest("b"), from: repository) }
        await refused("snapshot_restore_exception", "open index with same name") { () async throws(EngineError) in _ = try await node.restore(RestoreRequest("a"), from: repository) }
        await refused("index_not_found_exception", "none") { () async throws(EngineError) in _ = try await node.restore(RestoreRequest("a", indices: "none"), from: repository) }
        func renamed(_ to: String) -> RestoreRequest {
            var request = RestoreRequest("a")
            request.rename = { _ throws(EngineError) in to }
            return request
        }
        await refused("snapshot_restore_exception", "an alias has that name") { () async throws(EngineError) in _ = try await node.restore(renamed("all"), from: repository) }
        await refused("invalid_index_name_exception", "lowercase") { () async throws(EngineError) in _ = try await node.restore(renamed("Shop"), from: repository) }
        #expect(node.indexNames == ["shop"])
        #expect(try await repository.list().map(\.name) == ["a"])
        await node.close()
    }

    @Test("aliases and settings are restored, or left, or changed, as the request says")
    func choices() async throws {
        let node = try await nodeInMemory(), repository = repository(memoryStore())
        try await Self.shop(node)
        _ = try await node.createIndex("other")
        _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository)
        var request = RestoreRequest("a", indices: "sh*,-x")
        request.rename = { name throws(EngineError) in "r-" + name }
        request.includesAliases = false
        request.settings = try object(#"{"index.max_result_window":77}"#)
        request.ignoredSettings = ["index.refresh_interval"]
        #expect(try await node.restore(request, from: repository) == ["r-shop"])
        let made = try node.describe("r-shop")
        #expect(made.aliases.isEmpty && made.settings["index.max_result_window"] == "77" && made.settings["index.refresh_interval"] == nil)
        #expect(made.settings["index.number_of_replicas"] == "0")
        await node.close()
    }

    @Test("a snapshot removed leaves the others whole, and no blob of its own")
    func removal() async throws {
        let node = try await nodeInMemory(), store = memoryStore(), repository = repository(store)
        try await Self.shop(node)
        var contents: [String: [String]] = [:]
        for name in ["a", "b", "c"] {
            _ = try await node.takeSnapshot(SnapshotRequest(name), in: repository)
            contents[name] = try await node.contents("shop")
            try await node.fill("shop", 30..<60, title: name)
            if name == "b" { try await node.forceMerge("shop") }
        }
        try await repository.delete(["b"])
        var report = try await repository.verify(reading: true)
        #expect(report.problems == [] && report.unnamed == 0 && report.snapshots == 2)
        for name in ["a", "c"] {
            var request = RestoreRequest(name)
            request.rename = { _ throws(EngineError) in "r-" + name }
            _ = try await node.restore(request, from: repository)
            #expect(try await node.contents("r-" + name) == contents[name])
        }
        try await repository.delete(["c", "a"])
        report = try await repository.verify(reading: true)
        #expect(report.blobs == 0 && report.unnamed == 0)
        for prefix in ["blobs/", "snapshots/"] { #expect(try await store.listAll(prefix: prefix).isEmpty) }
        await node.close()
    }

    @Test("a name given twice is removed once: what others hold stays")
    func removedTwice() async throws {
        let node = try await nodeInMemory(), store = memoryStore(), repository = repository(store)
        try await Self.shop(node)
        _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository)
        _ = try await node.takeSnapshot(SnapshotRequest("b"), in: repository)
        try await repository.delete(["a", "a"])
        #expect(try await repository.list().map(\.name) == ["b"])
        #expect(try await repository.verify(reading: true).problems == [])
        await node.close()
    }

    @Test("a sweep takes nothing where there is no repository, and nothing that is not shaped as its own")
    func strangers() async throws {
        let root = MemoryDirectory(), node = try await nodeInMemory(), store = FolderObjectStore(root), repository = repository(store)
        // As another program's, and half-written as by a store of ours.
        _ = try root.create(".~lock.list.ods#")
        let others = ["blobs/readme.txt", "blobs/0123456789012345678901-x", "snapshots/daily/index-0000000000000001", "snapshots/notes", "trial-notes", "snapshots/0123456789012345678901.txt"]
        let lost = "blobs/abcdefghij0123456789ab-7"
        for key in others + [lost] { try await store.put(key, [1]) }
        await #expect(throws: EngineError.self) { try await repository.sweep() }
        #expect(try await store.headIfPresent(lost) != nil)
        #expect(try root.length(".~lock.list.ods#") != nil, "where there is no repository")
        #expect(try await repository.verify(reading: false).problems.count == 1)
        try await Self.shop(node)
        _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository)
        #expect(try await repository.sweep().objects == 1)
        #expect(try await store.headIfPresent(lost) == nil)
        for key in others { #expect(try await store.headIfPresent(key) != nil, "\(key)") }
        #expect(try await repository.verify(reading: true).problems == [])
        await node.close()
    }

    @Test("told that its own root was there already, a writer looks whose it is")
    func ownRoot() async throws {
        let node = try await nodeInMemory(), store = memoryStore(), repository = repository(PuttingStore.twiceTold(store))
        try await Self.shop(node)
        _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository)
        #expect(try await repository.list().map(\.name) == ["a"])
        #expect(try await repository.verify(reading: true).problems == [])
        await node.close()
    }

    @Test("a store that does not keep to `ifAbsent` is refused when it is tried out")
    func unconditional() async throws {
        try await repository(memoryStore()).tryOut()
        await #expect(throws: EngineError.self) { try await repository(PuttingStore.careless(memoryStore())).tryOut() }
    }

    @Test("of indexes restored together either all are there or none: one that cannot be opened takes the others back", arguments: [true, false])
    func together(first: Bool) async throws {
        let root = MemoryDirectory(), node = try await nodeInMemory(root), repository = repository(memoryStore())
        // In the order of their names.
        let (plain, special) = first ? ("a", "b") : ("b", "a")
        _ = try await node.createIndex(plain)
        _ = try await node.createIndex(special, IndexCreation(
            settings: try object(#"{"index":{"analysis":{"analyzer":{"own":{"type":"custom","tokenizer":"standard"}}}}}"#),
            mappings: try object(#"{"properties":{"t":{"type":"text","analyzer":"own"}}}"#)))
        _ = try await node.takeSnapshot(SnapshotRequest("s"), in: repository)
        var request = RestoreRequest("s")
        request.rename = { name throws(EngineError) in name + "-2" }
        request.ignoredSettings = ["index.analysis.*"]
        await #expect(throws: EngineError.self) { try await node.restore(request, from: repository) }
        #expect(node.indexNames == ["a", "b"])
        root.releaseLocks()
        let again = try await nodeInMemory(root)
        #expect(again.indexNames == ["a", "b"])
        request.ignoredSettings = []
        #expect(try await again.restore(request, from: repository).sorted() == ["a-2", "b-2"])
        await again.close()
        await node.close()
    }

    @Test("a copy within the repository sends nothing, and outlives its source")
    func copies() async throws {
        let node = try await nodeInMemory(), repository = repository(memoryStore())
        try await Self.shop(node)
        _ = try await node.createIndex("other")
        let contents = try await node.contents("shop")
        _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository)
        let copy = try await repository.clone("a", as: "b", indices: ["shop"], now: 5)
        #expect(copy.indices.map(\.name) == ["shop"] && copy.indices[0].addedFiles == 0)
        try await repository.delete(["a"])
        #expect(try await repository.verify(reading: true).problems == [])
        try await node.deleteIndex("shop")
        #expect(try await node.restore(RestoreRequest("b"), from: repository) == ["shop"])
        #expect(try await node.contents("shop") == contents)
        await node.close()
    }

    @Test("old roots go; two hundred changes leave few")
    func roots() async throws {
        let node = try await nodeInMemory(), store = memoryStore(), repository = repository(store)
        _ = try await node.createIndex("empty")
        for n in 0..<60 {
            _ = try await node.takeSnapshot(SnapshotRequest("s\(n)"), in: repository)
            if n % 2 == 1 { try await repository.delete(["s\(n - 1)"]) }
        }
        #expect(try await store.listAll(prefix: "index-").count <= 9)
        #expect(try await repository.list().count == 30)
        #expect(try await repository.verify(reading: true).problems == [])
        await node.close()
    }

    @Test("a node's repositories are known after a restart; what a location may not be is refused")
    func repositories() async throws {
        let root = MemoryDirectory()
        var node = try await nodeInMemory(root)
        try await Self.shop(node)
        func fs(_ location: String) throws -> RepositoryDefinition { RepositoryDefinition(type: "fs", settings: try object("{\"location\":\"\(location)\"}")) }
        try await node.putRepository("daily", try fs("a/b"))
        try await node.putRepository("read", RepositoryDefinition(type: "fs", settings: try object(#"{"location":"a/b","readonly":"true"}"#)))
        _ = try await node.takeSnapshot(SnapshotRequest("one"), in: try await node.repository("daily"))
        for wrong in ["../x", "a/../b", "/etc", ""] { await #expect(throws: EngineError.self) { try await node.putRepository("w", try fs(wrong)) } }
        await #expect(throws: EngineError.self) { try await node.putRepository("w", RepositoryDefinition(type: "hdfs", settings: JSONObject())) }
        await #expect(throws: EngineError.self) { try await node.putRepository("w", RepositoryDefinition(type: "fs", settings: try object(#"{"location":"x","secret_key":"y"}"#))) }
        await #expect(throws: EngineError.self) { try await node.takeSnapshot(SnapshotRequest("two"), in: try await node.repository("read")) }
        await node.close()
        node = try await nodeInMemory(root)
        #expect(try node.repositories().map(\.name) == ["daily", "read"])
        #expect(try await node.repository("read").list().map(\.name) == ["one"])
        try await node.removeRepositories("daily")
        await #expect(throws: EngineError.self) { try await node.repository("daily") }
        #expect(try node.repositories().map(\.name) == ["read"])
        await node.close()
    }
}

/// Puts in another way than the store below does.
private final class PuttingStore: ObjectStore {
    typealias Put = @Sendable (any ObjectStore, String, [UInt8], Bool) async throws(ObjectStoreError) -> ObjectTag
    private let inner: any ObjectStore, body: Put
    init(_ inner: any ObjectStore, _ body: @escaping Put) { (self.inner, self.body) = (inner, body) }

    /// Does something else during its first put.
    static func busy(_ inner: any ObjectStore, _ meanwhile: @escaping @Sendable () async throws -> Void) -> PuttingStore {
        let counting = CountingObjectStore(inner)
        return PuttingStore(counting) { (store, key, bytes, ifAbsent) async throws(ObjectStoreError) in
            if counting.counts.puts == 0 { do { try await meanwhile() } catch { Issue.record(error) } }
            return try await store.put(key, bytes, ifAbsent: ifAbsent)
        }
    }

    /// Writes, and says of roots that they were there already.
    static func twiceTold(_ inner: any ObjectStore) -> PuttingStore {
        PuttingStore(inner) { (store, key, bytes, ifAbsent) async throws(ObjectStoreError) in
            let tag = try await store.put(key, bytes, ifAbsent: ifAbsent)
            if key.hasPrefix("index-") { throw ObjectStoreError(.alreadyExists, place: store.place + "/" + key, "another object has this key") }
            return tag
        }
    }

    /// Passes over `ifAbsent`, as servers that do not know If-None-Match do.
    static func careless(_ inner: any ObjectStore) -> PuttingStore {
        PuttingStore(inner) { (store, key, bytes, _) async throws(ObjectStoreError) in try await store.put(key, bytes, ifAbsent: false) }
    }

    var place: String { inner.place }
    func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag { try await body(inner, key, bytes, ifAbsent) }
    func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload { try await inner.upload(key, ifAbsent: ifAbsent) }
    func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] { try await inner.get(key) }
    func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] { try await inner.get(key, range) }
    func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead { try await inner.head(key) }
    func delete(_ key: String) async throws(ObjectStoreError) { try await inner.delete(key) }
    func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage { try await inner.list(request) }
}
