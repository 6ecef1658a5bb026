// Merging: the merged segment equals one written from the documents that live on.

import Bytes
import Indexing
import IsothermTesting
import Mappings
import Segments
import Storage
import Testing

@Suite("Merging the inverted side")
struct InvertedMergeTests {
    @Test("a merge has the terms, postings, norms and statistics of the documents that live on", arguments: UInt64(0)..<8)
    func merge(seed: UInt64) throws {
        var random = Seeded(seed)
        let options: FieldType.IndexOptions = [.positions, .frequencies, .docs][Int(seed % 3)]
        var parts: [NaiveCollection] = [], sources: [MergeSource] = []
        var next: DocID = 0
        var whole = NaiveCollection(seed: 0, docCount: 0, fields: 3, vocabulary: 1)
        let directory = MemoryDirectory()
        for i in 0..<Int.random(in: 1...4, using: &random) {
            let part = NaiveCollection(seed: seed &* 10 &+ UInt64(i), docCount: [3, 200, 900].randomElement(using: &random) ?? 3, fields: 3, vocabulary: [4, 300].randomElement(using: &random) ?? 4)
            let segment = try writeSegment(part, options: options, name: "part\(i)", in: directory)
            var map: [DocID] = []
            for doc in 0..<part.docCount {
                if Int.random(in: 0..<4, using: &random) == 0 { map.append(.max); continue }
                map.append(next)
                next += 1
                for field in 0..<3 { whole.texts[field].append(part.texts[field][doc]) }
            }
            whole.docCount = Int(next)
            parts.append(part)
            sources.append(MergeSource(segment: segment, docMap: map, fieldMap: [0, 1, 2]))
        }
        let expected = try writeSegment(whole, options: options, name: "expected", in: directory)
        var fields = (0..<3).map { FieldInfo(ordinal: UInt32($0), path: "f\($0)", features: [], kind: "text") }
        let file = try SegmentFileWriter(directory, name: "merged", id: SegmentID(high: 1, low: 2))
        try InvertedMerge.write(sources: sources, fields: &fields, docCount: whole.docCount, to: file)
        try file.section(.fields, FieldTable.encode(docCount: whole.docCount, fields: fields))
        _ = try file.finish()
        let merged = try Segment(SegmentFile.open(directory, name: "merged"))
        for kind in [SectionKind.fields, .termIndex, .termBlocks, .postings, .norms] {
            func bytes(_ segment: Segment) throws -> [UInt8]? {
                try segment.file.section(kind).map { section in try section.withBytes { span throws(Corruption) in span.withUnsafeBytes { Array($0) } } }
            }
            #expect(try bytes(merged) == bytes(expected), "\(kind)")
        }
    }
}
