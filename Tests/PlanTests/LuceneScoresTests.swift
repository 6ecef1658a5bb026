// Scores and orders against Apache Lucene's, over the sample shop: the golden file is made by Lucene (see make.sh beside it).

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

@Suite("Scores as Lucene's")
struct LuceneScoresTests {
    private static let analysis: AnalysisSetting = .object(["analyzer": .object(["words": .object([
        "type": .string("pattern"), "pattern": .string("[^A-Za-z0-9]+"), "lowercase": .bool(true),
    ])])])

    private static func index(_ products: String, segments: Int) throws -> IndexSnapshot {
        let registry = try AnalysisRegistry(settings: analysis)
        let mapping = try Mapping(try JSONValue.parse(#"{"properties": {"text": {"type": "text", "analyzer": "words"}}}"#).object ?? JSONObject(), analysis: registry)
        let type = try #require(mapping.field("text"))
        let lines = products.split(separator: "\n"), directory = MemoryDirectory()
        var views: [SegmentView] = []
        let share = (lines.count + segments - 1) / segments
        for s in 0..<segments {
            let writer = DocumentWriter()
            for line in lines[min(lines.count, s * share)..<min(lines.count, (s + 1) * share)] {
                let product = try JSONValue.parse(String(line))
                var parsed = ParsedDocument()
                parsed.bytes = Array("\(product["title"]?.string ?? "") \(product["description"]?.string ?? "")".utf8)
                parsed.fields = [.init(type: type, value: .text(0..<parsed.bytes.count))]
                let doc = try writer.addFields(parsed)
                writer.finish(doc, id: product["id"]?.string ?? "", source: Array("{}".utf8), routing: nil, version: 1, seqNo: 0, primaryTerm: 1)
            }
            _ = try writer.seal(into: directory, name: "s\(s)", id: SegmentID(high: 2, low: UInt64(s)))
            views.append(SegmentView(segment: try Segment(try SegmentFile.open(directory, name: "s\(s)")), live: nil))
        }
        return IndexSnapshot(segments: views, mapping: mapping)
    }

    /// `a b`, `+a`, `-a`, `"a b"`, `(a b)`.
    private static func parse(_ text: inout Substring) -> Query {
        var bool = Query.Bool()
        while let first = text.first, first != ")" {
            if first == " " { text.removeFirst(); continue }
            if first == "+" || first == "-" { text.removeFirst() }
            let clause: Query
            if text.first == "(" {
                text.removeFirst()
                clause = parse(&text)
                text = text.dropFirst()
            } else if text.first == "\"" {
                let words = text.dropFirst().prefix { $0 != "\"" }
                text = text.dropFirst(words.count + 2)
                clause = Query(.matchPhrase(Query.Phrase(field: "text", text: .string(String(words)))))
            } else {
                let word = text.prefix { $0 != " " && $0 != ")" }
                text = text.dropFirst(word.count)
                clause = Query(.match(Query.Match(field: "text", text: .string(String(word)))))
            }
            switch first {
            case "+": bool.must.append(clause)
            case "-": bool.mustNot.append(clause)
            default: bool.should.append(clause)
            }
        }
        return Query(.bool(bool))
    }

    @Test("every query's count, order and scores, in one segment and in four", arguments: [1, 4])
    func golden(segments: Int) throws {
        guard let path = Corpora.own("shop/products.ndjson") else {
            Issue.record("corpora/shop/products.ndjson is missing")
            return
        }
        let snapshot = try Self.index(try String(contentsOfFile: path, encoding: .utf8), segments: segments)
        let golden = try String(contentsOfFile: Corpora.golden("lucene/shop-scores.tsv"), encoding: .utf8)
        let executor = SearchExecutor(now: 0)
        var compared = 0
        for line in golden.split(separator: "\n") {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            var text = columns[0]
            var request = SearchRequest()
            (request.query, request.trackTotalHits) = (Self.parse(&text), .exact)
            let response = try executor.search(request, in: [.init(index: "shop", snapshot: snapshot)])
            #expect(response.total?.value == Int(columns[1]), "\(columns[0])")
            request.trackTotalHits = .none
            let pruned = try executor.search(request, in: [.init(index: "shop", snapshot: snapshot)])
            #expect(pruned.hits.map(\.id) == response.hits.map(\.id), "\(columns[0])")
            let wanted = columns.count > 2 ? columns[2].split(separator: " ") : []
            #expect(wanted.count == response.hits.count)
            for (hit, entry) in zip(response.hits, wanted) {
                compared += 1
                #expect("\(hit.id):\(String(format: "%.5f", hit.score ?? 0))" == entry, "\(columns[0])")
            }
        }
        #expect(compared > 400)
    }
}
