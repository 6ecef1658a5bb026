// The worked examples of docs/formats, byte for byte: a change of these bytes is a new version of the format.

import Bytes
import Engine
import Indexing
import IsothermTesting
import Segments
import Storage
import Testing

private func hex(_ text: String) -> [UInt8] { text.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) } }

@Suite("Formats")
struct FormatTests {
    @Test("the commit point of an empty shard has the bytes of its page")
    func commit() throws {
        let bytes = hex("""
            49 53 4f 54 48 45 52 4d  43 4d 54 20 01 00 00 00
            01 00 00 00 00 00 00 00  ff ff ff ff ff ff ff ff
            01 00 00 00 00 00 00 00  01 00 00 00 00 00 00 00
            00 00 10 0c bd f7
            """)
        let commit = CommitPoint(generation: 1, translogGeneration: 1)
        #expect(commit.encoded() == bytes)
        #expect(try CommitPoint.decode(bytes, path: "x") == commit)
    }

    @Test("five documents of which one is deleted have the bytes of their page")
    func live() throws {
        let bytes = hex("""
            49 53 4f 54 48 45 52 4d  4c 49 56 45 01 00 00 00
            01 00 00 00 00 00 00 00  02 00 00 00 00 00 00 00
            05 00 00 00 01 00 00 00  1b 00 00 00 00 00 00 00
            39 4d 45 13
            """)
        var set = BitSet(count: 5, all: true)
        set.remove(2)
        let id = SegmentID(high: 1, low: 2)
        #expect(LiveDocs.encode(set, id: id) == bytes)
        #expect(try LiveDocs.decode(bytes, id: id, docCount: 5, path: "x") == set)
        #expect(throws: StorageError.self) { try LiveDocs.decode(bytes, id: SegmentID(high: 1, low: 3), docCount: 5, path: "x") }
    }

    @Test("the record of a delete has the bytes of its page")
    func translog() throws {
        let bytes = hex("06 00 00 00 ce 26 9e 0a 24 00 00 00 00 00 00 00 5a c5 48 4f 02 05 04 01 01 61")
        let operation = LoggedOperation.delete(id: "a", version: 2, seqNo: 5, primaryTerm: 1)
        var w = ByteWriter()
        TranslogFile.append(operation, to: &w, base: TranslogFile.headerSize, generation: 1, synced: TranslogFile.headerSize)
        #expect(w.bytes == bytes)
        var found: [LoggedOperation] = []
        let file = MappedBytes(path: "x", copying: TranslogFile.encode(TranslogFile.Header(generation: 1, previousLength: 0)) + bytes)
        let end = try TranslogFile.replay(file, generation: 1, end: nil) { found.append($0) }
        #expect(found == [operation])
        #expect(end.end == 36 + bytes.count)
    }

    @Test("a field table of one field has the bytes of its page")
    func fields() {
        var info = FieldInfo(ordinal: 0, path: "a", features: [.postings, .keywords], kind: "keyword")
        (info.docCount, info.sumDocFreq, info.sumTotalTermFreq, info.termCount) = (2, 2, 2, 2)
        #expect(FieldTable.encode(docCount: 2, fields: [info]) == hex("""
            02 00 00 00 01 00 00 00  00 00 00 00 01 00 07 00  41 00 00 00 02 00 00 00
            02 00 00 00 00 00 00 00  02 00 00 00 00 00 00 00  02 00 00 00 00 00 00 00
            61 6b 65 79 77 6f 72 64
            """))
        let table = FieldTable(docCount: 2, fields: [info])
        #expect(table["a"] == info)
        #expect(table["b"] == nil)
    }

    @Test("fields are found by path among thousands, in the order of bytes")
    func manyFields() {
        let paths = (0..<5000).map { "attributes.\($0 * 7919 % 5000)" + ($0 % 3 == 0 ? "é" : "") }.sorted(by: FieldTable.precedes)
        let fields = paths.enumerated().map { FieldInfo(ordinal: UInt32($0), path: $1, features: .keywords, kind: "keyword") }
        let table = FieldTable(docCount: 1, fields: fields)
        for field in fields { #expect(table[field.path] == field) }
        #expect(table.all == fields)
        for absent in ["", "attributes", "attributes.", "zzz", "attributes.5000"] { #expect(table[absent] == nil) }
    }
}
