// "highlight": options for the request, and fields as an object or as an array of one-member objects.

internal import JSON

extension Highlight {
    init(json: JSONValue, bounds: ParseBounds) throws(QueryError) {
        guard let object = json.object else { throw QueryError("parsing_exception", "[highlight] must be an object, not \(json.shown)") }
        var m = Members(object, of: "highlight", bounds: bounds)
        let listed = m.take("fields")
        let options = try Options(&m)
        try m.finish()
        var fields: [Field] = []
        for value in listed?.array ?? (listed.map { [$0] } ?? []) {
            guard let named = value.object else {
                throw QueryError("parsing_exception", "[highlight] [fields] must be an object, or an array of objects with one field each")
            }
            for (pattern, value) in named {
                guard let object = value.object else { throw m.wrong(pattern, value, wanted: "an object of options, which may be empty") }
                var f = Members(object, of: "highlight_field", bounds: bounds)
                fields.append(Field(pattern: pattern, options: try Options(&f)))
                try f.finish()
            }
        }
        self.init(options: options, fields: fields)
    }
}

extension Highlight.Options {
    fileprivate init(_ m: inout Members) throws(QueryError) {
        self.init()
        type = try m.string("type")
        fragmentSize = try m.integer("fragment_size", from: 0)
        numberOfFragments = try m.integer("number_of_fragments", from: 0)
        noMatchSize = try m.integer("no_match_size", from: 0)
        preTags = try m.strings("pre_tags")
        postTags = try m.strings("post_tags")
        if try m.string("tags_schema") == "styled" {
            preTags = preTags ?? (1...10).map { "<em class=\"hlt\($0)\">" }
            postTags = postTags ?? ["</em>"]
        }
        requireFieldMatch = try m.bool("require_field_match")
        order = try m.string("order")
        encoder = try m.string("encoder")
        boundaryScanner = try m.string("boundary_scanner")
        boundaryScannerLocale = try m.string("boundary_scanner_locale")
        boundaryChars = try m.string("boundary_chars")
        matchedFields = try m.strings("matched_fields")
        query = try m.query("highlight_query")
        maxAnalyzedOffset = try m.integer("max_analyzed_offset", from: 1)
        if let type, !["unified", "plain", "fvh"].contains(type) {
            throw QueryError("illegal_argument_exception", "unknown highlighter type [\(type)]; use unified")
        }
        if preTags != nil, postTags == nil {
            throw QueryError("parsing_exception", "pre_tags are set but post_tags are not set")
        }
        FullText.ignore(&m, "boundary_max_scan", "force_source", "fragmenter", "fragment_offset", "phrase_limit", "options")
    }
}
