import IsothermTesting
import QueryDSL
import Search
import Testing

@Suite("Fuzzy patterns")
struct FuzzyPatternTests {
    /// Optimal string alignment, the whole table.
    private func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar], swaps: Bool) -> Int {
        var d = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { d[i][0] = i }
        for j in 0...b.count { d[0][j] = j }
        for i in stride(from: 1, through: a.count, by: 1) {
            for j in stride(from: 1, through: b.count, by: 1) {
                d[i][j] = min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if swaps, i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1) }
            }
        }
        return d[a.count][b.count]
    }

    @Test("a term is within the distance exactly when the whole table says so", arguments: UInt64(0)..<100)
    func distances(seed: UInt64) {
        var random = Seeded(seed)
        func word() -> String { String((0..<Int.random(in: 0...7, using: &random)).map { _ in (["a", "b", "c", "ü", "漢"] as [Character]).randomElement(using: &random) ?? "a" }) }
        let query = word(), edits = Int.random(in: 0...2, using: &random), swaps = Bool.random(using: &random), prefix = Int.random(in: 0...2, using: &random)
        let pattern = QueryTerms.Pattern.fuzzy(query, edits: edits, prefixLength: prefix, transpositions: swaps)
        for _ in 0..<60 {
            let term = word(), a = Array(query.unicodeScalars), b = Array(term.unicodeScalars)
            let expected = b.starts(with: a.prefix(prefix)) && distance(a, b, swaps: swaps) <= edits
            #expect(pattern.matches(Array(term.utf8)) == expected, "\(query) ~\(edits) \(term)")
        }
    }

    @Test("AUTO allows 0 edits below 3 characters, 1 below 6, then 2; characters, not bytes")
    func auto() {
        #expect(["ab", "abc", "äöüäö", "abcdef"].map { Query.Fuzziness.auto.edits(for: $0) } == [0, 1, 1, 2])
    }
}
