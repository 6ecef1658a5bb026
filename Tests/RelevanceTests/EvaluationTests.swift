import Relevance
import Testing

@Suite("Evaluations")
struct EvaluationTests {
    let judgments = try! Judgments(parsing: "query,docid,rating\nq1,a,2\nq1,b,1\nq2,a,0\n\"q, 3\",c,1\n")
    let ndcg = Metric(.ndcg, at: 10)

    @Test("queries without a positive grade are left out, or kept as 0")
    func leftOut() {
        var run = Run()
        run.set([.init(document: "a", score: 2), .init(document: "b", score: 1)], for: "q1")
        let evaluation = Evaluation(run, against: judgments, metrics: [ndcg])
        #expect(evaluation.queries == ["q1", "q, 3"])
        #expect(evaluation.leftOutCount == 1 && evaluation.unansweredCount == 1)
        #expect(evaluation.columns[0].values == [1, 0])
        var settings = Evaluation.Settings()
        settings.keepsQueriesWithoutPositive = true
        #expect(Evaluation(run, against: judgments, metrics: [ndcg], settings: settings).columns[0].values == [1, 0, 0])
    }

    @Test("gains replace grades, and may make a grade positive")
    func gains() {
        #expect(judgments.mapped([0: 1]).grade(query: "q2", document: "a") == 1)
        #expect(judgments.mapped([0: 1]).grade(query: "q1", document: "a") == 2)
    }

    @Test("judgments are read from CSV and TREC; a pair judged twice with different grades is an error with its line")
    func reading() throws {
        let trec = try Judgments(parsing: "1 0 d1 3\n1\t0\td2\t-1\r\n\n2 0 d1 0\n")
        #expect(trec.queries == ["1", "2"] && trec.pairCount == 3)
        #expect(trec.grade(query: "1", document: "d2") == -1)
        #expect(try Judgments(parsing: "rating,docid,query\n3,x,tv\n").grade(query: "tv", document: "x") == 3)
        #expect(try Judgments(parsing: "tv,x,3\n").grade(query: "tv", document: "x") == 3)
        #expect(try Judgments(parsing: "query,docid,rating\n\"12\"\" tv\",x,3\n").queries == ["12\" tv"])
        #expect(throws: RelevanceError("the pair was judged before, with another grade", line: 2)) {
            try Judgments(parsing: "1 0 d1 3\n1 0 d1 2\n")
        }
        for bad in ["", "\n", "1 0 d1\n", "1 0 d1 x\n", "a,b\n", "q,d,nan\n", "q,d,\"1\n"] {
            #expect(throws: RelevanceError.self, "\(bad)") { try Judgments(parsing: bad) }
        }
    }

    @Test("queries are read as TSV, CSV and plain lines; a repeated id is an error")
    func queries() throws {
        #expect(try QuerySet(parsing: "1\tred shoes\n2\tblue, hat\n").items.map(\.text) == ["red shoes", "blue, hat"])
        #expect(try QuerySet(parsing: "id,query\n7,\"a, b\"\n").items == [.init(id: "7", text: "a, b")])
        #expect(try QuerySet(parsing: "red shoes\nhat, blue\n").items.map(\.id) == ["red shoes", "hat, blue"])
        #expect(throws: RelevanceError.self) { try QuerySet(parsing: "a\na\n") }
    }

    @Test("a run survives writing and reading, ties and blanks in ids included")
    func runs() throws {
        var run = Run()
        run.set([.init(document: "b 1", score: 1), .init(document: "a%20", score: 1), .init(document: "b 1", score: 0.5)], for: "red shoes")
        run.set([.init(document: "z", score: -0.25)], for: "q\t2")
        #expect(run.hits(of: "red shoes").count == 2)
        #expect(try Run(parsing: run.text(tag: "my engine")) == run)
        #expect(throws: RelevanceError.self) { try Run(parsing: "1 Q0 d 1\n") }
        #expect(throws: RelevanceError.self) { try Run(parsing: "1 Q0 d one 1.0 t\n") }
    }

    @Test("a comparison names the queries that changed most")
    func comparison() throws {
        var good = Run(), bad = Run()
        good.set([.init(document: "a", score: 1)], for: "q1")
        good.set([.init(document: "c", score: 1)], for: "q, 3")
        bad.set([.init(document: "b", score: 1)], for: "q1")
        let a = Evaluation(good, against: judgments, metrics: [ndcg]), b = Evaluation(bad, against: judgments, metrics: [ndcg])
        let comparison = try #require(RunComparison(ndcg, of: a, with: b))
        #expect(comparison.improved == 2 && comparison.worsened == 0)
        #expect(comparison.greatestChanges(1).map(\.query) == ["q, 3"])
        #expect(comparison.permutation.p == 0.5)
        #expect(RunComparison(Metric(.map), of: a, with: b) == nil)
    }
}
