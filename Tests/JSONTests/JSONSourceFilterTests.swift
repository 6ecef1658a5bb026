// The source filter keeps what Elasticsearch keeps.

import IsothermTesting
import JSON
import Testing

@Suite("Source filter")
struct JSONSourceFilterTests {
    static let document = #"{"id":1,"obj":{"a":1,"b":{"c":2,"d":3}},"arr":[{"x":1,"y":2},{"y":3},4],"a.b":5,"e":{}}"#

    static let cases: [([String], [String], String)] = [
        ([], [], document),
        (["id"], [], #"{"id":1}"#),
        (["obj"], [], #"{"obj":{"a":1,"b":{"c":2,"d":3}}}"#),
        (["obj.*"], [], #"{"obj":{"a":1,"b":{"c":2,"d":3}}}"#),
        (["obj.b.c"], [], #"{"obj":{"b":{"c":2}}}"#),
        (["*.c"], [], #"{"obj":{"b":{"c":2}},"arr":[{},{}]}"#),
        (["arr.x"], [], #"{"arr":[{"x":1},{}]}"#),
        (["arr"], [], #"{"arr":[{"x":1,"y":2},{"y":3},4]}"#),
        (["arr"], ["arr.x"], #"{"arr":[{"y":2},{"y":3},4]}"#),
        ([], ["obj.b"], #"{"id":1,"obj":{"a":1},"arr":[{"x":1,"y":2},{"y":3},4],"a.b":5,"e":{}}"#),
        ([], ["obj.*"], #"{"id":1,"obj":{},"arr":[{"x":1,"y":2},{"y":3},4],"a.b":5,"e":{}}"#),
        (["obj"], ["*.d"], #"{"obj":{"a":1,"b":{"c":2}}}"#),
        (["a.b"], [], #"{"a.b":5}"#),
        (["i*", "e"], [], #"{"id":1,"e":{}}"#),
        (["nothing"], [], "{}"),
        (["id", "obj"], ["id", "obj"], "{}"),
        ([], ["*"], "{}"),
    ]

    @Test("keeps and drops by path", arguments: cases)
    func filters(includes: [String], excludes: [String], expected: String) throws {
        var filter = JSONSourceFilter(includes: includes, excludes: excludes)
        let source = Array(Self.document.utf8)
        for _ in 0..<2 { #expect(String(decoding: try filter.filtered(source.span.bytes), as: UTF8.self) == expected) }
    }

    @Test("flat paths are kept as a matcher over whole strings says", arguments: UInt64(0)..<100)
    func random(seed: UInt64) {
        var rng = Seeded(seed)
        func text(_ alphabet: [String]) -> String { (0..<Int.random(in: 1...6, using: &rng)).map { _ in alphabet.randomElement(using: &rng) ?? "a" }.joined() }
        let includes = (0..<Int.random(in: 1...3, using: &rng)).map { _ in text(["a", "b", "*", "."]) }
        let excludes = (0..<Int.random(in: 0...2, using: &rng)).map { _ in text(["a", "b", "*", "."]) }
        var filter = JSONSourceFilter(includes: includes, excludes: excludes)
        for _ in 0..<50 {
            let path = text(["a", "b", "."])
            func any(_ patterns: [String]) -> Bool { patterns.contains { glob(Array($0.utf8)[...], Array(path.utf8)[...]) || glob(Array(($0 + ".*").utf8)[...], Array(path.utf8)[...]) } }
            #expect(filter.keeps(path) == (any(includes) && !any(excludes)), "\(path) in \(includes) not \(excludes)")
        }
    }

    private func glob(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let c = pattern.first else { return text.isEmpty }
        if c == UInt8(ascii: "*") { return glob(pattern.dropFirst(), text) || (!text.isEmpty && glob(pattern, text.dropFirst())) }
        return text.first == c && glob(pattern.dropFirst(), text.dropFirst())
    }
}
