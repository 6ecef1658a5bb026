// A disk in memory that can fail and lose power: for proving that what was acknowledged is kept.
//
// It knows what a real disk promises. Of a file, the bytes up to the last sync. Of a folder, the names as
// they were at its last sync. Everything since may be there after a power cut or not: later bytes without earlier
// ones, a removal without the creation before it, torn pages, zeros where data should be.
//
//     let disk = FaultyDisk(seed: 1)
//     disk.dieAt(call: 17)            every call from the 17th on throws, as if the machine had stopped
//     ... use disk.root ...
//     let after = disk.powerCut()     the disk as it may be found when power is back

package import Bytes
package import Storage
import Synchronization

package final class FaultyDisk: Sendable {
    fileprivate struct File {
        var bytes: [UInt8] = []
        var synced = 0
    }
    fileprivate enum Entry: Equatable { case file(Int), folder(Int) }
    fileprivate enum NameChange { case set(String, Entry), remove(String), rename(String, String, Entry) }
    fileprivate struct Folder {
        var names: [String: Entry] = [:]
        var synced: [String: Entry] = [:]
        /// Since the last sync, in order.
        var pending: [NameChange] = []
    }
    fileprivate struct State {
        var files: [Int: File] = [:]
        var folders: [Int: Folder] = [0: Folder()]
        var next = 1
        var calls = 0
        var dieAt = Int.max
        var failAt = Int.max
        var failure = StorageError.Kind.noSpace
        var trace: [String] = []
        var tracing = false
        var locks: Set<String> = []
        var random: Seeded
    }
    fileprivate let state: Mutex<State>

    package init(seed: UInt64) { state = Mutex(State(random: Seeded(seed))) }
    private init(_ state: State) { self.state = Mutex(state) }

    package var root: any Directory { FaultyDirectory(disk: self, folder: 0, path: "disk") }

    /// Calls so far that change anything: creating, appending, syncing, renaming, removing.
    package var calls: Int { state.withLock { $0.calls } }

    /// From that call on (counted from now, first is 1) nothing works any more.
    package func dieAt(call n: Int) { state.withLock { $0.dieAt = $0.calls + n } }

    /// That one call fails; an append may have written half.
    package func failAt(call n: Int, _ kind: StorageError.Kind = .noSpace) { state.withLock { ($0.failAt, $0.failure) = ($0.calls + n, kind) } }

    /// Everything works again. What failed stays as it is.
    package func heal() { state.withLock { ($0.dieAt, $0.failAt) = (.max, .max) } }

    /// Records calls, one line each, from now on.
    package func startTrace() { state.withLock { ($0.tracing, $0.trace) = (true, []) } }
    package var trace: [String] { state.withLock { $0.trace } }

    /// The disk as it may be found after losing power now. This one is left as it is.
    package func powerCut(seed: UInt64? = nil) -> FaultyDisk {
        state.withLock { s in
            if let seed { s.random = Seeded(seed) }
            var after = State(random: Seeded(s.random.next()))
            after.next = s.next
            var random = s.random
            for (id, file) in s.files.sorted(by: { $0.key < $1.key }) {
                let bytes = Self.survivors(file, &random)
                after.files[id] = File(bytes: bytes, synced: bytes.count)
            }
            for (id, folder) in s.folders.sorted(by: { $0.key < $1.key }) {
                let names = Self.survivors(folder, &random)
                after.folders[id] = Folder(names: names, synced: names)
            }
            s.random = random
            return FaultyDisk(after)
        }
    }

    // MARK: -

    private static func survivors(_ file: File, _ random: inout Seeded) -> [UInt8] {
        let kept = Array(file.bytes[..<file.synced]), rest = Array(file.bytes[file.synced...])
        if rest.isEmpty { return kept }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return kept
        case 1: return file.bytes
        case 2: return kept + rest.prefix(Int.random(in: 0...rest.count, using: &random))
        case 3:
            // Pages written back in any order: some are still zero.
            var torn = rest
            let page = [1, 7, 64, 512].randomElement(using: &random) ?? 64
            for start in stride(from: 0, to: torn.count, by: page) where Bool.random(using: &random) {
                for i in start..<min(start + page, torn.count) { torn[i] = 0 }
            }
            return kept + torn.prefix(Int.random(in: 0...torn.count, using: &random))
        default:
            // The length grew, and the data did not come.
            return kept + [UInt8](repeating: 0, count: Int.random(in: 0...rest.count, using: &random))
        }
    }

    private static func survivors(_ folder: Folder, _ random: inout Seeded) -> [String: Entry] {
        var names = folder.synced
        let mode = Int.random(in: 0..<4, using: &random), end = Int.random(in: 0...folder.pending.count, using: &random)
        for (i, change) in folder.pending.enumerated() {
            let happens = switch mode {
            case 0: false
            case 1: true
            case 2: i < end
            default: Bool.random(using: &random)
            }
            guard happens else { continue }
            switch change {
            case .set(let name, let entry): names[name] = entry
            case .remove(let name): names[name] = nil
            case .rename(let from, let to, let entry):
                if names[from] == entry { names[from] = nil }
                names[to] = entry
            }
        }
        return names
    }
}

private final class FaultyDirectory: Directory {
    let disk: FaultyDisk
    let folder: Int
    let path: String

    init(disk: FaultyDisk, folder: Int, path: String) { (self.disk, self.folder, self.path) = (disk, folder, path) }

    func list() throws(StorageError) -> [String] {
        disk.state.withLock { s in (s.folders[folder]?.names ?? [:]).compactMap { if case .file = $0.value { $0.key } else { nil } }.sorted() }
    }

    func listDirectories() throws(StorageError) -> [String] {
        disk.state.withLock { s in (s.folders[folder]?.names ?? [:]).compactMap { if case .folder = $0.value { $0.key } else { nil } }.sorted() }
    }

    func create(_ name: String) throws(StorageError) -> any WritableFile {
        try disk.change("create", full(name)) { s throws(StorageError) in
            guard s.folders[folder]?.names[name] == nil else { throw StorageError(.exists, path: full(name), "the file exists") }
            let id = s.next
            s.next += 1
            s.files[id] = FaultyDisk.File()
            s.set(name, .file(id), in: folder)
            return FaultyFile(disk: disk, id: id, path: full(name))
        }
    }

    func map(_ name: String) throws(StorageError) -> MappedBytes { MappedBytes(path: full(name), copying: try file(name).bytes) }

    func length(_ name: String) throws(StorageError) -> Int? {
        disk.state.withLock { s in
            guard case .file(let id)? = s.folders[folder]?.names[name] else { return nil }
            return s.files[id]?.bytes.count
        }
    }

    func rename(_ from: String, to: String) throws(StorageError) {
        try disk.change("rename", full(from) + " to " + to) { s throws(StorageError) in
            guard let entry = s.folders[folder]?.names[from] else { throw StorageError(.notFound, path: full(from), "no such file") }
            s.folders[folder]?.names[from] = nil
            s.folders[folder]?.names[to] = entry
            s.folders[folder]?.pending.append(.rename(from, to, entry))
        }
    }

    func link(_ from: String, to: String) throws(StorageError) {
        try disk.change("link", full(from) + " to " + to) { s throws(StorageError) in
            guard let entry = s.folders[folder]?.names[from] else { throw StorageError(.notFound, path: full(from), "no such file") }
            guard s.folders[folder]?.names[to] == nil else { throw StorageError(.exists, path: full(to), "the file exists") }
            s.set(to, entry, in: folder)
        }
    }

    func remove(_ name: String) throws(StorageError) {
        try disk.change("remove", full(name)) { s throws(StorageError) in
            guard s.folders[folder]?.names[name] != nil else { throw StorageError(.notFound, path: full(name), "no such file") }
            s.folders[folder]?.names[name] = nil
            s.folders[folder]?.pending.append(.remove(name))
        }
    }

    func sync(_ name: String) throws(StorageError) {
        try disk.change("sync", full(name)) { s throws(StorageError) in
            guard case .file(let id)? = s.folders[folder]?.names[name] else { throw StorageError(.notFound, path: full(name), "no such file") }
            s.syncFile(id)
        }
    }

    func sync() throws(StorageError) {
        try disk.change("sync folder", path) { s throws(StorageError) in
            guard var synced = s.folders[folder] else { return }
            synced.synced = synced.names
            synced.pending = []
            s.folders[folder] = synced
        }
    }

    func directory(_ name: String) throws(StorageError) -> any Directory {
        let known = disk.state.withLock { s -> Int? in
            guard case .folder(let id)? = s.folders[folder]?.names[name] else { return nil }
            return id
        }
        if let known { return FaultyDirectory(disk: disk, folder: known, path: full(name)) }
        return try disk.change("make folder", full(name)) { s throws(StorageError) in
            let id = s.next
            s.next += 1
            s.folders[id] = FaultyDisk.Folder()
            s.set(name, .folder(id), in: folder)
            return FaultyDirectory(disk: disk, folder: id, path: full(name))
        }
    }

    func removeDirectory(_ name: String) throws(StorageError) {
        try disk.change("remove folder", full(name)) { s throws(StorageError) in
            s.folders[folder]?.names[name] = nil
            s.folders[folder]?.pending.append(.remove(name))
        }
    }

    func lock(_ name: String) throws(StorageError) -> any DirectoryLock {
        let key = full(name)
        guard disk.state.withLock({ $0.locks.insert(key).inserted }) else { throw StorageError(.exists, path: key, "in use") }
        return FaultyLock(disk: disk, key: key)
    }

    private func full(_ name: String) -> String { path + "/" + name }

    private func file(_ name: String) throws(StorageError) -> FaultyDisk.File {
        let found = disk.state.withLock { s -> FaultyDisk.File? in
            guard case .file(let id)? = s.folders[folder]?.names[name] else { return nil }
            return s.files[id]
        }
        guard let found else { throw StorageError(.notFound, path: full(name), "no such file") }
        return found
    }
}

private final class FaultyFile: WritableFile {
    private let disk: FaultyDisk
    private let id: Int
    private let path: String
    private let failed = Atomic<Bool>(false)

    init(disk: FaultyDisk, id: Int, path: String) { (self.disk, self.id, self.path) = (disk, id, path) }

    var length: Int { disk.state.withLock { $0.files[id]?.bytes.count ?? 0 } }

    func append(_ bytes: RawSpan) throws(StorageError) {
        let copy = bytes.withUnsafeBytes { unsafe Array($0) }
        try guarded { () throws(StorageError) in
            try disk.change("append", path, failing: { s in s.files[id]?.bytes += copy.prefix(copy.count / 2) }) { s throws(StorageError) in
                s.files[id]?.bytes += copy
            }
        }
    }

    func sync() throws(StorageError) {
        try guarded { () throws(StorageError) in
            try disk.change("sync", path) { s throws(StorageError) in s.syncFile(id) }
        }
    }

    func close() throws(StorageError) {}

    /// As a real file: after one failure it refuses everything.
    private func guarded(_ body: () throws(StorageError) -> Void) throws(StorageError) {
        if failed.load(ordering: .acquiring) { throw StorageError(.io, path: path, "failed before") }
        do throws(StorageError) { try body() } catch {
            failed.store(true, ordering: .releasing)
            throw error
        }
    }
}

private final class FaultyLock: DirectoryLock {
    private let disk: FaultyDisk
    private let key: String
    init(disk: FaultyDisk, key: String) { (self.disk, self.key) = (disk, key) }
    deinit { release() }
    func release() { disk.state.withLock { _ = $0.locks.remove(key) } }
}

extension FaultyDisk {
    /// Counts the call, fails it if it is its turn, records it, performs it.
    fileprivate func change<R>(
        _ what: String, _ path: String, failing: (inout State) -> Void = { _ in }, _ body: (inout State) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        var result: Result<R, StorageError>?
        state.withLock { s in
            s.calls += 1
            if s.calls >= s.dieAt {
                if s.calls == s.dieAt { failing(&s) }
                result = .failure(StorageError(.io, path: path, "the power is off"))
            } else if s.calls == s.failAt {
                failing(&s)
                result = .failure(StorageError(s.failure, path: path, "failed on purpose"))
            } else {
                if s.tracing { s.trace.append(what + " " + path) }
                do throws(StorageError) { result = .success(try body(&s)) } catch { result = .failure(error) }
            }
        }
        guard let result else { throw StorageError(.io, path: path, "no result") }
        return try result.get()
    }
}

extension FaultyDisk.State {
    fileprivate mutating func syncFile(_ id: Int) {
        let count = files[id]?.bytes.count ?? 0
        files[id]?.synced = count
    }

    fileprivate mutating func set(_ name: String, _ entry: FaultyDisk.Entry, in folder: Int) {
        folders[folder]?.names[name] = entry
        folders[folder]?.pending.append(.set(name, entry))
    }
}
