// Elasticsearch's aggregation JSON to `Aggregation`. One table: the name of an aggregation -> the function
// that reads it.
//
// To add an aggregation: a case of `Aggregation.Kind`, a function in Buckets.swift or Metrics.swift, one
// line in `table`; what computes it is Search/Aggregations.

package import JSON

extension Aggregation {
    struct Parser: Sendable {
        let read: @Sendable (inout Members) throws(QueryError) -> Kind
        /// Metrics take no sub-aggregations.
        let takesChildren: Bool
    }

    static let table: [String: Parser] = [
        "terms": bucket(Buckets.terms),
        "range": bucket(Buckets.range),
        "date_range": bucket(Buckets.dateRange),
        "histogram": bucket(Buckets.histogram),
        "date_histogram": bucket(Buckets.dateHistogram),
        "global": bucket(Buckets.global),
        "missing": bucket(Buckets.missing),

        "min": metric(Metrics.min),
        "max": metric(Metrics.max),
        "avg": metric(Metrics.avg),
        "sum": metric(Metrics.sum),
        "value_count": metric(Metrics.valueCount),
        "stats": metric(Metrics.stats),
        "extended_stats": metric(Metrics.extendedStats),
        "cardinality": metric(Metrics.cardinality),
        "percentiles": metric(Metrics.percentiles),
        "percentile_ranks": metric(Metrics.percentileRanks),
        "top_hits": metric(Metrics.topHits),
    ]

    /// Their body is no plain object of options: a query, or queries under names.
    static let queryTable: [String: @Sendable (JSONValue, ParseBounds) throws(QueryError) -> Kind] = [
        "filter": Buckets.filter,
        "filters": Buckets.filters,
    ]

    static var names: [String] { Array(table.keys) + Array(queryTable.keys) }

    /// Reads the object under "aggs".
    package static func parse(json: JSONValue, bounds: ParseBounds = ParseBounds()) throws(QueryError) -> [Aggregation] {
        guard let object = json.object else {
            throw QueryError("parsing_exception", "Expected [START_OBJECT] under [aggs], but got a [\(json.tokenName)]")
        }
        let inner = try bounds.deeper()
        try inner.check(clauses: object.count)
        var aggregations: [Aggregation] = []
        for (name, body) in object { aggregations.append(try parse(name, body, inner)) }
        return aggregations
    }

    // MARK: -

    private static func bucket(_ read: @escaping @Sendable (inout Members) throws(QueryError) -> Kind) -> Parser { Parser(read: read, takesChildren: true) }
    private static func metric(_ read: @escaping @Sendable (inout Members) throws(QueryError) -> Kind) -> Parser { Parser(read: read, takesChildren: false) }

    private static func parse(_ name: String, _ body: JSONValue, _ bounds: ParseBounds) throws(QueryError) -> Aggregation {
        guard !name.isEmpty, !name.contains(where: { "[]>".contains($0) }) else {
            throw QueryError("parsing_exception", "Invalid aggregation name [\(name)]. Aggregation names can contain any character except '[', ']', and '>'")
        }
        guard let object = body.object else {
            throw QueryError("parsing_exception", "Aggregation definition for [\(name)] starts with a [\(body.tokenName)], expected a [START_OBJECT].")
        }
        var children: [Aggregation] = [], meta: JSONObject?, found: (type: String, body: JSONValue)?
        for (key, value) in object {
            switch key {
            case "aggs", "aggregations": children = try parse(json: value, bounds: bounds)
            case "meta": meta = value.object
            default:
                if let found { throw QueryError("parsing_exception", "Found two aggregation type definitions in [\(name)]: [\(found.type)] and [\(key)]") }
                found = (key, value)
            }
        }
        guard let found else { throw QueryError("parsing_exception", "Missing definition for aggregation [\(name)]") }
        let kind = try kind(name, found.type, found.body, bounds)
        if !children.isEmpty, table[found.type]?.takesChildren == false {
            throw QueryError("aggregation_initialization_exception",
                "Aggregator [\(name)] of type [\(found.type)] cannot accept sub-aggregations; put them beside it")
        }
        return Aggregation(name: name, kind: kind, children: children, meta: meta)
    }

    private static func kind(_ name: String, _ type: String, _ body: JSONValue, _ bounds: ParseBounds) throws(QueryError) -> Kind {
        if let read = queryTable[type] { return try read(body, bounds) }
        guard let parser = table[type] else {
            guard body.object != nil else {
                throw QueryError("parsing_exception", "Expected [START_OBJECT] under [\(type)], but got a [\(body.tokenName)] in [\(name)]")
            }
            throw QueryError("parsing_exception", "Unknown aggregation type [\(type)]" + Suggestion.text(for: type, among: names))
        }
        guard let options = body.object else {
            throw QueryError("parsing_exception", "Expected [START_OBJECT] under [\(type)], but got a [\(body.tokenName)] in [\(name)]")
        }
        var members = Members(options, of: type, bounds: bounds)
        let kind = try parser.read(&members)
        try members.finish()
        return kind
    }
}
