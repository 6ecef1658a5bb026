// An object store in a folder: a key is a path, an object a file.
//
//     put       write beside (".~" name), sync the file, rename, sync the folder
//     ifAbsent  the same with link in place of rename, which fails when the name is taken; then the temporary name goes
//     folders   made when first needed; each new name is durable before anything in it is acknowledged
//
// Invariants
//     1  A name that a listing shows leads to a whole, synced file.
//     2  Nothing is acknowledged, "it exists" included, before the folder that holds the name was synced.
//     3  Half-written files have names that no key can have. A stopped process leaves them; `sweep` takes them away.
//
// Unlike S3, one key cannot be the beginning of another up to a "/": a file cannot be a folder. That is refused as `.invalid`.
// Several processes may write; one of them, the owner, may sweep.

import Synchronization

package final class FolderObjectStore: ObjectStore {
    package let place: String
    let root: any Directory
    private let pool: BlockingPool
    private struct State {
        /// Folders whose name this store has made durable, as UTF-8 bytes.
        var durable: Set<[UInt8]> = []
        /// Temporary names in use, which `sweep` leaves alone.
        var writing: Set<String> = []
        var number = 0
    }
    private let state = Mutex(State())
    /// Tells this store's temporary names from another process's.
    private let stamp = String(UInt64.random(in: 0...UInt64.max), radix: 36)

    /// - Parameter root: any folder that nothing else writes to.
    package init(_ root: any Directory, pool: BlockingPool = .files) {
        (self.root, self.pool, place) = (root, pool, root.path)
    }

    @discardableResult
    package func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) async throws(ObjectStoreError) -> ObjectTag {
        let key = try ObjectKey(key, in: place)
        guard bytes.count <= ObjectLimits.putBytesMax else {
            throw ObjectStoreError(.invalid, place: at(key), "\(bytes.count) bytes at once; more than \(ObjectLimits.putBytesMax) are written by parts")
        }
        return try await pool.run { [self] () throws(ObjectStoreError) in
            let file = try begin(key, ifAbsent: ifAbsent)
            do throws(StorageError) { try file.file.append(bytes) } catch {
                discard(file)
                throw ObjectStoreError(error)
            }
            return try publish(file)
        }
    }

    package func upload(_ key: String, ifAbsent: Bool) async throws(ObjectStoreError) -> any ObjectUpload {
        let key = try ObjectKey(key, in: place)
        let file = try await pool.run { [self] () throws(ObjectStoreError) in try begin(key, ifAbsent: ifAbsent) }
        return FolderUpload(store: self, file: file)
    }

    package func get(_ key: String) async throws(ObjectStoreError) -> [UInt8] {
        let head = try await head(key)
        guard head.size <= ObjectLimits.getBytesMax else {
            throw ObjectStoreError(.invalid, place: place + "/" + key, "\(head.size) bytes; more than \(ObjectLimits.getBytesMax) are read by ranges")
        }
        return try await get(key, 0..<ObjectLimits.getBytesMax)
    }

    package func get(_ key: String, _ range: Range<Int>) async throws(ObjectStoreError) -> [UInt8] {
        let key = try ObjectKey(key, in: place)
        if range.isEmpty { return [] }
        guard range.lowerBound >= 0, range.count <= ObjectLimits.getBytesMax else { throw ObjectStoreError(.invalid, place: at(key), "no such range") }
        return try await reading(key) { folder, name throws(StorageError) in try folder.read(name, range) }
    }

    package func head(_ key: String) async throws(ObjectStoreError) -> ObjectHead {
        let key = try ObjectKey(key, in: place)
        let place = at(key)
        return try await reading(key) { folder, name throws(StorageError) in
            guard let status = try folder.status(name) else { throw StorageError(.notFound, path: place, "no such object") }
            return ObjectHead(size: status.length, tag: ObjectTag(status.stamp))
        }
    }

    package func delete(_ key: String) async throws(ObjectStoreError) {
        let key = try ObjectKey(key, in: place)
        do throws(ObjectStoreError) {
            try await reading(key) { folder, name throws(StorageError) in
                guard try folder.status(name) != nil else { return }
                try folder.remove(name)
                try folder.sync()
            }
        } catch { if error.kind != .notFound { throw error } }
    }

    package func list(_ request: ObjectListRequest) async throws(ObjectStoreError) -> ObjectPage {
        try request.checked(in: place)
        return try await pool.run { [self] () throws(ObjectStoreError) in
            do throws(StorageError) { return try FolderListing(request).page(root) } catch { throw ObjectStoreError(error) }
        }
    }

    /// Removes what stopped processes left half written; gives how many. For the owner alone: what another process is writing goes too, and its
    /// `put` fails.
    @discardableResult
    package func sweep() async throws(ObjectStoreError) -> Int {
        try await pool.run { [self] () throws(ObjectStoreError) in
            do throws(StorageError) { return try sweepFolders() } catch { throw ObjectStoreError(error) }
        }
    }

    // MARK: - Writing

    struct Writing: Sendable {
        let key: ObjectKey
        let ifAbsent: Bool
        let folder: any Directory
        let temporary: String
        let file: any WritableFile
    }

    private func begin(_ key: ObjectKey, ifAbsent: Bool) throws(ObjectStoreError) -> Writing {
        do throws(StorageError) {
            let folder = try folder(for: key)
            if try folder.existing(key.name) != nil { throw StorageError(.exists, path: at(key), Self.isFolder) }
            let temporary = state.withLock { s in
                s.number += 1
                let name = "\(ObjectKey.reservedPrefix)\(stamp)-\(s.number)"
                s.writing.insert(name)
                return name
            }
            do throws(StorageError) {
                return Writing(key: key, ifAbsent: ifAbsent, folder: folder, temporary: temporary, file: try folder.create(temporary))
            } catch {
                state.withLock { _ = $0.writing.remove(temporary) }
                throw error
            }
        } catch {
            let isBetweenKeys = error.reason == Self.isFolder || error.reason == Self.isObject
            throw isBetweenKeys ? ObjectStoreError(.invalid, place: error.path, error.reason) : ObjectStoreError(error)
        }
    }

    private static let isFolder = "other keys begin with this one and a \"/\"; a folder cannot hold both"
    private static let isObject = "this is an object; a folder cannot hold keys below it"

    /// The folder of a key, made where it is missing. Order matters: the name of each folder is durable before something in it is.
    private func folder(for key: ObjectKey) throws(StorageError) -> any Directory {
        var here = root
        var path: [UInt8] = []
        for name in key.folders {
            path += Array(name.utf8) + [UInt8(ascii: "/")]
            let found = try here.existing(name)
            if found == nil, try here.length(name) != nil { throw StorageError(.exists, path: here.path + "/" + name, Self.isObject) }
            let next = if let found { found } else { try here.directory(name) }
            // A folder that was there may have been made by somebody who has not synced its name yet.
            if found == nil || !state.withLock({ $0.durable.contains(path) }) {
                try here.sync()
                state.withLock { s in
                    if s.durable.count >= 10_000 { s.durable = [] }
                    s.durable.insert(path)
                }
            }
            here = next
        }
        return here
    }

    func publish(_ writing: Writing) throws(ObjectStoreError) -> ObjectTag {
        let (folder, name) = (writing.folder, writing.key.name)
        var isNamed = false
        do throws(StorageError) {
            try writing.file.sync()
            try writing.file.close()
            if writing.ifAbsent {
                try folder.link(writing.temporary, to: name)
                isNamed = true
                // Another process may have swept it.
                do throws(StorageError) { try folder.remove(writing.temporary) } catch { if error.kind != .notFound { throw error } }
            } else {
                try folder.rename(writing.temporary, to: name)
                isNamed = true
            }
            guard let status = try folder.status(name) else { throw StorageError(.io, path: at(writing.key), "vanished while it was written") }
            try folder.sync()
            forget(writing)
            return ObjectTag(status.stamp)
        } catch {
            discard(writing)
            if error.kind == .notFound, !isNamed {
                throw ObjectStoreError(.unavailable, place: at(writing.key), "its half-written file was swept by another process; try again")
            }
            guard error.kind == .exists, !isNamed else { throw ObjectStoreError(error, mayHaveBeenApplied: isNamed) }
            // Another's object: said only once it is durable, since the caller may act on it.
            do throws(StorageError) { try folder.sync() } catch { throw ObjectStoreError(error) }
            throw ObjectStoreError(.alreadyExists, place: at(writing.key), "another object has this key")
        }
    }

    /// Takes the temporary file away, as far as that works.
    func discard(_ writing: Writing) {
        try? writing.file.close()
        try? writing.folder.remove(writing.temporary)
        forget(writing)
    }

    private func forget(_ writing: Writing) { state.withLock { _ = $0.writing.remove(writing.temporary) } }

    func run<R: Sendable>(_ body: @escaping @Sendable () throws(ObjectStoreError) -> R) async throws(ObjectStoreError) -> R {
        try await pool.run(body)
    }

    // MARK: - Finding

    func at(_ key: ObjectKey) -> String { place + "/" + key.text }

    private func reading<R: Sendable>(
        _ key: ObjectKey, _ body: @escaping @Sendable (any Directory, String) throws(StorageError) -> R
    ) async throws(ObjectStoreError) -> R {
        try await pool.run { [self] () throws(ObjectStoreError) in
            do throws(StorageError) {
                var here = root
                for name in key.folders {
                    guard let next = try here.existing(name) else { throw StorageError(.notFound, path: at(key), "no such object") }
                    here = next
                }
                return try body(here, key.name)
            } catch { throw ObjectStoreError(error) }
        }
    }

    private func sweepFolders() throws(StorageError) -> Int {
        var folders = [root], removed = 0
        while let folder = folders.popLast() {
            var isChanged = false
            for name in try folder.list() where name.utf8.starts(with: ObjectKey.reservedPrefix.utf8) && !state.withLock({ $0.writing.contains(name) }) {
                do throws(StorageError) { try folder.remove(name) } catch { if error.kind != .notFound { throw error } }
                (removed, isChanged) = (removed + 1, true)
            }
            if isChanged { try folder.sync() }
            for name in try folder.listDirectories() { if let next = try folder.existing(name) { folders.append(next) } }
        }
        return removed
    }
}

/// The temporary file of one upload.
private final class FolderUpload: ObjectUpload {
    private let store: FolderObjectStore
    private let file: FolderObjectStore.Writing
    private struct State { var isOpen = true, bytes = 0 }
    private let state = Mutex(State())

    init(store: FolderObjectStore, file: FolderObjectStore.Writing) { (self.store, self.file) = (store, file) }
    deinit { if state.withLock({ $0.isOpen }) { store.discard(file) } }

    func append(_ bytes: [UInt8]) async throws(ObjectStoreError) {
        try state.withLock { s throws(ObjectStoreError) in
            guard s.isOpen else { throw ObjectStoreError(.invalid, place: store.at(file.key), "the upload has ended") }
            s.bytes += bytes.count
            guard s.bytes <= ObjectLimits.uploadBytesMax else { throw ObjectStoreError(.invalid, place: store.at(file.key), "larger than \(ObjectLimits.uploadBytesMax) bytes") }
        }
        try await store.run { [file] () throws(ObjectStoreError) in
            do throws(StorageError) { try file.file.append(bytes) } catch { throw ObjectStoreError(error) }
        }
    }

    func finish() async throws(ObjectStoreError) -> ObjectTag {
        guard end() else { throw ObjectStoreError(.invalid, place: store.at(file.key), "the upload has ended") }
        return try await store.run { [store, file] () throws(ObjectStoreError) in try store.publish(file) }
    }

    func abort() async {
        guard end() else { return }
        try? await store.run { [store, file] () throws(ObjectStoreError) in store.discard(file) }
    }

    private func end() -> Bool {
        state.withLock { s in
            defer { s.isOpen = false }
            return s.isOpen
        }
    }
}
