// The folder keeps the contract on a disk, in memory, and on a disk that fails or loses power at any call.

import Glibc
import IsothermTesting
import Storage
import Testing

@Suite("Object store in a folder")
struct FolderStoreTests {
    @Test("keeps the contract on a disk", arguments: ObjectStoreContract.cases)
    func onDisk(_ part: ObjectStoreContract.Case) async throws {
        let folder = try TemporaryFolder()
        let store = FolderObjectStore(try FileDirectory(folder.path + "/a/new/one"))
        try await part.run(store)
        #expect(try await store.sweep() == 0, "nothing half written is left")
    }

    @Test("keeps the contract in memory", arguments: ObjectStoreContract.cases)
    func inMemory(_ part: ObjectStoreContract.Case) async throws { try await part.run(FolderObjectStore(MemoryDirectory())) }

    @Test("an object that goes away while it is listed, or asked for, is there or is not: never an error", arguments: [false, true])
    func vanishing(onDisk: Bool) async throws {
        let folder = try TemporaryFolder(), store = FolderObjectStore(onDisk ? try FileDirectory(folder.path) : MemoryDirectory())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for n in 0..<2000 {
                    try await store.put("a-\(n % 3)", [1, 2, 3], ifAbsent: true)
                    try await store.delete("a-\(n % 3)")
                }
            }
            group.addTask {
                for _ in 0..<4000 {
                    #expect(try await store.listAll(prefix: "a-").allSatisfy { $0.size == 3 })
                    _ = try await store.headIfPresent("a-1")
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("a key cannot be a folder of others: refused, and said so")
    func between() async throws {
        let folder = try TemporaryFolder(), store = FolderObjectStore(try FileDirectory(folder.path))
        try await store.put("a/b", [1])
        await #expect(throws: ObjectStoreError.self) { try await store.put("a", [1]) }
        await #expect(throws: ObjectStoreError.self) { try await store.put("a/b/c", [1], ifAbsent: true) }
        do { try await store.put("a/b/c", [1]) } catch { #expect(error.kind == .invalid) }
        do { try await store.put("a", [1], ifAbsent: true) } catch { #expect(error.kind == .invalid) }
        #expect(try await store.headIfPresent("a") == nil)
        #expect(try await store.headIfPresent("a/b/c") == nil)
    }

    @Test("write, sync, rename, sync: in that order; new folders are durable first")
    func order() async throws {
        let disk = FaultyDisk(seed: 1), store = FolderObjectStore(disk.root)
        disk.startTrace()
        try await store.put("f/a", [1], ifAbsent: true)
        try await store.put("f/b", [1])
        let calls = disk.trace.map { $0.split(separator: " ").first.map(String.init) ?? "" }
        #expect(calls == ["make", "sync", "create", "append", "sync", "link", "remove", "sync", "create", "append", "sync", "rename", "sync"], "\(disk.trace)")
    }

    /// Each writes one object; the keys share folders, so that names made by one are leaned on by the next.
    private static func writes(_ store: FolderObjectStore) -> [(String, Int, @Sendable () async throws -> Void)] {
        [
            ("x/y/one", 100, { try await store.put("x/y/one", bytes(100), ifAbsent: true) }),
            ("x/y/two", 300, { try await store.put("x/y/two", bytes(300)) }),
            ("x/three", 50, {
                let upload = try await store.upload("x/three", ifAbsent: true)
                try await upload.append(Array(bytes(50)[..<20]))
                try await upload.append(Array(bytes(50)[20...]))
                try await upload.finish()
            }),
            ("x/y/one", 120, { try await store.put("x/y/one", bytes(120)) }),
        ]
    }
    private static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) } }

    @Test("power lost at any call: what was acknowledged is there, the rest whole or not at all", arguments: UInt64(0)..<20)
    func powerCut(seed: UInt64) async throws {
        for call in 1...60 {
            let disk = FaultyDisk(seed: seed &* 100 &+ UInt64(call))
            disk.dieAt(call: call)
            let store = FolderObjectStore(disk.root)
            var kept: [String: Int] = [:], tried: [String: Set<Int>] = [:], isDone = true
            for (key, size, write) in Self.writes(store) {
                do {
                    try await write()
                    (kept[key], tried[key]) = (size, [])
                } catch {
                    tried[key, default: []].insert(size)
                    isDone = false
                }
            }
            let after = FolderObjectStore(disk.powerCut().root)
            let listed = try await after.listAll(prefix: "")
            for entry in listed {
                let found = try await after.get(entry.key)
                let isWhole = found == Self.bytes(found.count)
                #expect(isWhole, "call \(call): \(entry.key) is torn")
                #expect(found.count == kept[entry.key] || tried[entry.key]?.contains(found.count) == true, "call \(call): \(entry.key) has \(found.count) bytes")
            }
            for key in kept.keys { #expect(listed.contains { $0.key == key }, "call \(call): \(key) was acknowledged and is lost") }
            try await after.sweep()
            #expect(try await after.sweep() == 0)
            #expect(try await after.listAll(prefix: "") == listed, "call \(call): the sweep takes nothing else")
            if isDone { return }
        }
        Issue.record("sixty calls were not enough")
    }

    @Test("any one call fails: an error that says so, and the next try succeeds")
    func failures() async throws {
        for call in 1...60 {
            let disk = FaultyDisk(seed: UInt64(call)), store = FolderObjectStore(disk.root)
            disk.failAt(call: call)
            var failed = 0
            for (key, size, write) in Self.writes(store) {
                do { try await write() } catch let error as ObjectStoreError {
                    failed += 1
                    #expect(error.kind == .unavailable, "call \(call): \(error)")
                    let there = try await store.headIfPresent(key)?.size
                    if !error.mayHaveBeenApplied { #expect(there != size, "call \(call): applied, and not said") }
                    do { try await write() } catch let error as ObjectStoreError { #expect(error.kind == .alreadyExists && there == size, "call \(call): \(error)") }
                }
                #expect(try await store.get(key) == Self.bytes(size))
            }
            if disk.calls < call { return }
            #expect(failed <= 1)
        }
        Issue.record("sixty calls were not enough")
    }

    @Test("a counting store counts what was asked")
    func counting() async throws {
        let store = CountingObjectStore(FolderObjectStore(MemoryDirectory()))
        try await store.put("a", [1, 2, 3])
        _ = try await store.get("a")
        _ = try await store.get("a", 1..<2)
        _ = try? await store.head("b")
        let upload = try await store.upload("c")
        try await upload.append([1])
        try await upload.finish()
        _ = try await store.list(ObjectListRequest())
        try await store.delete("a")
        let counts = store.counts
        #expect(counts.requests == 7 && counts.bytesWritten == 4 && counts.bytesRead == 4 && counts.rangedGets == 1 && counts.heads == 1)
    }
}

/// A folder of its own, removed at the end.
final class TemporaryFolder {
    let path: String
    init() throws {
        var template = Array("/tmp/isotherm-objects-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ContractBroken(description: "no temporary folder") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    deinit {
        let parts = path.split(separator: "/")
        try? FileDirectory("/" + parts.dropLast().joined(separator: "/"), create: false).removeDirectory(String(parts[parts.count - 1]))
    }
}
