// Hashes and keyed hashes: SHA-256 (FIPS 180-4), MD5, HMAC-SHA256 (RFC 2104), comparison in constant time, bytes from the system's generator.
//
// Everything takes and gives plain bytes, so that no caller sees libcrypto.

import CIsothermCrypto

package enum SHA256 {
    package static let byteCount = 32

    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        // Safe: both arrays outlive the call, the digest has the 32 bytes SHA256 writes.
        unsafe bytes.withUnsafeBufferPointer { input in
            unsafe digest.withUnsafeMutableBufferPointer { output in
                _ = unsafe CIsothermCrypto.SHA256(input.baseAddress, input.count, output.baseAddress)
            }
        }
        return digest
    }

    package static func hash(_ text: String) -> [UInt8] { hash(Array(text.utf8)) }
}

/// MD5 (RFC 1321), for S3's tags and `Content-MD5` alone: it finds accidents, not attackers.
package enum MD5 {
    /// Nil where the system forbids MD5, as in FIPS mode.
    package static func hash(_ bytes: some Collection<UInt8>) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 16)
        // Safe: the digest has the 16 bytes that MD5 writes, and the input outlives the call.
        let done = bytes.withContiguousStorageIfAvailable { input in
            unsafe EVP_Digest(input.baseAddress, input.count, &digest, nil, EVP_md5(), nil)
        }
        if let done { return done == 1 ? digest : nil }
        return hash(Array(bytes))
    }
}

package enum HMAC {
    /// The keyed hash of `bytes`, 32 bytes. Any length of key.
    package static func sha256(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: SHA256.byteCount)
        // An empty key still needs an address: HMAC with a null key means "the key of the call before".
        let key = key.isEmpty ? [0] : key
        // Safe: all arrays outlive the call, the digest has the 32 bytes that SHA-256 writes; keys are a few hundred bytes at most.
        unsafe key.withUnsafeBytes { key in
            unsafe bytes.withUnsafeBufferPointer { input in
                unsafe digest.withUnsafeMutableBufferPointer { output in
                    _ = unsafe CIsothermCrypto.HMAC(
                        EVP_sha256(), key.baseAddress, Int32(clamping: key.count), input.baseAddress, input.count, output.baseAddress, nil)
                }
            }
        }
        return digest
    }

    /// A key of its own for each use, from one master key.
    package static func derive(_ label: String, from master: [UInt8]) -> [UInt8] { sha256(Array(label.utf8), key: master) }
}

package enum ConstantTime {
    /// Whether both are the same, in a time that depends on their lengths only.
    package static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for at in a.indices { difference |= a[at] ^ b[at] }
        return difference == 0
    }
}

package enum SecureRandom {
    /// Bytes nobody can guess. The system's generator failing would make every secret a known one: the process ends.
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        // Safe: the array has `count` bytes.
        let done = unsafe bytes.withUnsafeMutableBufferPointer { unsafe RAND_bytes($0.baseAddress, Int32(clamping: $0.count)) }
        precondition(done == 1, "the system's random generator failed")
        return bytes
    }
}

package enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        var out: [UInt8] = []
        for byte in bytes {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes of an even number of hexadecimal digits, either case; nil for anything else.
    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var out: [UInt8] = []
        var high: UInt8?
        for byte in text.utf8 {
            guard let value = digit(byte) else { return nil }
            if let first = high {
                out.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return high == nil ? out : nil
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
