// A window over a byte source: bytes are looked at, taken and forgotten; no more than a record lies in memory.

import Glibc

struct InputBuffer {
    private let source: ByteSource
    private(set) var bytes: [UInt8] = []
    /// Where what is not taken yet begins.
    private(set) var start = 0
    private var atEnd = false
    /// Of the byte at `start`, from 1.
    private(set) var line = 1

    init(_ source: ByteSource) { self.source = source }

    var available: Int { bytes.count - start }

    /// False when the source has ended.
    mutating func fill() throws(BulkInputError) -> Bool {
        guard !atEnd else { return false }
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        atEnd = try !source.more(&bytes)
        return !atEnd
    }

    /// The byte so far ahead, nil at the end.
    mutating func peek(_ ahead: Int = 0) throws(BulkInputError) -> UInt8? {
        while available <= ahead { guard try fill() else { return nil } }
        return bytes[start + ahead]
    }

    /// Takes bytes, counting their lines.
    mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let slice = bytes[start..<start + min(count, available)]
        // Safe: memchr reads within the slice.
        unsafe slice.withUnsafeBytes { p in
            guard var at = p.baseAddress else { return }
            var left = p.count
            while left > 0, let hit = unsafe memchr(at, 0x0A, left) {
                line += 1
                let past = unsafe UnsafeRawPointer(hit) + 1
                left -= unsafe past - at
                unsafe at = past
            }
        }
        start += slice.count
        return slice
    }

    /// Takes a line with its end; nil at the end of the source.
    /// - Parameter max: a longer line is taken, but only so much of it given, with `isWhole` false.
    mutating func takeLine(max: Int) throws(BulkInputError) -> (bytes: ArraySlice<UInt8>, isWhole: Bool)? {
        var scanned = 0
        while true {
            if let end = lineFeed(from: start + scanned) {
                let line = take(end + 1 - start)
                return line.count - 1 <= max ? (line, true) : (line.prefix(max), false)
            }
            scanned = available
            if scanned > max {
                let head = Array(bytes[start..<start + min(max, BulkRejection.bytesMax)])
                try skipLine()
                return (head[...], false)
            }
            guard try fill() else {
                // What `fill` moved is still all there is.
                return available > 0 ? (take(available), true) : nil
            }
        }
    }

    /// Takes up to and with the next line feed.
    mutating func skipLine() throws(BulkInputError) {
        while true {
            if let end = lineFeed(from: start) {
                _ = take(end + 1 - start)
                return
            }
            _ = take(available)
            guard try fill() else { return }
        }
    }

    private func lineFeed(from: Int) -> Int? {
        guard from < bytes.count else { return nil }
        // Safe: memchr reads within the array.
        return unsafe bytes.withUnsafeBytes { p in
            guard let base = p.baseAddress, let hit = unsafe memchr(base + from, 0x0A, p.count - from) else { return nil }
            return unsafe UnsafeRawPointer(hit) - base
        }
    }
}
