// What readers promise about damaged bytes: an error that names the file, or the right answer. Never a crash,
// and never a read outside, even when checksums agree.

import Bytes
import Indexing
import IsothermTesting
import Segments
import Storage
import Testing

@Suite("Damaged columns")
struct ColumnDamageTests {
    /// Reads all there is of a segment.
    private func readAll(_ segment: Segment) throws -> [ColumnCorpus.Document] { try (0..<DocID(segment.docCount)).map { try ColumnCorpus.read(segment, $0) } }

    private func bytes(_ directory: MemoryDirectory, _ name: String) throws -> [UInt8] {
        try directory.map(name).withBytes { span in span.withUnsafeBytes { Array($0) } }
    }

    @Test("a flipped or missing byte is an error that names the file, or changes nothing")
    func flipAndCut() throws {
        let directory = MemoryDirectory(), corpus = ColumnCorpus(seed: 1, count: 9)
        let whole = try readAll(try corpus.segment(directory, name: "a.seg")), good = try bytes(directory, "a.seg")
        for i in good.indices {
            for damaged in [good[..<i] + [good[i] ^ UInt8(1 << (i % 8))] + good[(i + 1)...], good[..<i]] {
                do {
                    let segment = try Segment(SegmentFile(MappedBytes(path: "a.seg", copying: Array(damaged)), length: nil))
                    #expect(try readAll(segment) == whole, "byte \(i)")
                } catch let error as StorageError { #expect(error.path == "a.seg") }
            }
        }
    }

    /// A segment whose columns section holds `column`, with right checksums.
    private func segment(_ column: [UInt8], _ kind: ColumnKind, docCount: Int) throws -> Segment {
        let directory = MemoryDirectory()
        let writer = try SegmentFileWriter(directory, name: "d.seg", id: SegmentID(high: 1, low: 2))
        var columns = ColumnFileWriter(writer)
        try columns.append(0, kind, column)
        try columns.finish()
        try writer.section(.fields, FieldTable.encode(docCount: docCount, fields: [FieldInfo(ordinal: 0, path: "f", features: [], kind: "long")]))
        _ = try writer.finish()
        return try Segment(SegmentFile.open(directory, name: "d.seg"))
    }

    private func use(_ segment: Segment) throws {
        let docs = (0..<DocID(segment.docCount)).map { $0 }, batch = ValueBatch()
        if let column = try segment.columns.numbers(0) {
            docs.withUnsafeBufferPointer { column.gather($0, into: batch) }
            docs.withUnsafeBufferPointer { column.gatherDoubles($0, .double, into: batch) }
            _ = column.documents(in: -5...5)
            _ = column.documents(in: .min ... .max)
            for d in docs { _ = column.values(of: d) }
        }
        if let column = try segment.columns.keywords(0) {
            docs.withUnsafeBufferPointer { column.gather($0, into: batch) }
            var counters = [UInt32](repeating: 0, count: column.ordinalBound)
            _ = docs.withUnsafeBufferPointer { docs in counters.withUnsafeMutableBufferPointer { column.count(docs, into: $0) } }
            for d in docs { for o in column.ordinals(of: d) { _ = try column.term(o) } }
            _ = try column.ordinal(of: Array("w3".utf8))
        }
        if let points = try segment.columns.points(0) {
            _ = points.documents(in: -5...5)
            _ = points.documents(in: .min ... .max)
        }
    }

    @Test("decoders stay in bounds on bytes whose checksums agree", arguments: [ColumnKind.numbers, .keywords, .points])
    func malformed(kind: ColumnKind) throws {
        var random = Seeded(UInt64(kind.rawValue))
        let n = 24
        let sparse = (0..<DocID(n)).filter { $0 % 3 != 1 }, multi = sparse.flatMap { [$0, $0] }
        var columns: [[UInt8]] = []
        switch kind {
        case .numbers:
            columns.append(NumberColumn.encode(docs: sparse, values: sparse.map { Int64($0) * 11 }, doubles: false, docCount: n))
            columns.append(NumberColumn.encode(docs: multi, values: multi.enumerated().map { Int64($0.offset) }, doubles: false, docCount: n))
            columns.append(NumberColumn.encode(docs: sparse, values: sparse.map { OrderedDouble.encode(Double($0) / 4) }, doubles: true, docCount: n))
        case .keywords:
            let terms = (0..<20).map { Array("w\($0 + 10)".utf8)[...] }
            columns.append(KeywordColumn.encode(docs: sparse, ordinals: sparse.map { $0 % 20 }, terms: terms, docCount: n))
            columns.append(KeywordColumn.encode(docs: multi, ordinals: multi.indices.map { UInt32($0 % 20) }, terms: terms, docCount: n))
        case .points: columns.append(Points.encode(docs: multi, values: multi.map { Int64($0) % 7 }, doubles: false, docCount: n))
        }
        for column in columns {
            for i in column.indices {
                for _ in 0..<2 {
                    var damaged = column
                    damaged[i] = UInt8(truncatingIfNeeded: random.next())
                    do { try use(try segment(damaged, kind, docCount: n)) } catch let error as StorageError { #expect(error.kind == .corrupt) }
                }
                do { try use(try segment(Array(column[..<i]), kind, docCount: n)) } catch let error as StorageError { #expect(error.kind == .corrupt) }
            }
        }
    }

    @Test("stored fields, identifiers and numbers by document stay in bounds too")
    func documents() throws {
        var random = Seeded(9)
        let corpus = ColumnCorpus(seed: 2, count: 12), directory = MemoryDirectory()
        let segment = try corpus.segment(directory, name: "a.seg")
        for kind in [SectionKind.identifiers, .versions, .sequenceNumbers, .storedIndex, .storedBlocks, .routing] {
            guard let section = segment.file.section(kind) else { continue }
            let good = try section.withBytes { span in span.withUnsafeBytes { Array($0) } }
            for i in stride(from: 0, to: good.count, by: good.count > 600 ? 3 : 1) {
                var damaged = good
                if i % 5 == 4 { damaged = Array(good[..<i]) } else { damaged[i] = UInt8(truncatingIfNeeded: random.next()) }
                let out = MemoryDirectory()
                let writer = try SegmentFileWriter(out, name: "d.seg", id: SegmentID(high: 1, low: 2))
                for other in [SectionKind.fields, .identifiers, .versions, .sequenceNumbers, .storedIndex, .storedBlocks, .routing] {
                    guard let s = segment.file.section(other) else { continue }
                    try writer.section(other, other == kind ? damaged : s.withBytes { span in span.withUnsafeBytes { Array($0) } })
                }
                _ = try writer.finish()
                let columns = ColumnsReader(file: try SegmentFile.open(out, name: "d.seg"), docCount: segment.docCount)
                for d in [0, 5, 11] {
                    let doc = DocID(d)
                    for read in [
                        { _ = try columns.source(of: doc) }, { _ = try columns.id(of: doc) }, { _ = try columns.version(of: doc) }, { _ = try columns.routing(of: doc) },
                        { _ = try columns.sequenceNumber(of: doc) }, { _ = try columns.doc(forID: corpus.documents[d].id) },
                    ] as [() throws -> Void] {
                        do { try read() } catch let error as StorageError { #expect(error.kind == .corrupt) }
                    }
                }
            }
        }
    }
}
