import Foundation
import IsothermTesting
import QueryDSL
import Search
import Testing

@Suite("Patterns over terms")
struct TermPatternTests {
    @Test("a wildcard matches as the plain recursive definition does", arguments: UInt64(0)..<60)
    func wildcard(seed: UInt64) throws {
        var random = Seeded(seed)
        let alphabet: [Character] = ["a", "b", "é", "漢"]
        func word(_ extra: [Character], _ most: Int) -> String {
            String((0..<Int.random(in: 0...most, using: &random)).map { _ in (alphabet + extra).randomElement(using: &random) ?? "a" })
        }
        let pattern = word(["*", "?"], 6), automaton = try TermPattern.wildcard(pattern)
        for _ in 0..<80 {
            let text = word([], 7)
            #expect(automaton.matches(text.utf8) == naive(Array(pattern)[...], Array(text)[...]), "\(pattern) on \(text)")
        }
    }

    private func naive(_ p: ArraySlice<Character>, _ t: ArraySlice<Character>) -> Bool {
        guard let first = p.first else { return t.isEmpty }
        if first == "*" { return naive(p.dropFirst(), t) || (!t.isEmpty && naive(p, t.dropFirst())) }
        guard let c = t.first else { return false }
        return (first == "?" || first == c) && naive(p.dropFirst(), t.dropFirst())
    }

    @Test("a regular expression matches as Foundation's does", arguments: UInt64(0)..<60)
    func regexp(seed: UInt64) throws {
        var random = Seeded(seed)
        func pattern(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 3 ? 3 : 9), using: &random) {
            case 0: return "a"
            case 1: return "b"
            case 2: return "ä"
            case 3: return "[a-cä]"
            case 4: return "[^a]"
            case 5: return "(" + pattern(depth + 1) + "|" + pattern(depth + 1) + ")"
            case 6: return "(" + pattern(depth + 1) + ")" + (["*", "+", "?", "{2}", "{1,2}", "{1,}"].randomElement(using: &random) ?? "*")
            default: return pattern(depth + 1) + pattern(depth + 1)
            }
        }
        let text = pattern(0), automaton = try TermPattern.regexp(text)
        let oracle = try NSRegularExpression(pattern: "^(?:" + text + ")$", options: [.dotMatchesLineSeparators])
        for _ in 0..<60 {
            let word = String((0..<Int.random(in: 0...6, using: &random)).map { _ in (["a", "b", "c", "ä"] as [Character]).randomElement(using: &random) ?? "a" })
            let expected = oracle.firstMatch(in: word, range: NSRange(location: 0, length: (word as NSString).length)) != nil
            #expect(automaton.matches(word.utf8) == expected, "\(text) on \(word)")
        }
    }

    @Test("case_insensitive takes both cases, of letters beyond ASCII too")
    func anyCase() throws {
        #expect(try TermPattern.wildcard("ÄB*", ignoresCase: true).matches("äbc".utf8))
        #expect(try TermPattern.regexp("[a-c]X+", ignoresCase: true).matches("Bxx".utf8))
        #expect(try !TermPattern.wildcard("ÄB*").matches("äbc".utf8))
        #expect(try TermPattern.prefix("Ps", ignoresCase: true).matches("pS5".utf8))
    }

    @Test("a backslash takes an operator literally")
    func escapes() throws {
        #expect(try TermPattern.wildcard("a\\*b").matches("a*b".utf8))
        #expect(try !TermPattern.wildcard("a\\*b").matches("axb".utf8))
        #expect(try TermPattern.regexp("a\\.b\\d").matches("a.b7".utf8))
        #expect(try TermPattern.regexp("\"a.b\"c").matches("a.bc".utf8))
    }

    @Test("bounds hold against patterns made to explode", arguments: [
        "(((((((((a{1000}){1000}){1000})))))))", String(repeating: "(", count: 60) + "a" + String(repeating: ")", count: 60), "a{5000}", "(", "[", "[b-a]", "a)", "*a", "a{", "~a",
        String(repeating: "x", count: 2000),
    ])
    func refuses(pattern: String) { #expect(throws: QueryError.self) { try TermPattern.regexp(pattern) } }

    @Test("a pattern with exponentially many states stays within the bound and answers")
    func manyStates() throws {
        let automaton = try TermPattern.regexp("(a|b)*a(a|b){14}")
        var random = Seeded(7)
        var run = ByteAutomaton.Run(automaton)
        for _ in 0..<300 {
            let text = (0..<40).map { _ in Bool.random(using: &random) ? UInt8(ascii: "a") : UInt8(ascii: "b") }
            #expect((run.verdict(text) == .match) == (text[text.count - 15] == UInt8(ascii: "a")))
        }
    }
}
