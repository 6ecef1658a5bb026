// Mappings read, merged and shown as Elasticsearch 8 does, its messages included.

import Analysis
import JSON
import Mappings
import Testing

func mapping(_ text: String, settings: String = "{}") throws -> Mapping {
    let settings = try JSONValue.parse(settings).object ?? JSONObject()
    return try Mapping(JSONValue.parse(text).object ?? JSONObject(), analysis: AnalysisRegistry(indexSettings: settings), limits: MappingLimits(settings: settings))
}

func reason(_ body: () throws -> Void) -> String? {
    do { try body(); return nil } catch { return (error as? MappingError).map { "\($0.type): \($0.reason)" } ?? "\(error)" }
}

@Suite("Mapping")
struct MappingTests {
    @Test("shows what was given and is not the default, sorted")
    func rendering() throws {
        let given = """
            {"dynamic":"strict","_meta":{"v":1},"_routing":{"required":true},"_source":{"excludes":["secret"]},"date_detection":false,
             "properties":{"title":{"type":"text","analyzer":"whitespace","norms":true,"fields":{"raw":{"type":"keyword","ignore_above":100},"en":{"type":"text","analyzer":"english"}}},
              "price":{"type":"scaled_float","scaling_factor":100,"index":"true","coerce":false},"a.b.c":{"type":"long"},"o":{"type":"object"},"off":{"enabled":false},
              "n":{"type":"nested","properties":{"x":{"type":"keyword","doc_values":true}}},"d":{"type":"date","format":"strict_date_optional_time||epoch_millis"},
              "all":{"type":"text"},"k":{"type":"keyword","copy_to":"all","null_value":"none"}}}
            """
        let shown = """
            {"dynamic":"strict","_meta":{"v":1},"_routing":{"required":true},"_source":{"excludes":["secret"]},"date_detection":false,
             "properties":{"a":{"properties":{"b":{"properties":{"c":{"type":"long"}}}}},"all":{"type":"text"},"d":{"type":"date"},
              "k":{"type":"keyword","null_value":"none","copy_to":["all"]},
              "n":{"type":"nested","properties":{"x":{"type":"keyword"}}},"o":{"type":"object"},"off":{"type":"object","enabled":false},
              "price":{"type":"scaled_float","scaling_factor":100.0,"coerce":false},
              "title":{"type":"text","analyzer":"whitespace","fields":{"en":{"type":"text","analyzer":"english"},"raw":{"type":"keyword","ignore_above":100}}}}}
            """
        let m = try mapping(given)
        #expect(JSONValue.object(m.definition) == (try JSONValue.parse(shown)))
        #expect(m.definition["properties"]?.object?.keys == ["a", "all", "d", "k", "n", "o", "off", "price", "title"])
        // What is shown can be given again, to a new index and to this one.
        #expect(try Mapping(m.definition).definition == m.definition)
        #expect(try m.merging(m.definition).definition == m.definition)
        #expect(m.routingRequired && m.source.excludes == ["secret"])
        #expect(Mapping().definition.isEmpty)
    }

    @Test("finds fields by path, pattern and object")
    func lookUps() throws {
        let m = try mapping(#"{"properties":{"a":{"properties":{"x":{"type":"long"},"y":{"type":"text","fields":{"k":{"type":"keyword"}}}}},"b":{"type":"keyword"},"z":{"type":"alias","path":"a.x"},"f":{"type":"flattened"}}}"#)
        #expect(m.field("a.y.k")?.kind == .keyword && m.field("z")?.path == "a.x" && m.field("a") == nil && m.field("q") == nil)
        #expect(m.paths(matching: "*") == ["a.x", "a.y", "a.y.k", "b", "f", "z"] && m.paths(matching: "a.*") == ["a.x", "a.y", "a.y.k"] && m.paths(matching: "b") == ["b"])
        #expect(m.paths(below: "a") == ["a.x", "a.y", "a.y.k"] && m.hasObject("a") && !m.hasObject("b") && m.paths(below: "b").isEmpty)
        #expect(m.field("f.colour.dark")?.kind == .keyword && m.field("f.colour.dark")?.path == "f.colour.dark")
        #expect(Set(m.paths(matching: "*").compactMap { m.field($0)?.number }).count == 5)
        #expect(m.fieldDefinitions(matching: "a.y*")["a.y.k"] == ["full_name": "a.y.k", "mapping": ["k": ["type": "keyword"]]])
    }

    @Test("binds analyzers of the index's settings")
    func analyzers() throws {
        let settings = #"{"index":{"analysis":{"analyzer":{"default":{"type":"whitespace"},"mine":{"tokenizer":"keyword","filter":["lowercase"]}},"normalizer":{"low":{"filter":["lowercase"]}}}},"index.mapping.depth.limit":5}"#
        let m = try mapping(#"{"properties":{"t":{"type":"text"},"m":{"type":"text","analyzer":"mine","search_analyzer":"standard"},"k":{"type":"keyword","normalizer":"low"}}}"#, settings: settings)
        #expect(try m.field("t")?.analyzer?.tokens(of: "A-B c").count == 2)
        #expect(try m.field("m")?.analyzer?.tokens(of: "A-B c").term(0) == "a-b c")
        #expect(try m.field("m")?.searchAnalyzer?.tokens(of: "A-B c").count == 3)
        #expect(m.field("k")?.normalizer != nil && m.analyzer(named: "mine") != nil && m.analyzer(named: "nope") == nil)
        let flat = #"{"index.analysis.analyzer.mine.tokenizer":"keyword","index.analysis.analyzer.mine.filter":["lowercase"]}"#
        #expect(try mapping(#"{"properties":{"m":{"type":"text","analyzer":"mine"}}}"#, settings: flat).field("m")?.analyzer?.tokens(of: "A B").count == 1)
    }

    static let wrong: [(String, String)] = [
        (#"{"properties":{"a":{"type":"text","foo":1}}}"#, "mapper_parsing_exception: Failed to parse mapping: unknown parameter [foo] on mapper [a] of type [text]"),
        (#"{"properties":{"a":{"type":"keyword","analyzer":"standard"}}}"#, "mapper_parsing_exception: Failed to parse mapping: unknown parameter [analyzer] on mapper [a] of type [keyword]"),
        (#"{"properties":{"a":{"type":"tekst"}}}"#, "mapper_parsing_exception: Failed to parse mapping: The mapper type [tekst] declared on field [a] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation."),
        (#"{"properties":{"a":{}}}"#, "mapper_parsing_exception: Failed to parse mapping: No type specified for field [a]"),
        (#"{"properties":{"a":"text"}}"#, "mapper_parsing_exception: Failed to parse mapping: Expected map for property [fields] on field [a] but got a class java.lang.String"),
        (#"{"properties":{"a":{"type":"text","analyzer":"nope"}}}"#, "mapper_parsing_exception: Failed to parse mapping: analyzer [nope] has not been configured in mappings"),
        (#"{"properties":{"a":{"type":"scaled_float"}}}"#, "mapper_parsing_exception: Failed to parse mapping: Field [scaling_factor] is required"),
        (#"{"properties":{"a":{"type":"date","format":"nope nope"}}}"#, "mapper_parsing_exception: Failed to parse mapping: Invalid format: [nope nope]: Unknown pattern letter: o"),
        (#"{"foo":{"a":1}}"#, "mapper_parsing_exception: Failed to parse mapping: Root mapping definition has unsupported parameters:  [foo : {a=1}]"),
        (#"{"properties":{"o":{"type":"object","foo":true}}}"#, "mapper_parsing_exception: Failed to parse mapping: Mapping definition for [o] has unsupported parameters:  [foo : true]"),
        (#"{"properties":{"":{"type":"keyword"}}}"#, "illegal_argument_exception: field name cannot be an empty string"),
        (#"{"properties":{"a":{"type":"text","index":"yes"}}}"#, "mapper_parsing_exception: Failed to parse mapping: Failed to parse value [yes] as only [true] or [false] are allowed."),
        (#"{"properties":{"a":{"type":"alias","path":"b"}}}"#, "mapper_parsing_exception: Invalid [path] value [b] for field alias [a]: an alias must refer to an existing field in the mappings."),
        (#"{"properties":{"a":{"type":"keyword"},"a.b":{"type":"long"}}}"#, "illegal_argument_exception: can't merge a non object mapping [a] with an object mapping"),
        (#"{"dynamic_templates":[{"t":{"mapping":{"type":"keyword"}}}]}"#, "mapper_parsing_exception: Failed to parse mapping: template [t] must have match, path_match or match_mapping_type set"),
        (#"{"dynamic":"maybe"}"#, "mapper_parsing_exception: Failed to parse mapping: Could not convert [dynamic] to boolean: Failed to parse value [maybe] as only [true], [false], [strict] or [runtime] are allowed."),
    ]

    @Test("refuses what is wrong in Elasticsearch's words", arguments: wrong)
    func refuses(text: String, expected: String) { #expect(reason { _ = try mapping(text) } == expected) }

    @Test("names the unsupported types and what to use")
    func unsupported() { #expect(reason { _ = try mapping(#"{"properties":{"a":{"type":"geo_point"}}}"#) }?.contains("[geo_point] declared on field [a] is not supported by Isotherm; use one of [text, keyword,") == true) }

    static let merges: [(String, String, String?)] = [
        (#"{"a":{"type":"text"}}"#, #"{"a":{"type":"keyword"}}"#, "mapper [a] cannot be changed from type [text] to [keyword]"),
        (#"{"a":{"type":"text"}}"#, #"{"a":{"type":"text","analyzer":"whitespace"}}"#, "Mapper for [a] conflicts with existing mapper:\n\tCannot update parameter [analyzer] from [default] to [whitespace]"),
        (#"{"a":{"type":"keyword"}}"#, #"{"a":{"type":"keyword","index":false,"doc_values":false}}"#, "Mapper for [a] conflicts with existing mapper:\n\tCannot update parameter [index] from [true] to [false]\n\tCannot update parameter [doc_values] from [true] to [false]"),
        (#"{"a":{"type":"keyword"}}"#, #"{"a":{"type":"keyword","ignore_above":5}}"#, nil),
        (#"{"a":{"type":"text"}}"#, #"{"a":{"type":"text","norms":false}}"#, nil),
        (#"{"a":{"type":"text","norms":false}}"#, #"{"a":{"type":"text"}}"#, "Mapper for [a] conflicts with existing mapper:\n\tCannot update parameter [norms] from [false] to [true]"),
        (#"{"a":{"type":"text"}}"#, #"{"a":{"properties":{"b":{"type":"long"}}}}"#, "can't merge a non object mapping [a] with an object mapping"),
        (#"{"a":{"properties":{"b":{"type":"long"}}}}"#, #"{"a":{"type":"text"}}"#, "can't merge a non object mapping [a] with an object mapping"),
        (#"{"a":{"type":"nested"}}"#, #"{"a":{"type":"object"}}"#, "cannot change object mapping from nested to non-nested"),
        (#"{"a":{"type":"text","fields":{"k":{"type":"keyword"}}}}"#, #"{"a":{"type":"text","fields":{"k":{"type":"long"}}}}"#, "mapper [a.k] cannot be changed from type [keyword] to [long]"),
        (#"{"a":{"type":"date"}}"#, #"{"a":{"type":"date","format":"yyyy"}}"#, "Mapper for [a] conflicts with existing mapper:\n\tCannot update parameter [format] from [strict_date_optional_time||epoch_millis] to [yyyy]"),
    ]

    @Test("merges what may change, refuses what may not", arguments: merges)
    func merge(before: String, after: String, conflict: String?) throws {
        let m = try mapping("{\"properties\":\(before)}")
        let body = try JSONValue.parse("{\"properties\":\(after)}").object ?? JSONObject()
        let found = reason { _ = try m.merging(body) }
        #expect(found == conflict.map { "illegal_argument_exception: " + $0 })
    }

    @Test("a merge adds fields and multi-fields, keeps numbers and leaves the old mapping alone")
    func mergeAdds() throws {
        let old = try mapping(#"{"properties":{"t":{"type":"text","fields":{"a":{"type":"keyword"}}}}}"#)
        let new = try old.merging(JSONValue.parse(#"{"properties":{"t":{"type":"text","fields":{"b":{"type":"keyword"}}},"o.p":{"type":"long"}}}"#).object ?? [:])
        #expect(new.paths(matching: "*") == ["o.p", "t", "t.a", "t.b"] && old.paths(matching: "*") == ["t", "t.a"])
        #expect(new.field("t")?.number == old.field("t")?.number && new.field("t.a")?.number == old.field("t.a")?.number)
    }

    @Test("bounds fields, depth and names")
    func limits() throws {
        let settings = #"{"index.mapping.total_fields.limit":2,"index.mapping.depth.limit":2,"index.mapping.field_name_length.limit":5}"#
        #expect(reason { _ = try mapping(#"{"properties":{"a":{"type":"long"},"b":{"type":"long"},"c":{"type":"long"}}}"#, settings: settings) } == "illegal_argument_exception: Limit of total fields [2] has been exceeded while adding new fields [1]")
        #expect(reason { _ = try mapping(#"{"properties":{"a.b.c":{"type":"long"}}}"#, settings: settings) }?.contains("Limit of mapping depth [2] has been exceeded") == true)
        #expect(reason { _ = try mapping(#"{"properties":{"abcdef":{"type":"long"}}}"#, settings: settings) }?.contains("Field name [abcdef] is longer than the limit of [5] characters") == true)
        #expect(reason { _ = try mapping("{}", settings: #"{"index.mapping.depth.limit":"x"}"#) } == "illegal_argument_exception: Failed to parse value [x] for setting [index.mapping.depth.limit]")
        let deep = String(repeating: #"{"properties":{"a":"#, count: 30) + #"{"type":"long"}"# + String(repeating: "}}", count: 30)
        #expect(reason { _ = try mapping(deep) }?.contains("Limit of mapping depth [20]") == true)
    }

    @Test("twenty thousand fields are added in a moment, with older copies held")
    func many() throws {
        var m = Mapping()
        var copies: [Mapping] = []
        for k in 0..<20 {
            var properties = JSONObject()
            for i in 0..<1_000 { properties["f\(k * 1_000 + i)"] = ["type": "keyword"] }
            copies.append(m)
            m = try m.merging(["properties": .object(properties)])
        }
        #expect(m.fieldCount == 20_000 && copies[10].fieldCount == 10_000)
    }
}
