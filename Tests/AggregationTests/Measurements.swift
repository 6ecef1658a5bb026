// Times of columns and aggregations over a million documents. Off unless ISOTHERM_MEASURE is set (to the
// number of documents): run in release, alone.

import Analysis
import Bytes
import Foundation
import Indexing
import IsothermTesting
import JSON
import Mappings
import QueryDSL
import Search
import Segments
import Storage
import Testing

@Suite("Measurements", .enabled(if: ProcessInfo.processInfo.environment["ISOTHERM_MEASURE"] != nil))
struct Measurements {
    private func cpu() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

    private func best(_ passes: Int, _ body: () throws -> Void) rethrows -> Double {
        var least = Double.infinity
        for _ in 0..<passes {
            // The thread's own time: other work on the machine does not count.
            var from = timespec(), to = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from)
            try body()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to)
            least = min(least, Double(to.tv_sec - from.tv_sec) * 1e6 + Double(to.tv_nsec - from.tv_nsec) / 1e3)
        }
        return least
    }

    @Test("columns of many documents")
    func columns() throws {
        let n = Int(ProcessInfo.processInfo.environment["ISOTHERM_MEASURE"] ?? "") ?? 1_000_000
        var random = Seeded(1)
        let buffer = ColumnBuffer(), filler = (0..<64).map { i in "word\(i * 7919 % 1000) " }
        let brands = (0..<2000).map { Array("Brand Name \($0)".utf8) }, categories = (0..<400).map { Array("Category/\($0)".utf8) }
        var source: [UInt8] = [], sourceTime = 0.0
        let start = cpu()
        for d in 0..<n {
            let before = d & 1023 == 0 ? cpu() : 0
            source.removeAll(keepingCapacity: true)
            source += Array("{\"id\":\"\(d)\",\"text\":\"".utf8)
            while source.count < 720 { source += filler[Int(random.next() & 63)].utf8 }
            source += Array("\"}".utf8)
            if d & 1023 == 0 { sourceTime += (cpu() - before) * 1024 }
            let doc = DocID(d), r = random.next()
            let brand = Int(r % 2000) * Int(r >> 32 & 2047) / 2048
            buffer.addKeyword(field: 0, doc: doc, bytes: brands[brand][...])
            buffer.addKeyword(field: 1, doc: doc, bytes: categories[Int(r >> 20 % 400)  % 400][...])
            buffer.addKeyword(field: 2, doc: doc, bytes: categories[Int(r >> 24) % 400][...])
            buffer.addKeyword(field: 2, doc: doc, bytes: categories[Int(r >> 28) % 400][...])
            buffer.addKeyword(field: 3, doc: doc, bytes: brands[Int(r >> 30) % 20][...])
            buffer.addKeyword(field: 4, doc: doc, bytes: brands[Int(r >> 31) % 10][...])
            buffer.addNumber(field: 5, doc: doc, value: OrderedDouble.encode(Double(r >> 11 & 131_071) / 100), options: [.column, .points, .doubles])
            buffer.addNumber(field: 6, doc: doc, value: OrderedDouble.encode(Double(Float(r >> 40 % 51) / 10)), options: [.column, .points, .doubles])
            buffer.addNumber(field: 7, doc: doc, value: Int64(r >> 44 & 4095), options: [.column, .points])
            buffer.addNumber(field: 8, doc: doc, value: Int64(r >> 50 & 1), options: [.column, .points])
            buffer.addNumber(field: 9, doc: doc, value: 1_600_000_000_000 + Int64(r >> 30 & 0x3FFF_FFFF), options: [.column, .points])
            buffer.addDocument(doc: doc, id: "\(d)", source: source, version: 1, sequenceNumber: Int64(d))
        }
        let added = cpu()
        let directory = MemoryDirectory()
        let writer = try SegmentFileWriter(directory, name: "a", id: SegmentID(high: 1, low: 1))
        let names = ["brand", "category", "category_path", "color", "size", "price", "rating", "review_count", "in_stock", "created_at"]
        var infos = names.enumerated().map { FieldInfo(ordinal: UInt32($0), path: "\($0)", features: [], kind: $1) }
        let memory = buffer.memoryBytes
        try buffer.write(to: writer, fields: &infos, order: (0..<10).map { $0 }, docCount: n)
        try writer.section(.fields, FieldTable.encode(docCount: n, fields: infos))
        let bytes = try writer.finish()
        let sealed = cpu()
        print("add \(added - start - sourceTime) s (making sources \(sourceTime) s more), seal \(sealed - added) s, buffer \(memory >> 20) MiB, file \(bytes >> 20) MiB")

        let segment = try Segment(SegmentFile.open(directory, name: "a"))
        for s in segment.file.sections { print("section \(s.kind): \(s.length >> 10) KiB") }
        let mergeStart = cpu()
        let merged = try SegmentFileWriter(directory, name: "m", id: SegmentID(high: 1, low: 2))
        try ColumnMerge.write(sources: [MergeSource(segment: segment, docMap: (0..<DocID(n)).map { $0 }, fieldMap: (0..<10).map { $0 })], fields: &infos, to: merged)
        print("merge \(cpu() - mergeStart) s")

        let properties: JSONValue = [
            "0": ["type": "keyword"], "1": ["type": "keyword"], "5": ["type": "double"], "6": ["type": "float"], "9": ["type": "date"],
        ]
        let mapping = try Mapping(JSONObject([("properties", properties)]), analysis: AnalysisRegistry(settings: nil))
        let snapshot = IndexSnapshot(segments: [SegmentView(segment: segment, live: nil)], mapping: mapping)
        let facets = [
            Aggregation(name: "b", kind: .terms(Aggregation.Terms(field: "0"))), Aggregation(name: "c", kind: .terms(Aggregation.Terms(field: "1"))),
            Aggregation(name: "p", kind: .histogram(Aggregation.Histogram(field: "5", interval: 50))),
            Aggregation(name: "r", kind: .range(Aggregation.Ranges(field: "6", ranges: [(nil, 2), (2, 3), (3, 4), (4, 4.5), (4.5, nil)].map { .init(key: nil, from: $0.0, to: $0.1) }))),
        ]
        for share in [1, 3, 10, 30, 100, 1000] {
            var matches = BitSet(count: n)
            for d in 0..<n where share == 1 || random.next() % UInt64(share) == 0 { matches.insert(d) }
            func time(_ aggregations: [Aggregation]) throws -> Double {
                try best(7) {
                    let collector = try AggregationCollector(aggregations, snapshots: [snapshot]) { _, _, _ in matches }
                    try collector.collect(snapshot: 0, segment: 0, matches: matches, scores: nil)
                    _ = try collector.finish()
                }
            }
            let all = try time(facets), single = try facets.map { try time([$0]) }
            let nested = try time([Aggregation(name: "b", kind: .terms(Aggregation.Terms(field: "0")), children: [Aggregation(name: "a", kind: .avg(Aggregation.Metric(field: "5")))])])
            let sort = try best(5) {
                let collector = try FieldSortCollector([SortKey(.field("5"), ascending: true)], snapshots: [snapshot], size: 10)
                try collector.collect(snapshot: 0, segment: 0, matches: matches, scores: nil)
            }
            print("1 of \(share): four facets \(Int(all)) us, each \(single.map { Int($0) }), terms>avg \(Int(nested)), sort by price \(Int(sort)) us")
        }
        let ids = (0..<1000).map { _ in "\(random.next() % UInt64(n))" }, absent = ids.map { $0 + "x" }
        print("id found \(try best(5) { for i in ids { _ = try segment.columns.doc(forID: i) } }) ns, absent \(try best(5) { for i in absent { _ = try segment.columns.doc(forID: i) } }) ns")
        print("source \(try best(5) { for i in ids { _ = try segment.columns.source(of: DocID(i) ?? 0) } }) ns")
        let low = OrderedDouble.encode(100)
        for high in [100.5, 150, 600, 1200] {
            let range = low...OrderedDouble.encode(high)
            print("price to \(high): \(Int(try best(5) { _ = try segment.columns.documents(5, in: range) })) us, scan \(Int(try best(5) { _ = try segment.columns.numbers(5)?.documents(in: range) })) us")
        }
    }
}
