// "sort" in all its forms: "price", "price:desc" (URI), {"price": "desc"}, {"price": {"order": ...}}, arrays of them.

internal import JSON

extension SortKey {
    static func parse(_ json: JSONValue, bounds: ParseBounds) throws(QueryError) -> [SortKey] {
        let items = json.array ?? [json]
        try bounds.check(clauses: items.count)
        var keys: [SortKey] = []
        for item in items {
            switch item {
            case .string(let name): keys.append(key(name))
            case .object(let object):
                for (name, options) in object { keys.append(try key(name, options, bounds)) }
            default:
                throw QueryError("illegal_argument_exception", "malformed sort format, within the sort array, an object, or an actual string are allowed")
            }
        }
        return keys
    }

    /// "price" or "price:desc".
    package static func parse(uri text: String) throws(QueryError) -> SortKey {
        guard let colon = text.lastIndex(of: ":") else { return key(text) }
        let name = String(text[..<colon]), word = text[text.index(after: colon)...].lowercased()
        guard word == "asc" || word == "desc" else {
            throw QueryError("illegal_argument_exception", "Unknown SortOrder [\(word)]; write field:asc or field:desc")
        }
        var sorted = key(name)
        sorted.ascending = word == "asc"
        return sorted
    }

    // MARK: -

    private static func key(_ name: String) -> SortKey {
        switch name {
        case "_score": SortKey(.score, ascending: false)
        case "_doc", "_shard_doc": SortKey(.doc, ascending: true)
        default: SortKey(.field(name), ascending: true)
        }
    }

    private static func key(_ name: String, _ options: JSONValue, _ bounds: ParseBounds) throws(QueryError) -> SortKey {
        var sorted = key(name)
        guard let object = options.object else {
            guard let word = options.string?.lowercased(), word == "asc" || word == "desc" else {
                throw QueryError("illegal_argument_exception", "[\(name)] sort order must be asc or desc, not \(options.shown)")
            }
            sorted.ascending = word == "asc"
            return sorted
        }
        if ["_script", "_geo_distance"].contains(name) {
            throw QueryError("illegal_argument_exception", "[\(name)] sorting is not supported; sort by a field")
        }
        var m = Members(object, of: name == "_score" ? "_score" : "field_sort", bounds: bounds)
        if let ascending = try m.choice("order", ["asc": true, "desc": false]) { sorted.ascending = ascending }
        sorted.mode = try m.choice("mode", ["min": Mode.min, "max": .max, "sum": .sum, "avg": .avg, "median": .median])
        sorted.unmappedType = try m.string("unmapped_type")
        sorted.format = try m.string("format")
        switch m.take("missing") {
        case nil, .string("_last"): sorted.missing = .last
        case .string("_first"): sorted.missing = .first
        case .some(let value): sorted.missing = .value(value)
        }
        if m.take("nested", "nested_path", "nested_filter") != nil {
            throw QueryError("illegal_argument_exception", "[nested] sorting is not supported; copy the value to a field of the document")
        }
        FullText.ignore(&m, "numeric_type", "ignore_unmapped", "reverse")
        try m.finish()
        return sorted
    }
}
