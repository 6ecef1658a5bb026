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
            49 53 4f 54 48 45 52 4d  43 4d 54 20 02 00 00 00
            01 00 00 00 00 00 00 00  ff ff ff ff ff ff ff ff
            01 00 00 00 00 00 00 00  01 00 00 00 00 00 00 00
            00 00 70 ec 2d 33
            """)
        let commit = CommitPoint(generation: 1, translogGeneration: 1)
        #expect(commit.encoded() == bytes)
        #expect(try CommitPoint.decode(bytes, path: "x") == commit)
    }

    @Test("a commit point of format 1, before patches, is read")
    func oldCommit() throws {
        let bytes = hex("""
            49 53 4f 54 48 45 52 4d  43 4d 54 20 01 00 00 00
            01 00 00 00 00 00 00 00  ff ff ff ff ff ff ff ff
            01 00 00 00 00 00 00 00  01 00 00 00 00 00 00 00
            00 00 10 0c bd f7
            """)
        #expect(try CommitPoint.decode(bytes, path: "x") == CommitPoint(generation: 1, translogGeneration: 1))
    }

    @Test("two patched documents of five have the bytes of their page")
    func patches() throws {
        let bytes = hex("""
            49 53 4f 54 48 45 52 4d  55 50 44 20 01 00 00 00
            01 00 00 00 00 00 00 00  02 00 00 00 00 00 00 00
            05 00 00 00 02 00 00 00
            01 04 07 01 00 02 00
            02 06 09 02 00 c2 13 05 31 32 2e 34 39 01 00 00
            4d 05 e6 c0
            """)
        var patches = SegmentPatches(docCount: 5)
        patches.apply([
            PatchedDocument(doc: 1, version: 2, seqNo: 7, values: [.init(field: 0, value: 1, text: [])]),
            PatchedDocument(doc: 3, version: 3, seqNo: 9, values: [.init(field: 0, value: 1249, text: Array("12.49".utf8)), .init(field: 1, value: 0, text: [])]),
        ])
        let id = SegmentID(high: 1, low: 2), encoded = patches.encoded(id: id)
        #expect(encoded == bytes)
        let read = try SegmentPatches.decode(encoded, id: id, docCount: 5, fieldCount: 2, path: "x")
        #expect(read[3] == patches[3] && read[1] == patches[1] && read[0] == nil && read.count == 2)
        #expect(throws: StorageError.self) { try SegmentPatches.decode(encoded, id: SegmentID(high: 1, low: 3), docCount: 5, fieldCount: 2, path: "x") }
        #expect(throws: StorageError.self) { try SegmentPatches.decode(encoded, id: id, docCount: 5, fieldCount: 1, path: "x") }
        for at in encoded.indices {
            var broken = encoded
            broken[at] ^= 1 << UInt8(at % 8)
            #expect(throws: StorageError.self) { try SegmentPatches.decode(broken, id: id, docCount: 5, fieldCount: 2, path: "x") }
            #expect(throws: StorageError.self) { try SegmentPatches.decode(Array(encoded[..<at]), id: id, docCount: 5, fieldCount: 2, path: "x") }
        }
    }

    @Test("the translog's records of a patch and of a position have the bytes of their page")
    func patchRecord() throws {
        for (operation, bytes) in [
            (LoggedOperation.patch(
                id: "a", values: [FieldPatch(path: "price", value: 1249, text: Array("12.49".utf8))], version: 2, seqNo: 5, primaryTerm: 1),
             hex("04 05 04 01 01 61 01 05 70 72 69 63 65 c2 13 05 31 32 2e 34 39")),
            (LoggedOperation.position(300), hex("06 d8 04")),
        ] {
            var w = ByteWriter()
            operation.encode(into: &w)
            #expect(w.bytes == bytes)
            #expect(try LoggedOperation.decode(bytes.span.bytes) == operation)
        }
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
