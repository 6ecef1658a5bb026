// Appends little-endian numbers and byte strings to a growing array: the one way bytes of a format
// are written. `ByteReader` reads them back, checked.

public struct ByteWriter: Sendable {
    public var bytes: [UInt8]

    public init(reserving capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    public var count: Int { bytes.count }

    @inlinable
    public mutating func byte(_ value: UInt8) { bytes.append(value) }

    /// Little-endian, in the integer's own width. Always inlined: other modules called it unspecialized, at 3 % of a bulk load.
    @inlinable @inline(__always)
    public mutating func fixed<I: FixedWidthInteger>(_ value: I) {
        var value = value
        for _ in 0..<(I.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: value))
            value = I.bitWidth > 8 ? value >> 8 : 0
        }
    }

    /// LEB128: seven bits a byte, the low ones first; 1 to 10 bytes.
    @inlinable
    public mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    @inlinable
    public mutating func varint(_ value: Int) { varint(UInt64(value)) }

    /// Zigzag, then LEB128: small magnitudes of either sign are short.
    @inlinable
    public mutating func signedVarint(_ value: Int64) {
        varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// A length as varint, then the bytes.
    public mutating func string(_ value: some Collection<UInt8>) {
        varint(value.count)
        bytes.append(contentsOf: value)
    }

    public mutating func string(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            varint(utf8.count)
            unsafe bytes.append(contentsOf: utf8)
        }
    }

    public mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }
}
