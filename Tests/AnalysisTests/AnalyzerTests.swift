import Testing
import Analysis

func terms(_ analyzer: String, _ text: String, _ registry: AnalysisRegistry = .builtIn) throws -> [String] {
    let tokens = try #require(registry.analyzer(named: analyzer)).tokens(of: text)
    return (0..<tokens.count).map { tokens.term($0) }
}

@Suite struct AnalyzerTests {
    @Test("english drops stop words and stems as Porter did")
    func english() throws {
        #expect(try terms("english", "The 2 QUICK Brown-Foxes jumped over the lazy dog's bone.") == ["2", "quick", "brown", "fox", "jump", "over", "lazi", "dog", "bone"])
        let tokens = try #require(AnalysisRegistry.builtIn.analyzer(named: "english")).tokens(of: "the fox and the hound")
        #expect(tokens.positions == [1, 4])
        #expect(tokens.positionCount == 5)
    }

    @Test("standard splits e-mail addresses and keeps what joins letters or digits")
    func standard() throws {
        #expect(try terms("standard", "a@b.com O'Neil 3.5mm 1,000 x:y foo_bar _ Wi-Fi") == ["a", "b.com", "o'neil", "3.5mm", "1,000", "x:y", "foo_bar", "wi", "fi"])
    }
}
