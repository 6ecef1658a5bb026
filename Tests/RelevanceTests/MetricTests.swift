// Measures against formulas written out naively, and against values worked by hand. Equality with `ir-measures`
// over random runs is tested by Tests/Relevance/compare_ir_measures.py.

import Glibc
import IsothermTesting
import Relevance
import Testing

@Suite("Measures of a ranked list")
struct MetricTests {
    let grades: [String: Double] = ["a": 3, "b": 2, "c": 0, "d": 1, "e": -1]

    func value(_ text: String, _ ranked: [String], _ settings: MetricSettings = .init()) throws -> Double {
        try Metric(parsing: text).value(ranked: ranked, grades: grades, settings: settings)
    }

    @Test("worked by hand")
    func byHand() throws {
        let ideal = 3 + 2 / log2(3.0) + 1 / 2
        #expect(try value("ndcg@10", ["b", "x", "a"]) == (2 + 3 / 2) / ideal)
        #expect(try value("ndcg@10", ["a", "b", "d"]) == 1)
        #expect(try value("ndcg@1", ["b"]) == 2.0 / 3)
        #expect(try value("ndcg@10", ["b"], MetricSettings(gain: .exponential)) == 3 / (7 + 3 / log2(3.0) + 1 / 2))
        #expect(try value("mrr", ["c", "e", "d"]) == 1.0 / 3)
        #expect(try value("mrr@2", ["c", "e", "d"]) == 0)
        #expect(try value("map", ["a", "x", "b"]) == (1 + 2.0 / 3) / 3)
        #expect(try value("p@10", ["a", "x", "b"]) == 0.2)
        #expect(try value("recall@2", ["a", "x", "b"]) == 1.0 / 3)
        #expect(try value("unjudged@10", ["a", "x", "b", "y"]) == 0.5)
        #expect(try value("p@2", ["a", "d"], MetricSettings(relevantFrom: 2)) == 0.5)
    }

    @Test("an empty list and a query without grades are 0, never not-a-number", arguments: Metric.Kind.allCases)
    func empty(kind: Metric.Kind) {
        let metric = Metric(kind, at: 5)
        #expect(metric.value(ranked: [], grades: grades, settings: .init()) == 0)
        #expect(metric.value(ranked: [], grades: [:], settings: .init()) == 0)
        if kind != .unjudged { #expect(metric.value(ranked: ["a"], grades: [:], settings: .init()) == 0) }
    }

    @Test("equal naive sums on random lists", arguments: UInt64(0)..<60)
    func naive(seed: UInt64) throws {
        var random = Seeded(seed)
        let documents = (0..<40).map { "d\($0)" }
        var grades: [String: Double] = [:]
        for document in documents where Bool.random(using: &random) { grades[document] = Double(Int.random(in: -1...4, using: &random)) }
        let ranked = Array(documents.shuffled(using: &random).prefix(Int.random(in: 0...40, using: &random)))
        let k = Int.random(in: 1...30, using: &random)
        func relevant(_ d: String) -> Double { (grades[d] ?? 0) >= 1 ? 1 : 0 }
        let all = grades.keys.map(relevant).reduce(0, +)

        var dcg = 0.0, ideal = 0.0, found = 0.0, precisions = 0.0, first = 0.0
        let best = grades.values.sorted(by: >)
        for i in 0..<k {
            if i < best.count { ideal += max(0, best[i]) / log2(Double(i) + 2) }
            guard i < ranked.count else { continue }
            dcg += max(0, grades[ranked[i]] ?? 0) / log2(Double(i) + 2)
            found += relevant(ranked[i])
            precisions += relevant(ranked[i]) * found / Double(i + 1)
            if first == 0, relevant(ranked[i]) == 1 { first = 1 / Double(i + 1) }
        }
        let want: [(Metric.Kind, Double)] = [
            (.ndcg, ideal > 0 ? dcg / ideal : 0), (.p, found / Double(k)), (.recall, all > 0 ? found / all : 0),
            (.map, all > 0 ? precisions / all : 0), (.mrr, first),
        ]
        for (kind, expected) in want {
            let got = Metric(kind, at: k).value(ranked: ranked, grades: grades, settings: .init())
            #expect(abs(got - expected) < 1e-12, "\(kind)@\(k), seed \(seed)")
        }
    }

    @Test("names that are no measures are refused with the known ones")
    func names() throws {
        #expect(try Metric(parsing: "NDCG@10") == Metric(.ndcg, at: 10))
        #expect(try Metric(parsing: "rr") == Metric(.mrr))
        for bad in ["", "@", "ndcg@", "ndcg@0", "ndcg@-1", "ndcg@1@2", "p", "err@3", "ndcg@99999999999999999999"] {
            #expect(throws: RelevanceError.self) { try Metric(parsing: bad) }
        }
    }
}
