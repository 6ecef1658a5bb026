// What the byte layer promises: numbers read back as written, and cut bytes are refused.

import Bytes
import IsothermTesting
import Testing

@Suite("Bytes")
struct BytesTests {
    @Test("numbers of every width read back as written", arguments: UInt64(0)..<50)
    func roundTrip(seed: UInt64) throws {
        var random = Seeded(seed)
        let values = (0..<200).map { _ in UInt64.random(in: .min ... .max, using: &random) >> UInt64.random(in: 0...63, using: &random) }
        var w = ByteWriter()
        for v in values { w.varint(v); w.signedVarint(Int64(bitPattern: v)); w.fixed(UInt32(truncatingIfNeeded: v)); w.string("é\(v)") }
        var r = ByteReader(w.bytes.span.bytes)
        for v in values {
            #expect(try r.varint() == v)
            #expect(try r.signedVarint() == Int64(bitPattern: v))
            #expect(try r.fixed(UInt32.self) == UInt32(truncatingIfNeeded: v))
            #expect(try r.string() == Array("é\(v)".utf8))
        }
        #expect(r.remaining == 0)
    }

    @Test("CRC-32C has the value of RFC 3720 B.4")
    func crc() {
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.of(Array("56789".utf8), seed: CRC32C.of(Array("1234".utf8))) == 0xE306_9283)
    }

    @Test("the first bytes of an LZ4 block are those of the whole")
    func lz4Prefix() throws {
        let text = (0..<3_000).map { UInt8(truncatingIfNeeded: $0 % 97 == 0 ? $0 / 97 : $0 % 13) }
        let packed = LZ4.compress(text.span.bytes)
        for count in stride(from: 0, through: text.count, by: 7) {
            #expect(try LZ4.decompress(packed.span.bytes, first: count, of: text.count) == Array(text.prefix(count)), "\(count)")
        }
        #expect(throws: Corruption.self) { try LZ4.decompress(packed.span.bytes, first: text.count + 1, of: text.count) }
        #expect(throws: Corruption.self) { try LZ4.decompress(packed.span.bytes.extracting(0..<5), first: 1_000, of: text.count) }
    }

    @Test("LZ4 blocks unpack to what was packed, and damage is refused or differs")
    func lz4() throws {
        let text = Array("the quick brown fox, the quick brown fox, the quick".utf8)
        let packed = LZ4.compress(text.span.bytes)
        #expect(try LZ4.decompress(packed.span.bytes, count: text.count) == text)
        #expect(throws: Corruption.self) { try LZ4.decompress(packed.span.bytes, count: text.count + 1) }
        #expect(throws: Corruption.self) { try LZ4.decompress(packed.span.bytes.extracting(0..<5), count: text.count) }
    }
}
