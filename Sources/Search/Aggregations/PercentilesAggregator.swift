// percentiles and percentile_ranks: exact while a bucket holds at most `exactMax` values, beyond by a merging
// t-digest of compression 200.
//
// Exact: value i of n (sorted) stands at i + 0.5; what lies between is interpolated, what lies outside is the
// least or the greatest. This is what Elasticsearch's digest gives for few values.
// t-digest: Dunning & Ertl, "Computing extremely accurate quantiles using t-digests" (2019), scale function k1.

internal import Bytes
import Glibc
internal import JSON
internal import QueryDSL
internal import Segments

final class PercentilesAggregator: Aggregator {
    enum Asked {
        case percents([Double])
        case ranks([Double])
    }
    private let asked: Asked
    private let keyed: Bool
    private let binding: FieldBinding
    private let format: ValueFormat
    private let missing: Double?
    private let batch = ValueBatch()
    private var column: BoundNumbers?
    private var digests: [QuantileDigest] = []

    init(_ aggregation: Aggregation, _ asked: Asked, keyed: Bool, _ metric: Aggregation.Metric, _ binding: FieldBinding, now: Int64, _ budget: AggregationBudget) throws {
        try requireNumbers(binding, aggregation)
        if case .percents(let percents) = asked, let wrong = percents.first(where: { !($0 >= 0 && $0 <= 100) }) {
            throw QueryError("illegal_argument_exception", "percent must be in [0,100], got [\(wrong)]: [\(aggregation.name)]")
        }
        (self.asked, self.keyed, self.binding) = (asked, keyed, binding)
        format = try ValueFormat(binding, format: metric.format, timeZone: nil)
        missing = try metric.missing.map { binding.meaning.double(try binding.encode($0, format: nil, now: now)) }
        super.init(aggregation, [], budget)
    }

    override func begin(_ segment: SegmentContext) throws { column = try binding.columns(in: segment.view, mapping: segment.index.mapping).numbers }

    override func collect(_ docs: UnsafeBufferPointer<DocID>, _ parents: UnsafePointer<UInt32>?) throws {
        if let column { unsafe column.gatherDoubles(docs, into: batch) } else { batch.clear() }
        if let missing { batch.fill(docs: docs.count, value: Int64(bitPattern: missing.bitPattern)) }
        let values = unsafe batch.doubles, positions = unsafe batch.positions
        for i in 0..<batch.count {
            let bucket = unsafe parents.map { unsafe Int($0[Int(positions[i])]) } ?? 0
            if bucket >= digests.count {
                try budget.keep(bucket + 1 - digests.count)
                digests.append(contentsOf: repeatElement(QuantileDigest(), count: bucket + 1 - digests.count))
            }
            digests[bucket].add(unsafe values[i])
        }
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        var digest = Int(bucket) < digests.count ? digests[Int(bucket)] : QuantileDigest()
        var rows: [(key: Double, value: Double?)] = []
        switch asked {
        case .percents(let percents): for p in percents { rows.append((p, digest.quantile(p / 100))) }
        case .ranks(let values): for v in values { rows.append((v, digest.rank(v).map { $0 * 100 })) }
        }
        let type = if case .percents = asked { "tdigest_percentiles" } else { "tdigest_percentile_ranks" }
        var formatted = ValueFormat.none
        if case .percents = asked { formatted = format }
        var body = JSONObject()
        if keyed {
            var values = JSONObject()
            for r in rows {
                values[javaDouble(r.key)] = r.value.map(JSONValue.number) ?? .null
                if let v = r.value, let text = formatted.string(v) { values[javaDouble(r.key) + "_as_string"] = .string(text) }
            }
            body["values"] = .object(values)
        } else {
            body["values"] = .array(
                rows.map { r in
                    var o = JSONObject([("key", .number(r.key)), ("value", r.value.map(JSONValue.number) ?? .null)])
                    if let v = r.value, let text = formatted.string(v) { o["value_as_string"] = .string(text) }
                    return .object(o)
                })
        }
        return AggregationResult(name: name, type: type, meta: meta, body: .metric(body))
    }

    override func value(_ path: String, _ bucket: UInt32) throws(QueryError) -> Double {
        var digest = Int(bucket) < digests.count ? digests[Int(bucket)] : QuantileDigest()
        guard let number = Double(path) else {
            throw QueryError("illegal_argument_exception", "Order by a percentile as [\(name).50]; [\(path)] is none")
        }
        switch asked {
        case .percents: return number >= 0 && number <= 100 ? digest.quantile(number / 100) ?? .nan : .nan
        case .ranks: return digest.rank(number).map { $0 * 100 } ?? .nan
        }
    }
}

package struct QuantileDigest {
    static let exactMax = 8192
    private static let compression = 200.0
    private var centroids: [(mean: Double, weight: Double)] = []
    private var pending: [Double] = []
    private var least = Double.infinity, greatest = -Double.infinity

    package init() {}

    package mutating func add(_ value: Double) {
        if value.isNaN { return }
        least = min(least, value)
        greatest = max(greatest, value)
        pending.append(value)
        if pending.count > Self.exactMax { compress() }
    }

    /// Nil when no value came.
    package mutating func quantile(_ q: Double) -> Double? {
        let points = sortedPoints()
        guard let first = points.first, let last = points.last else { return nil }
        let total = points.reduce(0) { $0 + $1.weight }, index = q * total
        if index <= first.weight / 2 { return centroids.isEmpty ? first.mean : interpolate(index, 0, least, first.weight / 2, first.mean) }
        var before = 0.0
        for i in 0..<points.count - 1 {
            let a = before + points[i].weight / 2, b = before + points[i].weight + points[i + 1].weight / 2
            if index < b { return interpolate(index, a, points[i].mean, b, points[i + 1].mean) }
            before += points[i].weight
        }
        return centroids.isEmpty ? last.mean : interpolate(index, total - last.weight / 2, last.mean, total, greatest)
    }

    /// The share of values at or below `x`: 0...1; nil when no value came.
    package mutating func rank(_ x: Double) -> Double? {
        let points = sortedPoints()
        guard let first = points.first, let last = points.last else { return nil }
        if x < least { return 0 }
        if x > greatest { return 1 }
        let total = points.reduce(0) { $0 + $1.weight }
        if first.mean == last.mean { return 0.5 }
        // Equal means stand together, at the middle of their weight.
        var groups: [(mean: Double, weight: Double)] = []
        for p in points { if groups.last?.mean == p.mean { groups[groups.count - 1].weight += p.weight } else { groups.append(p) } }
        var before = 0.0
        if x < groups[0].mean { return interpolate(x, least, 0, groups[0].mean, groups[0].weight / 2) / total }
        for i in 0..<groups.count - 1 {
            let a = before + groups[i].weight / 2, b = before + groups[i].weight + groups[i + 1].weight / 2
            if x < groups[i + 1].mean { return interpolate(x, groups[i].mean, a, groups[i + 1].mean, b) / total }
            before += groups[i].weight
        }
        let end = groups[groups.count - 1]
        return interpolate(x, end.mean, total - end.weight / 2, greatest, total) / total
    }

    // MARK: -

    private mutating func sortedPoints() -> [(mean: Double, weight: Double)] {
        if centroids.isEmpty { return pending.sorted().map { ($0, 1) } }
        if !pending.isEmpty { compress() }
        return centroids
    }

    private func interpolate(_ x: Double, _ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double) -> Double {
        x1 > x0 ? y0 + (y1 - y0) * min(1, max(0, (x - x0) / (x1 - x0))) : y1
    }

    /// Merges neighbours as long as a centroid spans at most one step of the scale function.
    private mutating func compress() {
        var all = centroids + pending.map { ($0, 1) }
        pending.removeAll(keepingCapacity: true)
        all.sort { $0.mean < $1.mean }
        let total = all.reduce(0) { $0 + $1.weight }
        func scale(_ q: Double) -> Double { Self.compression / (2 * .pi) * asin(2 * min(1, max(0, q)) - 1) }
        var merged: [(mean: Double, weight: Double)] = [], current = all[0], before = 0.0
        for p in all.dropFirst() {
            if scale((before + current.weight + p.weight) / total) - scale(before / total) <= 1 {
                current.weight += p.weight
                current.mean += (p.mean - current.mean) * p.weight / current.weight
            } else {
                merged.append(current)
                before += current.weight
                current = p
            }
        }
        merged.append(current)
        centroids = merged
    }
}
