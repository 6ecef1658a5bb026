// Where a page ended, as text the caller hands back and cannot read into, change, or use for another list: signed, with a hash of the filters inside.
//
//     offset   size   field
//     0        1      version, 1
//     1        8      hash of list and filters
//     9        8 n    the numbers of the place, big-endian
//     9+8n     16     HMAC-SHA256 of all before, cut
//
// Written in base 64 for URLs (RFC 4648, section 5), without padding.

import Secrets

package struct CursorCodec: Sendable {
    private let key: [UInt8]
    package init(key: [UInt8]) { self.key = key }

    /// `scope` names the list and its filters.
    package func encode(_ numbers: [UInt64], scope: String) -> String {
        var bytes: [UInt8] = [1] + SHA256.hash(scope)[..<8]
        for number in numbers {
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
        }
        return Base64URL.text(bytes + HMAC.sha256(bytes, key: key)[..<16])
    }

    /// The `count` numbers encoded for the same scope.
    package func decode(_ text: String, count: Int, scope: String) throws(StoreError) -> [UInt64] {
        guard text.utf8.count <= 300, let all = Base64URL.bytes(text), all.count == 9 + 8 * count + 16, all[0] == 1 else {
            throw .badCursor("this is not a cursor: leave it out to begin at the first page")
        }
        let body = Array(all[..<(all.count - 16)])
        guard ConstantTime.equal(Array(HMAC.sha256(body, key: key)[..<16]), Array(all[body.count...])) else {
            throw .badCursor("this cursor was not made here: leave it out to begin at the first page")
        }
        guard Array(body[1..<9]) == Array(SHA256.hash(scope)[..<8]) else {
            throw .badCursor("this cursor belongs to another list or other filters: repeat those of the first page, or leave it out")
        }
        return (0..<count).map { at in body[(9 + 8 * at)..<(17 + 8 * at)].reduce(0) { $0 << 8 | UInt64($1) } }
    }
}

package enum Base64URL {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    package static func text(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = [], buffer: UInt32 = 0, bits: UInt32 = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                out.append(digits[Int(buffer >> bits & 63)])
            }
            buffer &= 0xFF
        }
        if bits > 0 { out.append(digits[Int(buffer << (6 - bits) & 63)]) }
        return String(decoding: out, as: UTF8.self)
    }

    /// Nil for anything `text` would not have written.
    package static func bytes(_ text: String) -> [UInt8]? {
        var out: [UInt8] = [], buffer: UInt32 = 0, bits: UInt32 = 0
        for character in text.utf8 {
            guard let value = value(character) else { return nil }
            buffer = buffer << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: buffer >> bits))
            }
            buffer &= (1 << bits) - 1
        }
        return bits < 6 && buffer == 0 ? out : nil
    }

    private static func value(_ character: UInt8) -> UInt32? {
        switch character {
        case 65...90: UInt32(character - 65)
        case 97...122: UInt32(character - 97 + 26)
        case 48...57: UInt32(character - 48 + 52)
        case 45: 62
        case 95: 63
        default: nil
        }
    }
}
