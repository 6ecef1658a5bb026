// A length in one byte, as Lucene's SmallFloat.intToByte4 has it: 0...39 exactly, above that four significant
// bits. Monotone.

package enum SmallFloat {
    /// 24: below this a value stands for itself.
    private static let exact = 255 - longToInt4(UInt64(Int32.max))

    package static func encode(_ length: Int) -> UInt8 {
        let length = max(0, min(length, Int(Int32.max)))
        return length < exact ? UInt8(length) : UInt8(exact + longToInt4(UInt64(length - exact)))
    }

    package static func decode(_ byte: UInt8) -> Int {
        Int(byte) < exact ? Int(byte) : exact + int4ToLong(Int(byte) - exact)
    }

    // MARK: -

    private static func longToInt4(_ value: UInt64) -> Int {
        let bits = 64 - value.leadingZeroBitCount
        if bits < 4 { return Int(value) }
        let shift = bits - 4
        return Int(value >> UInt64(shift) & 7) | (shift + 1) << 3
    }

    private static func int4ToLong(_ code: Int) -> Int {
        let bits = code & 7, shift = code >> 3 - 1
        return shift < 0 ? bits : (bits | 8) << shift
    }
}
