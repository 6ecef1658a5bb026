// Queries over exact values: term, terms, range, prefix, wildcard, regexp, fuzzy, exists, ids.

internal import JSON

enum TermLevel {
    static func term(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let value = m.take("value", "term"), !value.isNull else {
            throw QueryError("illegal_argument_exception", "value cannot be null")
        }
        guard value.scalar != nil else {
            throw QueryError("parsing_exception", "[term] query does not support [\(value.tokenName)] as the value of [\(field)]")
        }
        return .term(field: field, value: value, caseInsensitive: try m.bool("case_insensitive") ?? false)
    }

    static func terms(_ m: inout Members) throws(QueryError) -> Query.Kind {
        _ = m.take("boost")
        _ = m.take("_name")
        guard let (field, value) = m.rest.first else {
            throw QueryError("parsing_exception", "[terms] query requires a field name, followed by array of terms or a document lookup specification")
        }
        _ = m.take(field)
        if let (second, _) = m.rest.first {
            throw QueryError("parsing_exception", "[terms] query does not support multiple fields; it has [\(field)] and [\(second)]")
        }
        if value.object != nil {
            throw QueryError("parsing_exception", "[terms] query does not support a terms lookup here; give [\(field)] an array of values")
        }
        guard let values = value.array else {
            throw QueryError("parsing_exception", "[terms] query does not support [\(field)]: its value must be an array of terms")
        }
        for value in values where value.scalar == nil {
            throw QueryError("parsing_exception", value.isNull ? "No value specified for terms query" : "[terms] query: [\(field)] may hold single values only, not \(value.shown)")
        }
        return .terms(field: field, values: values)
    }

    static func range(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        var range = Query.Range(field: field)
        if let lower = m.take("from"), !lower.isNull { range.lower = lower }
        if let upper = m.take("to"), !upper.isNull { range.upper = upper }
        if let flag = try m.bool("include_lower") { range.includesLower = flag }
        if let flag = try m.bool("include_upper") { range.includesUpper = flag }
        for (name, includes) in [("gte", true), ("gt", false)] {
            if let value = m.take(name), !value.isNull { (range.lower, range.includesLower) = (value, includes) }
        }
        for (name, includes) in [("lte", true), ("lt", false)] {
            if let value = m.take(name), !value.isNull { (range.upper, range.includesUpper) = (value, includes) }
        }
        for bound in [range.lower, range.upper] {
            if let bound, bound.scalar == nil { throw m.wrong(field, bound, wanted: "a single value") }
        }
        range.format = try m.string("format")
        range.timeZone = try m.string("time_zone")
        FullText.ignore(&m, "relation")
        return .range(range)
    }

    static func prefix(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        let (value, caseInsensitive) = try text(&m, "value", "prefix")
        return .prefix(field: field, value: value, caseInsensitive: caseInsensitive)
    }

    static func wildcard(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        let (value, caseInsensitive) = try text(&m, "value", "wildcard")
        return .wildcard(field: field, pattern: value, caseInsensitive: caseInsensitive)
    }

    static func regexp(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        let (value, caseInsensitive) = try text(&m, "value", "value")
        FullText.ignore(&m, "flags", "flags_value", "max_determinized_states")
        guard value.utf8.count <= 1000 else {
            throw QueryError("illegal_argument_exception", "The length of regex [\(value.utf8.count)] used in the Regexp Query request has exceeded "
                + "the allowed maximum of [1000]; shorten it")
        }
        return .regexp(field: field, pattern: value, caseInsensitive: caseInsensitive)
    }

    static func fuzzy(_ field: String, _ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let value = try m.string("value", "term") else { throw QueryError("illegal_argument_exception", "query value cannot be null") }
        let fuzziness = try FullText.fuzziness(&m) ?? .auto
        FullText.ignore(&m, "rewrite")
        return .fuzzy(field: field, value: value, fuzziness: fuzziness,
            prefixLength: try m.integer("prefix_length", from: 0, to: 1024) ?? 0,
            maxExpansions: try m.integer("max_expansions", from: 1, to: 1024) ?? 50,
            transpositions: try m.bool("transpositions") ?? true)
    }

    static func exists(_ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let field = try m.string("field"), !field.isEmpty else {
            throw QueryError("parsing_exception", "[exists] must be provided with a [field]")
        }
        return .exists(field: field)
    }

    static func ids(_ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let values = try m.strings("values") else { throw m.missing("values") }
        FullText.ignore(&m, "type")
        return .ids(values)
    }

    // MARK: -

    private static func text(_ m: inout Members, _ name: String, _ other: String) throws(QueryError) -> (String, Bool) {
        guard let value = try m.string(name, other) else { throw QueryError("illegal_argument_exception", "value cannot be null") }
        FullText.ignore(&m, "rewrite")
        return (value, try m.bool("case_insensitive") ?? false)
    }
}
