import Search
import Testing

@Suite("Folding of bool plans")
struct BoolPlanTests {
    private let a = Plan.all(score: 1), dead = Plan.none(reason: "nothing")
    private func set(_ name: String) -> Plan { .set(SetPlan(description: name, estimate: { _ in 0 }) { view in .init(count: view.docCount) }, score: 0) }

    private func text(_ scored: Bool = true, _ change: (inout BoolPlan) -> Void) -> String {
        var plan = BoolPlan()
        change(&plan)
        return plan.simplified(scored: scored).text
    }

    @Test("a single clause stands for itself; a single filter scores 0")
    func single() {
        #expect(text { $0.must = [set("x")] } == "ConstantScore(x)")
        #expect(text { $0.should = [set("x")] } == "ConstantScore(x)")
        #expect(text { $0.filter = [set("x")] } == "ConstantScore(x)")
    }

    @Test("a dead clause kills what requires it and leaves what does not")
    func deadClauses() {
        #expect(text { $0.must = [set("x"), dead] }.hasPrefix("MatchNoDocs"))
        #expect(text { $0.filter = [set("x"), dead] }.hasPrefix("MatchNoDocs"))
        #expect(text { $0.should = [set("x"), dead] } == "ConstantScore(x)")
        #expect(text { $0.must = [set("x")]; $0.mustNot = [dead] } == "ConstantScore(x)")
        #expect(text { $0.must = [set("x")]; $0.mustNot = [a] }.hasPrefix("MatchNoDocs"))
        #expect(text { $0.should = [set("x"), set("y"), dead]; $0.minimumShouldMatch = 3 }.hasPrefix("MatchNoDocs"))
        #expect(text { $0.should = [dead] }.hasPrefix("MatchNoDocs"))
    }

    @Test("only prohibitions: everything else matches")
    func onlyProhibitions() { #expect(text { $0.mustNot = [set("x")] } == "#*:* -ConstantScore(x)") }

    @Test("as many optional clauses as are needed are required ones")
    func allNeeded() {
        #expect(text { $0.should = [set("x"), set("y")]; $0.minimumShouldMatch = 2 } == "+ConstantScore(x) +ConstantScore(y)")
        #expect(text { $0.should = [set("x"), set("y"), set("z")]; $0.minimumShouldMatch = 2 }.hasSuffix("~2"))
        #expect(text { $0.should = [set("x"), set("y")] } == "ConstantScore(x) ConstantScore(y)")
    }

    @Test("a filter of filters is flat; matching everything asks for nothing")
    func filters() {
        var inner = BoolPlan()
        inner.filter = [set("x"), set("y")]
        inner.mustNot = [set("z")]
        #expect(text { $0.filter = [.bool(inner), a]; $0.must = [set("m")] } == "+ConstantScore(m) #ConstantScore(x) #ConstantScore(y) -ConstantScore(z)")
        #expect(text { $0.filter = [a]; $0.should = [set("x")] } == "ConstantScore(x) #*:*")
    }

    @Test("without scores, optional clauses that are not needed go")
    func unscored() {
        #expect(text(false) { $0.must = [set("x"), set("y")]; $0.should = [set("z")] } == "#ConstantScore(x) #ConstantScore(y)")
    }
}
