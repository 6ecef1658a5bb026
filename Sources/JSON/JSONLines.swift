// Lines of NDJSON: where each begins and ends. A carriage return before the line feed is not part of a
// line, the last line needs no line feed.

import Glibc

package struct JSONLines: Sendable {
    /// Where the next line begins.
    package private(set) var offset = 0
    /// From 1; of the line last given.
    package private(set) var number = 0

    package init() {}

    /// The next line, empty ones included; nil at the end.
    package mutating func next(in bytes: RawSpan) -> Range<Int>? {
        let start = offset, count = bytes.byteCount
        guard start < count else { return nil }
        // Safe: memchr reads count - start bytes from an offset below count.
        let found: Int? = unsafe bytes.withUnsafeBytes { p in
            guard let base = p.baseAddress, let hit = unsafe memchr(base + start, 0x0A, count - start) else { return nil }
            return unsafe UnsafeRawPointer(hit) - base
        }
        var end = found ?? count
        offset = end + (found == nil ? 0 : 1)
        number += 1
        if end > start, bytes.byte(end - 1) == 0x0D { end -= 1 }
        return start..<end
    }
}
