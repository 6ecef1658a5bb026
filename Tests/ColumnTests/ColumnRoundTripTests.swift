// What columns promise: every reader gives back what was added, sealed or merged, and ranges hold the
// documents a loop over the values finds.

import Bytes
import Indexing
import IsothermTesting
import Segments
import Storage
import Testing

@Suite("Columns")
struct ColumnRoundTripTests {
    @Test("a sealed segment gives back every value", arguments: [1, 2, 63, 64, 65, 4200])
    func roundTrip(count: Int) throws {
        let corpus = ColumnCorpus(seed: UInt64(count), count: count)
        let segment = try corpus.segment(MemoryDirectory(), name: "a.seg")
        let step = count > 100 ? 37 : 1
        for i in stride(from: 0, to: count, by: step) {
            #expect(try ColumnCorpus.read(segment, DocID(i)) == ColumnCorpus.expected(corpus.documents[i]), "document \(i)")
            #expect(try segment.columns.doc(forID: corpus.documents[i].id) == DocID(i))
        }
        #expect(try segment.columns.doc(forID: "absent") == nil)
    }

    @Test("a merge gives back every live value in order", arguments: UInt64(0)..<3)
    func merge(seed: UInt64) throws {
        var random = Seeded(seed)
        let directory = MemoryDirectory()
        var expected: [ColumnCorpus.Document] = [], sources: [MergeSource] = [], next: DocID = 0
        for s in 0..<3 {
            let corpus = ColumnCorpus(seed: seed * 10 + UInt64(s), count: [300, 1, 120][s])
            let keepAll = s == 0 && seed % 2 == 0
            var map: [DocID] = []
            for d in corpus.documents {
                if keepAll || Int.random(in: 0..<4, using: &random) > 0 {
                    map.append(next)
                    next += 1
                    expected.append(ColumnCorpus.expected(d))
                } else { map.append(.max) }
            }
            sources.append(MergeSource(segment: try corpus.segment(directory, name: "\(s).seg"), docMap: map, fieldMap: (0..<UInt32(ColumnCorpus.fieldCount)).map { $0 }))
        }
        let writer = try SegmentFileWriter(directory, name: "m.seg", id: SegmentID(high: 1, low: 3))
        var infos = ColumnCorpus.infos()
        try ColumnMerge.write(sources: sources, fields: &infos, to: writer)
        try writer.section(.fields, FieldTable.encode(docCount: expected.count, fields: infos))
        _ = try writer.finish()
        let merged = try Segment(SegmentFile.open(directory, name: "m.seg"))
        #expect(merged.docCount == expected.count)
        for i in stride(from: 0, to: expected.count, by: 3) { #expect(try ColumnCorpus.read(merged, DocID(i)) == expected[i], "document \(i)") }
    }

    @Test("ranges hold what a loop over the values finds", arguments: UInt64(0)..<2)
    func ranges(seed: UInt64) throws {
        var random = Seeded(seed)
        let corpus = ColumnCorpus(seed: seed, count: 4500)
        let segment = try corpus.segment(MemoryDirectory(), name: "a.seg")
        for f in ColumnCorpus.NumberField.allCases {
            let all = corpus.documents.flatMap { $0.numbers[f.rawValue] }
            for _ in 0..<5 {
                var a = all.randomElement(using: &random) ?? 0, b = all.randomElement(using: &random) ?? 0
                if Bool.random(using: &random) { b = a &+ Int64.random(in: 0...1, using: &random) }
                if a > b { swap(&a, &b) }
                let found = try segment.columns.documents(UInt32(f.rawValue), in: a...b)
                let test = try segment.columns.test(UInt32(f.rawValue), in: a...b)
                for (i, d) in corpus.documents.enumerated() where i % 3 == 0 || i > 4090 {
                    let wanted = d.numbers[f.rawValue].contains { $0 >= a && $0 <= b }
                    if found[i] != wanted { Issue.record("field \(f), document \(i), \(a)...\(b)") }
                    if let test, test(DocID(i)) != wanted { Issue.record("test: field \(f), document \(i)") }
                }
            }
        }
    }

    @Test("batches hold the values of their documents", arguments: UInt64(0)..<2)
    func batches(seed: UInt64) throws {
        var random = Seeded(seed)
        let corpus = ColumnCorpus(seed: seed, count: 4200)
        let segment = try corpus.segment(MemoryDirectory(), name: "a.seg")
        let batch = ValueBatch()
        let docs = (0..<DocID(4200)).filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
        for f in ColumnCorpus.NumberField.allCases {
            guard let column = try segment.columns.numbers(UInt32(f.rawValue)) else { continue }
            docs.withUnsafeBufferPointer { column.gather($0, into: batch) }
            let got = (0..<batch.count).map { (Int(batch.positions[$0]), batch.values[$0]) }
            let wanted = docs.enumerated().flatMap { p, d in corpus.documents[Int(d)].numbers[f.rawValue].sorted().map { (p, $0) } }
            #expect(got.elementsEqual(wanted, by: ==))
        }
        for f in ColumnCorpus.KeywordField.allCases {
            guard let column = try segment.columns.keywords(UInt32(8 + f.rawValue)) else { continue }
            docs.withUnsafeBufferPointer { column.gather($0, into: batch) }
            let got = try (0..<batch.count).map { (Int(batch.positions[$0]), try column.term(UInt32(batch.values[$0]))) }
            let wanted = docs.enumerated().flatMap { p, d in ColumnCorpus.expected(corpus.documents[Int(d)]).keywords[f.rawValue].map { (p, $0) } }
            #expect(got.elementsEqual(wanted, by: ==))
            var counters = [UInt32](repeating: 0, count: column.ordinalBound)
            _ = docs.withUnsafeBufferPointer { docs in counters.withUnsafeMutableBufferPointer { column.count(docs, into: $0) } }
            for o in 0..<column.termCount { #expect(Int(counters[o]) == wanted.count { $0.1 == (try? column.term(UInt32(o))) }) }
        }
    }

    @Test("a walk in windows gives every member once", arguments: UInt64(0)..<20)
    func walk(seed: UInt64) {
        var random = Seeded(seed)
        let n = Int.random(in: 1...3000, using: &random), sparseness = Int.random(in: 1...80, using: &random)
        var set = BitSet(count: n)
        for i in 0..<n where Int.random(in: 0..<sparseness, using: &random) == 0 { set.insert(i) }
        var walk = BitSet.Walk(), seen: [Int] = []
        var buffer = [UInt32](repeating: 0, count: Int.random(in: 1...200, using: &random))
        while true {
            let got = buffer.withUnsafeMutableBufferPointer { set.next(&walk, into: $0) }
            if got == 0 { break }
            seen += buffer[..<got].map(Int.init)
        }
        #expect(seen == (0..<n).filter { set[$0] })
    }
}
