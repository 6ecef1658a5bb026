// Repositories whose store fails or whose writer stops at any call: what was a snapshot stays one, what was told as made is there, and everything works afterwards.

import Bytes
import Engine
import IsothermTesting
import JSON
import Search
import Storage
import Testing

@Suite("Snapshots and faults")
struct SnapshotFaultTests {
    /// A node whose index has gone on since "a" and "b" were taken.
    private static func scene() async throws -> (node: Node, store: FolderObjectStore, contents: [String: [String]]) {
        let node = try await nodeInMemory(), store = memoryStore()
        try await SnapshotTests.shop(node)
        var contents: [String: [String]] = [:]
        for name in ["a", "b"] {
            _ = try await node.takeSnapshot(SnapshotRequest(name), in: repository(store))
            contents[name] = try await node.contents("shop")
            try await node.fill("shop", 40..<70, title: name)
            if name == "a" { try await node.forceMerge("shop") }
        }
        try await node.flush("shop")
        contents["c"] = try await node.contents("shop")
        return (node, store, contents)
    }

    /// Every snapshot that is told is whole, and those of `names` are told.
    private static func whole(_ node: Node, _ store: any ObjectStore, _ contents: [String: [String]], names: Set<String>, _ what: String) async throws {
        let repository = repository(store), report = try await repository.verify(reading: true)
        #expect(report.problems == [], "\(what)")
        let told = Set(try await repository.list().map(\.name))
        #expect(told.isSuperset(of: names), "\(what): \(told)")
        for name in told.sorted() {
            var request = RestoreRequest(name)
            request.rename = { _ throws(EngineError) in "restored" }
            _ = try await node.restore(request, from: repository)
            #expect(try await node.contents("restored") == contents[name], "\(what): \(name)")
            try await node.deleteIndex("restored")
        }
    }

    /// Does it again without faults, then sweeps.
    private static func settled(_ store: any ObjectStore, _ what: String) async throws {
        let repository = repository(store)
        _ = try await repository.sweep()
        let report = try await repository.verify(reading: true)
        #expect(report.problems == [] && report.unnamed == 0, "\(what): \(report)")
    }

    @Test("taking a snapshot fails or stops before or after any call", arguments: FaultyStore.Fault.allCases)
    func taking(fault: FaultyStore.Fault) async throws {
        let (node, base, contents) = try await Self.scene()
        var at = 1, failures = 0
        while at < 200 {
            let store = try await base.copied(), faulty = FaultyStore(store, fault, at: at), what = "\(fault) at \(at)"
            var isTold = false
            do throws(EngineError) {
                _ = try await node.takeSnapshot(SnapshotRequest("c"), in: repository(faulty))
                isTold = true
            } catch { failures += 1 }
            try await Self.whole(node, store, contents, names: isTold ? ["a", "b", "c"] : ["a", "b"], what)
            if try await !repository(store).list().contains(where: { $0.name == "c" }) { _ = try await node.takeSnapshot(SnapshotRequest("c"), in: repository(store)) }
            try await Self.settled(store, what)
            try await Self.whole(node, store, contents, names: ["a", "b", "c"], what)
            if faulty.calls < at { break }
            at += 1
        }
        #expect(at > 8 && at < 200 && failures > 5)
        await node.close()
    }

    @Test("removing a snapshot fails or stops before or after any call", arguments: FaultyStore.Fault.allCases)
    func removing(fault: FaultyStore.Fault) async throws {
        let (node, base, contents) = try await Self.scene()
        _ = try await node.takeSnapshot(SnapshotRequest("c"), in: repository(base))
        var at = 1
        while at < 200 {
            let store = try await base.copied(), faulty = FaultyStore(store, fault, at: at), what = "\(fault) at \(at)"
            var isTold = false
            do throws(EngineError) {
                try await repository(faulty).delete(["b"])
                isTold = true
            } catch {}
            try await Self.whole(node, store, contents, names: ["a", "c"], what)
            let isThere = try await repository(store).list().contains { $0.name == "b" }
            #expect(!(isTold && isThere), "\(what)")
            if isThere { try await repository(store).delete(["b"]) }
            try await Self.settled(store, what)
            if faulty.calls < at { break }
            at += 1
        }
        #expect(at > 6 && at < 200)
        await node.close()
    }

    @Test("sweeping fails or stops before or after any call, and takes only what nothing names", arguments: FaultyStore.Fault.allCases)
    func sweeping(fault: FaultyStore.Fault) async throws {
        let (node, base, contents) = try await Self.scene()
        for n in 0..<3 { try await base.put("blobs/left-\(n)", [1, 2, 3]) }
        try await base.put("snapshots/left", [1])
        var at = 1
        while at < 100 {
            let store = try await base.copied(), faulty = FaultyStore(store, fault, at: at)
            _ = try? await repository(faulty).sweep()
            try await Self.whole(node, store, contents, names: ["a", "b"], "\(fault) at \(at)")
            try await Self.settled(store, "\(fault) at \(at)")
            if faulty.calls < at { break }
            at += 1
        }
        #expect(at > 5 && at < 100)
        await node.close()
    }

    @Test("a restoring whose store fails leaves no index, and works when asked again", arguments: [FaultyStore.Fault.once, .stop])
    func restoring(fault: FaultyStore.Fault) async throws {
        let (_, store, contents) = try await Self.scene()
        let root = MemoryDirectory(), node = try await nodeInMemory(root)
        var at = 1
        while at < 200 {
            let faulty = FaultyStore(store, fault, at: at)
            do throws(EngineError) { _ = try await node.restore(RestoreRequest("b"), from: repository(faulty)) } catch {
                #expect(node.indexNames == [])
                #expect(try root.directory("indexes").listDirectories() == [])
                _ = try await node.restore(RestoreRequest("b"), from: repository(store))
            }
            #expect(try await node.contents("shop") == contents["b"])
            try await node.deleteIndex("shop")
            if faulty.calls < at { break }
            at += 1
        }
        #expect(at > 5 && at < 200)
        await node.close()
    }

    @Test("the machine stops at any call to the disk during a restoring: the index is there whole, or not at all")
    func powerCuts() async throws {
        let (_, store, contents) = try await Self.scene()
        var at = 1, whole = 0
        while at < 300 {
            let disk = FaultyDisk(seed: UInt64(at)), node = try await nodeInMemory(disk.root)
            let before = disk.calls
            disk.dieAt(call: at)
            var isTold = false
            do throws(EngineError) {
                _ = try await node.restore(RestoreRequest("b"), from: repository(store))
                isTold = true
            } catch {}
            let calls = disk.calls - before, after = disk.powerCut(), again = try await nodeInMemory(after.root)
            #expect(!isTold || again.indexNames == ["shop"], "call \(at)")
            if again.indexNames == ["shop"] {
                #expect(try await again.contents("shop") == contents["b"], "call \(at)")
                whole += 1
            } else {
                #expect(again.indexNames == [])
                #expect(try after.root.directory("indexes").listDirectories() == [])
            }
            await again.close()
            await node.close()
            if calls < at { break }
            at += 1
        }
        #expect(at > 20 && at < 300 && whole > 0)
    }

    @Test("any call to the repository's disk fails while a snapshot is taken, and then power goes: what was told is there")
    func toldIsDurable() async throws {
        let node = try await nodeInMemory()
        _ = try await node.createIndex("shop")
        try await node.fill("shop", 0..<3)
        var at = 1, told = 0, refused = 0
        while at < 1_000 {
            let disk = FaultyDisk(seed: UInt64(at)), store = FolderObjectStore(disk.root)
            _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository(store))
            let before = disk.calls
            disk.failAt(call: at, .io)
            var isTold = false
            do throws(EngineError) {
                _ = try await node.takeSnapshot(SnapshotRequest("b"), in: repository(store))
                isTold = true
            } catch {}
            let calls = disk.calls - before
            disk.heal()
            for seed in UInt64(0)..<8 {
                let left = repository(FolderObjectStore(disk.powerCut(seed: seed).root)), names = try await left.list().map(\.name)
                #expect(names.contains("a") && (!isTold || names.contains("b")), "call \(at): \(names)")
                #expect(try await left.verify(reading: true).problems == [], "call \(at)")
            }
            (told, refused) = (told + (isTold ? 1 : 0), refused + (isTold ? 0 : 1))
            if calls < at { break }
            at += 1
        }
        #expect(at > 8 && at < 1_000 && told > 1 && refused > 5, "\(at) \(told) \(refused)")
        await node.close()
    }

    @Test("the machine stops at any call to the disk while two indexes are restored at once: both are there, or none")
    func togetherOrNone() async throws {
        let (other, store, contents) = try await Self.scene()
        _ = try await other.createIndex("more")
        try await other.fill("more", 0..<20)
        _ = try await other.takeSnapshot(SnapshotRequest("two"), in: repository(store))
        await other.close()
        var at = 1, whole = 0
        while at < 500 {
            let disk = FaultyDisk(seed: UInt64(at)), node = try await nodeInMemory(disk.root)
            let before = disk.calls
            disk.dieAt(call: at)
            _ = try? await node.restore(RestoreRequest("two"), from: repository(store))
            let calls = disk.calls - before, after = disk.powerCut(), again = try await nodeInMemory(after.root)
            if again.indexNames.isEmpty {
                #expect(try after.root.directory("indexes").listDirectories() == [], "call \(at)")
                _ = try await again.restore(RestoreRequest("two"), from: repository(store))
            } else { whole += 1 }
            #expect(again.indexNames.sorted() == ["more", "shop"], "call \(at)")
            #expect(try await again.contents("shop") == contents["c"], "call \(at)")
            #expect(try await again.contents("more").count == 20, "call \(at)")
            #expect(try after.root.length("restoring.json") == nil)
            await again.close()
            await node.close()
            if calls < at { break }
            at += 1
        }
        #expect(at > 40 && at < 500 && whole > 0)
    }

    @Test("a root with impossible numbers is damage, not the end of the process", arguments: ["sweeps", "generation", "held", "bytes", "stored", "started", "ended"])
    func impossible(member: String) async throws {
        let node = try await nodeInMemory(), store = memoryStore()
        try await SnapshotTests.shop(node)
        _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository(store))
        let key = try #require(try await store.listAll(prefix: "index-").last?.key), text = String(decoding: try await store.get(key), as: UTF8.self)
        for number in ["9223372036854775807", "4611686018427387904", "-9223372036854775808", "-1"] {
            let body = text.split(separator: "\n")[0].replacing(try Regex("\"\(member)\":[0-9]+"), with: "\"\(member)\":\(number)")
            let sum = String(CRC32C.of(Array(body.utf8)), radix: 16)
            try await store.put(key, Array("\(body)\n{\"crc32c\":\"\(String(repeating: "0", count: 8 - sum.count))\(sum)\"}\n".utf8))
            for call in 0..<4 {
                do throws(EngineError) {
                    switch call {
                    case 0: _ = try await repository(store).list()
                    case 1: _ = try await repository(store).sweep()
                    case 2: _ = try await node.takeSnapshot(SnapshotRequest("b"), in: repository(store))
                    default: _ = try await node.restore(RestoreRequest("a"), from: repository(store))
                    }
                    Issue.record("\(member) \(number): call \(call) goes on")
                } catch { #expect(error.type == "corrupt_repository_exception" && error.reason.contains("a member is missing or wrong"), "\(member) \(number): \(error)") }
            }
        }
        await node.close()
    }

    @Test("a snapshot that goes away at any call of its restoring or of looking at it is told as missing, not as damaged", arguments: [false, true])
    func goesAway(looks: Bool) async throws {
        let (other, base, _) = try await Self.scene()
        await other.close()
        let node = try await nodeInMemory()
        var at = 1, missing = 0
        while at < 100 {
            let store = try await base.copied()
            let slow = FaultyStore(store, nil, at: at) { for name in ["a", "b"] { _ = try? await repository(store).delete([name]) } }
            do throws(EngineError) {
                if looks { #expect(try await repository(slow).verify(reading: true).problems == [], "call \(at)") } else {
                    _ = try await node.restore(RestoreRequest("b"), from: repository(slow))
                    try await node.deleteIndex("shop")
                }
            } catch {
                #expect(error.type == "snapshot_restore_exception", "call \(at): \(error)")
                missing += 1
            }
            #expect(node.indexNames == [])
            if slow.calls < at { break }
            at += 1
        }
        #expect(at > 5 && at < 100 && (looks || missing > 3))
        await node.close()
    }

    @Test("several writers at once: each snapshot that was told is whole, whoever removes and sweeps meanwhile")
    func writers() async throws {
        let store = memoryStore()
        for round in 0..<4 {
            let told = try await withThrowingTaskGroup(of: [String].self) { group in
                for writer in 0..<3 {
                    group.addTask {
                        let node = try await nodeInMemory()
                        try await SnapshotTests.shop(node, "shop-\(writer)")
                        var names: [String] = []
                        for n in 0..<4 {
                            let name = "s-\(round)-\(writer)-\(n)"
                            do throws(EngineError) {
                                _ = try await node.takeSnapshot(SnapshotRequest(name), in: repository(store))
                                names.append(name)
                                if n == 2 {
                                    try await repository(store).delete([names.removeFirst()])
                                }
                            } catch { #expect(error.type == "concurrent_snapshot_execution_exception", "\(error)") }
                            try await node.fill("shop-\(writer)", n * 10..<n * 10 + 10, title: "x")
                        }
                        await node.close()
                        return names
                    }
                }
                group.addTask {
                    for _ in 0..<6 { _ = try? await repository(store).sweep() }
                    return []
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let listed = Set(try await repository(store).list().map(\.name))
            #expect(told.allSatisfy { listed.contains($0) } && told.count >= 3)
            #expect(try await repository(store).verify(reading: true).problems == [])
        }
    }

    @Test("of two who change the same generation one wins; who was left far behind is not told that it won")
    func generations() async throws {
        let node = try await nodeInMemory(), store = memoryStore()
        try await SnapshotTests.shop(node)
        let (a, b) = (repository(store), repository(store))
        let old = try await a.newest()
        _ = try await node.takeSnapshot(SnapshotRequest("x"), in: b)
        #expect(try await a.commit(old) == false)
        for n in 0..<20 { _ = try await node.takeSnapshot(SnapshotRequest("y\(n)"), in: b) }
        // Its generation is free again, since old roots go.
        #expect(try await store.headIfPresent("index-0000000000000001") == nil)
        #expect(try await a.commit(old) == false)
        #expect(try await b.list().count == 21)
        #expect(try await b.verify(reading: true).problems == [])
        await node.close()
    }

    @Test("whose answer was lost, and whose root others have passed and cleared away meanwhile, is told that another was first", arguments: [1, 20])
    func passed(others: Int) async throws {
        let node = try await nodeInMemory(), store = memoryStore()
        try await SnapshotTests.shop(node)
        let old = try await repository(store).newest()
        let slow = FaultyStore(store, .onceLate, at: 1, changesOnly: true) {
            // As if they had come before its root was there.
            try? await store.delete("index-0000000000000001")
            for n in 0..<others { _ = try? await node.takeSnapshot(SnapshotRequest("y\(n)"), in: repository(store)) }
        }
        #expect(try await repository(slow).commit(old) == false)
        #expect(try await repository(store).list().count == others)
        await node.close()
    }

    @Test("who removes or copies a snapshot that another removes at any of its calls is told that it is missing; there is no damage", arguments: [false, true])
    func removers(copies: Bool) async throws {
        let node = try await nodeInMemory(), store = memoryStore()
        try await SnapshotTests.shop(node)
        var at = 1, beaten = 0
        while at < 30 {
            for name in ["s", "t"] { _ = try await node.takeSnapshot(SnapshotRequest(name), in: repository(store)) }
            let slow = FaultyStore(store, nil, at: at) { for name in ["s", "t"] { _ = try? await repository(store).delete([name]) } }
            do throws(EngineError) {
                if copies { _ = try await repository(slow).clone("s", as: "copy", indices: ["shop"], now: 0) } else { try await repository(slow).delete(["s"]) }
            } catch {
                #expect(error.type == "snapshot_missing_exception", "\(at): \(error)")
                beaten += 1
            }
            #expect(try await repository(store).verify(reading: true).problems == [])
            let left = try await repository(store).list().map(\.name)
            #expect(left.allSatisfy { $0 == "copy" } || slow.calls < at, "\(at): \(left)")
            if slow.calls < at { break }
            if !left.isEmpty { try await repository(store).delete(left) }
            at += 1
        }
        #expect(at > 5 && at < 30 && beaten >= 3)
        await node.close()
    }

    @Test("any flipped byte and any cut in any object is told by name, when restoring or verifying")
    func damage() async throws {
        let node = try await nodeInMemory(), base = memoryStore()
        _ = try await node.createIndex("shop")
        try await node.fill("shop", 0..<300)
        _ = try await node.bulk([WriteOperation(.delete, index: "shop", id: "7")])
        _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository(base))
        let packed = try await base.listAll(prefix: "blobs/").map(\.size).reduce(0, +)
        #expect(packed < (try await repository(base).verify(reading: false)).bytes, "something is packed")
        var random = Seeded(3), tried = 0
        for entry in try await base.listAll(prefix: "") {
            let good = try await base.get(entry.key), store = try await base.copied()
            var places = (0..<25).map { _ in Int.random(in: 0..<good.count, using: &random) }
            places += [0, 8, 12, 16, 24, 28, good.count - 1].filter { $0 < good.count }
            for place in places {
                for cut in [false, true] {
                    var bad = good
                    if cut { bad.removeLast(good.count - place) } else { bad[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &random)) }
                    try await store.put(entry.key, bad)
                    await Self.refusesDamage(node, store, "\(entry.key) \(cut ? "cut" : "flipped") at \(place)")
                    tried += 1
                }
            }
            try await store.put(entry.key, good + [0])
            await Self.refusesDamage(node, store, "\(entry.key) with a byte more")
        }
        #expect(tried > 200 && node.indexNames == ["shop"])
        await node.close()
    }

    private static func refusesDamage(_ node: Node, _ store: any ObjectStore, _ what: String) async {
        var request = RestoreRequest("a")
        request.rename = { _ throws(EngineError) in "restored" }
        do throws(EngineError) {
            _ = try await node.restore(request, from: repository(store))
            Issue.record("\(what): restored")
        } catch { #expect(error.type == "corrupt_repository_exception", "\(what): \(error)") }
        do throws(EngineError) {
            #expect(try await repository(store).verify(reading: true).problems != [], "\(what)")
        } catch { #expect(error.type == "corrupt_repository_exception", "\(what): \(error)") }
    }

    @Test("a damaged segment is not carried into a repository; a damaged snapshot can be removed, and the others stay")
    func damagedSource() async throws {
        let root = MemoryDirectory(), node = try await nodeInMemory(root), store = memoryStore(), repository = repository(store)
        _ = try await node.createIndex("good")
        _ = try await node.createIndex("bad")
        for name in ["good", "bad"] { try await node.fill(name, 0..<300) }
        try await node.flush("_all")
        let shard = try root.directory("indexes").directory(node.describe("bad").uuid).directory("0") as? MemoryDirectory
        let file = try #require(try shard?.list().first { $0.hasSuffix(".seg") })
        var bytes = try #require(try shard?.read(file))
        bytes[bytes.count / 2] ^= 1
        try shard?.overwrite(file, bytes)
        do throws(EngineError) {
            _ = try await node.takeSnapshot(SnapshotRequest("a"), in: repository)
            Issue.record("taken")
        } catch { #expect(error.type == "corrupt_index_exception", "\(error)") }
        #expect(try await store.listAll(prefix: "").isEmpty)
        _ = try await node.takeSnapshot(SnapshotRequest("a", indices: "good"), in: repository)
        _ = try await node.takeSnapshot(SnapshotRequest("b", indices: "good"), in: repository)
        try await store.put("snapshots/" + (try await repository.list()[0].uuid), [1, 2])
        #expect(try await repository.verify(reading: false).problems.count == 1)
        try await repository.delete(["a"])
        let report = try await repository.verify(reading: true)
        #expect(report.problems == [] && report.unnamed == 0 && report.blobs == 2)
        await node.close()
    }

    @Test("a file of many blocks goes by parts and comes back, packed and not")
    func large() async throws {
        let node = try await nodeInMemory(), store = memoryStore()
        _ = try await node.createIndex("big", IndexCreation(mappings: try JSONValue.parse(#"{"dynamic":false}"#).object ?? JSONObject()))
        var random = Seeded(5)
        for part in 0..<10 {
            _ = try await node.bulk((0..<100).map { n in
                let words = (0..<700).map { _ in String(UInt64.random(in: 0...UInt64.max, using: &random), radix: 36) }.joined(separator: part % 2 == 0 ? "" : " ")
                return WriteOperation(.index, index: "big", id: "\(part)-\(n)", source: Array("{\"body\":\"\(words)\"}".utf8))
            })
        }
        try await node.forceMerge("big")
        let contents = try await node.contents("big")
        for packs in [false, true] {
            let repository = repository(try await store.copied(), packs: packs)
            let manifest = try await node.takeSnapshot(SnapshotRequest("a"), in: repository)
            #expect(manifest.indices[0].bytes > 8 << 20, "\(manifest.indices[0].bytes)")
            var request = RestoreRequest("a")
            request.rename = { _ throws(EngineError) in "r" }
            _ = try await node.restore(request, from: repository)
            #expect(try await node.contents("r") == contents)
            try await node.deleteIndex("r")
        }
        await node.close()
    }
}
