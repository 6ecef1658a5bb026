// function_score: a query whose score is changed by functions of a document's values. One table: the name
// of a function -> what reads it.

internal import JSON

enum FunctionScoreParser {
    private static let functions: [(name: String, read: @Sendable (inout Members) throws(QueryError) -> Query.FunctionScore.Function)] = [
        ("field_value_factor", fieldValueFactor),
        ("random_score", random),
        ("gauss", { (m: inout Members) throws(QueryError) in try decay(.gauss, &m) }),
        ("exp", { (m: inout Members) throws(QueryError) in try decay(.exp, &m) }),
        ("linear", { (m: inout Members) throws(QueryError) in try decay(.linear, &m) }),
    ]

    static func parse(_ m: inout Members) throws(QueryError) -> Query.Kind {
        var score = Query.FunctionScore(query: try m.query("query") ?? Query(.matchAll), functions: [])
        let single = try item(&m)
        if let list = m.take("functions") {
            guard single == nil else {
                throw QueryError("parsing_exception", "failed to parse [function_score] query. already found [functions] array, now encountering a single function; "
                    + "put it into the array")
            }
            score.functions = try items(list, m)
        } else if let single { score.functions = [single] }

        score.scoreMode = try m.choice("score_mode", [
            "multiply": .multiply, "sum": .sum, "avg": .avg, "first": .first, "max": .max, "min": .min,
        ]) ?? .multiply
        score.boostMode = try m.choice("boost_mode", [
            "multiply": .multiply, "replace": .replace, "sum": .sum, "avg": .avg, "max": .max, "min": .min,
        ]) ?? .multiply
        score.maxBoost = try m.float("max_boost") ?? .greatestFiniteMagnitude
        score.minScore = try m.float("min_score")
        return .functionScore(score)
    }

    // MARK: -

    private static func items(_ list: JSONValue, _ outer: Members) throws(QueryError) -> [Query.FunctionScore.Item] {
        guard let array = list.array else { throw outer.wrong("functions", list, wanted: "an array of functions") }
        try outer.bounds.check(clauses: array.count)
        var items: [Query.FunctionScore.Item] = []
        for value in array {
            guard let object = value.object else { throw outer.wrong("functions", value, wanted: "an array of objects") }
            var members = Members(object, of: "function_score", style: .query, bounds: outer.bounds)
            let filter = try members.query("filter")
            guard var item = try item(&members) else {
                throw QueryError("parsing_exception", "an entry in functions list is missing a function.")
            }
            item.filter = filter
            try members.finish()
            items.append(item)
        }
        return items
    }

    /// The function among the members, with its weight.
    private static func item(_ m: inout Members) throws(QueryError) -> Query.FunctionScore.Item? {
        let weight = try m.float("weight")
        var found: (name: String, function: Query.FunctionScore.Function)?
        if m.take("script_score") != nil {
            throw QueryError("illegal_argument_exception", "[script_score] scripts are not supported; use field_value_factor, a decay function or weight")
        }
        for (name, read) in functions {
            guard let object = try m.object(name) else { continue }
            if let found {
                throw QueryError("parsing_exception", "failed to parse function_score functions. already found [\(found.name)], now encountering [\(name)].")
            }
            var members = Members(object, of: name, style: .query, bounds: m.bounds)
            found = (name, try read(&members))
            try members.finish()
        }
        if let found { return Query.FunctionScore.Item(filter: nil, function: found.function, weight: weight) }
        return weight.map { Query.FunctionScore.Item(filter: nil, function: .weight, weight: $0) }
    }

    private static func fieldValueFactor(_ m: inout Members) throws(QueryError) -> Query.FunctionScore.Function {
        guard let field = try m.string("field") else { throw m.missing("field") }
        let word = try m.string("modifier")?.lowercased() ?? "none"
        guard let modifier = Query.FunctionScore.Modifier(rawValue: word) else {
            throw QueryError("illegal_argument_exception", "No enum constant for modifier [\(word)]; "
                + "use none, log, log1p, log2p, ln, ln1p, ln2p, square, sqrt or reciprocal")
        }
        return .fieldValueFactor(field: field, factor: try m.double("factor") ?? 1, modifier: modifier, missing: try m.double("missing"))
    }

    private static func random(_ m: inout Members) throws(QueryError) -> Query.FunctionScore.Function {
        var seed: Int64?
        if let value = m.take("seed"), !value.isNull {
            // Text seeds are hashed, so that a session id can be one.
            seed = value.integer ?? Int64(value.scalar ?? "") ?? value.scalar.map { $0.utf8.reduce(0) { $0 &* 31 &+ Int64($1) } }
        }
        return .random(seed: seed, field: try m.string("field"))
    }

    /// `{"gauss": {"price": {"origin": 0, "scale": 10}, "multi_value_mode": "min"}}`
    private static func decay(_ kind: Query.FunctionScore.Decay, _ m: inout Members) throws(QueryError) -> Query.FunctionScore.Function {
        let mode = try m.string("multi_value_mode")?.lowercased() ?? "min"
        guard let (field, value) = m.rest.first, let object = value.object else {
            throw QueryError("parsing_exception", "malformed score function score parameters: [\(m.owner)] needs a field with origin and scale")
        }
        _ = m.take(field)
        var inner = Members(object, of: m.owner, style: .query, bounds: m.bounds)
        let origin = inner.take("origin"), offset = inner.take("offset")
        guard let scale = inner.take("scale"), scale.scalar != nil else {
            throw QueryError("parse_exception", "both [scale] and [origin] must be set for numeric fields.")
        }
        let decay = try inner.double("decay") ?? 0.5
        guard decay > 0, decay < 1 else { throw QueryError("illegal_argument_exception", "decay must be in the range (0..1).") }
        try inner.finish()
        return .decay(kind, field: field, origin: origin, scale: scale, offset: offset, decay: decay, multiValueMode: mode)
    }
}
