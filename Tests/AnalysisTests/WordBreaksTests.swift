import Analysis
import IsothermTesting
import Testing

@Suite struct WordBreaksTests {
    @Test("every case of Unicode's WordBreakTest.txt breaks where it says")
    func unicodeTable() throws {
        guard let path = Corpora.shared("unicode-break-tests/WordBreakTest.txt"), let text = readText(path) else {
            print("../shared/corpora/unicode-break-tests is not here: skipped")
            return
        }
        var cases = 0, failures: [String] = []
        for line in text.split(separator: "\n") {
            let body = line.prefix { $0 != "#" }
            guard body.contains("÷") else { continue }
            cases += 1
            var bytes: [UInt8] = [], expected: [Int] = []
            for field in body.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
                if field == "÷" { expected.append(bytes.count) } else if field != "×", let value = UInt32(field, radix: 16), let scalar = Unicode.Scalar(value) {
                    bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
                }
            }
            var found = [0], at = 0
            while at < bytes.count {
                at = WordBreaks.boundary(bytes.span, at)
                found.append(at)
            }
            if found != expected { failures.append("\(line): \(found)") }
        }
        #expect(cases == 1823)
        #expect(failures.isEmpty, "\(failures.count) of \(cases): \(failures.prefix(5))")
    }

    @Test("the byte-wise way through ASCII gives the tokens, offsets and types of the slow way", arguments: 0..<40)
    func fastEqualsSlow(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let alphabet: [String] = [
            "a", "b", "Z", "1", "2", "@", ":", ".", "'", "_", "-", ",", ";", " ", "\n", "\"", "#", "*", "é", "ß", "\u{301}", "\u{AD}", "\u{200D}", "ש", "'", "日", "ひ",
            "カ", "한", "ไ", "😀", "🏽", "🇩", "🇪", "\u{20E3}", "\u{FE0F}", "\u{B7}", "\u{2019}", "१", "\u{E0067}", "©",
        ]
        // Mostly ASCII, as texts are; some seeds all of it.
        let asciiCount = 18
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                Int.random(in: 0..<10, using: &random) < (seed % 10) ? alphabet.randomElement(using: &random) ?? "a" : alphabet[Int.random(in: 0..<asciiCount, using: &random)]
            }.joined()
            let bytes = Array(text.utf8)
            let limit = seed % 4 == 0 ? Int.random(in: 1...6, using: &random) : 255
            var fast = TokenBuffer(), slow = TokenBuffer()
            try StandardTokenizer(maxTokenLength: limit).tokenize(bytes.span, into: &fast)
            try StandardTokenizer(maxTokenLength: limit, usesFastPath: false).tokenize(bytes.span, into: &slow)
            #expect(fast.terms == slow.terms && fast.termEnds == slow.termEnds && fast.startOffsets == slow.startOffsets && fast.endOffsets == slow.endOffsets
                && fast.types == slow.types && fast.positions == slow.positions && fast.positionCount == slow.positionCount, "seed \(seed) limit \(limit): \(text.debugDescription)")
        }
    }
}
