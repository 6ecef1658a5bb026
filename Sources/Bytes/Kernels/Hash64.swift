// A 64-bit hash of short byte strings: tables of terms and identifiers, counting distinct values. Part of
// the on-disk format (Identifiers), so it never changes.
//
// Eight bytes at a time are folded in by a full 64x64 multiplication (the mixing step of wyhash, Wang Yi,
// 2019); a finaliser follows so that every bit of the result may be used.

public enum Hash64 {
    /// - Parameter seed: keeps equal bytes of different fields apart.
    @inlinable
    public static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        var h = seed ^ 0x2D35_8DCC_AA6C_78A5
        var i = 0
        let n = bytes.count
        while i &+ 8 <= n {
            // Safe: i + 8 <= n was just checked.
            let word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self))
            h = fold(h ^ word, 0x8BB8_4B93_962E_ACC9)
            i &+= 8
        }
        var tail: UInt64 = 0, shift: UInt64 = 0
        while i < n {
            tail |= unsafe UInt64(bytes[i]) << shift
            shift &+= 8
            i &+= 1
        }
        return fold(h ^ tail, 0x4B33_A62E_D433_D4A3 ^ UInt64(truncatingIfNeeded: n))
    }

    @inlinable
    public static func of(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
        // Safe: the pointer does not outlive the call.
        unsafe bytes.withUnsafeBytes { unsafe of($0, seed: seed) }
    }

    /// Of one number.
    @inlinable
    public static func of(_ value: UInt64) -> UInt64 { fold(value ^ 0x2D35_8DCC_AA6C_78A5, 0x8BB8_4B93_962E_ACC9) }

    @inlinable @inline(__always)
    public static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (high, low) = (a ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: b)
        var z = high ^ low
        z = (z ^ (z >> 32)) &* 0xD6E8_FEB8_6659_FD93
        return z ^ (z >> 32)
    }
}
