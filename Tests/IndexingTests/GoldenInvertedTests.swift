// The bytes of a small segment's inverted sections, as the format pages show them. A change here is a new format version.

import Analysis
import Bytes
import Indexing
import IsothermTesting
import Mappings
import Segments
import Storage
import Testing

@Suite("Golden bytes of the inverted sections")
struct GoldenInvertedTests {
    /// Four documents of field 0: "red shoe", "blue shoe shoe", "red", and 130 times "shoe" on its own after them.
    static func segment() throws -> Segment {
        let buffer = InvertedBuffer()
        let texts = [["red", "shoe"], ["blue", "shoe", "shoe"], ["red"]] + [[String]](repeating: ["shoe"], count: 130)
        for (doc, words) in texts.enumerated() {
            var tokens = TokenBuffer()
            for (i, word) in words.enumerated() {
                tokens.terms += Array(word.utf8)
                tokens.termEnds.append(Int32(tokens.terms.count))
                tokens.positions.append(Int32(i))
            }
            tokens.positionCount = Int32(words.count)
            buffer.add(tokens: tokens, field: 0, options: .positions, norms: true, doc: DocID(doc))
        }
        let directory = MemoryDirectory()
        let file = try SegmentFileWriter(directory, name: "s", id: SegmentID(high: 1, low: 2))
        var fields = [FieldInfo(ordinal: 0, path: "text", features: [], kind: "text")]
        try buffer.write(to: file, fields: &fields, order: [0], docCount: texts.count)
        try file.section(.fields, FieldTable.encode(docCount: texts.count, fields: fields))
        _ = try file.finish()
        return try Segment(SegmentFile.open(directory, name: "s"))
    }

    func hex(_ segment: Segment, _ kind: SectionKind) throws -> String {
        let section = try #require(segment.file.section(kind))
        let bytes = try section.withBytes { span throws(Corruption) in span.withUnsafeBytes { Array($0) } }
        return bytes.map { let h = String($0, radix: 16); return h.count == 1 ? "0" + h : h }.joined(separator: " ")
    }

    @Test("postings, dictionary and norms are written as the format pages say")
    func golden() throws {
        let segment = try Self.segment()
        // Head, record of the block, record of the tail, gaps, frequencies, tail; then positions: table, block, tail.
        #expect(try hex(segment, .postings) == """
            84 00 00 00 02 00 01 01 02 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 \
            80 00 00 00 01 00 00 00 00 00 00 00 01 02 01 01 02 03 00 00 00 00 00 00 \
            84 00 00 00 80 00 00 00 81 00 00 00 00 01 01 01 00 00 00 00 00 00 00 00 \
            00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 \
            00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 \
            01 01 01 01 \
            01 00 00 00 01 00 00 00 01 00 00 00 01 00 00 00 00 00 00 00 \
            00 00 00 00 00
            """)
        #expect(try hex(segment, .termBlocks) == """
            00 \
            00 08 00 00 00 00 62 6c 75 65 0f 00 01 01 03 00 \
            04 03 72 65 64 17 00 02 02 01 03 00 00 \
            04 04 73 68 6f 65 a6 08 01 6c 19
            """)
        #expect(try hex(segment, .termIndex) == """
            01 00 00 00 20 00 00 00 03 00 00 00 00 00 00 00 \
            00 00 00 00 00 00 00 00 29 00 00 00 00 00 00 00 \
            00 00 00 00 01 00 00 00 00
            """)
        let norms = try hex(segment, .norms)
        #expect(norms.hasPrefix("01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 20 00 00 00 00 00 00 00 85 00 00 00 00 00 00 00 02 03 01 01"))
        #expect(norms.hasSuffix("01 01 00 00 00 00"))
    }
}
