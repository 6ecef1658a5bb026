// min, max, avg, sum, value_count, stats and extended_stats: running numbers by bucket.
//
// Sums are compensated (Kahan), as Elasticsearch's are, so that they do not depend on the order of segments
// more than the last bit.

internal import Bytes
internal import JSON
internal import QueryDSL
internal import Segments

final class StatsAggregator: Aggregator {
    enum Kind: Equatable {
        case min, max, avg, sum, stats
        case extended(sigma: Double)
    }

    private struct Running {
        var count = 0
        var min = Double.infinity, max = -Double.infinity
        var sum = CompensatedSum(), squares = CompensatedSum()
    }

    private let kind: Kind
    private let binding: FieldBinding
    private let format: ValueFormat
    private let missing: Double?
    private let batch = ValueBatch()
    private var column: BoundNumbers?
    private var buckets: [Running] = [Running()]

    init(_ aggregation: Aggregation, _ kind: Kind, _ metric: Aggregation.Metric, _ binding: FieldBinding, now: Int64, _ budget: AggregationBudget) throws {
        try requireNumbers(binding, aggregation)
        self.kind = kind
        self.binding = binding
        format = try ValueFormat(binding, format: metric.format, timeZone: nil)
        missing = try metric.missing.map { binding.meaning.double(try binding.encode($0, format: nil, now: now)) }
        super.init(aggregation, [], budget)
    }

    override func begin(_ segment: SegmentContext) throws {
        column = try binding.columns(in: segment.view, mapping: segment.index.mapping).numbers
    }

    override func collect(_ docs: UnsafeBufferPointer<DocID>, _ parents: UnsafePointer<UInt32>?) throws {
        if let column { unsafe column.gatherDoubles(docs, into: batch) } else { batch.clear() }
        if let missing { batch.fill(docs: docs.count, value: Int64(bitPattern: missing.bitPattern)) }
        let n = batch.count, values = unsafe batch.doubles, positions = unsafe batch.positions, squares = if case .extended = kind { true } else { false }
        guard let parents = unsafe parents else {
            var running = buckets[0]
            for i in 0..<n {
                let value = unsafe values[i]
                if value < running.min { running.min = value }
                if value > running.max { running.max = value }
                running.sum.add(value)
                if squares { running.squares.add(value * value) }
            }
            running.count += n
            buckets[0] = running
            return
        }
        var last = 0
        for i in 0..<n { last = Swift.max(last, unsafe Int(parents[Int(positions[i])])) }
        if last >= buckets.count {
            try budget.keep(last + 1 - buckets.count)
            buckets.append(contentsOf: repeatElement(Running(), count: last + 1 - buckets.count))
        }
        unsafe buckets.withUnsafeMutableBufferPointer { all in
            // Safe: the array was just grown past the last bucket.
            for i in 0..<n {
                let bucket = unsafe Int(parents[Int(positions[i])]), value = unsafe values[i]
                unsafe all[bucket].count &+= 1
                if value < (unsafe all[bucket].min) { unsafe all[bucket].min = value }
                if value > (unsafe all[bucket].max) { unsafe all[bucket].max = value }
                unsafe all[bucket].sum.add(value)
                if squares { unsafe all[bucket].squares.add(value * value) }
            }
        }
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        let r = Int(bucket) < buckets.count ? buckets[Int(bucket)] : Running(), none = r.count == 0
        let type: String, body: JSONObject
        switch kind {
        case .min: (type, body) = ("min", single(none ? nil : r.min))
        case .max: (type, body) = ("max", single(none ? nil : r.max))
        case .avg: (type, body) = ("avg", single(none ? nil : r.sum.value / Double(r.count)))
        case .sum: (type, body) = ("sum", single(r.sum.value))
        case .stats: (type, body) = ("stats", stats(r))
        case .extended(let sigma): (type, body) = ("extended_stats", extended(r, sigma))
        }
        return AggregationResult(name: name, type: type, meta: meta, body: .metric(body))
    }

    override func value(_ path: String, _ bucket: UInt32) throws(QueryError) -> Double {
        let r = Int(bucket) < buckets.count ? buckets[Int(bucket)] : Running()
        switch (path, kind) {
        case ("min", .stats), ("min", .extended), ("", .min), ("value", .min): return r.count == 0 ? .nan : r.min
        case ("max", .stats), ("max", .extended), ("", .max), ("value", .max): return r.count == 0 ? .nan : r.max
        case ("avg", .stats), ("avg", .extended), ("", .avg), ("value", .avg): return r.count == 0 ? .nan : r.sum.value / Double(r.count)
        case ("sum", .stats), ("sum", .extended), ("", .sum), ("value", .sum): return r.sum.value
        case ("count", .stats), ("count", .extended): return Double(r.count)
        case ("sum_of_squares", .extended): return r.squares.value
        case ("variance", .extended), ("variance_population", .extended): return variance(r)
        case ("std_deviation", .extended), ("std_deviation_population", .extended): return variance(r).squareRoot()
        default:
            throw QueryError(
                "illegal_argument_exception",
                path.isEmpty
                    ? "When ordering on a multi-value metrics aggregation a metric name must be specified: [\(name).avg] or the like"
                    : "Unknown value key [\(path)] for aggregation [\(name)]")
        }
    }

    // MARK: -

    private func single(_ value: Double?) -> JSONObject {
        var object = JSONObject([("value", value.map(JSONValue.number) ?? .null)])
        if let value, let text = format.string(value) { object["value_as_string"] = .string(text) }
        return object
    }

    private func stats(_ r: Running) -> JSONObject {
        let none = r.count == 0, average = none ? nil : r.sum.value / Double(r.count)
        var object = JSONObject([("count", .integer(Int64(r.count)))])
        let values: [(String, Double?)] = [("min", none ? nil : r.min), ("max", none ? nil : r.max), ("avg", average), ("sum", r.sum.value)]
        for (key, value) in values { object[key] = value.map(JSONValue.number) ?? .null }
        if !none { for (key, value) in values { if let value, let text = format.string(value) { object[key + "_as_string"] = .string(text) } } }
        return object
    }

    private func extended(_ r: Running, _ sigma: Double) -> JSONObject {
        var object = stats(r)
        let none = r.count == 0, population = variance(r), average = r.sum.value / Double(r.count)
        let sampling = r.count > 1 ? population * Double(r.count) / Double(r.count - 1) : .nan
        func json(_ value: Double) -> JSONValue { none ? .null : value.isNaN ? "NaN" : .number(value) }
        object["sum_of_squares"] = none ? .null : .number(r.squares.value)
        object["variance"] = json(population)
        object["variance_population"] = json(population)
        object["variance_sampling"] = json(sampling)
        object["std_deviation"] = json(population.squareRoot())
        object["std_deviation_population"] = json(population.squareRoot())
        object["std_deviation_sampling"] = json(sampling.squareRoot())
        var bounds = JSONObject()
        for (suffix, deviation) in [("", population.squareRoot()), ("_population", population.squareRoot()), ("_sampling", sampling.squareRoot())] {
            bounds["upper" + suffix] = json(average + sigma * deviation)
            bounds["lower" + suffix] = json(average - sigma * deviation)
        }
        object["std_deviation_bounds"] = .object(bounds)
        return object
    }

    private func variance(_ r: Running) -> Double {
        if r.count == 0 { return .nan }
        return Swift.max(0, (r.squares.value - r.sum.value * r.sum.value / Double(r.count)) / Double(r.count))
    }
}

/// Kahan, "Further remarks on reducing truncation errors" (1965).
struct CompensatedSum {
    private(set) var value = 0.0
    private var lost = 0.0

    @inline(__always)
    mutating func add(_ x: Double) {
        guard x.isFinite else {
            value += x
            return
        }
        let corrected = x - lost, next = value + corrected
        lost = (next - value) - corrected
        if !lost.isFinite { lost = 0 }
        value = next
    }
}

/// value_count: values, not documents; of any field with a column.
final class ValueCountAggregator: Aggregator {
    private let binding: FieldBinding
    private let countsMissing: Bool
    private let batch = ValueBatch()
    private var columns = FieldBinding.Columns()
    private var counts = [0]

    init(_ aggregation: Aggregation, _ metric: Aggregation.Metric, _ binding: FieldBinding, _ budget: AggregationBudget) {
        self.binding = binding
        countsMissing = metric.missing != nil
        super.init(aggregation, [], budget)
    }

    override func begin(_ segment: SegmentContext) throws { columns = try binding.columns(in: segment.view, mapping: segment.index.mapping) }

    override func collect(_ docs: UnsafeBufferPointer<DocID>, _ parents: UnsafePointer<UInt32>?) throws {
        if let column = columns.numbers { unsafe column.gather(docs, into: batch) } else if let column = columns.keywords { unsafe column.gather(docs, into: batch) } else { batch.clear() }
        if countsMissing { batch.fill(docs: docs.count, value: 0) }
        guard let parents = unsafe parents else {
            counts[0] += batch.count
            return
        }
        let positions = unsafe batch.positions
        for i in 0..<batch.count {
            let bucket = unsafe Int(parents[Int(positions[i])])
            if bucket >= counts.count {
                try budget.keep(bucket + 1 - counts.count)
                counts.append(contentsOf: repeatElement(0, count: bucket + 1 - counts.count))
            }
            counts[bucket] += 1
        }
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        AggregationResult(name: name, type: "value_count", meta: meta, body: .metric(JSONObject([("value", .integer(Int64(count(bucket))))])))
    }

    override func value(_ path: String, _ bucket: UInt32) throws(QueryError) -> Double { Double(count(bucket)) }

    private func count(_ bucket: UInt32) -> Int { Int(bucket) < counts.count ? counts[Int(bucket)] : 0 }
}

func requireNumbers(_ binding: FieldBinding, _ aggregation: Aggregation) throws(QueryError) {
    if binding.source == .keywords {
        throw QueryError(
            "illegal_argument_exception",
            "Field [\(binding.name)] of type [\(binding.type?.kind.rawValue ?? "keyword")] is not supported for aggregation [\(aggregation.kind.name)]. Use a numeric field.")
    }
}

extension Aggregation.Kind {
    var name: String {
        switch self {
        case .terms: "terms"
        case .range: "range"
        case .dateRange: "date_range"
        case .histogram: "histogram"
        case .dateHistogram: "date_histogram"
        case .filter: "filter"
        case .filters: "filters"
        case .global: "global"
        case .missing: "missing"
        case .min: "min"
        case .max: "max"
        case .avg: "avg"
        case .sum: "sum"
        case .valueCount: "value_count"
        case .stats: "stats"
        case .extendedStats: "extended_stats"
        case .cardinality: "cardinality"
        case .percentiles: "percentiles"
        case .percentileRanks: "percentile_ranks"
        case .topHits: "top_hits"
        default: "aggregation"
        }
    }
}
