// Known answers of the standards, and what damage does to a sealed box.

import Secrets
import Testing

@Suite("Secrets")
struct SecretsTests {
    @Test("hashes as FIPS 180-4 and RFC 4231 say")
    func knownAnswers() {
        #expect(Hexadecimal.text(SHA256.hash("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Hexadecimal.text(SHA256.hash("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let hmac = HMAC.sha256(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(Hexadecimal.text(hmac) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test("an empty key is a key, whatever was hashed before")
    func emptyKey() {
        let first = HMAC.sha256([1], key: [])
        _ = HMAC.sha256([1], key: [7, 7])
        #expect(HMAC.sha256([1], key: []) == first)
    }

    @Test("seals as the GCM specification's test case 14 does")
    func gcm() throws {
        let sealed = try SealedBox.seal([UInt8](repeating: 0, count: 16), key: [UInt8](repeating: 0, count: 32), nonce: [UInt8](repeating: 0, count: 12))
        #expect(Hexadecimal.text(sealed[12...]) == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
    }

    @Test("opens what it sealed, of any length; with any byte changed or cut, with another key or other data beside it, it does not")
    func damage() throws {
        let key = SHA256.hash("key"), data = Array("order".utf8)
        for length in [0, 1, 15, 16, 17, 100] {
            let plain = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
            let sealed = try SealedBox.seal(plain, key: key, associated: data)
            #expect(try SealedBox.open(sealed, key: key, associated: data) == plain)
            for at in sealed.indices {
                var changed = sealed
                changed[at] ^= 1
                #expect(throws: SealedBox.Failure.notAuthentic) { try SealedBox.open(changed, key: key, associated: data) }
                #expect(throws: SealedBox.Failure.notAuthentic) { try SealedBox.open(Array(sealed[..<at]), key: key, associated: data) }
            }
            #expect(throws: SealedBox.Failure.notAuthentic) { try SealedBox.open(sealed, key: SHA256.hash("other"), associated: data) }
            #expect(throws: SealedBox.Failure.notAuthentic) { try SealedBox.open(sealed, key: key) }
        }
    }

    @Test("compares alike and unlike")
    func equal() {
        #expect(ConstantTime.equal([1, 2], [1, 2]))
        #expect(!ConstantTime.equal([1, 2], [1, 3]))
        #expect(!ConstantTime.equal([1, 2], [1, 2, 3]))
    }

    @Test("reads hexadecimal of either case, and nothing else")
    func hexadecimal() {
        #expect(Hexadecimal.bytes("00fFa1") == [0, 255, 161])
        #expect(Hexadecimal.bytes("0") == nil)
        #expect(Hexadecimal.bytes("0g") == nil)
    }
}
