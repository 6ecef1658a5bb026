// Unsigned integers of one width, packed from the lowest bit up, read at random.
//
// Invariants
//     1  Width is 0...56, or 64 on whole words: so one unaligned 8-byte load holds any value.
//     2  8 bytes past the last value may be read (and are masked away): whoever lends the memory
//        guarantees them.

@safe public struct PackedInts: @unchecked Sendable {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let mask: UInt64
    public let width: Int
    public let count: Int

    /// The width in which values up to `max` are packed.
    @inlinable
    public static func width(max: UInt64) -> Int {
        let bits = 64 - max.leadingZeroBitCount
        return bits > 56 ? 64 : bits
    }

    @inlinable
    public static func byteCount(count: Int, width: Int) -> Int { (count * width + 7) / 8 }

    /// - Parameter bytes: at least `byteCount(count:width:)` + 8 bytes, kept alive by the caller.
    ///   Nil when they are too few, or the width is impossible.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer, count: Int, width: Int) {
        guard width >= 0, width <= 56 || width == 64, count >= 0, count <= 1 << 40 else { return nil }
        self.width = width
        self.count = count
        mask = width == 64 ? .max : (1 << UInt64(width)) &- 1
        guard let start = bytes.baseAddress, bytes.count >= 8, Self.byteCount(count: count, width: width) <= bytes.count - 8 else { return nil }
        unsafe base = start
    }

    /// - Precondition: 0 <= i < count; not checked.
    @inlinable @inline(__always)
    public subscript(i: Int) -> UInt64 {
        let bit = i &* width
        // Safe: the initialiser checked that 8 bytes may be read from the byte of every value below `count`.
        return unsafe (base.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self) >> UInt64(bit & 7)) & mask
    }
}

/// Appends integers of one width to bytes.
public struct BitPacker: Sendable {
    private var pending: UInt64 = 0
    private var pendingBits = 0
    private let width: Int

    public init(width: Int) { self.width = width }

    /// `value` must fit in the width.
    @inline(__always)
    public mutating func append(_ value: UInt64, to bytes: inout [UInt8]) {
        if width == 64 { return word(value, 8, to: &bytes) }
        pending |= value << UInt64(pendingBits)
        pendingBits &+= width
        if pendingBits >= 64 {
            word(pending, 8, to: &bytes)
            pendingBits &-= 64
            pending = pendingBits == 0 ? 0 : value >> UInt64(width &- pendingBits)
        }
    }

    public mutating func finish(_ bytes: inout [UInt8]) {
        word(pending, (pendingBits + 7) / 8, to: &bytes)
        (pending, pendingBits) = (0, 0)
    }

    private func word(_ value: UInt64, _ count: Int, to bytes: inout [UInt8]) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0.prefix(count)) }
    }
}
