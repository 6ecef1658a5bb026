// A file of lines, read in batches of bounded size.

import Glibc

final class LineFile {
    private let descriptor: Int32
    private let path: String
    private var rest: [UInt8] = []
    private var ended = false

    init(_ path: String) throws(CommandError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandError("\(path): \(Files.reason())") }
    }

    deinit { close(descriptor) }

    /// The next lines that are not empty, at least one and about `bytesMax` bytes; nil at the end.
    func next(bytesMax: Int) throws(CommandError) -> [[UInt8]]? {
        while !ended {
            var buffer = rest
            let kept = buffer.count
            buffer.append(contentsOf: repeatElement(0, count: bytesMax))
            // Safe: read fills at most the bytesMax bytes after the kept ones.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress.map { unsafe $0 + kept }, bytesMax) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandError("\(path): \(Files.reason())") }
            buffer.removeLast(bytesMax - count)
            ended = count == 0
            let lines = split(&buffer)
            rest = buffer
            if !lines.isEmpty { return lines }
        }
        return nil
    }

    // MARK: -

    /// Takes whole lines from the front, at the file's end also the last one without a line feed.
    private func split(_ buffer: inout [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = [], start = 0
        while let end = buffer[start...].firstIndex(of: 10) {
            if end > start { lines.append(Array(buffer[start..<end])) }
            start = end + 1
        }
        if ended, start < buffer.count {
            lines.append(Array(buffer[start...]))
            start = buffer.count
        }
        buffer.removeFirst(start)
        return lines
    }
}
