// Reads what `ByteWriter` wrote. Every read is checked against the span; a count read from the bytes
// is bounded by the caller before it is trusted.

/// Bytes that cannot be what a writer of the format produced. Says where, never what: the bytes may be
/// personal data. Layers that know the file wrap it with the file's name.
public struct Corruption: Error, Equatable, CustomStringConvertible {
    public let reason: String
    public let offset: Int
    public init(_ reason: String, at offset: Int) { (self.reason, self.offset) = (reason, offset) }
    public var description: String { "\(reason) at offset \(offset)" }
}

/// A cursor over a span. Keep it local: it borrows the bytes.
public struct ByteReader: ~Escapable {
    @usableFromInline let bytes: RawSpan
    /// Where the next read begins.
    public var offset: Int

    @inlinable @_lifetime(copy bytes)
    public init(_ bytes: RawSpan, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    @inlinable public var remaining: Int { bytes.byteCount - offset }

    @inlinable @_lifetime(self: copy self)
    public mutating func byte() throws(Corruption) -> UInt8 {
        guard offset >= 0, offset < bytes.byteCount else { throw Corruption("truncated", at: offset) }
        // Safe: the offset was just checked, and any byte is a valid UInt8.
        let value = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        offset += 1
        return value
    }

    @inlinable @_lifetime(self: copy self)
    public mutating func fixed<I: FixedWidthInteger & BitwiseCopyable>(_ type: I.Type = I.self) throws(Corruption) -> I {
        let size = MemoryLayout<I>.size
        guard offset >= 0, size <= bytes.byteCount - offset else { throw Corruption("truncated", at: offset) }
        // Safe: the range was just checked, and every bit pattern is a valid integer.
        let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: I.self)
        offset += size
        return I(littleEndian: value)
    }

    @inlinable @_lifetime(self: copy self)
    public mutating func varint() throws(Corruption) -> UInt64 {
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
    public mutating func count(max: Int) throws(Corruption) -> Int {
        let start = offset
        let value = try varint()
        guard value <= UInt64(max) else { throw Corruption("count out of bounds", at: start) }
        return Int(value)
    }

    @inlinable @_lifetime(self: copy self)
    public mutating func signedVarint() throws(Corruption) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: (raw >> 1) ^ (0 &- (raw & 1)))
    }

    /// A length-prefixed byte string.
    @_lifetime(self: copy self)
    public mutating func string() throws(Corruption) -> [UInt8] {
        let n = try count(max: max(0, remaining))
        return try raw(n)
    }

    /// As `string`, behind what `out` holds: for many strings one after another.
    @_lifetime(self: copy self)
    public mutating func string(appendingTo out: inout [UInt8]) throws(Corruption) {
        let n = try count(max: max(0, remaining)), start = offset
        guard n <= bytes.byteCount - start else { throw Corruption("truncated", at: start) }
        offset += n
        let part = bytes.extracting(start..<start + n)
        part.withUnsafeBytes { unsafe out.append(contentsOf: $0) }
    }

    @_lifetime(self: copy self)
    public mutating func raw(_ n: Int) throws(Corruption) -> [UInt8] {
        guard n >= 0, offset >= 0, n <= bytes.byteCount - offset else { throw Corruption("truncated", at: offset) }
        let start = offset
        offset += n
        let part = bytes.extracting(start..<start + n)
        return part.withUnsafeBytes { unsafe Array($0) }
    }
}
