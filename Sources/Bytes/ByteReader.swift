// Reads what `ByteWriter` wrote. Every read is checked against the span; a count read from the bytes
// is bounded by the caller before it is trusted.

/// Bytes that cannot be what a writer of the format produced. Says where, never what: the bytes may be
/// personal data. Layers that know the file wrap it with the file's name.
package struct Corruption: Error, Equatable, CustomStringConvertible {
    package let reason: String
    package let offset: Int
    package init(_ reason: String, at offset: Int) { (self.reason, self.offset) = (reason, offset) }
    package var description: String { "\(reason) at offset \(offset)" }
}

/// A cursor over a span. Keep it local: it borrows the bytes.
package struct ByteReader: ~Escapable {
    @usableFromInline let bytes: RawSpan
    /// Where the next read begins.
    package var offset: Int

    @inlinable @_lifetime(copy bytes)
    package init(_ bytes: RawSpan, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    @inlinable package var remaining: Int { bytes.byteCount - offset }

    @inlinable @_lifetime(self: copy self)
    package mutating func byte() throws(Corruption) -> UInt8 {
        guard offset >= 0, offset < bytes.byteCount else { throw Corruption("truncated", at: offset) }
        // Safe: the offset was just checked, and any byte is a valid UInt8.
        let value = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        offset += 1
        return value
    }

    @inlinable @_lifetime(self: copy self)
    package mutating func fixed<I: FixedWidthInteger & BitwiseCopyable>(_ type: I.Type = I.self) throws(Corruption) -> I {
        let size = MemoryLayout<I>.size
        guard offset >= 0, size <= bytes.byteCount - offset else { throw Corruption("truncated", at: offset) }
        // Safe: the range was just checked, and every bit pattern is a valid integer.
        let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: I.self)
        offset += size
        return I(littleEndian: value)
    }

    @inlinable @_lifetime(self: copy self)
    package mutating func varint() throws(Corruption) -> UInt64 {
        var value: UInt64 = 0, shift: UInt64 = 0
        while true {
            let b = try byte()
            guard shift < 63 || b <= 1 else { throw Corruption("varint too long", at: offset) }
            value |= UInt64(b & 0x7F) << shift
            if b < 0x80 { return value }
            shift += 7
        }
    }

    /// A varint that must fit in `0...max`.
    @inlinable @_lifetime(self: copy self)
    package mutating func count(max: Int) throws(Corruption) -> Int {
        let start = offset
        let value = try varint()
        guard value <= UInt64(max) else { throw Corruption("count out of bounds", at: start) }
        return Int(value)
    }

    @inlinable @_lifetime(self: copy self)
    package mutating func signedVarint() throws(Corruption) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: (raw >> 1) ^ (0 &- (raw & 1)))
    }

    /// A length-prefixed byte string.
    @_lifetime(self: copy self)
    package mutating func string() throws(Corruption) -> [UInt8] {
        let n = try count(max: max(0, remaining))
        return try raw(n)
    }

    @_lifetime(self: copy self)
    package mutating func raw(_ n: Int) throws(Corruption) -> [UInt8] {
        guard n >= 0, offset >= 0, n <= bytes.byteCount - offset else { throw Corruption("truncated", at: offset) }
        let start = offset
        offset += n
        let part = bytes.extracting(start..<start + n)
        return part.withUnsafeBytes { unsafe Array($0) }
    }
}
