// A folder of files as the index sees it: the seam at which tests put memory, faults and power cuts.
//
// Durability rules, asserted by recorded traces:
//     1  A file's bytes are durable after `WritableFile.sync()` returned.
//     2  A name (made, renamed, removed) is durable after `Directory.sync()` returned.
//     3  After one failed sync nothing on that file may be acknowledged again.

package import Bytes

package protocol Directory: AnyObject, Sendable {
    /// Where this is, for messages.
    var path: String { get }
    /// The names of files here, sorted; folders are not among them.
    func list() throws(StorageError) -> [String]
    /// The names of folders here, sorted.
    func listDirectories() throws(StorageError) -> [String]
    /// A new, empty file, open for appending. A file of that name must not exist.
    func create(_ name: String) throws(StorageError) -> any WritableFile
    /// The file's bytes as they are now. An empty file maps to no bytes.
    func map(_ name: String) throws(StorageError) -> MappedBytes
    /// The file's length in bytes, nil when there is none of that name.
    func length(_ name: String) throws(StorageError) -> Int?
    /// Replaces `to` atomically.
    func rename(_ from: String, to: String) throws(StorageError)
    /// Gives a file a second name; `.exists` when there is something of that name. Of several at once exactly one succeeds.
    func link(_ from: String, to: String) throws(StorageError)
    func remove(_ name: String) throws(StorageError)
    /// Makes the bytes of a file that somebody else wrote durable.
    func sync(_ name: String) throws(StorageError)
    /// Makes names durable (fsync of the folder).
    func sync() throws(StorageError)
    /// The folder `name` in this one, made if it is not there. Its own name is durable after `sync()` here.
    func directory(_ name: String) throws(StorageError) -> any Directory
    /// The folder `name` in this one, nil when there is none.
    func existing(_ name: String) throws(StorageError) -> (any Directory)?
    /// The file's length and a stamp that changes with its bytes; nil when there is no file of that name.
    func status(_ name: String) throws(StorageError) -> FileStatus?
    /// A copy of the bytes at these offsets, cut at the file's end.
    func read(_ name: String, _ range: Range<Int>) throws(StorageError) -> [UInt8]
    /// Removes the folder `name` and all in it.
    func removeDirectory(_ name: String) throws(StorageError)
    /// Keeps every other opener out (other processes too) until released. `.exists` when somebody has it.
    func lock(_ name: String) throws(StorageError) -> any DirectoryLock
}

/// Held while a folder is in use; also released when the last reference goes, or the process ends.
package protocol DirectoryLock: AnyObject, Sendable {
    func release()
}

/// A file being appended to. One thread at a time.
package protocol WritableFile: AnyObject, Sendable {
    var length: Int { get }
    func append(_ bytes: RawSpan) throws(StorageError)
    /// Makes all appended bytes durable (fdatasync).
    func sync() throws(StorageError)
    func close() throws(StorageError)
}

package struct FileStatus: Equatable, Sendable {
    package let length: Int
    package let stamp: String
    package init(length: Int, stamp: String) { (self.length, self.stamp) = (length, stamp) }
}

extension Directory {
    package func existing(_ name: String) throws(StorageError) -> (any Directory)? {
        try listDirectories().contains { $0.utf8.elementsEqual(name.utf8) } ? try directory(name) : nil
    }

    package func status(_ name: String) throws(StorageError) -> FileStatus? {
        do throws(StorageError) {
            let bytes = try read(name)
            return FileStatus(length: bytes.count, stamp: String(CRC32C.of(bytes), radix: 16) + "-" + String(bytes.count))
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    package func read(_ name: String, _ range: Range<Int>) throws(StorageError) -> [UInt8] {
        let all = try read(name)
        return Array(all[range.clamped(to: 0..<all.count)])
    }

    /// Writes a whole file so that after a crash either the old or the new bytes are under `name`, and after
    /// returning the new ones. Order matters: write, sync the file, rename, sync the folder.
    package func replace(_ name: String, with bytes: [UInt8]) throws(StorageError) {
        let temporary = name + ".tmp"
        if try length(temporary) != nil { try remove(temporary) }
        let file = try create(temporary)
        try file.append(bytes)
        try file.sync()
        try file.close()
        try rename(temporary, to: name)
        try sync()
    }

    /// A copy of the file's bytes.
    package func read(_ name: String) throws(StorageError) -> [UInt8] {
        // Safe: the bytes are copied at once.
        try map(name).withBytes { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
    }
}

extension WritableFile {
    package func append(_ bytes: [UInt8]) throws(StorageError) { try unsafe append(bytes.span.bytes) }
}

/// The world failed, or a file is damaged. Names the file; never quotes contents.
package struct StorageError: Error, Equatable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        case notFound, exists, noSpace, permission, io
        /// The bytes are wrong; trying again cannot help.
        case corrupt
        /// Written by another format version: too old or too new for this build.
        case tooOld, tooNew
    }
    package let kind: Kind
    package let path: String
    package let reason: String
    /// Byte offset of the damage, where known.
    package let offset: Int?

    package init(_ kind: Kind, path: String, _ reason: String, at offset: Int? = nil) {
        (self.kind, self.path, self.reason, self.offset) = (kind, path, reason, offset)
    }

    package init(_ corruption: Corruption, path: String) {
        self.init(.corrupt, path: path, corruption.reason, at: corruption.offset)
    }

    package var description: String { "\(path): \(reason)" + (offset.map { " at offset \($0)" } ?? "") }
}
