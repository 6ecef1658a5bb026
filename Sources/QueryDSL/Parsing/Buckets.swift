// Aggregations that sort documents into buckets.

internal import JSON

enum Buckets {
    static func terms(_ m: inout Members) throws(QueryError) -> Aggregation.Kind {
        var terms = Aggregation.Terms(field: try field(&m))
        if let size = try m.integer("size") {
            guard size > 0 else {
                throw QueryError("illegal_argument_exception", "[size] must be greater than 0. Found [\(size)] in [terms]")
            }
            terms.size = size
        }
        if let shardSize = try m.integer("shard_size"), shardSize <= 0 {
            throw QueryError("illegal_argument_exception", "[shardSize] must be greater than 0. Found [\(shardSize)] in [terms]")
        }
        terms.minDocCount = try m.integer("min_doc_count", from: 0) ?? 1
        terms.order = try order(&m)
        terms.missing = m.take("missing")
        terms.include = try filter("include", &m)
        terms.exclude = try filter("exclude", &m)
        terms.format = try m.string("format")
        terms.showTermDocCountError = try m.bool("show_term_doc_count_error") ?? false
        FullText.ignore(&m, "collect_mode", "execution_hint", "shard_min_doc_count", "value_type")
        return .terms(terms)
    }

    static func range(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .range(try ranges(&m)) }
    static func dateRange(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .dateRange(try ranges(&m)) }
    static func global(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .global }
    static func missing(_ m: inout Members) throws(QueryError) -> Aggregation.Kind { .missing(field: try field(&m)) }

    static func histogram(_ m: inout Members) throws(QueryError) -> Aggregation.Kind {
        let name = try field(&m)
        guard let interval = try m.double("interval") else { throw m.missing("interval") }
        guard interval > 0 else { throw QueryError("illegal_argument_exception", "[interval] must be >0 for histogram aggregation [\(name)]") }
        var histogram = Aggregation.Histogram(field: name, interval: interval)
        histogram.offset = try m.double("offset") ?? 0
        histogram.minDocCount = try m.integer("min_doc_count", from: 0) ?? 0
        histogram.extendedBounds = try numbers("extended_bounds", &m)
        histogram.hardBounds = try numbers("hard_bounds", &m)
        histogram.keyed = try m.bool("keyed") ?? false
        histogram.missing = m.take("missing")
        histogram.order = try order(&m)
        histogram.format = try m.string("format")
        return .histogram(histogram)
    }

    static func dateHistogram(_ m: inout Members) throws(QueryError) -> Aggregation.Kind {
        let name = try field(&m)
        var histogram = Aggregation.DateHistogram(field: name, interval: try interval(&m))
        histogram.offsetMilliseconds = try offset(&m)
        histogram.timeZone = try m.string("time_zone")
        histogram.format = try m.string("format")
        histogram.minDocCount = try m.integer("min_doc_count", from: 0) ?? 0
        histogram.extendedBounds = try values("extended_bounds", &m)
        histogram.hardBounds = try values("hard_bounds", &m)
        histogram.keyed = try m.bool("keyed") ?? false
        histogram.missing = m.take("missing")
        histogram.order = try order(&m)
        return .dateHistogram(histogram)
    }

    static let filter: @Sendable (JSONValue, ParseBounds) throws(QueryError) -> Aggregation.Kind = { (body, bounds) throws(QueryError) in
        .filter(try Query(body, of: "filter", bounds: bounds.deeper()))
    }

    /// `{"filters": {"a": {...}}}` or `{"filters": [{...}]}`
    static let filters: @Sendable (JSONValue, ParseBounds) throws(QueryError) -> Aggregation.Kind = { (body, bounds) throws(QueryError) in
        guard let object = body.object else { throw QueryError("parsing_exception", "[filters] must be an object, not \(body.shown)") }
        var m = Members(object, of: "filters", bounds: bounds)
        let inner = try bounds.deeper()
        var queries: [(key: String?, query: Query)] = []
        guard let list = m.take("filters") else { throw m.missing("filters") }
        if let named = list.object {
            for (key, value) in named { queries.append((key, try Query(value, of: "filters", bounds: inner))) }
        } else {
            for value in list.array ?? [list] { queries.append((nil, try Query(value, of: "filters", bounds: inner))) }
        }
        guard !queries.isEmpty else { throw QueryError("illegal_argument_exception", "[filters] cannot be empty.") }
        try bounds.check(clauses: queries.count)
        let other = try m.bool("other_bucket"), key = try m.string("other_bucket_key")
        FullText.ignore(&m, "keyed")
        try m.finish()
        return .filters(queries, otherBucketKey: other == false ? nil : key ?? (other == true ? "_other_" : nil))
    }

    // MARK: - options that several share

    static func field(_ m: inout Members) throws(QueryError) -> String {
        if m.take("script") != nil {
            throw QueryError("illegal_argument_exception", "[\(m.owner)] scripts are not supported; index the value as a field")
        }
        guard let field = try m.string("field"), !field.isEmpty else {
            throw QueryError("illegal_argument_exception", "Required one of fields [field, script], but none were specified. ")
        }
        return field
    }

    /// `{"_count": "desc"}`, or an array of such.
    static func order(_ m: inout Members) throws(QueryError) -> [Aggregation.Terms.Order] {
        guard let value = m.take("order") else { return [] }
        var orders: [Aggregation.Terms.Order] = []
        for item in value.array ?? [value] {
            guard let object = item.object else { throw m.wrong("order", item, wanted: "an object such as {\"_count\": \"desc\"}") }
            for (path, direction) in object {
                guard let word = direction.string?.lowercased(), ["asc", "desc"].contains(word) else {
                    throw QueryError("parsing_exception", "Unknown order direction [\(direction.scalar ?? "")]; use asc or desc")
                }
                orders.append(order(path, ascending: word == "asc"))
            }
        }
        return orders
    }

    /// "1d", "12h", "90m", "500ms" in milliseconds; a leading sign is allowed.
    static func milliseconds(_ text: String) -> Int64? {
        let units: [(String, Int64)] = [("ms", 1), ("nanos", 0), ("micros", 0), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        for (unit, scale) in units where text.hasSuffix(unit) {
            guard let number = Int64(text.dropLast(unit.count).filter { $0 != " " }) else { continue }
            let (product, overflow) = number.multipliedReportingOverflow(by: scale)
            return overflow ? nil : product
        }
        return nil
    }

    private static func order(_ path: String, ascending: Bool) -> Aggregation.Terms.Order {
        switch path {
        case "_count": .count(ascending: ascending)
        case "_key", "_term", "_time": .key(ascending: ascending)
        default: .metric(path: path, ascending: ascending)
        }
    }

    private static func filter(_ name: String, _ m: inout Members) throws(QueryError) -> Aggregation.Terms.Filter? {
        guard let value = m.take(name) else { return nil }
        switch value {
        case .string(let pattern): return .regexp(pattern)
        case .array(let values): return .values(values)
        case .object(let object):
            var p = Members(object, of: name, bounds: m.bounds)
            guard let partition = try p.integer("partition", from: 0), let count = try p.integer("num_partitions", from: 1), partition < count else {
                throw m.wrong(name, value, wanted: "{\"partition\": i, \"num_partitions\": n} with i below n")
            }
            try p.finish()
            return .partition(partition, of: count)
        default: throw m.wrong(name, value, wanted: "a pattern or an array of values")
        }
    }

    private static func ranges(_ m: inout Members) throws(QueryError) -> Aggregation.Ranges {
        let name = try field(&m)
        guard let list = m.take("ranges")?.array, !list.isEmpty else {
            throw QueryError("illegal_argument_exception", "No [ranges] specified for the [\(name)] aggregation")
        }
        var items: [Aggregation.Ranges.Item] = []
        for value in list {
            guard let object = value.object else { throw m.wrong("ranges", value, wanted: "an array of objects with from, to, key") }
            var r = Members(object, of: "range", bounds: m.bounds)
            items.append(.init(key: try r.string("key"), from: bound("from", &r), to: bound("to", &r)))
            FullText.ignore(&r, "from_as_string", "to_as_string", "mask", "doc_count")
            try r.finish()
        }
        var ranges = Aggregation.Ranges(field: name, ranges: items)
        ranges.keyed = try m.bool("keyed") ?? false
        ranges.missing = m.take("missing")
        ranges.format = try m.string("format")
        ranges.timeZone = try m.string("time_zone")
        return ranges
    }

    private static func bound(_ name: String, _ m: inout Members) -> JSONValue? {
        m.take(name).flatMap { $0.isNull ? Optional.none : $0 }
    }

    private static func interval(_ m: inout Members) throws(QueryError) -> Aggregation.DateHistogram.Interval {
        let calendar = try m.string("calendar_interval"), fixed = try m.string("fixed_interval"), legacy = try m.string("interval")
        if calendar != nil, fixed != nil {
            throw QueryError("illegal_argument_exception", "Cannot use [fixed_interval] with [calendar_interval] configuration option.")
        }
        if let calendar {
            if let unit = Aggregation.calendarUnit(calendar) { return .calendar(unit) }
            throw QueryError("illegal_argument_exception", "The supplied interval [\(calendar)] could not be parsed as a calendar interval.")
        }
        if fixed == nil, let legacy, let unit = Aggregation.calendarUnit(legacy) { return .calendar(unit) }
        guard let text = fixed ?? legacy else {
            throw QueryError("illegal_argument_exception", "Invalid interval specified, must be non-null and non-empty")
        }
        guard let length = milliseconds(text), length > 0 else {
            throw QueryError("illegal_argument_exception", "failed to parse setting [date_histogram.fixedInterval] with value [\(text)] as a time value: "
                + "write a whole number and ms, s, m, h or d")
        }
        return .fixed(milliseconds: length)
    }

    private static func offset(_ m: inout Members) throws(QueryError) -> Int64 {
        guard let value = m.take("offset") else { return 0 }
        if let number = value.integer { return number }
        guard let text = value.string, let length = milliseconds(text) ?? Int64(text) else { throw m.wrong("offset", value, wanted: "a time such as +6h") }
        return length
    }

    private static func numbers(_ name: String, _ m: inout Members) throws(QueryError) -> (min: Double, max: Double)? {
        guard let object = try m.object(name) else { return nil }
        var b = Members(object, of: name, bounds: m.bounds)
        let bounds = (min: try b.double("min") ?? .infinity, max: try b.double("max") ?? -.infinity)
        try b.finish()
        if bounds.min.isFinite, bounds.max.isFinite, bounds.min > bounds.max {
            throw QueryError("illegal_argument_exception", "[\(name).min]: [\(bounds.min)] cannot be greater than [\(name).max]: [\(bounds.max)]")
        }
        return bounds
    }

    private static func values(_ name: String, _ m: inout Members) throws(QueryError) -> (min: JSONValue, max: JSONValue)? {
        guard let object = try m.object(name) else { return nil }
        var b = Members(object, of: name, bounds: m.bounds)
        let bounds = (min: b.take("min") ?? .null, max: b.take("max") ?? .null)
        try b.finish()
        return bounds
    }
}

extension Aggregation {
    /// "1M", "month" -> "month"; nil for what is no calendar unit.
    static func calendarUnit(_ text: String) -> String? {
        switch text {
        case "1m", "minute": "minute"
        case "1h", "hour": "hour"
        case "1d", "day": "day"
        case "1w", "week": "week"
        case "1M", "month": "month"
        case "1q", "quarter": "quarter"
        case "1y", "year": "year"
        case "1s", "second": "second"
        default: nil
        }
    }
}
