// The query syntax of side-by-side benchmarks: `a b` is a disjunction, `+a +b` a conjunction, `-a` a negation, `"a b"` a phrase,
// `(a b)` a group. Parsed to the same tree that a REST search is parsed to, over the one field `text`.
//
// Words are split at everything but letters and digits and lower-cased, as the index's analyzer does it; a word of several
// parts is a phrase.

internal import JSON
package import QueryDSL
internal import Search

package enum BenchQuery {
    package static let field = "text"

    package static func parse(_ text: String) -> Query {
        var characters = Array(text)[...]
        return group(&characters, depth: 0)
    }

    // MARK: -

    private enum Occur { case must, should, mustNot }
    private static let depthMax = 50

    private static func group(_ rest: inout ArraySlice<Character>, depth: Int) -> Query {
        var bool = Query.Bool()
        var last: (query: Query, occur: Occur)?, count = 0
        while let first = rest.first {
            if first == " " { rest.removeFirst(); continue }
            if first == ")" { break }
            var occur = Occur.should
            if first == "+" || first == "-" {
                occur = first == "+" ? .must : .mustNot
                rest.removeFirst()
            }
            guard let query = clause(&rest, depth: depth) else { break }
            switch occur {
            case .must: bool.must.append(query)
            case .should: bool.should.append(query)
            case .mustNot: bool.mustNot.append(query)
            }
            (last, count) = ((query, occur), count + 1)
        }
        if count == 1, let last, last.occur != .mustNot { return last.query }
        // Negations alone match nothing in this syntax.
        return bool.must.isEmpty && bool.should.isEmpty ? Query(.matchNone) : Query(.bool(bool))
    }

    private static func clause(_ rest: inout ArraySlice<Character>, depth: Int) -> Query? {
        guard let first = rest.first else { return nil }
        if first == "(", depth < depthMax {
            rest.removeFirst()
            let query = group(&rest, depth: depth + 1)
            if rest.first == ")" { rest.removeFirst() }
            return query
        }
        if first == "\"" {
            let words = rest.dropFirst().prefix { $0 != "\"" }
            rest = rest.dropFirst(words.count + 2)
            return terms(String(words))
        }
        let word = rest.prefix { $0 != " " && $0 != ")" }
        rest = rest.dropFirst(word.count)
        return terms(String(word))
    }

    private static func terms(_ text: String) -> Query {
        let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        switch words.count {
        case 0: return Query(.matchNone)
        case 1: return Query(.term(field: field, value: .string(words[0]), caseInsensitive: false))
        default: return Query(.matchPhrase(Query.Phrase(field: field, text: .string(words.joined(separator: " ")))))
        }
    }
}

/// A faceted search: `{"q": "words", "category": "a > b", "price_min": 1, "price_max": 9, "in_stock": true}`.
struct BenchFacets {
    let query: Query

    init(parsing text: String) throws(CommandError) {
        let object: JSONValue
        do { object = try JSONValue.parse(text) } catch { throw CommandError("facets: \(error)") }
        var bool = Query.Bool()
        bool.must = [BenchQuery.parse(object["q"]?.string ?? "")]
        if let category = object["category"]?.string {
            bool.filter.append(Query(.term(field: "category_path", value: .string(category), caseInsensitive: false)))
        }
        var price = Query.Range(field: "price")
        price.lower = object["price_min"] ?? 0.0
        price.upper = object["price_max"] ?? 1e12
        bool.filter.append(Query(.range(price)))
        if object["in_stock"]?.boolean == true { bool.filter.append(Query(.term(field: "in_stock", value: true, caseInsensitive: false))) }
        query = Query(.bool(bool))
    }

    static let aggregations: [Aggregation] = [
        Aggregation(name: "brand", kind: .terms(.init(field: "brand"))),
        Aggregation(name: "category", kind: .terms(.init(field: "category"))),
        Aggregation(name: "price", kind: .histogram(priceBins)),
        Aggregation(name: "rating", kind: .range(.init(field: "rating", ranges: [
            .init(key: nil, from: nil, to: 2.0), .init(key: nil, from: 2.0, to: 3.0), .init(key: nil, from: 3.0, to: 4.0),
            .init(key: nil, from: 4.0, to: 4.5), .init(key: nil, from: 4.5, to: nil),
        ]))),
    ]

    private static let priceBins: Aggregation.Histogram = {
        var histogram = Aggregation.Histogram(field: "price", interval: 50)
        histogram.minDocCount = 1
        return histogram
    }()

    /// The check values of the protocol.
    static func summary(_ results: [AggregationResult]) -> String {
        func counts(_ name: String) -> [Int] {
            guard case .buckets(let found)? = results.first(where: { $0.name == name })?.body else { return [] }
            return found.buckets.map { Int($0.members["doc_count"]?.integer ?? 0) }
        }
        return "brand10=\(counts("brand").reduce(0, +)) cat10=\(counts("category").reduce(0, +)) pricebins=\(counts("price").count { $0 > 0 }) "
            + "rating=[\(counts("rating").map(String.init).joined(separator: ","))]"
    }
}
