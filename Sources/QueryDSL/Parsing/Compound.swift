// Queries made of queries: bool, constant_score, dis_max, boosting, nested.

internal import JSON

enum Compound {
    static func bool(_ m: inout Members) throws(QueryError) -> Query.Kind {
        var bool = Query.Bool()
        bool.must = try m.queries("must")
        bool.should = try m.queries("should")
        bool.filter = try m.queries("filter")
        bool.mustNot = try m.queries("must_not", "mustNot")
        bool.minimumShouldMatch = try m.string("minimum_should_match")
        FullText.ignore(&m, "adjust_pure_negative")
        try m.bounds.check(clauses: bool.must.count + bool.should.count + bool.filter.count + bool.mustNot.count)
        return .bool(bool)
    }

    static func constantScore(_ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let filter = try m.query("filter") else {
            throw QueryError("parsing_exception", "[constant_score] requires a 'filter' element")
        }
        return .constantScore(filter)
    }

    static func disMax(_ m: inout Members) throws(QueryError) -> Query.Kind {
        let queries = try m.queries("queries")
        guard !queries.isEmpty else {
            throw QueryError("parsing_exception", "[dis_max] requires 'queries' field with at least one clause")
        }
        try m.bounds.check(clauses: queries.count)
        return .disMax(queries, tieBreaker: try m.float("tie_breaker") ?? 0)
    }

    static func boosting(_ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let positive = try m.query("positive") else {
            throw QueryError("parsing_exception", "[boosting] query requires 'positive' query to be set'")
        }
        guard let negative = try m.query("negative") else {
            throw QueryError("parsing_exception", "[boosting] query requires 'negative' query to be set'")
        }
        guard let factor = try m.float("negative_boost"), factor >= 0 else {
            throw QueryError("parsing_exception", "[boosting] query requires 'negative_boost' to be set to be a positive value'")
        }
        return .boosting(positive: positive, negative: negative, negativeBoost: factor)
    }

    static func nested(_ m: inout Members) throws(QueryError) -> Query.Kind {
        guard let path = try m.string("path") else { throw m.missing("path") }
        guard let query = try m.query("query") else { throw m.missing("query") }
        if m.take("inner_hits") != nil {
            throw QueryError("illegal_argument_exception", "[nested] inner_hits is not supported; take the objects from _source")
        }
        FullText.ignore(&m, "score_mode", "ignore_unmapped")
        return .nested(path: path, query: query)
    }
}
