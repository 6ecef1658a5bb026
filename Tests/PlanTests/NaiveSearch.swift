// The scoring of queries by the formulas, with arrays and loops: what plans and scorers have to equal.

import Foundation
import IsothermTesting
import JSON
import QueryDSL
import Search
import Segments

struct NaiveSearch {
    let docs: [TestDocument]
    private let tokens: [String: [[String]]]

    init(_ index: TestIndex) {
        docs = index.documents.flatMap { $0 }
        var tokens: [String: [[String]]] = [:]
        for field in ["title", "description"] {
            tokens[field] = docs.map { doc in
                ((field == "title" ? doc.title : doc.description) ?? "").split(separator: " ").map(String.init)
            }
        }
        tokens["brand"] = docs.map { Array(Set($0.brand)) }
        self.tokens = tokens
    }

    /// Live matches and their scores, best first; ties in order.
    func search(_ query: Query) -> [(id: String, score: Float)] {
        let scored = docs.indices.compactMap { i in docs[i].isDeleted ? nil : score(query, i).map { (i, $0) } }
        return scored.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.map { (docs[$0.0].id, $0.1) }
    }

    func score(_ query: Query, _ doc: Int) -> Float? { score(query, doc, 1) }

    // MARK: -

    private func score(_ q: Query, _ doc: Int, _ outer: Float) -> Float? {
        let boost = outer * q.boost
        switch q.kind {
        case .matchAll: return boost
        case .matchNone: return nil
        case .term(let field, let value, _):
            if field == "stock" { return docs[doc].stock.contains(Int(value.integer ?? -1)) ? boost : nil }
            return term(field, value.string ?? "", doc, boost)
        case .terms(let field, let values): return values.contains { (tokens[field]?[doc] ?? []).contains($0.string ?? "") } ? boost : nil
        case .match(let m):
            let words = (m.text.string ?? "").split(separator: " ").map(String.init)
            let parts = words.map { term(m.field, $0, doc, boost) }
            let needed = m.op == .and ? words.count : max(1, m.minimumShouldMatch.flatMap { Int($0) } ?? 1)
            return sum(parts, needed)
        case .matchPhrase(let p): return phrase(p.field, (p.text.string ?? "").split(separator: " ").map(String.init), doc, boost)
        case .range(let r): return range(r, doc) ? boost : nil
        case .prefix(let field, let value, _): return (tokens[field]?[doc] ?? []).contains { $0.hasPrefix(value) } ? boost : nil
        case .exists(let field): return exists(field, doc) ? boost : nil
        case .ids(let ids): return ids.contains(docs[doc].id) ? boost : nil
        case .constantScore(let inner): return score(inner, doc, 1) != nil ? boost : nil
        case .disMax(let parts, let tie):
            let scores = parts.compactMap { score($0, doc, boost) }
            guard let most = scores.max() else { return nil }
            return Float(Double(most) + Double(tie) * (scores.reduce(0) { $0 + Double($1) } - Double(most)))
        case .boosting(let positive, let negative, let factor):
            guard let s = score(positive, doc, boost) else { return nil }
            return score(negative, doc, 1) == nil ? s : s * factor
        case .bool(let b): return bool(b, doc, boost)
        default: return nil
        }
    }

    private func bool(_ b: Query.Bool, _ doc: Int, _ boost: Float) -> Float? {
        if b.must.isEmpty, b.should.isEmpty, b.filter.isEmpty, b.mustNot.isEmpty { return boost }
        if b.mustNot.contains(where: { score($0, doc, 1) != nil }) || b.filter.contains(where: { score($0, doc, 1) == nil }) { return nil }
        var total = 0.0
        for q in b.must {
            guard let s = score(q, doc, boost) else { return nil }
            total += Double(s)
        }
        let optional = b.should.compactMap { score($0, doc, boost) }
        var needed = b.minimumShouldMatch.flatMap { Int($0) } ?? 0
        if b.must.isEmpty, b.filter.isEmpty, !b.should.isEmpty { needed = max(1, needed) }
        if optional.count < needed { return nil }
        return Float(optional.reduce(total) { $0 + Double($1) })
    }

    private func sum(_ parts: [Float?], _ needed: Int) -> Float? {
        let found = parts.compactMap { $0 }
        return found.count >= needed ? Float(found.reduce(0.0) { $0 + Double($1) }) : nil
    }

    private func statistics(_ field: String) -> (docCount: Int, average: Float) {
        let all = (tokens[field] ?? []).filter { !$0.isEmpty }
        return (all.count, all.isEmpty ? 1 : Float(Double(all.reduce(0) { $0 + $1.count }) / Double(all.count)))
    }

    func idf(_ field: String, _ word: String) -> Float {
        let n = Double((tokens[field] ?? []).count { $0.contains(word) }), N = Double(statistics(field).docCount)
        return n == 0 ? 0 : Float(log(1 + (N - n + 0.5) / (n + 0.5)))
    }

    private func bm25(_ field: String, _ doc: Int, _ weight: Float, _ frequency: Int) -> Float {
        let length = field == "brand" ? 1 : tokens[field]?[doc].count ?? 0
        let stored = Float(SmallFloat.decode(SmallFloat.encode(length)))
        let inverse = 1 / (1.2 * ((1 - 0.75) + 0.75 * stored / statistics(field).average)) as Float
        return weight - weight / (1 + Float(frequency) * inverse)
    }

    private func term(_ field: String, _ word: String, _ doc: Int, _ boost: Float) -> Float? {
        let frequency = (tokens[field]?[doc] ?? []).count { $0 == word }
        return frequency == 0 ? nil : bm25(field, doc, boost * idf(field, word), frequency)
    }

    private func phrase(_ field: String, _ words: [String], _ doc: Int, _ boost: Float) -> Float? {
        if words.count == 1 { return term(field, words[0], doc, boost) }
        let text = tokens[field]?[doc] ?? []
        guard text.count >= words.count else { return nil }
        let frequency = (0...(text.count - words.count)).count { Array(text[$0..<($0 + words.count)]) == words }
        let idf = Float(words.reduce(0.0) { $0 + Double(self.idf(field, $1)) })
        return frequency == 0 ? nil : bm25(field, doc, boost * idf, frequency)
    }

    private func exists(_ field: String, _ doc: Int) -> Bool {
        switch field {
        case "price": docs[doc].price != nil
        case "stock": !docs[doc].stock.isEmpty
        case "created": docs[doc].created != nil
        default: !(tokens[field]?[doc] ?? []).isEmpty
        }
    }

    private func range(_ r: Query.Range, _ doc: Int) -> Bool {
        func holds(_ v: Double) -> Bool {
            if let low = r.lower?.number, r.includesLower ? v < low : v <= low { return false }
            if let high = r.upper?.number, r.includesUpper ? v > high : v >= high { return false }
            return true
        }
        switch r.field {
        case "price": return docs[doc].price.map(holds) ?? false
        case "stock": return docs[doc].stock.contains { holds(Double($0)) }
        default: return docs[doc].created.map { holds(Double($0)) } ?? false
        }
    }
}

/// Random query trees over the fields of `TestIndex`.
struct QueryMaker {
    var random: Seeded
    init(_ seed: UInt64) { random = Seeded(seed) }
    private static let words = ["phone", "case", "red", "blue", "usb", "cable", "phones", "charger", "ps5", "pro", "nowhere"]

    mutating func query(_ depth: Int = 0) -> Query {
        let boost: Float = Int.random(in: 0..<4, using: &random) == 0 ? [0.5, 2, 3][Int.random(in: 0..<3, using: &random)] : 1
        return Query(kind(depth), boost: boost)
    }

    private mutating func word() -> String { Self.words.randomElement(using: &random) ?? "red" }
    private mutating func field() -> String { Bool.random(using: &random) ? "title" : "description" }

    private mutating func kind(_ depth: Int) -> Query.Kind {
        switch Int.random(in: 0..<(depth >= 3 ? 11 : 18), using: &random) {
        case 0: return .term(field: field(), value: .string(word()), caseInsensitive: false)
        case 1, 2, 3:
            var m = Query.Match(field: field(), text: .string((0...Int.random(in: 0...3, using: &random)).map { _ in word() }.joined(separator: " ")))
            if Bool.random(using: &random) { m.op = .and } else if Bool.random(using: &random) { m.minimumShouldMatch = "2" }
            if m.text.string?.contains(" ") == false { m.minimumShouldMatch = nil }
            return .match(m)
        case 4: return .matchPhrase(Query.Phrase(field: field(), text: .string(word() + " " + word())))
        case 5:
            var r = Query.Range(field: "price")
            r.lower = .number(Double(Int.random(in: 0...15, using: &random)))
            (r.includesLower, r.upper) = (Bool.random(using: &random), Bool.random(using: &random) ? .integer(18) : nil)
            return .range(r)
        case 6: return .term(field: "brand", value: .string(["acme", "sony", "nobody"].randomElement(using: &random) ?? "acme"), caseInsensitive: false)
        case 7: return .terms(field: "brand", values: ["apple", "anker", "nobody"])
        case 8: return .exists(field: ["price", "title", "brand", "stock", "description"].randomElement(using: &random) ?? "price")
        case 9: return .prefix(field: field(), value: ["ph", "c", "x"].randomElement(using: &random) ?? "c", caseInsensitive: false)
        case 10: return Bool.random(using: &random) ? .matchAll : .term(field: "stock", value: .integer(Int64.random(in: 0...9, using: &random)), caseInsensitive: false)
        case 11: return .constantScore(query(depth + 1))
        case 12: return .disMax([query(depth + 1), query(depth + 1)], tieBreaker: Bool.random(using: &random) ? 0 : 0.3)
        case 13: return .boosting(positive: query(depth + 1), negative: query(depth + 1), negativeBoost: 0.2)
        default:
            var b = Query.Bool()
            for _ in 0..<Int.random(in: 0...2, using: &random) { b.must.append(query(depth + 1)) }
            for _ in 0..<Int.random(in: 0...3, using: &random) { b.should.append(query(depth + 1)) }
            if Bool.random(using: &random) { b.filter.append(query(depth + 1)) }
            if Int.random(in: 0..<3, using: &random) == 0 { b.mustNot.append(query(depth + 1)) }
            if b.should.count > 1, Bool.random(using: &random) { b.minimumShouldMatch = "\(Int.random(in: 1...b.should.count, using: &random))" }
            return .bool(b)
        }
    }
}
