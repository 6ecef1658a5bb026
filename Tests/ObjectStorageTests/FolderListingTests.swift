// A folder is listed while somebody puts and removes: at the very moment between the reading of its names and the look at one of them.

import Storage
import Testing

@Suite("Listing a folder that changes")
struct FolderListingTests {
    private static func put(_ name: String, _ folder: any Directory) throws(StorageError) {
        let file = try folder.create(name)
        try file.append([1] as [UInt8])
        try file.close()
    }

    private static func remove(_ name: String, _ folder: any Directory) throws(StorageError) { if try folder.length(name) != nil { try folder.remove(name) } }

    @Test("of an object that is made and a lesser one that is removed then, one at least is seen", arguments: ["", "t/"])
    func replaced(prefix: String) async throws {
        let memory = MemoryDirectory(), folder = try memory.directory("t")
        for name in ["0", "1.commit", "3"] { try Self.put(name, folder) }
        let store = FolderObjectStore(HookedDirectory(memory, ["1.commit": { () throws(StorageError) in
            if try folder.length("2.commit") == nil { try Self.put("2.commit", folder) }
            try Self.remove("1.commit", folder)
        }]))
        #expect(try await store.listAll(prefix: prefix).map(\.key) == ["t/0", "t/2.commit", "t/3"])
    }

    @Test("names that go away are left out, and the others come once, in order", arguments: [1, 2, 3, 1_000])
    func gone(limit: Int) async throws {
        let memory = MemoryDirectory(), folder = try memory.directory("x")
        for name in ["a", "b", "d", "e", "f"] { try Self.put(name, folder) }
        try Self.put("1", try folder.directory("c"))
        let store = FolderObjectStore(HookedDirectory(memory, [
            "b": { () throws(StorageError) in
                try Self.remove("b", folder)
                try Self.remove("e", folder)
            },
            "d": { () throws(StorageError) in try Self.remove("d", folder) },
        ]))
        var keys: [String] = [], request = ObjectListRequest(prefix: "x/", limit: limit)
        while true {
            let page = try await store.list(request)
            keys += page.objects.map(\.key)
            guard let next = page.next else { break }
            request.continuation = next
        }
        #expect(keys == ["x/a", "x/c/1", "x/f"])
    }

    @Test("by folders too")
    func byFolder() async throws {
        let memory = MemoryDirectory(), folder = try memory.directory("x")
        for name in ["a", "b", "f"] { try Self.put(name, folder) }
        for name in ["a.d", "c"] { try Self.put("1", try folder.directory(name)) }
        let store = FolderObjectStore(HookedDirectory(memory, ["b": { () throws(StorageError) in
            try Self.put("e", folder)
            try Self.remove("b", folder)
        }]))
        let page = try await store.list(ObjectListRequest(prefix: "x/", byFolder: true))
        #expect(page.objects.map(\.key) == ["x/a", "x/e", "x/f"])
        #expect(page.folders == ["x/a.d/", "x/c/"])
        #expect(page.next == nil)
    }
}

/// Something happens whenever the status of a file of one of these names is about to be looked at.
private final class HookedDirectory: Directory {
    private let inner: any Directory, hooks: [String: @Sendable () throws(StorageError) -> Void]
    init(_ inner: any Directory, _ hooks: [String: @Sendable () throws(StorageError) -> Void]) { (self.inner, self.hooks) = (inner, hooks) }

    var path: String { inner.path }
    func status(_ name: String) throws(StorageError) -> FileStatus? {
        if let hook = hooks[name] { try hook() }
        return try inner.status(name)
    }
    func existing(_ name: String) throws(StorageError) -> (any Directory)? {
        guard let found = try inner.existing(name) else { return nil }
        return HookedDirectory(found, hooks)
    }
    func directory(_ name: String) throws(StorageError) -> any Directory { HookedDirectory(try inner.directory(name), hooks) }

    func list() throws(StorageError) -> [String] { try inner.list() }
    func listDirectories() throws(StorageError) -> [String] { try inner.listDirectories() }
    func create(_ name: String) throws(StorageError) -> any WritableFile { try inner.create(name) }
    func map(_ name: String) throws(StorageError) -> MappedBytes { try inner.map(name) }
    func length(_ name: String) throws(StorageError) -> Int? { try inner.length(name) }
    func rename(_ from: String, to: String) throws(StorageError) { try inner.rename(from, to: to) }
    func link(_ from: String, to: String) throws(StorageError) { try inner.link(from, to: to) }
    func remove(_ name: String) throws(StorageError) { try inner.remove(name) }
    func sync(_ name: String) throws(StorageError) { try inner.sync(name) }
    func sync() throws(StorageError) { try inner.sync() }
    func read(_ name: String, _ range: Range<Int>) throws(StorageError) -> [UInt8] { try inner.read(name, range) }
    func removeDirectory(_ name: String) throws(StorageError) { try inner.removeDirectory(name) }
    func lock(_ name: String) throws(StorageError) -> any DirectoryLock { try inner.lock(name) }
}
