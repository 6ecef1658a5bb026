// Elasticsearch's query JSON to `Query`. One table: the name of a query -> the function that reads it.
//
// To add a query: a case of `Query.Kind`, a function beside its kin (FullText.swift, TermLevel.swift,
// Compound.swift, FunctionScore.swift), one line in `table`, one case in Printing/QueryPrinting.swift.
//
// Messages follow Elasticsearch 8 (org.elasticsearch.index.query), which clients' tests compare.

package import JSON

extension Query {
    static let table: [String: QueryParser] = [
        "match_all": .object(MatchAll.all),
        "match_none": .object(MatchAll.none),

        "match": .field(short: "query", FullText.match),
        "match_phrase": .field(short: "query", FullText.matchPhrase),
        "match_phrase_prefix": .field(short: "query", FullText.matchPhrasePrefix),
        "match_bool_prefix": .field(short: "query", FullText.matchBoolPrefix),
        "multi_match": .object(FullText.multiMatch),
        "simple_query_string": .object(FullText.simpleQueryString),
        "query_string": .object(FullText.queryString),

        "term": .field(short: "value", TermLevel.term),
        "terms": .object(TermLevel.terms),
        "range": .field(short: nil, TermLevel.range),
        "prefix": .field(short: "value", TermLevel.prefix),
        "wildcard": .field(short: "value", TermLevel.wildcard),
        "regexp": .field(short: "value", TermLevel.regexp),
        "fuzzy": .field(short: "value", TermLevel.fuzzy),
        "exists": .object(TermLevel.exists),
        "ids": .object(TermLevel.ids),

        "bool": .object(Compound.bool),
        "constant_score": .object(Compound.constantScore),
        "dis_max": .object(Compound.disMax),
        "boosting": .object(Compound.boosting),
        "nested": .object(Compound.nested),
        "function_score": .object(FunctionScoreParser.parse),
    ]

    /// Reads `{"match": {...}}`.
    package init(json: JSONValue, bounds: ParseBounds = ParseBounds()) throws(QueryError) {
        try self.init(json, of: nil, bounds: bounds)
    }

    init(_ json: JSONValue, of parent: String?, bounds: ParseBounds) throws(QueryError) {
        guard let object = json.object else {
            throw QueryError("parsing_exception", "[_na] query malformed, must start with start_object")
        }
        guard let (name, body) = object.members.first else {
            throw QueryError("illegal_argument_exception", "query malformed, empty clause found")
        }
        guard let parser = Query.table[name] else {
            throw QueryError("parsing_exception", "unknown query [\(name)]" + Suggestion.text(for: name, among: Array(Query.table.keys)))
        }
        guard object.count == 1 else {
            throw QueryError("parsing_exception", "[\(name)] malformed query, expected [END_OBJECT] but found [FIELD_NAME]; "
                + "combine several queries with [bool]")
        }
        guard let members = body.object else {
            throw QueryError("parsing_exception", "[\(name)] query malformed, no start_object after query name")
        }
        self = try parser.parse(name, members, bounds)
    }
}

/// How one kind of query is read. `boost` and `_name` are read here, for all of them.
enum QueryParser: Sendable {
    /// `{"bool": {options}}`
    case object(@Sendable (inout Members) throws(QueryError) -> Query.Kind)
    /// `{"match": {"title": {options}}}`, or `{"match": {"title": value}}` with the value standing for `short`.
    case field(short: String?, @Sendable (_ field: String, inout Members) throws(QueryError) -> Query.Kind)

    func parse(_ name: String, _ object: JSONObject, _ bounds: ParseBounds) throws(QueryError) -> Query {
        switch self {
        case .object(let read):
            var members = Members(object, of: name, style: .query, bounds: bounds)
            return try finished(try read(&members), &members)
        case .field(let short, let read):
            return try parseField(name, object, bounds, short, read)
        }
    }

    private func parseField(
        _ name: String, _ object: JSONObject, _ bounds: ParseBounds, _ short: String?,
        _ read: (String, inout Members) throws(QueryError) -> Query.Kind
    ) throws(QueryError) -> Query {
        var outer = Members(object, of: name, style: .query, bounds: bounds)
        let boost = try outer.float("boost"), label = try outer.string("_name")
        let fields = outer.rest
        guard let (field, value) = fields.first else {
            throw QueryError("illegal_argument_exception", "field name is null or empty")
        }
        guard fields.count == 1 else {
            throw QueryError("parsing_exception",
                "[\(name)] query doesn't support multiple fields, found [\(field)] and [\(fields[1].key)]")
        }
        guard !field.isEmpty else { throw QueryError("illegal_argument_exception", "field name is null or empty") }
        var inner = Members(try options(name, field, value, short), of: name, style: .query, bounds: bounds)
        var query = try finished(try read(field, &inner), &inner)
        if let boost { query.boost *= boost }
        query.name = query.name ?? label
        return query
    }

    private func options(_ name: String, _ field: String, _ value: JSONValue, _ short: String?) throws(QueryError) -> JSONObject {
        if let object = value.object { return object }
        if case .array = value {
            throw QueryError("parsing_exception", name == "term"
                ? "[term] query does not support array of values; use [terms]"
                : "[\(name)] unknown token [START_ARRAY] after [\(field)]")
        }
        guard let short else {
            throw QueryError("parsing_exception", "[\(name)] query does not support [\(field)]")
        }
        return JSONObject([(short, value)])
    }

    private func finished(_ kind: Query.Kind, _ members: inout Members) throws(QueryError) -> Query {
        let boost = try members.float("boost") ?? 1, name = try members.string("_name")
        guard boost >= 0 else {
            throw QueryError("illegal_argument_exception",
                "negative [boost] are not allowed in [\(members.owner)], use a value between 0 and 1 to deboost")
        }
        try members.finish()
        return Query(kind, boost: boost, name: name)
    }
}

enum MatchAll {
    static func all(_ m: inout Members) throws(QueryError) -> Query.Kind { .matchAll }
    static func none(_ m: inout Members) throws(QueryError) -> Query.Kind { .matchNone }
}
