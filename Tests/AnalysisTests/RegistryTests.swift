import Analysis
import Testing

/// term/position[+positionLength], space separated.
func shown(_ r: AnalyzeResult) -> String {
    r.tokens.map { "\($0.term)/\($0.position)" + ($0.positionLength == 1 ? "" : "+\($0.positionLength)") }.joined(separator: " ")
}

func custom(_ tokenizer: String, _ filters: [AnalysisSetting], _ text: String, characterFilters: [AnalysisSetting] = []) throws -> AnalyzeResult {
    var request = AnalyzeRequest()
    request.tokenizer = .named(tokenizer)
    func part(_ s: AnalysisSetting) -> AnalyzeRequest.Component { if case .string(let name) = s { .named(name) } else { .inline(s) } }
    request.filters = filters.map(part)
    request.characterFilters = characterFilters.map(part)
    return try AnalysisRegistry.builtIn.explain(request, texts: [text])
}

@Suite struct RegistryTests {
    @Test("synonym_graph lays each right side as a path between two nodes, and flatten_graph makes it a row")
    func synonymGraph() throws {
        let rule: AnalysisSetting = .object(["type": .string("synonym_graph"), "synonyms": .list([.string("automatic teller machine,atm,cash point")])])
        let text = "this automatic teller machine is down"
        #expect(shown(try custom("whitespace", [rule], text)) == "this/0 atm/1+4 cash/1 automatic/1+2 point/2+3 teller/3 machine/4 is/5 down/6")
        #expect(shown(try custom("whitespace", [rule, .string("flatten_graph")], text)) == "this/0 atm/1+3 cash/1 automatic/1 point/2+2 teller/2 machine/3 is/4 down/5")
    }

    @Test("synonym keeps the original first and writes longer right sides over what follows")
    func synonym() throws {
        let rule: AnalysisSetting = .object(["type": .string("synonym"), "synonyms": .list([.string("wtf,what the fudge")])])
        #expect(shown(try custom("standard", [.string("lowercase"), rule], "say what the fudge dude")) == "say/0 what/1 wtf/1+3 the/2 fudge/3 dude/4")
        let replace: AnalysisSetting = .object(["type": .string("synonym"), "synonyms": .list([.string("i pod, i-pod => ipod")])])
        #expect(shown(try custom("whitespace", [replace], "my i pod case")) == "my/0 ipod/1 case/2")
    }

    @Test("word_delimiter_graph cuts at case, digits and punctuation and joins as asked")
    func wordDelimiter() throws {
        #expect(shown(try custom("whitespace", [.string("word_delimiter_graph")], "the qu1ck PowerShot O'Neil's")) == "the/0 qu/1 1/2 ck/3 Power/4 Shot/5 O/6 Neil/7")
        let all: AnalysisSetting = .object(["type": .string("word_delimiter_graph"), "catenate_all": .bool(true), "preserve_original": .bool(true)])
        #expect(shown(try custom("keyword", [all], "Wi-Fi-802")) == "WiFi802/0+3 Wi-Fi-802/0+3 Wi/0 Fi/1 802/2")
    }

    @Test("char filters lead offsets back to the original text")
    func offsets() throws {
        let r = try custom("standard", [.string("lowercase")], "<b>Tom</b> &amp; J&eacute;rry <br>x", characterFilters: [.string("html_strip")])
        #expect(r.tokens.map(\.term) == ["tom", "jérry", "x"])
        #expect(r.tokens.map { [$0.start, $0.end] } == [[3, 10], [17, 29], [34, 35]])
        let m = try custom("keyword", [], "jeff quit phish", characterFilters: [.object(["type": .string("mapping"), "mappings": .list([.string("ph => f"), .string("qu => q")])])])
        #expect(m.tokens.map { "\($0.term) \($0.start)-\($0.end)" } == ["jeff qit fish 0-15"])
    }

    @Test("settings make analyzers and normalizers; wrong ones are refused in Elasticsearch's words")
    func settings() throws {
        let settings: AnalysisSetting = .object([
            "analyzer": .object([
                "mine": .object(["tokenizer": .string("cut"), "filter": .list([.string("lowercase"), .string("grams")]), "char_filter": .list([.string("html_strip")])]),
                "german2": .object(["type": .string("german"), "stem_exclusion": .list([.string("tischen")])]),
            ]),
            "tokenizer": .object(["cut": .object(["type": .string("pattern"), "pattern": .string("[^a-z]+"), "flags": .string("CASE_INSENSITIVE")])]),
            "filter": .object(["grams": .object(["type": .string("edge_ngram"), "min_gram": .string("2"), "max_gram": .number(3)])]),
            "normalizer": .object(["folded": .object(["filter": .list([.string("lowercase"), .string("asciifolding")])])]),
        ])
        let registry = try AnalysisRegistry(settings: settings)
        #expect(try terms("mine", "<p>Ab1Cde", registry) == ["ab", "cd", "cde"])
        #expect(try terms("german2", "Tischen Stühlen", registry) == ["tischen", "stuhl"])
        var out: [UInt8] = []
        try #require(registry.normalizer(named: "folded")).normalize(Array("Jérôme".utf8).span, into: &out)
        #expect(String(decoding: out, as: UTF8.self) == "jerome")
        func refused(_ s: AnalysisSetting) -> String? { do { _ = try AnalysisRegistry(settings: s) } catch { return error.reason }; return nil }
        #expect(refused(.object(["analyzer": .object(["a": .object(["tokenizer": .string("standard"), "filter": .list([.string("nope")])])])]))
            == "Custom Analyzer [a] failed to find filter under name [nope]")
        #expect(refused(.object(["normalizer": .object(["n": .object(["filter": .list([.string("stop")])])])])) == "Custom normalizer [n] may not use filter [stop]")
        #expect(refused(.object(["tokenizer": .object(["g": .object(["type": .string("ngram"), "min_gram": .number(1), "max_gram": .number(5)])])]))?.hasPrefix(
            "The difference between max_gram and min_gram in NGram Tokenizer must be less than or equal to: [1] but was [4].") == true)
    }

    @Test("explain shows every stage of a custom chain and counts tokens against the limit")
    func explain() throws {
        var request = AnalyzeRequest()
        request.filters = [.named("lowercase")]
        request.explain = true
        let r = try AnalysisRegistry.builtIn.explain(request, texts: ["ABc"])
        #expect(r.tokenizer?.name == "keyword" && r.tokenizer?.tokens.map(\.term) == ["ABc"] && r.filters.map { $0.tokens.map(\.term) } == [["abc"]])
        request.filters = [.named("word_delimiter")]
        #expect(throws: AnalysisError("Custom normalizer may not use filter [word_delimiter]")) { try AnalysisRegistry.builtIn.explain(request, texts: ["x"]) }
    }

    @Test("no analyzer falls over, whatever bytes come", arguments: ["standard", "english", "icu_analyzer", "thai", "cjk", "german", "pattern", "fingerprint", "hindi", "persian", "turkish", "product"])
    func anyBytes(name: String) throws {
        guard let analyzer = AnalysisRegistry.builtIn.analyzer(named: name) else { return }
        var random = SystemRandomNumberGenerator()
        var tokens = TokenBuffer()
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: Bool.random() ? 0...255 : 0x80...0xFF, using: &random) }
            try analyzer.analyze(bytes.span, into: &tokens)
            for i in 0..<tokens.count {
                #expect(tokens.startOffsets[i] >= 0 && tokens.startOffsets[i] <= tokens.endOffsets[i] && Int(tokens.endOffsets[i]) <= bytes.count)
                #expect(String(validating: tokens.terms[tokens.range(i)], as: UTF8.self) != nil)
            }
        }
    }
}
