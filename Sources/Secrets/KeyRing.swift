// The node's own secret, from which every other one is derived: one file of 32 random bytes in `<data>/keys/`, made on first start.
//
// Invariants
//     1  The file is readable by its owner only, and in no backup: a backup without it cannot find anybody by e-mail or forge a cursor.
//     2  A key derived for one use says nothing about that for another.

import Glibc

package struct KeyRing: Sendable {
    private let master: [UInt8]

    package init(master: [UInt8]) { self.master = master }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Opens `<folder>/shop.key`, or makes it with its folder.
    package static func open(folder: String) throws(Failure) -> KeyRing {
        let path = folder + "/shop.key"
        if let bytes = try read(path) { return KeyRing(master: bytes) }
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Failure(description: "cannot make the folder \(folder) (errno \(errno))") }
        let fresh = SecureRandom.bytes(32)
        let temporary = "\(path).\(getpid()).new"
        let file = unsafe Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else { throw Failure(description: "cannot write \(temporary) (errno \(errno))") }
        // Safe: the array has the bytes counted; a link made last, so that a file half written is never found and of two makers one wins.
        let written = unsafe fresh.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
        let synced = fsync(file)
        _ = close(file)
        let linked = link(temporary, path)
        let linkError = errno
        _ = unlink(temporary)
        guard written == fresh.count, synced == 0, linked == 0 || linkError == EEXIST else { throw Failure(description: "cannot write \(path)") }
        syncFolder(folder)
        guard let bytes = try read(path) else { throw Failure(description: "cannot read \(path)") }
        return KeyRing(master: bytes)
    }

    /// The key for one use, as "cursor" or "email".
    package func key(_ use: String) -> [UInt8] { HMAC.derive(use, from: master) }

    // MARK: -

    private static func read(_ path: String) throws(Failure) -> [UInt8]? {
        let file = unsafe Glibc.open(path, O_RDONLY)
        if file < 0 {
            if errno == ENOENT { return nil }
            throw Failure(description: "cannot read \(path) (errno \(errno))")
        }
        defer { _ = close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        // Safe: the array has the bytes counted.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
        guard count == 32 else { throw Failure(description: "\(path) must hold 32 bytes; put the right file back, or find nobody by e-mail") }
        return Array(bytes[..<32])
    }

    private static func syncFolder(_ folder: String) {
        let handle = unsafe Glibc.open(folder, O_RDONLY)
        guard handle >= 0 else { return }
        _ = fsync(handle)
        _ = close(handle)
    }
}
