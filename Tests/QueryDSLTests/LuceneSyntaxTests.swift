import JSON
import QueryDSL
import Testing

@Suite("Query strings")
struct LuceneSyntaxTests {
    private func parse(_ q: String, _ more: [String: String] = [:]) throws -> Query? {
        try Query(uri: ["q": q].merging(more) { $1 })
    }

    @Test("a query string is the query it stands for", arguments: [
        ("title:shoe", ["match": ["title": "shoe"]]),
        ("title:\"red shoe\"~2", ["match_phrase": ["title": ["query": "red shoe", "slop": 2]]]),
        ("a:x AND b:y", ["bool": ["must": [["match": ["a": "x"]], ["match": ["b": "y"]]]]]),
        ("a:x OR b:y", ["bool": ["should": [["match": ["a": "x"]], ["match": ["b": "y"]]]]]),
        ("+a:x -b:y c:z", ["bool": ["must": ["match": ["a": "x"]], "must_not": ["match": ["b": "y"]], "should": ["match": ["c": "z"]]]]),
        ("a:x NOT b:y", ["bool": ["should": ["match": ["a": "x"]], "must_not": ["match": ["b": "y"]]]]),
        ("price:[1 TO 9}", ["range": ["price": ["gte": "1", "lt": "9"]]]),
        ("price:>=5", ["range": ["price": ["gte": "5"]]]),
        ("price:[* TO 9]", ["range": ["price": ["lte": "9"]]]),
        ("a:(x OR \"y z\")", ["bool": ["should": [["match": ["a": "x"]], ["match_phrase": ["a": "y z"]]]]]),
        ("a:x y", ["bool": ["should": [["match": ["a": "x"]], ["multi_match": ["query": "y", "lenient": true]]]]]),
        ("a:(x y)", ["match": ["a": "x y"]]),
        ("a:x^2", ["match": ["a": ["query": "x", "boost": 2]]]),
        ("a:sho*", ["prefix": ["a": "sho"]]),
        ("a:s?o*", ["wildcard": ["a": "s?o*"]]),
        ("a:*", ["exists": ["field": "a"]]),
        ("*:*", ["match_all": [:]]),
        ("*", ["match_all": [:]]),
        ("a:shoo~1", ["fuzzy": ["a": ["value": "shoo", "fuzziness": 1]]]),
        ("a\\:b:c", ["match": ["a:b": "c"]]),
    ] as [(String, JSONValue)])
    func forms(text: String, json: JSONValue) throws { #expect(try parse(text) == Query(json: json)) }

    @Test("words without a field are searched together, in df when it is given")
    func bare() throws {
        #expect(try parse("red shoe", ["df": "title", "default_operator": "AND"])
            == Query(json: ["match": ["title": ["query": "red shoe", "operator": "and"]]]))
        #expect(try parse("red shoe") == Query(json: ["multi_match": ["query": "red shoe", "lenient": true]]))
    }

    @Test("broken query strings are refused, never a crash", arguments: ["(a", "a)", "a:", "\"a", "[1 TO", "a:[1 2]", "^", "~", "a:x^", "+", "AND", ":", "\\", "a:\\", "((((", "> 5"])
    func broken(text: String) { _ = try? parse(text) }

    @Test("parameters of the address lie over the body")
    func parameters() throws {
        var request = try SearchRequest(json: ["size": 3, "query": ["match_all": [:]]])
        try request.apply(uri: ["q": "a:x", "from": "2", "sort": "price:desc,_score", "_source_includes": "a,b.*", "track_total_hits": "false", "typed_keys": "true"])
        #expect(request.query == (try Query(json: ["match": ["a": "x"]])))
        #expect((request.size, request.from) == (3, 2))
        #expect(request.sort == [SortKey(.field("price"), ascending: false), SortKey(.score, ascending: false)])
        #expect(request.source == .fields(includes: ["a", "b.*"], excludes: []) && request.trackTotalHits == .none && request.typedKeys)
    }
}
