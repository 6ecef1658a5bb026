// Scorers against a naive model: an array of documents and a loop. Pruned answers equal exhaustive ones.

import Analysis
import Bytes
import Indexing
import IsothermTesting
import Mappings
import Search
import Segments
import Storage
import Testing

/// Documents as arrays of terms by position, one text field; and their segment.
struct NaiveIndex {
    let docs: [[Int]]
    let live: BitSet?
    let segment: Segment
    let similarity: Similarity
    var view: SegmentView { SegmentView(segment: segment, live: live) }

    init(seed: UInt64, docCount: Int, vocabulary: Int, length: Int, deletes: Bool) throws {
        var random = Seeded(seed)
        docs = (0..<docCount).map { _ in
            (0..<Int.random(in: 1...length, using: &random)).map { _ in
                let x = Double.random(in: 0..<1, using: &random)
                return Int(x * x * Double(vocabulary))
            }
        }
        segment = try Self.write(docs)
        let average = Float(docs.reduce(0) { $0 + $1.count }) / Float(docCount)
        similarity = Similarity(k1: 1.2, b: 0.75, averageLength: average, inverseNorms: (0..<256).map {
            1 / (1.2 * ((1 - 0.75) + 0.75 * Float(SmallFloat.decode(UInt8($0))) / average))
        })
        if deletes {
            var live = BitSet(count: docCount, all: true)
            for doc in 0..<docCount where Int.random(in: 0..<5, using: &random) == 0 { live.remove(doc) }
            self.live = live
        } else {
            live = nil
        }
    }

    static func write(_ docs: [[Int]]) throws -> Segment {
        let buffer = InvertedBuffer()
        for (doc, terms) in docs.enumerated() {
            var tokens = TokenBuffer()
            for (i, term) in terms.enumerated() {
                tokens.terms += Array("w\(term)".utf8)
                tokens.termEnds.append(Int32(tokens.terms.count))
                tokens.positions.append(Int32(i))
            }
            tokens.positionCount = Int32(terms.count)
            buffer.add(tokens: tokens, field: 0, options: .positions, norms: true, doc: DocID(doc))
        }
        let directory = MemoryDirectory()
        let file = try SegmentFileWriter(directory, name: "s", id: SegmentID(high: 1, low: 2))
        var fields = [FieldInfo(ordinal: 0, path: "text", features: [], kind: "text")]
        try buffer.write(to: file, fields: &fields, order: [0], docCount: docs.count)
        try file.section(.fields, FieldTable.encode(docCount: docs.count, fields: fields))
        _ = try file.finish()
        return try Segment(SegmentFile.open(directory, name: "s"))
    }

    func plan(_ term: Int, boost: Float = 1) -> Plan {
        let df = docs.filter { $0.contains(term) }.count
        let n = Float(docs.count)
        let idf: Float = df == 0 ? 1 : 1 + (n - Float(df) + 0.5) / (Float(df) + 0.5) / 10
        return .term(TermPlan(field: "text", term: Array("w\(term)".utf8), weight: boost * idf, boost: boost, idf: idf, similarity: similarity, docFreq: df, docCount: docs.count))
    }

    // MARK: The model

    func score(_ plan: Plan, _ doc: Int) -> Float? {
        let terms = docs[doc]
        func bm25(_ weight: Float, _ freq: Float) -> Float {
            weight - weight / (1 + freq * similarity.inverseNorms[Int(SmallFloat.encode(terms.count))])
        }
        switch plan {
        case .none: return nil
        case .all(let score): return score
        case .term(let t):
            let freq = terms.filter { Array("w\($0)".utf8) == t.term }.count
            return freq == 0 ? nil : bm25(t.weight, Float(freq))
        case .synonym(let s):
            var freq: Float = 0
            for (term, boost) in s.terms { freq += boost * Float(terms.filter { Array("w\($0)".utf8) == term }.count) }
            return freq == 0 ? nil : bm25(s.weight, freq)
        case .phrase(let p):
            var freq = 0
            for start in -20..<terms.count {
                if p.places.allSatisfy({ place in
                    let at = start + place.position
                    return at >= 0 && at < terms.count && place.terms.contains(Array("w\(terms[at])".utf8))
                }) { freq += 1 }
            }
            return freq == 0 ? nil : bm25(p.weight, Float(freq))
        case .set(let set, let score):
            guard let bits = try? set.documents(view) else { return nil }
            return bits[doc] ? score : nil
        case .constant(let inner, let score): return self.score(inner, doc) == nil ? nil : score
        case .bool(let b):
            var must = 0.0, should = 0.0, matched = 0
            for clause in b.must { guard let s = score(clause, doc) else { return nil }; must += Double(s) }
            for clause in b.filter where score(clause, doc) == nil { return nil }
            for clause in b.mustNot where score(clause, doc) != nil { return nil }
            for clause in b.should { if let s = score(clause, doc) { should += Double(s); matched += 1 } }
            let least = b.must.isEmpty && b.filter.isEmpty && !b.should.isEmpty ? max(1, b.minimumShouldMatch) : b.minimumShouldMatch
            return matched < least ? nil : Float(must) + Float(should)
        case .disMax(let clauses, let tie):
            let scores = clauses.compactMap { score($0, doc) }
            guard let best = scores.max() else { return nil }
            var sum = 0.0
            for s in scores { sum += Double(s) }
            return Float(Double(best) + (sum - Double(best)) * Double(tie))
        case .boosting(let positive, let negative, let factor):
            guard let s = score(positive, doc) else { return nil }
            return score(negative, doc) == nil ? s : s * factor
        case .function(let f):
            guard let s = score(f.inner, doc), let make = try? f.scorer(view) else { return nil }
            let new = make(DocID(doc), s)
            return f.minScore.map { new >= $0 } ?? true ? new : nil
        case .named(_, let inner): return score(inner, doc)
        }
    }

    func all(_ plan: Plan) -> [(doc: DocID, score: Float)] {
        docs.indices.compactMap { doc in
            guard live?[doc] ?? true, let s = score(plan, doc) else { return nil }
            return (DocID(doc), s)
        }
    }
}

func best(_ all: [(doc: DocID, score: Float)], _ k: Int) -> [(doc: DocID, score: Float)] {
    Array(all.sorted { ($1.score, $0.doc) < ($0.score, $1.doc) }.prefix(k))
}

func same(_ a: [(doc: DocID, score: Float)], _ b: [(doc: DocID, score: Float)]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.doc == $1.doc && $0.score == $1.score }
}

/// A random plan of every kind, at most `depth` deep.
func randomPlan(_ index: NaiveIndex, vocabulary: Int, depth: Int, _ random: inout Seeded) -> Plan {
    func term() -> Int { let x = Double.random(in: 0..<1, using: &random); return Int(x * x * Double(vocabulary)) }
    func some(_ range: ClosedRange<Int>) -> [Plan] {
        (0..<Int.random(in: range, using: &random)).map { _ in randomPlan(index, vocabulary: vocabulary, depth: depth - 1, &random) }
    }
    let kind = Int.random(in: 0..<(depth > 0 ? 14 : 6), using: &random)
    switch kind {
    case 0, 1, 2: return index.plan(term(), boost: Float([1, 1, 2, 0.5].randomElement(using: &random) ?? 1))
    case 3:
        guard case .term(let t) = index.plan(0) else { return .none(reason: "") }
        let terms = Set((0..<2).map { _ in term() }).map { (term: Array("w\($0)".utf8), boost: Float(1)) }
        return .synonym(SynonymPlan(field: "text", terms: terms, weight: 1.7, boost: 1, idf: 1.7, similarity: t.similarity, docFreq: 1, docCount: 1))
    case 4:
        let doc = index.docs[Int.random(in: 0..<index.docs.count, using: &random)]
        let n = min(doc.count, Int.random(in: 2...3, using: &random)), start = Int.random(in: 0...(doc.count - n), using: &random)
        var places = (0..<n).map { (terms: [Array("w\(doc[start + $0])".utf8)], position: $0) }
        if Bool.random(using: &random), let last = places.indices.last { places[last].terms.append(Array("w\(term())".utf8)) }
        return .phrase(PhrasePlan(field: "text", places: places, slop: 0, weight: 2.3, boost: 1, idf: 2.3, similarity: index.similarity))
    case 5:
        let modulus = Int.random(in: 2...40, using: &random)
        let hasTest = Bool.random(using: &random)
        let n = index.docs.count
        return .set(SetPlan(
            description: "every \(modulus)th", estimate: { _ in n / modulus },
            test: hasTest ? { @Sendable (_: SegmentView) throws(StorageError) in { @Sendable (doc: DocID) in Int(doc) % modulus == 0 } } : nil,
            documents: { view in
                var set = BitSet(count: view.docCount)
                for i in stride(from: 0, to: view.docCount, by: modulus) { set.insert(i) }
                return set
            }), score: Float([0, 1].randomElement(using: &random) ?? 1))
    case 6: return .constant(randomPlan(index, vocabulary: vocabulary, depth: depth - 1, &random), score: 1.5)
    case 7: return .disMax(some(1...4), tieBreaker: [0, 0.5].randomElement(using: &random) ?? 0)
    case 8: return .boosting(positive: randomPlan(index, vocabulary: vocabulary, depth: depth - 1, &random), negative: randomPlan(index, vocabulary: vocabulary, depth: depth - 1, &random), factor: 0.25)
    case 9:
        let minimum: Float? = Bool.random(using: &random) ? 1.2 : nil
        return .function(FunctionPlan(inner: randomPlan(index, vocabulary: vocabulary, depth: depth - 1, &random), scorer: { _ in { doc, score in score + Float(doc % 7) } }, minScore: minimum, description: ""))
    case 10:
        var bool = BoolPlan()
        bool.should = some(2...5)
        bool.minimumShouldMatch = Int.random(in: 0...2, using: &random)
        return .bool(bool)
    default:
        var bool = BoolPlan()
        bool.must = some(0...2)
        bool.should = some(0...3)
        bool.filter = some(0...1)
        bool.mustNot = some(0...1)
        if !bool.should.isEmpty { bool.minimumShouldMatch = Int.random(in: 0...1, using: &random) }
        if bool.must.isEmpty, bool.filter.isEmpty, bool.should.isEmpty { bool.must = [index.plan(term())] }
        return .bool(bool)
    }
}

@Suite("Scorers")
struct ScorerTests {
    func check(_ index: NaiveIndex, _ plan: Plan, _ comment: String) throws {
        let expected = index.all(plan)
        let everything = try SegmentScorer(plan: plan, view: index.view).collect(k: 10, scores: true)
        #expect(everything.matches.cardinality() == expected.count, "\(comment)")
        #expect(expected.allSatisfy { everything.matches[Int($0.doc)] && everything.scores?[Int($0.doc)] == $0.score }, "\(comment)")
        #expect(same(everything.hits, best(expected, 10)), "\(comment)")
        #expect(try SegmentScorer(plan: plan, view: index.view).matches() == everything.matches, "\(comment)")
        #expect(try SegmentScorer(plan: plan, view: index.view).count() == expected.count, "\(comment)")
        #expect(try SegmentScorer.count(plan, in: index.view) == expected.count, "\(comment)")
        for k in [1, 10, 5000] {
            for limit in [0, 100, Int.max] {
                var threshold = -Float.infinity
                let (hits, count, isExact) = try SegmentScorer(plan: plan, view: index.view).top(k, threshold: &threshold, countUpTo: limit)
                #expect(same(hits, best(expected, k)), "\(comment) k \(k) limit \(limit): \(hits.prefix(3)) \(best(expected, k).prefix(3))")
                if limit > 0 { #expect(isExact ? count == expected.count : count > limit && count <= expected.count, "\(comment) \(count) \(isExact) \(expected.count)") }
                if hits.count == k { #expect(threshold == hits.last?.score) }
            }
        }
        // A threshold from a segment before leaves out what does not beat it.
        if let middle = best(expected, 10).last?.score {
            var threshold = middle
            let (hits, _, _) = try SegmentScorer(plan: plan, view: index.view).top(10, threshold: &threshold, countUpTo: 0)
            #expect(same(hits, best(expected.filter { $0.score > middle }, 10)), "\(comment)")
        }
        let scorer = try SegmentScorer(plan: plan, view: index.view)
        var random = Seeded(9)
        for _ in 0..<20 {
            let doc = Int.random(in: 0..<index.docs.count, using: &random)
            #expect(try scorer.score(of: DocID(doc)) == index.score(plan, doc), "\(comment)")
        }
    }

    @Test("every kind of plan answers as a loop over the documents does", arguments: UInt64(0)..<24)
    func model(seed: UInt64) throws {
        var random = Seeded(seed &* 77)
        let vocabulary = [3, 12, 60][Int(seed % 3)]
        let index = try NaiveIndex(seed: seed, docCount: [5, 130, 700, 4200][Int(seed / 3 % 4)], vocabulary: vocabulary, length: [3, 20][Int(seed % 2)], deletes: seed % 5 < 2)
        for i in 0..<6 { try check(index, randomPlan(index, vocabulary: vocabulary, depth: 2, &random), "seed \(seed) plan \(i)") }
    }

    @Test("matches are those of the required clause, whatever optional ones add to scores, with and without deletions", arguments: UInt64(0)..<8)
    func required(seed: UInt64) throws {
        var random = Seeded(seed)
        let index = try NaiveIndex(seed: seed, docCount: 3_000, vocabulary: 20, length: 8, deletes: seed % 2 == 1)
        func term() -> Plan { index.plan(Int.random(in: 0..<24, using: &random)) }
        let lead = [term(), .all(score: 1), .constant(term(), score: 2), .named("n", term())][Int(seed / 2 % 4)]
        var must = BoolPlan(), filter = BoolPlan(), needed = BoolPlan(), outer = BoolPlan()
        (must.must, must.should) = ([lead], [term(), term()])
        (filter.filter, filter.should) = ([lead], [term()])
        (needed.must, needed.should, needed.minimumShouldMatch) = ([lead], [term(), term()], 1)
        (outer.must, outer.should) = ([.boosting(positive: .bool(must), negative: term(), factor: 0.5)], [.bool(needed)])
        for (i, bool) in [must, filter, needed, outer].enumerated() { try check(index, .bool(bool), "seed \(seed) shape \(i)") }
    }

    @Test("terms, all of them, any of them, over many blocks", arguments: UInt64(0)..<6)
    func blocks(seed: UInt64) throws {
        let index = try NaiveIndex(seed: seed, docCount: 9_000, vocabulary: 30, length: 6, deletes: seed % 2 == 1)
        var random = Seeded(seed)
        for i in 0..<2 {
            let terms = (0..<Int.random(in: 1...4, using: &random)).map { _ in index.plan(Int.random(in: 0..<40, using: &random)) }
            var all = BoolPlan(), any = BoolPlan()
            all.must = terms
            any.should = terms
            try check(index, .bool(all), "seed \(seed) all \(i)")
            try check(index, .bool(any), "seed \(seed) any \(i)")
            try check(index, terms[0], "seed \(seed) term \(i)")
        }
    }
}
