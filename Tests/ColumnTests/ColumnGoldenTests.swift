// Bytes of format version 1, for ever. A change here is a change of the format: it needs a new version number
// beside this one, not a new expectation.

import Bytes
import Indexing
import IsothermTesting
import Segments
import Storage
import Testing

@Suite("Column bytes, version 1")
struct ColumnGoldenTests {
    @Test("the worked example of docs/formats/columns.md")
    func numbers() {
        let values = [1.25, 0.5, 2.75].map(OrderedDouble.encode)
        #expect(
            NumberColumn.encode(docs: [0, 1, 3], values: values, doubles: true, docCount: 4)
                == [0x02, 0x12, 0x03, 0x01, 0x02, 0, 0, 1, 0, 3, 0, 0x4B, 0x64, 0x00, 0x03, 0x31])
    }

    @Test("equal values of all documents take five bytes")
    func constant() {
        #expect(NumberColumn.encode(docs: [0, 1, 2], values: [-3, -3, -3], doubles: false, docCount: 3) == [0, 0, 3, 0, 5])
    }

    @Test("several values in a document have offsets")
    func multiValued() {
        // Presence: 2 of 3, array 0 2. 3 values 1 5 9 by document: divisor 4, least 1, low 0, span 2, 2 bits each. Offsets 0 2 3.
        #expect(
            NumberColumn.encode(docs: [0, 0, 2], values: [5, 1, 9], doubles: false, docCount: 3)
                == [1, 0, 2, 1, 1, 0, 0, 2, 0, 3, 4, 2, 0, 2, 0b10_01_00, 0b11_10_00])
    }

    @Test("keywords are ordinals into front-coded terms")
    func keywords() {
        let terms = ["ab", "abc", "b"].map { Array($0.utf8)[...] }
        // 3 terms in 10 bytes, one block 0...10 in 4 bits; ordinals 2 0 1 in 2 bits.
        #expect(
            KeywordColumn.encode(docs: [0, 1, 2], ordinals: [2, 0, 1], terms: terms, docCount: 3)
                == [0, 3, 3, 9, 0x90, 2, 0x61, 0x62, 2, 1, 0x63, 0, 1, 0x62, 0b01_00_10])
    }

    @Test("points are values in order, then documents")
    func points() {
        #expect(Points.encode(docs: [0, 1, 2, 3], values: [7, 5, 6, 5], doubles: false, docCount: 4) == [0, 0, 4, 1, 10, 0, 2, 0b10_01_00_00, 0b00_10_11_01])
    }

    @Test("identifiers are found by hash")
    func identifiers() {
        let hashes = ["a", "bc"].map { Hash64.of(Array($0.utf8)) }
        let tags = hashes.map { UInt8(truncatingIfNeeded: $0) }
        #expect(
            Identifiers.encode(ids: Array("abc".utf8), starts: [0, 1, 3])
                == [2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0] + tags + [0, 0, 0, 0, 1, 0, 0, 0, 0b11_01_00] + Array("abc".utf8)
                + [UInt8](repeating: 0, count: 8))
        #expect(Hash64.of([]) == Self.emptyHash && Hash64.of(Array("isotherm-123".utf8)) == Self.textHash)
    }
    /// From a second implementation of the hash.
    static let emptyHash: UInt64 = 0x24D335F0650A9EF8, textHash: UInt64 = 0xB8B57DF54BEC6F6C

    @Test("stored fields of one block")
    func stored() {
        var writer = StoredFieldsWriter()
        writer.append(Array("ab".utf8))
        writer.append(Array("c".utf8))
        writer.finish()
        #expect(writer.packed == [3, 2, 2, 1, 0x30, 0x61, 0x62, 0x63])
        #expect(writer.indexBytes() == [1, 0, 0, 0, 2, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + [2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0])
    }
}
