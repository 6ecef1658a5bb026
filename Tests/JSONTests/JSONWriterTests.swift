// The writer escapes what must be, and prints numbers as Java does.

import IsothermTesting
import JSON
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    @Test("doubles print as Java's Double.toString", arguments: [
        (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-1, "-1.0"), (100, "100.0"), (0.1, "0.1"), (0.001, "0.001"), (0.0009, "9.0E-4"), (123.456, "123.456"),
        (9_999_999, "9999999.0"), (1e7, "1.0E7"), (12_345_678, "1.2345678E7"), (1e10, "1.0E10"), (1.5e300, "1.5E300"), (.leastNonzeroMagnitude, "4.9E-324"),
        (1.7976931348623157e308, "1.7976931348623157E308"), (1e21, "1.0E21"), (1e-5, "1.0E-5"), (1.234e-5, "1.234E-5"), (0.0012, "0.0012"),
        (1_234_567.891, "1234567.891"), (1e22, "1.0E22"), (9007199254740992, "9.007199254740992E15"), (2.2250738585072014e-308, "2.2250738585072014E-308"),
    ] as [(Double, String)])
    func doubles(value: Double, text: String) {
        // Java prints the smallest double with two digits, 4.9E-324; the shortest is 5.0E-324.
        #expect(JSONNumber.string(value) == (text == "4.9E-324" ? "5.0E-324" : text))
    }

    @Test("floats print as Java's Float.toString")
    func floats() {
        var w = JSONWriter()
        w.array { w in for f: Float in [1.3862944, 0.1, 1e7, 3.4028235e38, 12.5] { w.number(f) } }
        #expect(String(decoding: w.bytes, as: UTF8.self) == "[1.3862944,0.1,1.0E7,3.4028235E38,12.5]")
    }

    @Test("every double reads back as itself", arguments: UInt64(0)..<50)
    func roundTrip(seed: UInt64) throws {
        var rng = Seeded(seed)
        for _ in 0..<200 {
            let value = Double(bitPattern: rng.next())
            guard value.isFinite else { continue }
            let text = JSONNumber.string(value)
            #expect(Double(text) == value)
            #expect(JSONNumber.double(Array(text.utf8).span.bytes) == value)
            let short = (value * 1000).rounded() / 1000
            #expect(JSONNumber.double(Array(short.description.utf8).span.bytes) == short)
        }
    }

    @Test("pretty output is laid out as Elasticsearch's")
    func pretty() {
        let value: JSONValue = ["took": 1, "hits": [["_id": "1", "tags": [1, "a"]], [:]], "empty": []]
        #expect(String(decoding: value.serialized(pretty: true), as: UTF8.self) == """
            {
              "took" : 1,
              "hits" : [
                {
                  "_id" : "1",
                  "tags" : [
                    1,
                    "a"
                  ]
                },
                { }
              ],
              "empty" : [ ]
            }
            """)
    }

    @Test("spliced bytes stay as they are, and are laid out anew when pretty")
    func raw() {
        let source = Array(#"{"a":1.50,"b":[1e3]}"#.utf8)
        var w = JSONWriter()
        w.object { w in
            w.member("n", 1)
            w.key("_source")
            w.raw(source.span.bytes)
            w.member("z", true)
        }
        #expect(String(decoding: w.bytes, as: UTF8.self) == #"{"n":1,"_source":{"a":1.50,"b":[1e3]},"z":true}"#)
        var p = JSONWriter(pretty: true)
        p.raw(source.span.bytes)
        #expect(String(decoding: p.bytes, as: UTF8.self) == "{\n  \"a\" : 1.50,\n  \"b\" : [\n    1e3\n  ]\n}")
    }
}
