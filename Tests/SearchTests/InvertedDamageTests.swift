// Whatever the bytes of postings, dictionary and norms say, an answer is the right one or an error, never a crash: with
// checksums as they are, and with damage sealed under fresh ones.

import Bytes
import Indexing
import IsothermTesting
import Search
import Segments
import Storage
import Testing

@Suite("Damaged inverted sections")
struct InvertedDamageTests {
    /// A segment of the given sections, under true checksums.
    static func sealed(_ sections: [(SectionKind, [UInt8])]) throws -> Segment {
        let directory = MemoryDirectory()
        let file = try SegmentFileWriter(directory, name: "s", id: SegmentID(high: 1, low: 2))
        for (kind, bytes) in sections { try file.section(kind, bytes) }
        _ = try file.finish()
        return try Segment(SegmentFile.open(directory, name: "s"))
    }

    static func sections(_ segment: Segment) throws -> [(SectionKind, [UInt8])] {
        try [SectionKind.fields, .termIndex, .termBlocks, .postings, .norms].compactMap { kind in
            try segment.file.section(kind).map { section in
                (kind, try section.withBytes { span throws(Corruption) in span.withUnsafeBytes { Array($0) } })
            }
        }
    }

    /// Everything that reads postings, on the least data.
    static func use(_ segment: Segment, _ index: NaiveIndex) throws {
        let view = SegmentView(segment: segment, live: nil)
        var any = BoolPlan(), all = BoolPlan()
        any.should = [index.plan(0), index.plan(1), index.plan(2)]
        all.must = [index.plan(0), index.plan(1)]
        let phrase = Plan.phrase(PhrasePlan(
            field: "text", places: [([Array("w0".utf8)], 0), ([Array("w1".utf8)], 1)], slop: 0, weight: 2, boost: 1, idf: 2, similarity: index.similarity))
        for plan in [index.plan(0), .bool(any), .bool(all), phrase] {
            var threshold = -Float.infinity
            _ = try SegmentScorer(plan: plan, view: view).top(3, threshold: &threshold, countUpTo: 0)
            _ = try SegmentScorer(plan: plan, view: view).collect(k: 3, scores: true)
        }
        try segment.inverted.walk(field: 0) { _, _ in .next }
        _ = try segment.inverted.documents(withField: 0)
    }

    @Test("damage under fresh checksums never crashes", arguments: UInt64(0)..<4)
    func resealed(seed: UInt64) throws {
        let index = try NaiveIndex(seed: seed, docCount: 420, vocabulary: 4, length: 6, deletes: false)
        let sections = try Self.sections(index.segment)
        var random = Seeded(seed)
        var errors = 0
        for _ in 0..<400 {
            var damaged = sections
            let which = Int.random(in: 1..<sections.count, using: &random)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !damaged[which].1.isEmpty {
                let at = Int.random(in: 0..<damaged[which].1.count, using: &random)
                damaged[which].1[at] = [0, 0xFF, damaged[which].1[at] ^ 1, damaged[which].1[at] ^ 0x80].randomElement(using: &random) ?? 0
            }
            if Int.random(in: 0..<10, using: &random) == 0 { damaged[which].1.removeLast(Int.random(in: 0..<damaged[which].1.count, using: &random)) }
            do { try Self.use(Self.sealed(damaged), index) } catch is StorageError { errors += 1 }
        }
        #expect(errors > 0)
    }

    @Test("a flipped byte is an error or makes no difference")
    func flipped() throws {
        let index = try NaiveIndex(seed: 3, docCount: 300, vocabulary: 3, length: 4, deletes: false)
        let original = index.segment.file.bytes.withBytes { span in span.withUnsafeBytes { Array($0) } }
        var any = BoolPlan()
        any.should = [index.plan(0), index.plan(1)]
        func answer(_ bytes: [UInt8]) throws -> String {
            let segment = try Segment(SegmentFile(MappedBytes(path: "flipped", copying: bytes), length: nil))
            let matches = try SegmentScorer(plan: .bool(any), view: SegmentView(segment: segment, live: nil)).collect(k: 5, scores: false)
            return "\(matches.hits)"
        }
        let expected = try answer(original)
        var errors = 0
        for at in stride(from: 0, to: original.count, by: 7) {
            var bytes = original
            bytes[at] ^= 1 << UInt8(at & 7)
            do { #expect(try answer(bytes) == expected, "byte \(at)") } catch is StorageError { errors += 1 }
        }
        #expect(errors > original.count / 7 / 2)
    }
}

@Suite("Phrases with slop")
struct SloppyPhraseTests {
    /// Scores of a phrase over texts of one field, with a similarity that gives the frequency back: w - w / (1 + f).
    func frequencies(_ texts: [String], _ phrase: String, slop: Int) throws -> [Float?] {
        let words = Array(Set(texts.joined(separator: " ").split(separator: " ") + phrase.split(separator: " "))).sorted()
        let docs = texts.map { $0.split(separator: " ").map { word in words.firstIndex(of: word) ?? 0 } }
        let index = try NaiveIndex.write(docs)
        let places = phrase.split(separator: " ").enumerated().map { (terms: [Array("w\(words.firstIndex(of: $1) ?? 0)".utf8)], position: $0) }
        let similarity = Similarity(k1: 1.2, b: 0, averageLength: 1, inverseNorms: [Float](repeating: 1, count: 256))
        let plan = Plan.phrase(PhrasePlan(field: "text", places: places, slop: slop, weight: 1, boost: 1, idf: 1, similarity: similarity))
        let scorer = try SegmentScorer(plan: plan, view: SegmentView(segment: index, live: nil))
        return try texts.indices.map { doc in try scorer.score(of: DocID(doc)).map { ($0 / (1 - $0) * 1000).rounded() / 1000 } }
    }

    @Test("a match counts one over one plus the distance, as Lucene has it")
    func distances() throws {
        let texts = ["a b", "a x b", "b a", "a x x b", "a x b a b", "x y"]
        #expect(try frequencies(texts, "a b", slop: 0) == [1, nil, nil, nil, 1, nil])
        #expect(try frequencies(texts, "a b", slop: 1) == [1, 0.5, nil, nil, 1.5, nil])
        #expect(try frequencies(texts, "a b", slop: 2)[..<4] == [1, 0.5, 0.333, 0.333])
    }

    @Test("a term standing twice in the phrase needs two occurrences")
    func repeats() throws {
        let texts = ["a b", "a b a", "a a b", "a x a"]
        let found = try frequencies(texts, "a a", slop: 2)
        #expect(found == [nil, 0.5, 1, 0.5])
    }
}
