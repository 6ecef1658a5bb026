import IsothermTesting
import JSON
import QueryDSL
import Testing

private func parse(_ json: JSONValue) throws(QueryError) -> Query { try Query(json: json) }

private func reason(_ json: JSONValue) -> String {
    do {
        _ = try Query(json: json)
        return "parsed"
    } catch { return error.reason }
}

@Suite("Query parser")
struct QueryParserTests {
    @Test("the short form of a match is the long form with a query")
    func shortForms() throws {
        #expect(try parse(["match": ["title": "red shoe"]]) == parse(["match": ["title": ["query": "red shoe"]]]))
        #expect(try parse(["term": ["brand": "acme"]]) == parse(["term": ["brand": ["value": "acme"]]]))
        #expect(try parse(["prefix": ["brand": "ac"]]) == parse(["prefix": ["brand": ["value": "ac"]]]))
        #expect(try parse(["bool": ["must": ["match_all": [:]]]]) == parse(["bool": ["must": [["match_all": [:]]]]]))
    }

    @Test("options of a match arrive in the tree")
    func matchOptions() throws {
        let query = try parse(["match": ["title": [
            "query": 12, "operator": "AND", "minimum_should_match": 2, "fuzziness": "AUTO:2,5", "boost": "2.5", "_name": "n", "zero_terms_query": "all",
        ]]])
        var match = Query.Match(field: "title", text: 12)
        (match.op, match.minimumShouldMatch, match.fuzziness, match.zeroTerms) = (.and, "2", .auto(low: 2, high: 5), .all)
        #expect(query == Query(.match(match), boost: 2.5, name: "n"))
    }

    @Test("a range takes gt, gte, lt, lte and the old from and to")
    func ranges() throws {
        var range = Query.Range(field: "price")
        (range.lower, range.includesLower, range.upper) = (1, false, 9)
        #expect(try parse(["range": ["price": ["gt": 1, "lte": 9]]]).kind == .range(range))
        #expect(try parse(["range": ["price": ["from": 1, "include_lower": false, "to": 9]]]).kind == .range(range))
        #expect(try parse(["range": ["price": ["gt": 1, "lte": 9, "gte": nil]]]).kind == .range(range))
    }

    @Test("fuzziness is AUTO, AUTO with bounds, or a number of edits, as number or text", arguments: [
        ("AUTO", Query.Fuzziness.auto), ("auto:1,2", .auto(low: 1, high: 2)), (1, .edits(1)), ("2", .edits(2)), (0.0, .edits(0)),
    ] as [(JSONValue, Query.Fuzziness)])
    func fuzziness(value: JSONValue, expected: Query.Fuzziness) throws {
        guard case .match(let match) = try parse(["match": ["a": ["query": "x", "fuzziness": value]]]).kind else { Issue.record("no match"); return }
        #expect(match.fuzziness == expected)
    }

    @Test("fields carry their boosts")
    func fieldBoosts() throws {
        guard case .multiMatch(let query) = try parse(["multi_match": ["query": "x", "fields": ["title^3", "body"], "type": "cross_fields"]]).kind
        else { Issue.record("no multi_match"); return }
        #expect(query.fields.map(\.name) == ["title", "body"] && query.fields.map(\.boost) == [3, 1] && query.style == .crossFields)
    }

    @Test("a function_score has one function, or an array of them with filters")
    func functionScore() throws {
        let one = try parse(["function_score": ["query": ["match_all": [:]], "field_value_factor": ["field": "rating", "modifier": "log1p"], "boost_mode": "sum"]])
        let many = try parse(["function_score": ["functions": [["field_value_factor": ["field": "rating", "modifier": "log1p"]]], "boost_mode": "sum"]])
        #expect(one == many)
        let decay = try parse(["function_score": ["gauss": ["price": ["origin": "10", "scale": "5"]]]])
        guard case .functionScore(let score) = decay.kind, case .decay(.gauss, "price", "10", "5", nil, 0.5, "min") = score.functions[0].function
        else { Issue.record("\(decay)"); return }
    }

    @Test("bad queries are refused in Elasticsearch's words", arguments: [
        (["mtach": ["a": "b"]], "unknown query [mtach] did you mean [match]?"),
        (["match": ["a": ["query": "b", "oprator": "and"]]], "[match] query does not support [oprator] did you mean [operator]?"),
        (["match": ["a": ["query": "b", "foo": 1]]], "[match] query does not support [foo]"),
        (["match": ["a": "b", "c": "d"]], "[match] query doesn't support multiple fields, found [a] and [c]"),
        (["match": "b"], "[match] query malformed, no start_object after query name"),
        ([:], "query malformed, empty clause found"),
        (["match_all": [:], "term": [:]], "[match_all] malformed query, expected [END_OBJECT] but found [FIELD_NAME]; combine several queries with [bool]"),
        (["term": ["a": [1, 2]]], "[term] query does not support array of values; use [terms]"),
        (["terms": ["a": "x"]], "[terms] query does not support [a]: its value must be an array of terms"),
        (["match": ["a": ["query": "x", "slop": "y"]]], "[match] query does not support [slop]"),
        (["match_phrase": ["a": ["query": "x", "slop": "y"]]], "[match_phrase] failed to parse [slop]: it must be a whole number, not [y]"),
        (["match": ["a": ["query": "x", "fuzziness": "3"]]], "Invalid fuzziness value: 3; write 0, 1, 2, AUTO or AUTO:3,6"),
        (["exists": [:]], "[exists] must be provided with a [field]"),
        (["match_all": ["boost": -1]], "negative [boost] are not allowed in [match_all], use a value between 0 and 1 to deboost"),
    ] as [(JSONValue, String)])
    func refusals(json: JSONValue, expected: String) { #expect(reason(json) == expected) }

    @Test("depth and clauses are bounded")
    func bounds() {
        var deep: JSONValue = ["match_all": [:]]
        for _ in 0..<29 { deep = ["bool": ["must": deep]] }
        #expect(reason(deep) == "parsed")
        for _ in 0..<1000 { deep = ["bool": ["must": deep]] }
        #expect(reason(deep).hasPrefix("The nested depth of the query exceeds"))
        #expect(reason(["bool": ["should": .array(Array(repeating: ["match_all": [:]], count: 1025))]]).hasPrefix("maxClauseCount is set to 1024"))
    }

    @Test("what was printed parses to the same tree", arguments: UInt64(0)..<300)
    func printing(seed: UInt64) throws {
        var random = Seeded(seed)
        let query = RandomQuery.make(depth: 3, &random)
        let printed = query.json
        #expect(try Query(json: printed) == query, "\(printed)")
    }

    @Test("a query with any member replaced by any value is refused or parsed, never a crash", arguments: UInt64(0)..<300)
    func damage(seed: UInt64) {
        var random = Seeded(seed)
        let damaged = RandomQuery.damage(RandomQuery.make(depth: 3, &random).json, &random)
        _ = try? Query(json: damaged)
    }
}

enum RandomQuery {
    static func make(depth: Int, _ r: inout Seeded) -> Query {
        Query(kind(depth: depth, &r), boost: r.chance() ? 1 : 2.5, name: r.chance() ? nil : "n\(r.below(9))")
    }

    static func damage(_ json: JSONValue, _ r: inout Seeded) -> JSONValue {
        let wrong: [JSONValue] = [nil, true, 9_223_372_036_854_775_807, -1, 1e300, "", "x", [], [[:]], [:], ["x": ["y": 1]]]
        if r.below(6) == 0 { return wrong[r.below(wrong.count)] }
        switch json {
        case .object(let object): return .object(JSONObject(object.members.map { ($0.key, damage($0.value, &r)) }))
        case .array(let items): return .array(items.map { damage($0, &r) })
        default: return json
        }
    }

    private static func kind(depth: Int, _ r: inout Seeded) -> Query.Kind {
        let field = "f\(r.below(5))"
        switch r.below(depth > 0 ? 18 : 12) {
        case 0: return .matchAll
        case 1:
            var match = Query.Match(field: field, text: "a b")
            if r.chance() { (match.op, match.fuzziness, match.minimumShouldMatch) = (.and, .edits(1), "75%") }
            return .match(match)
        case 2:
            var phrase = Query.Phrase(field: field, text: "a b")
            phrase.slop = r.below(3)
            return .matchPhrase(phrase)
        case 3:
            var query = Query.MultiMatch(fields: [("a", 1), ("b", 2)], text: "x")
            if r.chance() { (query.style, query.tieBreaker) = (.mostFields, 0.5) }
            return .multiMatch(query)
        case 4: return .term(field: field, value: .integer(Int64(r.below(9))), caseInsensitive: false)
        case 5: return .terms(field: field, values: ["a", 2])
        case 6:
            var range = Query.Range(field: field)
            range.lower = .integer(Int64(r.below(9)))
            range.includesLower = r.chance()
            return .range(range)
        case 7: return .prefix(field: field, value: "p", caseInsensitive: r.chance())
        case 8: return .fuzzy(field: field, value: "v", fuzziness: .auto(low: 1, high: 4), prefixLength: r.below(2), maxExpansions: 50, transpositions: r.chance())
        case 9: return .exists(field: field)
        case 10: return .ids(["1", "2"])
        case 11:
            var query = Query.SimpleQueryString(text: "a + b", fields: [("a", 2)])
            query.defaultOperator = .and
            return .simpleQueryString(query)
        case 12: return .constantScore(make(depth: depth - 1, &r))
        case 13: return .disMax([make(depth: depth - 1, &r), make(depth: depth - 1, &r)], tieBreaker: 0.25)
        case 14: return .boosting(positive: make(depth: depth - 1, &r), negative: make(depth: depth - 1, &r), negativeBoost: 0.5)
        case 15: return .nested(path: "n", query: make(depth: depth - 1, &r))
        case 16:
            var score = Query.FunctionScore(query: make(depth: depth - 1, &r), functions: [
                .init(filter: make(depth: depth - 1, &r), function: .weight, weight: 3),
                .init(filter: nil, function: .decay(.exp, field: "x", origin: "now", scale: "10d", offset: nil, decay: 0.25, multiValueMode: "min"), weight: nil),
            ])
            score.scoreMode = .sum
            return .functionScore(score)
        default:
            var bool = Query.Bool()
            for _ in 0..<r.below(3) { bool.must.append(make(depth: depth - 1, &r)) }
            for _ in 0..<r.below(3) { bool.should.append(make(depth: depth - 1, &r)) }
            bool.mustNot = r.chance() ? [] : [make(depth: depth - 1, &r)]
            bool.minimumShouldMatch = r.chance() ? "1" : nil
            return .bool(bool)
        }
    }
}

extension Seeded {
    fileprivate mutating func below(_ n: Int) -> Int { Int.random(in: 0..<n, using: &self) }
    fileprivate mutating func chance() -> Bool { Bool.random(using: &self) }
}
