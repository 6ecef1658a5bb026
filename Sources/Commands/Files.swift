// Whole files in and out, for the small ones that commands are given: queries, judgments, templates, mappings.

import Glibc
package import JSON
import Relevance

/// A command cannot go on; the message is for the person who called it.
package struct CommandError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

package enum Files {
    /// The bytes of a file, or of standard input for "-".
    package static func bytes(_ path: String, max: Int = 1 << 30) throws(CommandError) -> [UInt8] {
        let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandError("\(path): \(reason())") }
        defer { if descriptor != 0 { close(descriptor) } }
        var result: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            // Safe: read fills at most the chunk's count bytes.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandError("\(path): \(reason())") }
            if count == 0 { return result }
            result.append(contentsOf: chunk[..<count])
            guard result.count <= max else { throw CommandError("\(path): larger than \(max) bytes") }
        }
    }

    package static func text(_ path: String) throws(CommandError) -> String { String(decoding: try bytes(path), as: UTF8.self) }

    package static func json(_ path: String) throws(CommandError) -> JSONValue {
        let bytes = try bytes(path)
        do { return try JSONValue.parse(bytes) } catch { throw CommandError("\(path): \(error)") }
    }

    /// Runs a reader of `Relevance` over a file, and puts the file's name before its errors.
    static func read<R>(_ path: String, _ reader: (String) throws(RelevanceError) -> R) throws(CommandError) -> R {
        let text = try text(path)
        do { return try reader(text) } catch { throw CommandError("\(path): \(error)") }
    }

    /// Replaces the file.
    package static func write(_ text: String, to path: String) throws(CommandError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CommandError("\(path): \(reason())") }
        defer { close(descriptor) }
        guard Terminal.put(text, to: descriptor), fsync(descriptor) == 0 || errno == EINVAL else { throw CommandError("\(path): \(reason())") }
    }

    /// The last system error in words.
    static func reason() -> String {
        // Safe: strerror gives a C string that lives on; it is copied at once.
        unsafe String(cString: strerror(errno))
    }
}
