// A folder of the file system. Files are made with O_EXCL, appended with write(2), made durable with
// fdatasync; names are made durable with fsync of the folder; reading is mmap.

internal import Bytes
private import Glibc
import Synchronization

package final class FileDirectory: Directory {
    package let path: String

    /// - Parameter create: make the folder (and those above it) when it is not there.
    package init(_ path: String, create: Bool = true) throws(StorageError) {
        self.path = path
        if create { try Self.makeAll(path) }
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { throw systemError(path, "cannot open the folder") }
        guard info.st_mode & S_IFMT == S_IFDIR else { throw StorageError(.io, path: path, "is not a folder") }
    }

    package func list() throws(StorageError) -> [String] { try entries(folders: false) }
    package func listDirectories() throws(StorageError) -> [String] { try entries(folders: true) }

    package func create(_ name: String) throws(StorageError) -> any WritableFile {
        let full = try child(name)
        let descriptor = unsafe open(full, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw systemError(full, "cannot make the file") }
        return AppendedFile(descriptor: descriptor, path: full)
    }

    package func map(_ name: String) throws(StorageError) -> MappedBytes {
        let full = try child(name)
        let descriptor = unsafe open(full, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError(full, "cannot open") }
        defer { _ = Glibc.close(descriptor) }
        var info = stat()
        guard unsafe fstat(descriptor, &info) == 0 else { throw systemError(full, "cannot stat") }
        let count = Int(info.st_size)
        if count == 0 { return unsafe MappedBytes(path: full, unsafeBase: nil, count: 0) { _, _ in } }
        // Safe: a fresh read-only mapping of the whole file; MappedBytes unmaps it once, in deinit.
        guard let base = unsafe mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), unsafe base != MAP_FAILED else {
            throw systemError(full, "cannot map")
        }
        return unsafe MappedBytes(path: full, unsafeBase: UnsafeRawPointer(base), count: count, isMapping: true) { pointer, count in
            unsafe munmap(UnsafeMutableRawPointer(mutating: pointer), count)
        }
    }

    package func length(_ name: String) throws(StorageError) -> Int? {
        let full = try child(name)
        var info = stat()
        if unsafe stat(full, &info) == 0 { return info.st_mode & S_IFMT == S_IFREG ? Int(info.st_size) : nil }
        if errno == ENOENT { return nil }
        throw systemError(full, "cannot stat")
    }

    package func rename(_ from: String, to: String) throws(StorageError) {
        let a = try child(from), b = try child(to)
        guard unsafe Glibc.rename(a, b) == 0 else { throw systemError(a, "cannot rename") }
    }

    package func link(_ from: String, to: String) throws(StorageError) {
        let a = try child(from), b = try child(to)
        guard unsafe Glibc.link(a, b) == 0 else { throw systemError(b, "cannot link") }
    }

    package func remove(_ name: String) throws(StorageError) {
        let full = try child(name)
        guard unsafe unlink(full) == 0 else { throw systemError(full, "cannot remove") }
    }

    package func sync(_ name: String) throws(StorageError) {
        let full = try child(name)
        let descriptor = unsafe open(full, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError(full, "cannot open") }
        defer { _ = Glibc.close(descriptor) }
        guard fdatasync(descriptor) == 0 else { throw systemError(full, "cannot sync") }
    }

    package func sync() throws(StorageError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError(path, "cannot open the folder") }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw systemError(path, "cannot sync the folder") }
    }

    package func directory(_ name: String) throws(StorageError) -> any Directory {
        let full = try child(name)
        if unsafe mkdir(full, 0o755) != 0, errno != EEXIST { throw systemError(full, "cannot make the folder") }
        return try FileDirectory(full, create: false)
    }

    package func existing(_ name: String) throws(StorageError) -> (any Directory)? {
        let full = try child(name)
        var info = stat()
        guard unsafe stat(full, &info) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw systemError(full, "cannot stat")
        }
        return info.st_mode & S_IFMT == S_IFDIR ? try FileDirectory(full, create: false) : nil
    }

    /// The stamp: a file that replaced another has another inode, or at least another time of change.
    package func status(_ name: String) throws(StorageError) -> FileStatus? {
        let full = try child(name)
        var info = stat()
        guard unsafe stat(full, &info) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw systemError(full, "cannot stat")
        }
        guard info.st_mode & S_IFMT == S_IFREG else { return nil }
        func hex(_ number: some BinaryInteger) -> String { String(number, radix: 16) }
        let stamp = hex(info.st_size) + "-" + hex(info.st_mtim.tv_sec) + "." + hex(info.st_mtim.tv_nsec) + "-" + hex(info.st_ino)
        return FileStatus(length: Int(info.st_size), stamp: stamp)
    }

    package func read(_ name: String, _ range: Range<Int>) throws(StorageError) -> [UInt8] {
        let full = try child(name)
        let descriptor = unsafe open(full, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError(full, "cannot open") }
        defer { _ = Glibc.close(descriptor) }
        var info = stat()
        guard unsafe fstat(descriptor, &info) == 0 else { throw systemError(full, "cannot stat") }
        guard info.st_mode & S_IFMT == S_IFREG else { throw StorageError(.notFound, path: full, "is not a file") }
        let wanted = range.clamped(to: 0..<Int(info.st_size))
        var done = 0, code: Int32 = 0
        // Safe: at most `wanted.count` bytes are written into as much capacity, and as many are counted.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: wanted.count) { buffer, count in
            while done < wanted.count {
                let n = unsafe pread(descriptor, buffer.baseAddress?.advanced(by: done), wanted.count - done, off_t(wanted.lowerBound + done))
                if n < 0, errno == EINTR { continue }
                if n < 0 { code = errno }
                if n <= 0 { break }
                done += n
            }
            count = done
        }
        errno = code
        guard code == 0 else { throw systemError(full, "cannot read") }
        guard done == wanted.count else { throw StorageError(.io, path: full, "the file got shorter while it was read") }
        return bytes
    }

    package func removeDirectory(_ name: String) throws(StorageError) {
        let inner = try FileDirectory(try child(name), create: false)
        for folder in try inner.listDirectories() { try inner.removeDirectory(folder) }
        for file in try inner.list() { try inner.remove(file) }
        guard unsafe rmdir(inner.path) == 0 else { throw systemError(inner.path, "cannot remove the folder") }
    }

    package func lock(_ name: String) throws(StorageError) -> any DirectoryLock {
        let full = try child(name)
        let descriptor = unsafe open(full, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw systemError(full, "cannot open the lock file") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let inUse = errno == EWOULDBLOCK
            _ = Glibc.close(descriptor)
            throw StorageError(inUse ? .exists : .io, path: full, "in use by another process; stop it first, or choose another data folder")
        }
        return FileLock(descriptor: descriptor)
    }

    // MARK: -

    /// Names come from our own formats; one that would leave the folder is refused all the same.
    private func child(_ name: String) throws(StorageError) -> String {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(0) else {
            throw StorageError(.io, path: path, "not a file name")
        }
        return path + "/" + name
    }

    private func entries(folders: Bool) throws(StorageError) -> [String] {
        guard let stream = unsafe opendir(path) else { throw systemError(path, "cannot list") }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                // The end, or an error: what was read until then is not the folder.
                if errno != 0 { throw systemError(path, "cannot list") }
                break
            }
            // Safe: d_name is NUL-terminated within the entry, which lives until the next readdir.
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            var isFolder = unsafe Int32(entry.pointee.d_type) == Int32(DT_DIR)
            if unsafe Int32(entry.pointee.d_type) == Int32(DT_UNKNOWN) {
                var info = stat()
                isFolder = unsafe stat(path + "/" + name, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
            }
            if isFolder == folders { names.append(name) }
        }
        return names.sorted()
    }

    private static func makeAll(_ path: String) throws(StorageError) {
        var prefix = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            prefix += part
            if !prefix.isEmpty {
                if unsafe mkdir(prefix, 0o755) == 0 { syncParent(of: prefix) } else if errno != EEXIST {
                    throw systemError(prefix, "cannot make the folder")
                }
            }
            prefix += "/"
        }
    }

    /// A folder just made is durable once its parent was synced. Some parents cannot be opened for that; nothing is lost that was promised.
    private static func syncParent(of path: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return syncFolder(".") }
        syncFolder(slash == path.utf8.startIndex ? "/" : String(path[..<slash]))
    }

    private static func syncFolder(_ path: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        _ = Glibc.close(descriptor)
    }
}

/// A file opened for appending. After one failed write or sync it refuses everything: what reached the
/// disk is no longer known.
private final class AppendedFile: WritableFile {
    private struct State { var descriptor: Int32, length = 0, failed = false }
    private let path: String
    private let state: Mutex<State>

    init(descriptor: Int32, path: String) {
        self.path = path
        state = Mutex(State(descriptor: descriptor))
    }

    deinit { state.withLock { if $0.descriptor >= 0 { _ = Glibc.close($0.descriptor) } } }

    var length: Int { state.withLock { $0.length } }

    func append(_ bytes: RawSpan) throws(StorageError) {
        try locked { s throws(StorageError) in
            var done = 0
            while done < bytes.byteCount {
                let rest = bytes.extracting(done..<bytes.byteCount)
                // Safe: the pointer is used within the call, for its own length.
                let n = unsafe rest.withUnsafeBytes { unsafe write(s.descriptor, $0.baseAddress, $0.count) }
                if n < 0, errno == EINTR { continue }
                guard n > 0 else {
                    s.failed = true
                    throw systemError(path, "cannot write")
                }
                done += n
                s.length += n
            }
        }
    }

    func sync() throws(StorageError) {
        // The lock is not held while the disk works: appends go on beside a sync.
        let descriptor = try locked { s throws(StorageError) in s.descriptor }
        guard fdatasync(descriptor) == 0 else {
            let error = systemError(path, "cannot sync")
            state.withLock { $0.failed = true }
            throw error
        }
    }

    func close() throws(StorageError) {
        let descriptor = state.withLock { s in
            defer { s.descriptor = -1 }
            return s.descriptor
        }
        guard descriptor < 0 || Glibc.close(descriptor) == 0 else { throw systemError(path, "cannot close") }
    }

    private func locked<R>(_ body: (inout State) throws(StorageError) -> R) throws(StorageError) -> R {
        try state.withLock { s throws(StorageError) in
            guard s.descriptor >= 0, !s.failed else { throw StorageError(.io, path: path, "closed, or failed before") }
            return try body(&s)
        }
    }
}

private final class FileLock: DirectoryLock {
    private let descriptor: Mutex<Int32>
    init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }
    deinit { release() }
    func release() {
        descriptor.withLock { d in
            if d >= 0 { _ = Glibc.close(d) }
            d = -1
        }
    }
}

/// The typed error of the last failed system call.
private func systemError(_ path: String, _ what: String) -> StorageError {
    let code = errno
    let kind: StorageError.Kind = switch code {
    case ENOENT, ENOTDIR: .notFound
    case EEXIST, ENOTEMPTY: .exists
    case ENOSPC, EDQUOT: .noSpace
    case EACCES, EPERM, EROFS: .permission
    default: .io
    }
    // Safe: strerror's answer is copied at once; glibc keeps it per thread.
    let message = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    return StorageError(kind, path: path, "\(what): \(message)")
}
