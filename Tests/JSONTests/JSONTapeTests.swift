// The tape accepts RFC 8259 and nothing else, agrees with a plain parser, and no bytes make it crash.

import IsothermTesting
import JSON
import Testing

@Suite("JSON tape")
struct JSONTapeTests {
    static let accepted = [
        "{}", "[]", " [ ] ", "null", "true", "false", "0", "-0", "-1", "1e5", "1E-5", "1.5e+3", "0.1", "123456789012345678",
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615", "\"\"", "\"a\"",
        "\"\\u0000\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ude00\"", "\"\\ud83d\\ud83d\\ude00\"", "\"é漢😀\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "[1,2,3]", "{\"a\":1}", "{\"a\":{\"b\":[{},[],\"\"]}}", "{\"\":0}", "{\"a\":1,\"a\":2}",
        "\t\r\n 1 \t\r\n", "[[[[[[]]]]]]", "\"\u{7F}\"", "\"12345678\"", "\"1234567890123456789\\n\"", "1.7976931348623157e308", "5e-324", "1e-400",
    ]
    static let refused = [
        "", " ", "nul", "nulll", "True", "tru", "fals", "falsE", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{\"a\" 1}", "{1:1}", "{\"a\":1]", "01", "-01", "00", "-", "+1", ".5", "1.", "1.e5",
        "1e", "1e+", "1e5.5", "0x10", "NaN", "Infinity", "-Infinity", "1_000", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"",
        "\"\\ud83d\\u12\"", "\"\n\"", "\"\t\"", "\"\u{0}\"", "1 2", "{} {}", "[]]", "//", "/* */1", "[1]//", "\u{FEFF}1", "\u{A0}1", "\u{0B}1",
        "[\"a\"\"b\"]", "{\"a\":1 \"b\":2}", "nullnull", "--1", "1-", "1a", "\"a\"b",
    ]

    @Test("accepts what the RFC accepts", arguments: accepted)
    func accepts(text: String) throws {
        let value = try JSONValue.parse(text)
        #expect(value == naiveParse(Array(text.utf8)))
    }

    @Test("refuses what the RFC refuses", arguments: refused)
    func refuses(text: String) {
        #expect(naiveParse(Array(text.utf8)) == nil)
        #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    }

    @Test("refuses UTF-8 that Unicode's table 3-7 does not have", arguments: [
        [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xF0, 0x8F, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xF0, 0x9F, 0x98],
    ] as [[UInt8]])
    func badUTF8(bytes: [UInt8]) {
        for pad in 0..<9 {
            let text = [0x22] + [UInt8](repeating: 0x61, count: pad) + bytes + [0x22]
            #expect(throws: JSONError.self) { try JSONValue.parse(text) }
        }
    }

    @Test("says where the error is")
    func offsets() {
        #expect(throws: JSONError("Unexpected character 'x' (code 120); a value was expected", at: 6)) { try JSONValue.parse("{\"a\": x}") }
        #expect(throws: JSONError("Unexpected end of text in a container", at: 6)) { try JSONValue.parse("{\"a\":1") }
        #expect(JSONError("", at: 4).position(in: Array("a\nbc\n".utf8).span.bytes) == (2, 3))
    }

    @Test("nests as deep as the limit and no deeper")
    func depth() throws {
        func nested(_ n: Int) -> String { String(repeating: "[", count: n) + String(repeating: "]", count: n) }
        _ = try JSONValue.parse(nested(1_000))
        #expect(throws: JSONError("The text nests deeper than the limit of 1000", at: 1_000)) { try JSONValue.parse(nested(1_001)) }
        #expect(throws: JSONError.self) { try JSONValue.parse(String(repeating: "{\"a\":", count: 1_000_000)) }
        _ = try JSONValue.parse("[1]", limits: JSONLimits(depthMax: 1))
        #expect(throws: JSONError.self) { try JSONValue.parse("[[1]]", limits: JSONLimits(depthMax: 1)) }
    }

    @Test("refuses duplicate keys only when asked, also when one is escaped")
    func duplicates() throws {
        let text = #"{"x":[{"a":1,"\u0061":2}]}"#
        #expect(try JSONValue.parse(text) == ["x": [["a": 2]]])
        #expect(throws: JSONError("Duplicate field 'a'", at: 13)) { try JSONValue.parse(text, limits: JSONLimits(refusesDuplicateKeys: true)) }
    }

    @Test("a number out of a double's range is refused by trees, kept raw on the tape")
    func hugeNumber() throws {
        #expect(throws: JSONError.self) { try JSONValue.parse("1e400") }
        var tape = JSONTape()
        let text = Array("[1e400]".utf8)
        try tape.parse(text.span.bytes)
        #expect(String(copying: tape.raw(1, in: text.span.bytes)) == "1e400")
        #expect(tape.double(1, in: text.span.bytes) == .infinity)
    }

    @Test("walks members without allocation, ranges included")
    func walk() throws {
        let text = Array(#" {"a": [1, "x\n"], "b": null} "#.utf8), bytes = text.span.bytes
        var tape = JSONTape()
        try tape.parse(bytes)
        #expect(tape.nodes.count == 7 && tape.nodes[0].count == 2 && tape.nodes[2].count == 2)
        #expect(tape.next(0) == 7 && tape.next(2) == 5)
        #expect(tape.member("b", of: 0, in: bytes) == 6 && tape.member("c", of: 0, in: bytes) == nil)
        #expect(tape.string(4, in: bytes) == "x\n" && String(copying: tape.raw(2, in: bytes)) == #"[1, "x\n"]"#)
    }

    @Test("agrees with the plain parser on random trees, and reads back what was written", arguments: UInt64(0)..<300)
    func random(seed: UInt64) throws {
        var rng = Seeded(seed)
        let value = randomValue(&rng, depth: 5)
        for pretty in [false, true] {
            let text = value.serialized(pretty: pretty)
            #expect(try JSONValue.parse(text) == value)
            #expect(naiveParse(text) == value)
        }
    }

    @Test("agrees with the plain parser on damaged texts, and never crashes", arguments: UInt64(0)..<300)
    func mutated(seed: UInt64) {
        var rng = Seeded(seed)
        let good = randomValue(&rng, depth: 4).serialized()
        for _ in 0..<60 {
            var text = good
            for _ in 0..<Int.random(in: 1...3, using: &rng) where !text.isEmpty {
                let at = Int.random(in: 0..<text.count, using: &rng)
                switch Int.random(in: 0..<4, using: &rng) {
                case 0: text[at] = UInt8.random(in: 0...255, using: &rng)
                case 1: text.remove(at: at)
                case 2: text.insert(Array("{}[],:\"\\0.eu-tn \n".utf8).randomElement(using: &rng) ?? 0, at: at)
                default: text.removeSubrange(at...)
                }
            }
            let shown = String(decoding: text, as: UTF8.self)
            let expected = naiveParse(text)
            #expect((try? JSONValue.parse(text)) == expected, "\(shown)")
        }
    }

    @Test("lines end at line feeds, carriage returns are not theirs, the last needs none")
    func lines() {
        let text = Array("a\r\n\nbc\n\r\nd".utf8)
        var lines = JSONLines(), found: [String] = []
        while let line = lines.next(in: text.span.bytes) { found.append(String(decoding: text[line], as: UTF8.self)) }
        #expect(found == ["a", "", "bc", "", "d"] && lines.number == 5)
    }
}

func randomValue(_ rng: inout Seeded, depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &rng) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &rng))
    case 2: return .integer(Int64(bitPattern: rng.next() >> UInt64.random(in: 0..<64, using: &rng)))
    case 3: return .number(Double(bitPattern: rng.next() & ~(1 << 62)))
    case 4: return .number((Double(Int.random(in: -9_999...9_999, using: &rng)) + 0.5) / 8)
    case 5: return .string(randomString(&rng))
    case 6: return .array((0..<Int.random(in: 0..<5, using: &rng)).map { _ in randomValue(&rng, depth: depth - 1) })
    default: return .object(JSONObject((0..<Int.random(in: 0..<5, using: &rng)).map { _ in (randomString(&rng), randomValue(&rng, depth: depth - 1)) }))
    }
}

func randomString(_ rng: inout Seeded) -> String {
    let alphabet: [Character] = ["a", "b", " ", "\"", "\\", "/", "\n", "\u{1}", "\u{1F}", "é", "漢", "😀", "\u{7F}", "\u{2028}", "0"]
    return String((0..<Int.random(in: 0..<24, using: &rng)).map { _ in alphabet.randomElement(using: &rng) ?? "a" })
}
