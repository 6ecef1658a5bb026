import QueryDSL
import Search
import Testing

@Suite("minimum_should_match")
struct MinimumShouldMatchTests {
    @Test("means what Elasticsearch's reference says", arguments: [
        ("3", 5, 3), ("-1", 5, 4), ("75%", 4, 3), ("75%", 3, 2), ("-25%", 4, 3), ("-25%", 3, 3), ("33%", 3, 0), ("34%", 3, 1), ("100%", 7, 7),
        ("2<75%", 2, 2), ("2<75%", 4, 3), ("2<-25% 9<-3", 1, 1), ("2<-25% 9<-3", 4, 3), ("2<-25% 9<-3", 9, 7), ("2<-25% 9<-3", 12, 9),
        ("3 < 90%", 10, 9), ("3<90%", 3, 3), ("0", 5, 0), ("-9", 5, 0), ("9", 5, 9),
    ])
    func examples(spec: String, clauses: Int, required: Int) throws {
        #expect(try MinimumShouldMatch.required(spec, of: clauses) == required)
    }

    @Test("refuses what is no specification, and says how to write one", arguments: ["", "x", "3<", "<3", "%", "9999999999999999999", "2<x"])
    func refuses(spec: String) {
        #expect(throws: QueryError.self) { try MinimumShouldMatch.required(spec, of: 5) }
    }
}
