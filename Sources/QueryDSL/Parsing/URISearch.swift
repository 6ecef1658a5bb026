// The parameters of a search that stand in its address: ?q=, ?size=, ?sort= and the rest. They lie over
// what the body said.

package import JSON

extension SearchRequest {
    /// `parameters` decoded already; names that are none of a search's are the caller's to refuse.
    package mutating func apply(uri parameters: [String: String], bounds: ParseBounds = ParseBounds()) throws(QueryError) {
        if let query = try Query(uri: parameters, bounds: bounds) { self.query = query }
        for name in ["from", "size", "terminate_after", "track_total_hits", "timeout", "explain", "version", "seq_no_primary_term", "track_scores", "min_score", "profile"] {
            guard let text = parameters[name] else { continue }
            try SearchRequest.table[name]?(.string(text.isEmpty ? "true" : text), &self, bounds)
        }
        if let text = parameters["sort"] {
            sort = []
            for item in text.split(separator: ",") { sort.append(try SortKey.parse(uri: String(item))) }
        }
        if let filter = SourceFilter(uri: parameters) { source = filter }
        if let text = parameters["stored_fields"] { try SearchRequest.table["stored_fields"]?(.array(names(text).map(JSONValue.string)), &self, bounds) }
        if let text = parameters["docvalue_fields"] { docvalueFields = names(text).map { FieldAndFormat(field: $0) } }
        if let text = parameters["typed_keys"] { typedKeys = text != "false" }
    }

    private func names(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }
}

extension Query {
    /// The query of `q`, with df, default_operator, analyzer and lenient; nil without `q`.
    package init?(uri parameters: [String: String], bounds: ParseBounds = ParseBounds()) throws(QueryError) {
        guard let text = parameters["q"] else { return nil }
        var syntax = LuceneSyntax()
        if let field = parameters["df"] { syntax.fields = [(field, 1)] }
        if let word = parameters["default_operator"]?.lowercased() {
            guard let op: Query.Operator = ["or": .or, "and": .and][word] else {
                throw QueryError("illegal_argument_exception", "Unsupported defaultOperator [\(word)], can either be [OR] or [AND]")
            }
            syntax.defaultOperator = op
        }
        syntax.analyzer = parameters["analyzer"]
        syntax.lenient = parameters["lenient"].map { $0 != "false" } ?? false
        self = try syntax.parse(text, bounds: bounds)
    }
}

extension SourceFilter {
    /// `_source`, `_source_includes`, `_source_excludes`; nil when none is there.
    package init?(uri parameters: [String: String]) {
        func patterns(_ names: String...) -> [String]? {
            names.lazy.compactMap { parameters[$0] }.first.map { $0.split(separator: ",").map(String.init) }
        }
        var includes = patterns("_source_includes", "_source_include")
        let excludes = patterns("_source_excludes", "_source_exclude")
        switch parameters["_source"] {
        case "false": self = .none
        case "true", "":
            self = includes == nil && excludes == nil ? .all : .fields(includes: includes ?? [], excludes: excludes ?? [])
        case let text:
            if let text { includes = text.split(separator: ",").map(String.init) }
            guard includes != nil || excludes != nil else { return nil }
            self = .fields(includes: includes ?? [], excludes: excludes ?? [])
        }
    }
}
