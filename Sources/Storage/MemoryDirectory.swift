// A folder in memory, for tests and for indexes nobody keeps. Everything is "durable" at once; the one
// that loses what was not synced is `FaultyDirectory` in IsothermTesting.

internal import Bytes
import Synchronization

package final class MemoryDirectory: Directory {
    private struct State {
        var files: [String: MemoryFile] = [:]
        var folders: [String: MemoryDirectory] = [:]
        var locks: Set<String> = []
    }
    package let path: String
    private let state = Mutex(State())

    package init(_ path: String = "memory") { self.path = path }

    package func list() throws(StorageError) -> [String] { state.withLock { $0.files.keys.sorted() } }
    package func listDirectories() throws(StorageError) -> [String] { state.withLock { $0.folders.keys.sorted() } }

    package func create(_ name: String) throws(StorageError) -> any WritableFile {
        try state.withLock { s throws(StorageError) in
            guard s.files[name] == nil else { throw StorageError(.exists, path: path + "/" + name, "the file exists") }
            let file = MemoryFile()
            s.files[name] = file
            return file
        }
    }

    package func map(_ name: String) throws(StorageError) -> MappedBytes {
        MappedBytes(path: path + "/" + name, copying: try file(name).bytes)
    }

    package func length(_ name: String) throws(StorageError) -> Int? { state.withLock { $0.files[name]?.length } }

    package func rename(_ from: String, to: String) throws(StorageError) {
        let file = try file(from)
        state.withLock { s in
            s.files[from] = nil
            s.files[to] = file
        }
    }

    package func link(_ from: String, to: String) throws(StorageError) {
        let file = try file(from)
        let isFree = state.withLock { s in
            guard s.files[to] == nil, s.folders[to] == nil else { return false }
            s.files[to] = file
            return true
        }
        guard isFree else { throw StorageError(.exists, path: path + "/" + to, "the file exists") }
    }

    package func remove(_ name: String) throws(StorageError) {
        _ = try file(name)
        state.withLock { $0.files[name] = nil }
    }

    package func sync(_ name: String) throws(StorageError) { _ = try file(name) }
    package func sync() throws(StorageError) {}

    package func directory(_ name: String) throws(StorageError) -> any Directory {
        state.withLock { s in
            if let folder = s.folders[name] { return folder }
            let folder = MemoryDirectory(path + "/" + name)
            s.folders[name] = folder
            return folder
        }
    }

    package func existing(_ name: String) throws(StorageError) -> (any Directory)? { state.withLock { $0.folders[name] } }

    package func removeDirectory(_ name: String) throws(StorageError) { state.withLock { $0.folders[name] = nil } }

    package func lock(_ name: String) throws(StorageError) -> any DirectoryLock {
        guard state.withLock({ $0.locks.insert(name).inserted }) else {
            throw StorageError(.exists, path: path + "/" + name, "in use by another node")
        }
        return MemoryLock { [self] in state.withLock { _ = $0.locks.remove(name) } }
    }

    /// As if the process that holds locks here had ended.
    package func releaseLocks() { state.withLock { $0.locks = [] } }

    /// Replaces a file's bytes in place: for damage tests.
    package func overwrite(_ name: String, _ bytes: [UInt8]) throws(StorageError) { try file(name).overwrite(bytes) }

    private func file(_ name: String) throws(StorageError) -> MemoryFile {
        guard let file = state.withLock({ $0.files[name] }) else {
            throw StorageError(.notFound, path: path + "/" + name, "no such file")
        }
        return file
    }
}

private final class MemoryFile: WritableFile {
    private let content = Mutex<[UInt8]>([])
    var bytes: [UInt8] { content.withLock { $0 } }
    var length: Int { content.withLock { $0.count } }
    func append(_ bytes: RawSpan) throws(StorageError) {
        // Safe: the bytes are copied at once.
        content.withLock { content in unsafe bytes.withUnsafeBytes { unsafe content.append(contentsOf: $0) } }
    }
    func overwrite(_ bytes: [UInt8]) { content.withLock { $0 = bytes } }
    func sync() throws(StorageError) {}
    func close() throws(StorageError) {}
}

private final class MemoryLock: DirectoryLock {
    private let free: Mutex<(@Sendable () -> Void)?>
    init(_ free: @escaping @Sendable () -> Void) { self.free = Mutex(free) }
    deinit { release() }
    func release() {
        let free = free.withLock { f in
            defer { f = nil }
            return f
        }
        free?()
    }
}
