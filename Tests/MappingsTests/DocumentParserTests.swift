// Documents become values as Elasticsearch indexes them, fields they bring along are detected by its rules, and no
// bytes make the parser crash.

import IsothermTesting
import JSON
import Mappings
import Testing

/// "path=value" of all values, in order; `adopts` new fields.
func parse(_ text: String, _ mapping: inout Mapping, id: String = "1") throws -> [String] {
    var parser = DocumentParser()
    return try parse(text, &mapping, &parser, id: id)
}

func parse(_ text: String, _ mapping: inout Mapping, _ parser: inout DocumentParser, id: String = "1") throws -> [String] {
    var document = ParsedDocument()
    document.id = id
    let source = Array(text.utf8)
    if let update = try parser.parse(source.span.bytes, with: mapping, into: &document) {
        let stands = try mapping.adopt(update)
        #expect(stands)
    }
    return show(document)
}

func show(_ document: ParsedDocument) -> [String] {
    document.fields.map { field in
        switch field.value {
        case .text(let r): "\(field.type.path)=t:\(String(decoding: document.bytes[r], as: UTF8.self))"
        case .keyword(let r): "\(field.type.path)=k:\(String(decoding: document.bytes[r], as: UTF8.self))"
        case .number(let n):
            switch field.type.kind {
            case .double, .float, .halfFloat: "\(field.type.path)=d:\(SortableDouble.decode(n))"
            default: "\(field.type.path)=n:\(n)"
            }
        }
    }
}

@Suite("Document parser")
struct DocumentParserTests {
    @Test("detects fields by Elasticsearch's rules, and parses by them")
    func detection() throws {
        var m = Mapping()
        let values = try parse(
            #"{"s":"Hello","n":12,"f":1.5,"b":true,"d":"2024-05-01","d2":"2024/05/01 10:30:15","num":"12","o":{"x":"y","e":{}},"a":[null,[],["p","q"]],"nil":null,"none":[],"p.q":1,"dash":"12-34"}"#, &m)
        #expect(values == [
            "s=t:Hello", "s.keyword=k:Hello", "n=n:12", "f=d:1.5", "b=n:1", "d=n:1714521600000", "d2=n:1714559415000", "num=t:12", "num.keyword=k:12",
            "o.x=t:y", "o.x.keyword=k:y", "a=t:p", "a.keyword=k:p", "a=t:q", "a.keyword=k:q", "p.q=n:1", "dash=t:12-34", "dash.keyword=k:12-34",
        ])
        let text = #"{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}"#
        let shown = """
            {"properties":{"s":\(text),"n":{"type":"long"},"f":{"type":"float"},"b":{"type":"boolean"},"d":{"type":"date"},
             "d2":{"type":"date","format":"yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"},"num":\(text),"o":{"properties":{"x":\(text),"e":{"type":"object"}}},"a":\(text),
             "p":{"properties":{"q":{"type":"long"}}},"dash":\(text)}}
            """
        #expect(JSONValue.object(m.definition) == (try JSONValue.parse(shown)))
    }

    @Test("the update's definition replays to the same mapping; a mapping changed meanwhile merges it")
    func updates() throws {
        let base = Mapping()
        var parser = DocumentParser(), document = ParsedDocument()
        let source = Array(#"{"a":{"b":[{"c":1},{"d":"x"}]},"e":"2024"}"#.utf8)
        let update = try #require(try parser.parse(source.span.bytes, with: base, into: &document))
        var adopted = base
        #expect(try adopted.adopt(update))
        #expect(try base.merging(update.definition).definition == adopted.definition)
        var other = try base.merging(["properties": ["z": ["type": "keyword"]]])
        #expect(try other.adopt(update) == false)
        #expect(other.paths(matching: "*") == ["a.b.c", "a.b.d", "a.b.d.keyword", "e", "e.keyword", "z"])
        #expect(try parser.parse(source.span.bytes, with: other, into: &document) == nil)
        #expect(show(document) == ["a.b.c=n:1", "a.b.d=t:x", "a.b.d.keyword=k:x", "e=t:2024", "e.keyword=k:2024"])
        var contrary = try base.merging(["properties": ["e": ["type": "date"]]])
        #expect(reason { _ = try contrary.adopt(update) } == "illegal_argument_exception: mapper [e] cannot be changed from type [date] to [text]")
    }

    @Test("numbers: coerced, truncated, bounded", arguments: [
        ("long", "1.9", "n:1"), ("long", #""7""#, "n:7"), ("long", #"" 7.5 ""#, "n:7"), ("integer", "-2147483648", "n:-2147483648"), ("byte", "-128", "n:-128"),
        ("double", "1e3", "d:1000.0"), ("double", #""0.1""#, "d:0.1"), ("float", "0.1", "d:0.10000000149011612"), ("half_float", "0.1", "d:0.0999755859375"),
        ("half_float", "65504", "d:65504.0"), ("scaled_float", "1.53", "n:153"), ("scaled_float", "-2.1", "n:-210"), ("scaled_float", "0.005", "n:1"),
        ("unsigned_long", "18446744073709551615", "n:9223372036854775807"), ("unsigned_long", "0", "n:-9223372036854775808"), ("boolean", #""true""#, "n:1"),
        ("boolean", "false", "n:0"), ("boolean", #""""#, "n:0"), ("date", "1714521600000", "n:1714521600000"), ("date", "2024", "n:1704067200000"),
        ("date_nanos", #""2024-05-01T00:00:00.123456789Z""#, "n:1714521600123456789"), ("keyword", "1.50", "k:1.50"), ("keyword", "true", "k:true"), ("text", "12", "t:12"),
        ("ip", #""::FFFF:10.0.0.1""#, "k:10.0.0.1"), ("ip", #""2001:DB8:0:0:0:0:0:1""#, "k:2001:db8::1"), ("long", #""""#, ""), ("long", "null", ""), ("long", "[]", ""),
        ("long", "[1,[2,null]]", "n:1 n:2"),
    ])
    func numbers(type: String, value: String, expected: String) throws {
        let factor = type == "scaled_float" ? #","scaling_factor":100"# : ""
        var m = try mapping("{\"properties\":{\"v\":{\"type\":\"\(type)\"\(factor)}}}")
        #expect(try parse("{\"v\":\(value)}", &m) == expected.split(separator: " ").map { "v=\($0)" })
    }

    static let wrongValues: [(String, String, String)] = [
        ("long", #""abc""#, #"For input string: "abc""#), ("long", "9223372036854775808", "Value [9223372036854775808] is out of range for a long"),
        ("integer", "3000000000", "Value [3000000000] is out of range for an integer"), ("short", "40000", "Value [40000] is out of range for a short"),
        ("byte", "128", "Value [128] is out of range for a byte"), ("double", "1e400", "[double] supports only finite values, but got [Infinity]"),
        ("float", "1e39", "[float] supports only finite values, but got [Infinity]"), ("half_float", "70000", "[half_float] supports only finite values, but got [Infinity]"),
        ("double", #""NaN""#, "[double] supports only finite values, but got [NaN]"), ("boolean", #""yes""#, "Failed to parse value [yes] as only [true] or [false] are allowed."),
        ("boolean", "1", "Current token (VALUE_NUMBER_INT) not of boolean type"), ("long", "true", "Current token (VALUE_TRUE) not numeric, can not use numeric value accessors"),
        ("date", #""x""#, "failed to parse date field [x] with format [strict_date_optional_time||epoch_millis]"), ("ip", #""1.2.3""#, "'1.2.3' is not an IP string literal."),
        ("long", #"{"a":1}"#, "Current token (START_OBJECT) not a value"), ("text", #"{"a":1}"#, "Can't get text on a START_OBJECT"), ("unsigned_long", "-1", "Value [-1] is out of range for unsigned long"),
    ]

    @Test("says which field, type and value did not fit, and why", arguments: wrongValues)
    func refuses(type: String, value: String, cause: String) throws {
        var m = try mapping("{\"properties\":{\"v\":{\"type\":\"\(type)\"}}}")
        let shown = value == #"{"a":1}"# ? "{a=1}" : value.replacing("\"", with: "")
        #expect(throws: MappingError("document_parsing_exception", "[1:6] failed to parse field [v] of type [\(type)] in document with id '1'. Preview of field's value: '\(shown)'", causedBy: cause)) {
            try parse("{\"v\":\(value)}", &m)
        }
        var lenient = try mapping("{\"properties\":{\"v\":{\"type\":\"\(type)\"}}}", settings: #"{"index.mapping.ignore_malformed":true}"#)
        var parser = DocumentParser(), document = ParsedDocument()
        let source = Array("{\"v\":[\(value)]}".utf8)
        _ = try parser.parse(source.span.bytes, with: lenient, into: &document)
        #expect(document.fields.isEmpty && document.ignored == ["v"])
        lenient = m
    }

    static let wrongDocuments: [(String, String, String)] = [
        (#"{"dynamic":"strict"}"#, #"{"x":1}"#, "strict_dynamic_mapping_exception: [1:6] mapping set to strict, dynamic introduction of [x] within [_doc] is not allowed"),
        (#"{"properties":{"o":{"type":"object","dynamic":"strict"}}}"#, #"{"o":{"x":[1]}}"#, "strict_dynamic_mapping_exception: [1:11] mapping set to strict, dynamic introduction of [x] within [o] is not allowed"),
        (#"{"properties":{"o":{"type":"object"}}}"#, #"{"o":1}"#, "document_parsing_exception: [1:6] object mapping for [o] tried to parse field [o] as object, but found a concrete value"),
        ("{}", #"{"a":1,"a":2}"#, "document_parsing_exception: [1:8] failed to parse: Duplicate field 'a'"),
        ("{}", #"{"_id":1}"#, "document_parsing_exception: [1:8] Field [_id] is a metadata field and cannot be added inside a document. Use the index API request parameters."),
        ("{}", #"[]"#, "document_parsing_exception: [1:1] failed to parse: a document must be a JSON object"),
        ("{}", #"{"a":"#, "document_parsing_exception: [1:6] failed to parse: Unexpected end of text; a value was expected"),
        ("{}", #"{"":1}"#, "document_parsing_exception: [1:5] failed to parse: field name cannot be an empty string"),
        ("{}", #"{"a.":1}"#, "document_parsing_exception: [1:7] failed to parse: field name starting or ending with a [.] makes object resolution ambiguous: [a.]"),
        ("{}", #"{"a":[1,{"b":2}]}"#, "document_parsing_exception: [1:9] failed to parse field [a] of type [long] in document with id '1'. Preview of field's value: '{b=2}'"),
        ("{}", #"{"a":12345678901234567890}"#, "document_parsing_exception: [1:6] failed to parse field [a] of type [long] in document with id '1'. Preview of field's value: '12345678901234567890'"),
        (#"{"properties":{"a":{"type":"text"}}}"#, #"{"a.b":1}"#, "document_parsing_exception: [1:8] Could not dynamically add mapping for field [a.b]. Existing mapping for [a] must be of type object but found [text]."),
        (#"{"properties":{"a":{"type":"long"},"z":{"type":"alias","path":"a"}}}"#, #"{"z":1}"#, "document_parsing_exception: [1:6] failed to parse field [z] of type [alias] in document with id '1'. Preview of field's value: '1'"),
    ]

    @Test("refuses documents in Elasticsearch's words", arguments: wrongDocuments)
    func refusesDocument(given: String, document: String, expected: String) throws {
        var m = try mapping(given)
        #expect(reason { _ = try parse(document, &m) } == expected)
    }

    @Test("dynamic false and runtime leave unknown fields alone, disabled objects everything below")
    func leftAlone() throws {
        for dynamic in ["false", "runtime"] {
            var m = try mapping("{\"dynamic\":\"\(dynamic)\",\"properties\":{\"k\":{\"type\":\"keyword\"},\"off\":{\"enabled\":false},\"on\":{\"type\":\"object\",\"dynamic\":true}}}")
            #expect(try parse(#"{"x":1,"k":"v","off":{"a":[1,"x",{}]},"on":{"n":1},"x.y":{"z":1},"off.q":7}"#, &m) == ["k=k:v", "on.n=n:1"])
            #expect(m.paths(matching: "*") == ["k", "on.n"])
        }
    }

    @Test("templates come before detection")
    func templates() throws {
        var m = try mapping(#"""
            {"dynamic_templates":[{"ids":{"match":"*_id","match_mapping_type":"string","mapping":{"type":"keyword"}}},
             {"re":{"match_pattern":"regex","match":"^p\\d+$","mapping":{"type":"{dynamic_type}","store":true}}},
             {"path":{"path_match":"attr.*","path_unmatch":"attr.skip","mapping":{"type":"keyword","copy_to":"all","meta":{"n":"{name}"}}}},
             {"objs":{"match":"flat*","match_mapping_type":"object","mapping":{"type":"flattened"}}},
             {"rt":{"match":"rt*","runtime":{}}}],
             "properties":{"all":{"type":"text"}}}
            """#)
        let values = try parse(#"{"user_id":"u","n_id":3,"p1":5,"attr":{"colour":"red","skip":"x"},"flat":{"a":{"b":"c"},"d":[1,2]},"rt1":"no"}"#, &m)
        #expect(values == ["user_id=k:u", "n_id=n:3", "p1=n:5", "attr.colour=k:red", "all=t:red", "attr.skip=t:x", "attr.skip.keyword=k:x", "flat=k:c", "flat.a.b=k:c", "flat=k:1", "flat.d=k:1", "flat=k:2", "flat.d=k:2"])
        #expect(m.definition["properties"]?["attr"]?["properties"]?["colour"] == ["type": "keyword", "meta": ["n": "colour"], "copy_to": ["all"]])
        #expect(m.definition["properties"]?["flat"] == ["type": "flattened"] && m.definition["properties"]?["rt1"] == nil)
        #expect(m.paths(matching: "flat*") == ["flat"])
    }

    @Test("copies, multi-fields, null values, ignore_above, normalizers, constants, aliases")
    func parameters() throws {
        var m = try mapping(#"""
            {"properties":{"brand":{"type":"keyword","normalizer":"low","copy_to":["all","o.new"]},"all":{"type":"text","fields":{"k":{"type":"keyword"}}},"short":{"type":"keyword","ignore_above":3},
             "nul":{"type":"keyword","null_value":"NONE"},"nuln":{"type":"long","null_value":7},"c":{"type":"constant_keyword"},"off":{"type":"text","index":false},"bin":{"type":"binary"}}}
            """#, settings: #"{"analysis":{"normalizer":{"low":{"filter":["lowercase"]}}}}"#)
        var parser = DocumentParser()
        #expect(try parse(#"{"brand":["ACME","B"],"short":["abc","abcd","äöü","😀😀"],"nul":[null,"x"],"nuln":null,"c":"v","off":"x","bin":"AAAA"}"#, &m, &parser) == [
            "brand=k:acme", "all=t:ACME", "all.k=k:ACME", "o.new=t:ACME", "o.new.keyword=k:ACME", "brand=k:b", "all=t:B", "all.k=k:B", "o.new=t:B", "o.new.keyword=k:B",
            "short=k:abc", "short=k:äöü", "nul=k:NONE", "nul=k:x", "nuln=n:7", "c=k:v",
        ])
        #expect(try parse("{}", &m, &parser) == ["c=k:v"])
        #expect(reason { _ = try parse(#"{"c":"w"}"#, &m, &parser) }?.contains("failed to parse field [c] of type [constant_keyword]") == true)
    }

    @Test("keeps the source as it came, or what the mapping says of it")
    func source() throws {
        let text = Array(#"{ "a" : 1.0, "b":2 }"#.utf8)
        var parser = DocumentParser(), document = ParsedDocument()
        for (rule, kept) in [("{}", #"{ "a" : 1.0, "b":2 }"#), (#"{"enabled":false}"#, ""), (#"{"excludes":["b"]}"#, #"{"a":1.0}"#), (#"{"includes":["b"]}"#, #"{"b":2}"#)] {
            let m = try mapping("{\"_source\":\(rule),\"dynamic\":false}")
            _ = try parser.parse(text.span.bytes, with: m, into: &document)
            #expect(String(decoding: document.source, as: UTF8.self) == kept)
        }
    }

    @Test("a parser used for many documents and mappings says what a new one says", arguments: UInt64(0)..<30)
    func reuse(seed: UInt64) throws {
        var rng = Seeded(seed)
        var kept = DocumentParser()
        var mine = Mapping(), fresh = Mapping()
        for _ in 0..<25 {
            let text = randomDocument(&rng)
            let a = Result { try parse(text, &mine, &kept) }
            let b = Result { try parse(text, &fresh) }
            switch (a, b) {
            case (.success(let x), .success(let y)): #expect(x == y, "\(text)")
            case (.failure(let x), .failure(let y)): #expect(x as? MappingError == y as? MappingError, "\(text)")
            default: Issue.record("\(text): \(a) against \(b)")
            }
        }
        #expect(mine.definition == fresh.definition)
    }

    @Test("damaged documents are refused or parsed, never a crash", arguments: UInt64(0)..<30)
    func damage(seed: UInt64) throws {
        var rng = Seeded(seed)
        var parser = DocumentParser(), m = Mapping()
        for _ in 0..<60 {
            var text = Array(randomDocument(&rng).utf8)
            for _ in 0..<Int.random(in: 1...4, using: &rng) where !text.isEmpty {
                let at = Int.random(in: 0..<text.count, using: &rng)
                switch Int.random(in: 0..<3, using: &rng) {
                case 0: text[at] = UInt8.random(in: 0...255, using: &rng)
                case 1: text.remove(at: at)
                default: text.insert(Array("{}[],:\".e-".utf8).randomElement(using: &rng) ?? 0, at: at)
                }
            }
            var document = ParsedDocument()
            if let update = try? parser.parse(text.span.bytes, with: m, into: &document) { _ = try? m.adopt(update) }
            for field in document.fields {
                switch field.value {
                case .text(let r), .keyword(let r): #expect(r.upperBound <= document.bytes.count)
                case .number: break
                }
            }
        }
    }

    @Test("arrays nested without end are refused")
    func deep() throws {
        var m = Mapping()
        for open in ["[", #"{"a":"#] {
            let text = #"{"a":"# + String(repeating: open, count: 900) + "1" + String(repeating: open == "[" ? "]" : "}", count: 900) + "}"
            #expect(reason { _ = try parse(text, &m) } != nil)
        }
    }

    private func randomDocument(_ rng: inout Seeded) -> String {
        func value(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 0 ? 10 : 7), using: &rng) {
            case 0: return "null"
            case 1: return ["true", "false"].randomElement(using: &rng) ?? ""
            case 2: return "\(Int.random(in: -300...300, using: &rng))"
            case 3: return "\(Double(Int.random(in: -300...300, using: &rng)) / 8)"
            case 4: return #""2024-05-01""#
            case 5: return #""text \u00e9""#
            case 6: return #""""#
            case 7: return "[" + (0..<Int.random(in: 0..<4, using: &rng)).map { _ in value(depth - 1) }.joined(separator: ",") + "]"
            default: return object(depth - 1)
            }
        }
        func object(_ depth: Int) -> String {
            let names = ["a", "b", "c", "a.b", "d", "long name", "b.c.d", "\\u0061"]
            return "{" + (0..<Int.random(in: 0..<5, using: &rng)).map { _ in "\"\(names.randomElement(using: &rng) ?? "a")\":\(value(depth))" }.joined(separator: ",") + "}"
        }
        return object(3)
    }
}
