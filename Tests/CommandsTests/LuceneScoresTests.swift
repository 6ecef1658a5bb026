// Our answers over the sample shop are Lucene's: counts, ids and scores to five decimals, exhaustive and pruned. The golden file
// was made by Lucene (Tests/Golden/lucene/make.sh), never by us.

import Commands
import Engine
import IsothermTesting
import JSON
import Search
import Storage
import Testing

@Suite("Lucene's answers over the sample shop", .serialized)
struct LuceneScoresTests {
    struct Expected {
        var query: String, count: Int, hits: [(id: String, score: Double)]
    }

    @Test("in one segment and in many, pruned and exhaustive", arguments: [1, 9])
    func golden(segments: Int) async throws {
        let expected = try golden()
        #expect(expected.count == 66)
        let searcher = try await searcher(segments: segments)
        for want in expected {
            let exhaustive = try #require(try searcher.answer("IDS_10", want.query[...])).split(separator: "\t", omittingEmptySubsequences: false)
            #expect(Int(exhaustive[0]) == want.count, "\(want.query)")
            compare(hits(String(exhaustive[2])), want, exactScores: segments == 1)
            let pruned = try #require(try searcher.answer("PRUNED_10", want.query[...])).split(separator: "\t", omittingEmptySubsequences: false)
            #expect(pruned[2] == exhaustive[2], "\(want.query)")
            let count = try #require(try searcher.answer("COUNT", want.query[...]))
            #expect(count.hasPrefix("\(want.count)\t"), "\(want.query)")
        }
    }

    @Test("a phrase may run from a title's end into its description, as in the peers' one text")
    func acrossFields() async throws {
        let searcher = try await searcher(segments: 1)
        let lines = try Files.text(try #require(Corpora.own("shop/products.ndjson"))).split(separator: "\n")
        var expected = 0
        for line in lines {
            let product = try JSONValue.parse(String(line))
            let text = "\(product["title"]?.string ?? "") \(product["description"]?.string ?? "")".lowercased()
            let words = text.split { !$0.isLetter && !$0.isNumber }
            if zip(words, words.dropFirst()).contains(where: { $0 == "black" && $1 == "a" }) { expected += 1 }
        }
        #expect(expected > 50)
        #expect(try #require(try searcher.answer("COUNT", "\"black a\"")).hasPrefix("\(expected)\t"))
    }

    // MARK: -

    private func searcher(segments: Int) async throws -> BenchSearcher {
        var options = NodeOptions()
        options.background = false
        let node = try await Node.open(root: MemoryDirectory(), options: options)
        _ = try await node.createIndex(benchIndex, try BenchMapping.creation())
        let text = try Files.text(try #require(Corpora.own("shop/products.ndjson")))
        let lines = text.split(separator: "\n").map { Array($0.utf8) }
        let part = (lines.count + segments - 1) / segments
        for start in stride(from: 0, to: lines.count, by: part) {
            let batch = lines[start..<min(start + part, lines.count)].map { WriteOperation(.index, index: benchIndex, id: BenchMapping.id(of: $0), source: $0) }
            let results = try await node.bulk(batch)
            #expect(results.allSatisfy { $0.error == nil }, "\(String(describing: results.first { $0.error != nil }?.error))")
            try await node.refresh(benchIndex)
        }
        #expect(try node.snapshot(of: benchIndex).docCount == 2080)
        return try BenchSearcher(node: node)
    }

    /// Scores agree to what five decimals show; ids too, but among equal scores and at the cut.
    private func compare(_ got: [(id: String, score: Double)], _ want: Expected, exactScores: Bool) {
        #expect(got.count == want.hits.count, "\(want.query)")
        for (a, b) in zip(got, want.hits) { #expect(abs(a.score - b.score) < 2.1e-5, "\(want.query): \(a) where Lucene has \(b)") }
        guard let last = want.hits.last?.score else { return }
        let sure = Set(want.hits.filter { $0.score > last + 2e-5 }.map(\.id))
        #expect(sure.isSubset(of: got.map(\.id)), "\(want.query)")
    }

    private func golden() throws -> [Expected] {
        try Files.text(Corpora.golden("lucene/shop-scores.tsv")).split(separator: "\n").map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            return Expected(query: String(columns[0]), count: try #require(Int(columns[1])), hits: hits(String(columns[2])))
        }
    }

    private func hits(_ text: String) -> [(id: String, score: Double)] {
        text.split(separator: " ").map { pair in
            let parts = pair.split(separator: ":")
            return (String(parts[0]), Double(parts[1]) ?? -1)
        }
    }
}
