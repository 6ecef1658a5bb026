import Analysis
import Mappings
import QueryDSL
import Search
import Testing

@Suite struct HighlighterTests {
    private func text(_ path: String = "text") throws -> FieldType {
        FieldType(path: path, kind: .text, indexOptions: .positions, analyzer: try #require(AnalysisRegistry.builtIn.analyzer(named: "standard")))
    }

    private func terms(_ words: String...) -> QueryTerms.Field {
        var f = QueryTerms.Field()
        f.terms = Set(words.map { Array($0.utf8) })
        return f
    }

    private func phrase(_ words: [String], slop: Int = 0) -> QueryTerms.Field {
        var f = QueryTerms.Field()
        f.phrases = [QueryTerms.Phrase(places: words.enumerated().map { ([Array($1.utf8)], $0) }, slop: slop)]
        return f
    }

    private func fragments(_ values: [String], _ terms: QueryTerms.Field, _ change: (inout Highlight.Options) -> Void = { _ in }) throws -> [String] {
        var options = Highlight.Options()
        change(&options)
        return try UnifiedHighlighter().fragments(of: values, field: text(), terms: terms, options: options)
    }

    @Test("matched terms are marked in the sentence that holds them")
    func basic() throws {
        #expect(try fragments(["The quick brown fox is brown."], terms("quick", "brown", "fox")) == ["The <em>quick</em> <em>brown</em> <em>fox</em> is <em>brown</em>."])
        #expect(try fragments(["nothing here"], terms("fox")) == [])
    }

    @Test("a phrase is one mark from its first word to its last, and only where it stands as a phrase")
    func phrases() throws {
        let value = ["A quick fox. The quick brown fox jumps; brown quick."]
        #expect(try fragments(value, phrase(["quick", "brown"])) == ["The <em>quick brown</em> fox jumps; brown quick."])
        #expect(try fragments(value, phrase(["quick", "fox"], slop: 1)) == ["A <em>quick fox</em>. The <em>quick brown fox</em> jumps; brown quick."])
        #expect(try fragments(value, phrase(["quick", "brown"])) { $0.requireFieldMatch = false } == ["The <em>quick</em> <em>brown</em> fox jumps; brown quick."])
    }

    @Test("passages follow sentences up to fragment_size, and the best are kept in order of place or of score")
    func passages() throws {
        let value = ["One fox here. Nothing at all to see in this sentence. A fox and a fox and a fox. More filler follows in this one. Last fox."]
        #expect(try fragments(value, terms("fox")) { $0.fragmentSize = 30 } == ["One <em>fox</em> here.", "A <em>fox</em> and a <em>fox</em> and a <em>fox</em>.", "Last <em>fox</em>."])
        #expect(try fragments(value, terms("fox")) { ($0.fragmentSize, $0.numberOfFragments) = (30, 1) } == ["A <em>fox</em> and a <em>fox</em> and a <em>fox</em>."])
        #expect(try fragments(value, terms("fox")) { ($0.fragmentSize, $0.order) = (30, "score") }.first == "A <em>fox</em> and a <em>fox</em> and a <em>fox</em>.")
    }

    @Test("number_of_fragments 0 gives every value that matches, whole; passages never cross values")
    func values() throws {
        #expect(try fragments(["a fox. b", "none", "c fox"], terms("fox")) { $0.numberOfFragments = 0 } == ["a <em>fox</em>. b", "c <em>fox</em>"])
        #expect(try fragments(["a fox", "fox b"], terms("fox")) == ["a <em>fox</em>", "<em>fox</em> b"])
    }

    @Test("no_match_size shows the opening to the end of a word; html is encoded; tags are the caller's")
    func options() throws {
        #expect(try fragments(["Quick brown foxes jump"], terms("cat")) { $0.noMatchSize = 7 } == ["Quick brown"])
        #expect(try fragments(["<b> fox & co"], terms("fox")) { ($0.encoder, $0.preTags, $0.postTags) = ("html", ["<i>"], ["</i>"]) } == ["&lt;b&gt; <i>fox</i> &amp; co"])
        #expect(try fragments(["naïve 😀 fox"], terms("fox", "naïve")) == ["<em>naïve</em> 😀 <em>fox</em>"])
    }

    @Test("a text past max_analyzed_offset is refused unless the request says where to stop")
    func limit() throws {
        let highlighter = UnifiedHighlighter(analyzedOffsetMax: 10)
        #expect(throws: SearchError.self) { try highlighter.fragments(of: ["The quick brown fox"], field: text(), terms: terms("fox"), options: Highlight.Options()) }
        var options = Highlight.Options()
        options.maxAnalyzedOffset = 10
        #expect(try highlighter.fragments(of: ["The quick brown fox"], field: text(), terms: terms("quick", "fox"), options: options) == ["The <em>quick</em> brown fox"])
    }
}
