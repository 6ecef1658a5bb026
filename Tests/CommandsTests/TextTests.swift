import Commands
import IsothermTesting
import JSON
import QueryDSL
import Testing

@Suite("Texts of the command line")
struct TextTests {
    @Test("numbers have the digits asked for, rounded to nearest")
    func numbers() {
        #expect(fixed(1.23456, 4) == "1.2346")
        #expect(fixed(0, 4) == "0.0000")
        #expect(fixed(-0.00001, 4) == "0.0000")
        #expect(fixed(-1.5, 1) == "-1.5")
        #expect(fixed(0.05, 1) == "0.1")
        #expect(fixed(9.99996, 4) == "10.0000")
        #expect(fixed(12, 0) == "12")
        #expect(fixed(.nan, 2) == "-")
        #expect(grouped(0) == "0" && grouped(19406) == "19,406" && grouped(-1_234_567) == "-1,234,567")
    }

    @Test("fixed agrees with the value it shows", arguments: UInt64(0)..<20)
    func roundTrip(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<200 {
            let value = Double.random(in: -1e6...1e6, using: &random)
            let shown = try #require(Double(fixed(value, 5)))
            #expect(abs(shown - value) <= 0.5000001e-5)
        }
    }

    @Test("addresses are read with and without scheme, port and prefix; https is refused")
    func addresses() throws {
        let plain = try ServerAddress(parsing: "localhost")
        #expect(plain.host == "localhost" && plain.port == 9200 && plain.prefix == "")
        let full = try ServerAddress(parsing: "http://127.0.0.1:8080/search/")
        #expect(full.host == "127.0.0.1" && full.port == 8080 && full.prefix == "/search")
        #expect(try ServerAddress(parsing: "http://[::1]:9").host == "::1")
        for bad in ["", "http://", "https://a", "http://a:0", "http://a:x", "http://user@a"] {
            #expect(throws: CommandError.self, "\(bad)") { try ServerAddress(parsing: bad) }
        }
        #expect(percentEncoded("a b/ü?") == "a%20b%2F%C3%BC%3F")
    }

    @Test("a query cannot break out of its place in the template")
    func template() throws {
        let template = try QueryTemplate(try JSONValue.parse(#"{"query": {"match": {"t": "{{query}}"}}, "x": ["{{query}} {{query}}"]}"#))
        let body = template.body(for: #"3" tv\", "y": 1"#, depth: 7)
        #expect(body["query"]?["match"]?["t"] == .string(#"3" tv\", "y": 1"#))
        #expect(body["size"] == 7 && body["_source"] == false)
        #expect(body["x"]?.array?.first == .string(#"3" tv\", "y": 1 3" tv\", "y": 1"#))
        #expect(throws: CommandError.self) { try QueryTemplate(["query": ["match_all": [:]]]) }
        #expect(throws: CommandError.self) { try QueryTemplate("{{query}}") }
    }

    @Test("the benchmark's query syntax gives the query it means")
    func benchQueries() {
        func term(_ t: String) -> Query { Query(.term(field: "text", value: .string(t), caseInsensitive: false)) }
        func phrase(_ t: String) -> Query { Query(.matchPhrase(.init(field: "text", text: .string(t)))) }
        func bool(must: [Query] = [], should: [Query] = [], not: [Query] = []) -> Query {
            var b = Query.Bool()
            (b.must, b.should, b.mustNot) = (must, should, not)
            return Query(.bool(b))
        }
        #expect(BenchQuery.parse("Kettle") == term("kettle"))
        #expect(BenchQuery.parse("a b") == bool(should: [term("a"), term("b")]))
        #expect(BenchQuery.parse("+a +b -c") == bool(must: [term("a"), term("b")], not: [term("c")]))
        #expect(BenchQuery.parse("\"a b\"") == phrase("a b"))
        #expect(BenchQuery.parse("+\"a b\" c") == bool(must: [phrase("a b")], should: [term("c")]))
        #expect(BenchQuery.parse("ps-5") == phrase("ps 5"))
        #expect(BenchQuery.parse("+(a b) +c") == bool(must: [bool(should: [term("a"), term("b")]), term("c")]))
        #expect(BenchQuery.parse("-a") == Query(.matchNone))
        #expect(BenchQuery.parse("") == Query(.matchNone))
        #expect(BenchQuery.parse(String(repeating: "(", count: 10_000) + "a").kind != .matchAll)
    }

    @Test("ids are found wherever they stand, escaped or numbers too")
    func ids() {
        #expect(BenchMapping.id(of: Array(#"{"id": "p1", "title": "x"}"#.utf8)) == "p1")
        #expect(BenchMapping.id(of: Array(#"{"title": "x", "id": 7}"#.utf8)) == "7")
        #expect(BenchMapping.id(of: Array(#"{"id": "a\"b"}"#.utf8)) == "a\"b")
        #expect(BenchMapping.id(of: Array(#"{"x": {"id": "no"}}"#.utf8)) == nil)
        #expect(BenchMapping.id(of: Array("nonsense".utf8)) == nil)
    }
}
