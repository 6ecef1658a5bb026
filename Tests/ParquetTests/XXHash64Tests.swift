// XXH64 and CRC-32 against published values.

import Bytes
import Testing

@Suite("Checksums and hashes of Parquet")
struct XXHash64Tests {
    @Test("XXH64 of known strings", arguments: [("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999), ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1)] as [(String, UInt64)])
    func known(text: String, hash: UInt64) { #expect(XXHash64.of(Array(text.utf8)) == hash) }

    @Test("CRC-32 has the check value of its catalogue entry, and goes on from a seed")
    func crc32() {
        let bytes = Array("123456789".utf8)
        #expect(CRC32.of(bytes) == 0xCBF4_3926)
        for cut in 0...9 { #expect(CRC32.of(Array(bytes[cut...]), seed: CRC32.of(Array(bytes[..<cut]))) == 0xCBF4_3926) }
    }
}
