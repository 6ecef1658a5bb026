// Aggregations as asked for: a tree of named values, bound to columns by Search/Aggregations.

package import JSON

package struct Aggregation: Sendable, Equatable {
    package var name: String
    package var kind: Kind
    package var children: [Aggregation]
    /// `meta`, handed back with the result.
    package var meta: JSONObject?

    package init(name: String, kind: Kind, children: [Aggregation] = [], meta: JSONObject? = nil) {
        (self.name, self.kind, self.children, self.meta) = (name, kind, children, meta)
    }

    package indirect enum Kind: Sendable, Equatable {
        case terms(Terms)
        case range(Ranges)
        case dateRange(Ranges)
        case histogram(Histogram)
        case dateHistogram(DateHistogram)
        case filter(Query)
        /// In the order given; keyed unless the request had an array.
        case filters([(key: String?, query: Query)], otherBucketKey: String?)
        case global
        case missing(field: String)
        case min(Metric), max(Metric), avg(Metric), sum(Metric), valueCount(Metric)
        case stats(Metric), extendedStats(Metric, sigma: Double)
        case cardinality(Metric, precisionThreshold: Int)
        case percentiles(Metric, percents: [Double], keyed: Bool)
        case percentileRanks(Metric, values: [Double], keyed: Bool)
        case topHits(TopHits)

        package static func == (a: Kind, b: Kind) -> Bool { String(describing: a) == String(describing: b) }
    }

    package struct Terms: Sendable, Equatable {
        package enum Order: Sendable, Equatable {
            case count(ascending: Bool), key(ascending: Bool)
            /// A path to a metric of a sub-aggregation: "avg_price", "stats.max".
            case metric(path: String, ascending: Bool)
        }
        package enum Filter: Sendable, Equatable { case regexp(String), values([JSONValue]), partition(Int, of: Int) }
        package var field: String
        package var size = 10
        package var minDocCount = 1
        package var order: [Order] = []
        package var missing: JSONValue?
        package var include: Filter?
        package var exclude: Filter?
        package var format: String?
        package var showTermDocCountError = false
        package init(field: String) { self.field = field }
    }

    /// For range and date_range; bounds as written (date math, numbers), nil where open. `to` is exclusive.
    package struct Ranges: Sendable, Equatable {
        package struct Item: Sendable, Equatable {
            package var key: String?, from: JSONValue?, to: JSONValue?
            package init(key: String?, from: JSONValue?, to: JSONValue?) { (self.key, self.from, self.to) = (key, from, to) }
        }
        package var field: String
        package var ranges: [Item]
        package var keyed = false
        package var missing: JSONValue?
        package var format: String?
        package var timeZone: String?
        package init(field: String, ranges: [Item]) { (self.field, self.ranges) = (field, ranges) }
    }

    package struct Histogram: Sendable, Equatable {
        package var field: String
        package var interval: Double
        package var offset = 0.0
        package var minDocCount = 0
        package var extendedBounds: (min: Double, max: Double)?
        package var hardBounds: (min: Double, max: Double)?
        package var keyed = false
        package var missing: JSONValue?
        package var order: [Terms.Order] = []
        package var format: String?
        package init(field: String, interval: Double) { (self.field, self.interval) = (field, interval) }
        package static func == (a: Histogram, b: Histogram) -> Bool { String(describing: a) == String(describing: b) }
    }

    package struct DateHistogram: Sendable, Equatable {
        package enum Interval: Sendable, Equatable {
            case calendar(String)
            case fixed(milliseconds: Int64)
        }
        package var field: String
        package var interval: Interval
        package var offsetMilliseconds: Int64 = 0
        package var timeZone: String?
        package var format: String?
        package var minDocCount = 0
        package var extendedBounds: (min: JSONValue, max: JSONValue)?
        package var hardBounds: (min: JSONValue, max: JSONValue)?
        package var keyed = false
        package var missing: JSONValue?
        package var order: [Terms.Order] = []
        package init(field: String, interval: Interval) { (self.field, self.interval) = (field, interval) }
        package static func == (a: DateHistogram, b: DateHistogram) -> Bool { String(describing: a) == String(describing: b) }
    }

    package struct Metric: Sendable, Equatable {
        package var field: String
        package var missing: JSONValue?
        package var format: String?
        package init(field: String, missing: JSONValue? = nil, format: String? = nil) {
            (self.field, self.missing, self.format) = (field, missing, format)
        }
    }

    package struct TopHits: Sendable, Equatable {
        package var from = 0
        package var size = 3
        package var sort: [SortKey] = []
        package var source: SourceFilter = .all
        package var highlight: Highlight?
        package var trackScores = false
        package var version = false, seqNoPrimaryTerm = false, explain = false
        package var docvalueFields: [FieldAndFormat] = []
        package init() {}
    }
}
