// Where bytes come from: a closure that appends the next of them. Files, standard input and arrays; gzip and zip
// are told by their first bytes and unpacked on the way.

import Glibc

package struct ByteSource {
    /// Appends some bytes; false at the end, with nothing appended.
    private let read: (inout [UInt8]) throws(BulkInputError) -> Bool

    package init(_ read: @escaping (inout [UInt8]) throws(BulkInputError) -> Bool) { self.read = read }

    package func more(_ bytes: inout [UInt8]) throws(BulkInputError) -> Bool { try read(&bytes) }

    /// All at once, in pieces of `chunk`: for tests.
    package init(_ bytes: [UInt8], chunk: Int = .max) {
        var rest = bytes[...]
        self.init { out throws(BulkInputError) in
            guard !rest.isEmpty else { return false }
            out.append(contentsOf: rest.prefix(chunk))
            rest = rest.dropFirst(chunk)
            return true
        }
    }

    /// A file, or standard input for "-", unpacked if it is gzip or zip.
    /// - Parameter onRead: told how many bytes of the file were read, packed ones: for progress.
    package static func file(_ path: String, onRead: @escaping (Int) -> Void = { _ in }) throws(BulkInputError) -> ByteSource {
        ByteSource(try FileBytes(path, onRead: onRead).read).unpacked()
    }

    /// The file's size; nil for pipes and what cannot be asked.
    package static func size(_ path: String) -> Int? {
        var status = stat()
        guard path != "-", unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Bytes as they are, or unpacked when they begin as gzip or zip does.
    package func unpacked() -> ByteSource {
        let unpacking = Unpacking(self)
        return ByteSource(unpacking.read)
    }
}

/// An open descriptor, closed with its last user.
private final class FileBytes {
    private let descriptor: Int32
    private let path: String
    private let onRead: (Int) -> Void
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)

    init(_ path: String, onRead: @escaping (Int) -> Void) throws(BulkInputError) {
        (self.path, self.onRead) = (path, onRead)
        descriptor = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BulkInputError("\(path): \(Self.lastError())") }
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    func read(_ bytes: inout [UInt8]) throws(BulkInputError) -> Bool {
        while true {
            // Safe: read fills at most the buffer's count.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw BulkInputError("\(path): \(Self.lastError())") }
            bytes.append(contentsOf: buffer[..<count])
            onRead(count)
            return count > 0
        }
    }

    private static func lastError() -> String {
        // Safe: strerror gives a C string that lives on; it is copied at once.
        unsafe String(cString: strerror(errno))
    }
}
