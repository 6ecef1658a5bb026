import Bytes
import IsothermTesting
import JSON
import QueryDSL
import Search
import Testing

@Suite("Searching small indexes")
struct SearchExecutorTests {
    private func close(_ a: Float, _ b: Float) -> Bool { abs(a - b) <= 2e-6 * max(1, abs(a), abs(b)) }

    @Test("random query trees find what the formulas find, with their scores, page by page and pruned", arguments: UInt64(0)..<30)
    func equalsNaive(seed: UInt64) throws {
        let index = try TestIndex.random(seed % 6)
        let naive = NaiveSearch(index)
        var found = 0
        var maker = QueryMaker(seed)
        for _ in 0..<8 {
            let query = maker.query(), expected = naive.search(query)
            found += expected.count
            let scores = Dictionary(uniqueKeysWithValues: expected.map { ($0.id, $0.score) })
            for (size, tracked) in [(1000, TrackTotalHits.exact), (5, .upTo(10)), (5, .none)] {
                var request = SearchRequest()
                (request.query, request.size, request.trackTotalHits) = (query, size, tracked)
                let response = try index.search(request)
                if case .exact = tracked { #expect(response.total?.value == expected.count, "\(query)") }
                if case .upTo(let most) = tracked {
                    #expect(response.total?.value == min(most, expected.count), "\(query)")
                    #expect(response.total?.relation == (expected.count > most ? .atLeast : .equal), "\(query)")
                }
                #expect(response.hits.count == min(size, expected.count), "\(query)")
                for (hit, wanted) in zip(response.hits, expected) {
                    let score = scores[hit.id] ?? -1
                    #expect(close(hit.score ?? -2, score), "\(hit.id) of \(query)")
                    #expect(close(hit.score ?? -2, wanted.score), "\(hit.id) of \(query)")
                }
            }
            #expect(try SearchExecutor(now: 0).count(query, in: index.targets) == expected.count)
        }
        #expect(found > 30, "too little was found to mean anything")
    }

    @Test("each node of an explanation follows from its details, and the root is the hit's score", arguments: UInt64(0)..<15)
    func explanations(seed: UInt64) throws {
        let index = try TestIndex.random(seed % 4)
        var maker = QueryMaker(1000 + seed)
        for _ in 0..<4 {
            var request = SearchRequest()
            (request.query, request.explain, request.size) = (maker.query(), true, 20)
            for hit in try index.search(request).hits {
                let explanation = try #require(hit.explanation)
                #expect(explanation.value == hit.score, "\(explanation)")
                check(explanation)
            }
        }
    }

    private func check(_ e: Explanation) {
        func part(_ start: String) -> Float { e.details.first { $0.description.hasPrefix(start) }?.value ?? .nan }
        let d = e.description
        if d.hasPrefix("sum of:") {
            let sum = Float(e.details.reduce(0.0) { $0 + Double($1.value) })
            #expect(e.value == sum || e.value == sum.nextUp || e.value == sum.nextDown)
        }
        if d.hasPrefix("max of:") { #expect(e.value == e.details.map(\.value).max()) }
        if d.hasPrefix("product of:") { #expect(e.value == e.details.reduce(1) { $0 * $1.value }) }
        if d.hasPrefix("weight(") { #expect(e.details.count == 1 && e.value == e.details[0].value) }
        if d.hasPrefix("score(") {
            let boost = e.details.first { $0.description == "boost" }?.value ?? 1
            #expect(abs(e.value - boost * part("idf") * part("tf")) <= 1e-6 * max(1, e.value))
        }
        if d.hasPrefix("tf,") {
            let f = e.details[0].value, k = part("k1"), b = part("b,")
            #expect(abs(e.value - f / (f + k * (1 - b + b * part("dl") / part("avgdl")))) < 1e-6)
        }
        e.details.forEach(check)
    }
}
