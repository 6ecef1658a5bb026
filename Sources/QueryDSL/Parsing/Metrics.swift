// Aggregations that make one figure, or a few, of the documents of a bucket.

internal import JSON

enum Metrics {
    static func min(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .min(try metric(&m)) }
    static func max(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .max(try metric(&m)) }
    static func avg(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .avg(try metric(&m)) }
    static func sum(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .sum(try metric(&m)) }
    static func valueCount(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .valueCount(try metric(&m)) }
    static func stats(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .stats(try metric(&m)) }

    static func extendedStats(_ m: inout Members) throws(QueryError) -> Aggregation.Kind {
        let sigma = try m.double("sigma") ?? 2
        guard sigma >= 0 else { throw QueryError("illegal_argument_exception", "[sigma] must be greater than or equal to 0. Found [\(sigma)]") }
        return .extendedStats(try metric(&m), sigma: sigma)
    }

    static func cardinality(_ m: inout Members) throws(QueryError) -> Aggregation.Kind {
        let threshold = try m.integer("precision_threshold") ?? 3000
        guard threshold >= 0 else {
            throw QueryError("illegal_argument_exception", "[precisionThreshold] must be greater than or equal to 0. Found [\(threshold)] in [cardinality]")
        }
        FullText.ignore(&m, "execution_hint", "rehash")
        return .cardinality(try metric(&m), precisionThreshold: threshold)
    }

    static func percentiles(_ m: inout Members) throws(QueryError) -> Aggregation.Kind {
        let percents = try numbers("percents", &m) ?? [1, 5, 25, 50, 75, 95, 99]
        guard !percents.isEmpty else { throw QueryError("illegal_argument_exception", "[percents] must not be empty") }
        for percent in percents where !(0...100).contains(percent) {
            throw QueryError("illegal_argument_exception", "percent must be in [0,100], got [\(percent)]")
        }
        try checkMethod(&m)
        return .percentiles(try metric(&m), percents: percents, keyed: try m.bool("keyed") ?? true)
    }

    static func percentileRanks(_ m: inout Members) throws(QueryError) -> Aggregation.Kind {
        guard let values = try numbers("values", &m), !values.isEmpty else {
            throw QueryError("illegal_argument_exception", "[values] must not be an empty array")
        }
        try checkMethod(&m)
        return .percentileRanks(try metric(&m), values: values, keyed: try m.bool("keyed") ?? true)
    }

    static func topHits(_ m: inout Members) throws(QueryError) -> Aggregation.Kind {
        var hits = Aggregation.TopHits()
        hits.from = try m.integer("from", from: 0) ?? 0
        hits.size = try m.integer("size", from: 0) ?? 3
        guard hits.from <= 100, hits.size <= 100, hits.from + hits.size <= 100 else {
            throw QueryError("illegal_argument_exception", "Top hits result window is too large, the top hits aggregator's from + size must be "
                + "less than or equal to: [100] but was [\(hits.from.addingReportingOverflow(hits.size).partialValue)]")
        }
        if let sort = m.take("sort") { hits.sort = try SortKey.parse(sort, bounds: m.bounds) }
        if let source = m.take("_source") { hits.source = try SourceFilter(json: source) }
        if let highlight = m.take("highlight") { hits.highlight = try Highlight(json: highlight, bounds: m.bounds) }
        hits.trackScores = try m.bool("track_scores") ?? false
        hits.version = try m.bool("version") ?? false
        hits.seqNoPrimaryTerm = try m.bool("seq_no_primary_term") ?? false
        hits.explain = try m.bool("explain") ?? false
        if let fields = m.take("docvalue_fields") { hits.docvalueFields = try FieldAndFormat.parse(fields, "docvalue_fields") }
        FullText.ignore(&m, "stored_fields", "fields")
        return .topHits(hits)
    }

    // MARK: -

    private static func metric(_ m: inout Members) throws(QueryError) -> Aggregation.Metric {
        let metric = Aggregation.Metric(field: try Buckets.field(&m), missing: m.take("missing"), format: try m.string("format"))
        FullText.ignore(&m, "value_type")
        return metric
    }

    private static func numbers(_ name: String, _ m: inout Members) throws(QueryError) -> [Double]? {
        guard let value = m.take(name), !value.isNull else { return nil }
        var numbers: [Double] = []
        for item in value.array ?? [value] {
            guard let number = item.realNumber, number.isFinite else { throw m.wrong(name, item, wanted: "an array of numbers") }
            numbers.append(number)
        }
        return numbers
    }

    /// Both of Elasticsearch's sketches are answered by the same computation here; their settings are checked only.
    private static func checkMethod(_ m: inout Members) throws(QueryError) {
        if let tdigest = try m.object("tdigest") {
            var t = Members(tdigest, of: "tdigest", bounds: m.bounds)
            if let compression = try t.double("compression"), compression < 0 {
                throw QueryError("illegal_argument_exception", "[compression] must be greater than or equal to 0. Found [\(compression)]")
            }
            FullText.ignore(&t, "execution_hint")
            try t.finish()
        }
        if let hdr = try m.object("hdr") {
            var h = Members(hdr, of: "hdr", bounds: m.bounds)
            if let digits = try h.integer("number_of_significant_value_digits"), !(0...5).contains(digits) {
                throw QueryError("illegal_argument_exception", "[numberOfSignificantValueDigits] must be between 0 and 5")
            }
            try h.finish()
        }
    }
}
