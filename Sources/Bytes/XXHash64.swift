// XXH64 (Yann Collet, "xxHash fast digest algorithm", specification 0.1.1): the hash of Parquet's bloom filters. Our own structures use
// `Hash64`.

package enum XXHash64 {
    /// Of all bytes, with seed 0.
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let n = bytes.count
        var i = 0, hash: UInt64
        if n >= 32 {
            var a = prime1 &+ prime2, b = prime2, c: UInt64 = 0, d = 0 &- prime1
            while n - i >= 32 {
                // Safe: 32 bytes from i were just checked; so for the loads below.
                a = round(a, unsafe load(bytes, i))
                b = round(b, unsafe load(bytes, i + 8))
                c = round(c, unsafe load(bytes, i + 16))
                d = round(d, unsafe load(bytes, i + 24))
                i += 32
            }
            hash = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
            for lane in [a, b, c, d] { hash = (hash ^ round(0, lane)) &* prime1 &+ prime4 }
        } else {
            hash = prime5
        }
        hash &+= UInt64(n)
        while n - i >= 8 {
            hash = rotate(hash ^ round(0, unsafe load(bytes, i)), 27) &* prime1 &+ prime4
            i += 8
        }
        if n - i >= 4 {
            let word = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self))
            hash = rotate(hash ^ UInt64(word) &* prime1, 23) &* prime2 &+ prime3
            i += 4
        }
        while i < n {
            hash = rotate(hash ^ UInt64(unsafe bytes[i]) &* prime5, 11) &* prime1
            i += 1
        }
        hash = (hash ^ (hash >> 33)) &* prime2
        hash = (hash ^ (hash >> 29)) &* prime3
        return hash ^ (hash >> 32)
    }

    package static func of(_ bytes: [UInt8]) -> UInt64 {
        // Safe: the pointer does not outlive the call.
        unsafe bytes.withUnsafeBytes { unsafe of($0) }
    }

    // MARK: -

    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87, prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F, prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63, prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 { rotate(lane &+ word &* prime2, 31) &* prime1 }
    private static func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }
    private static func load(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
        unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }
}
