// cardinality: how many distinct values. Exact while a bucket has seen at most `exactMax` of them (by 64-bit
// hashes: two values share one with a chance of 2^-64 a pair); beyond, HyperLogLog with 2^14 registers,
// whose standard error is 0.81 %. `precision_threshold` is taken, and changes nothing: see docs/aggregations.md.
//
// Heule, Nunkesser & Hall, "HyperLogLog in practice" (2013), for 64-bit hashes; the estimator is Ertl's, "New
// cardinality estimation algorithms for HyperLogLog sketches" (2017), section 4, which needs no bias tables.

internal import Bytes
import Glibc
internal import JSON
internal import QueryDSL
internal import Segments

final class CardinalityAggregator: Aggregator {
    private let binding: FieldBinding
    private let missing: UInt64?
    private let batch = ValueBatch()
    private var columns = FieldBinding.Columns()
    private var sketches: [DistinctSketch] = []
    /// Of the segment's ordinals; 0: not hashed yet.
    private var hashes: [UInt64] = []
    /// At the top of a tree: the segment's ordinals seen.
    private var seen: BitSet?

    init(_ aggregation: Aggregation, _ metric: Aggregation.Metric, _ binding: FieldBinding, now: Int64, _ budget: AggregationBudget) throws {
        self.binding = binding
        if let value = metric.missing {
            missing = binding.isNumeric ? Hash64.of(UInt64(bitPattern: try binding.encode(value, format: nil, now: now))) : Hash64.of(Array(plainText(value).utf8))
        } else { missing = nil }
        super.init(aggregation, [], budget)
    }

    override func begin(_ segment: SegmentContext) throws {
        columns = try binding.columns(in: segment.view, mapping: segment.index.mapping)
        hashes = [UInt64](repeating: 0, count: columns.keywords?.termCount ?? 0)
    }

    override func collect(_ docs: UnsafeBufferPointer<DocID>, _ parents: UnsafePointer<UInt32>?) throws {
        if let column = columns.numbers { unsafe column.gather(docs, into: batch) } else if let column = columns.keywords { unsafe column.gather(docs, into: batch) } else { batch.clear() }
        if missing != nil { batch.fill(docs: docs.count, value: .min) }
        let n = batch.count, values = unsafe batch.values, positions = unsafe batch.positions
        for i in 0..<n {
            let bucket = unsafe parents.map { unsafe Int($0[Int(positions[i])]) } ?? 0
            if bucket >= sketches.count {
                try budget.keep(bucket + 1 - sketches.count)
                sketches.append(contentsOf: repeatElement(DistinctSketch(), count: bucket + 1 - sketches.count))
            }
            let value = unsafe values[i], hash: UInt64
            if let column = columns.keywords, value >= 0 {
                let ordinal = Int(value)
                if hashes[ordinal] == 0 { hashes[ordinal] = Hash64.of(try column.term(UInt32(ordinal))) }
                hash = hashes[ordinal]
            } else if value == .min, let missing { hash = missing } else { hash = Hash64.of(UInt64(bitPattern: value)) }
            let grown = sketches[bucket].add(hash)
            if grown > 0 { try budget.keep(grown / 8) }
        }
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        AggregationResult(name: name, type: "cardinality", meta: meta, body: .metric(JSONObject([("value", .integer(Int64(count(bucket))))])))
    }

    override func value(_ path: String, _ bucket: UInt32) throws(QueryError) -> Double { Double(count(bucket)) }

    private func count(_ bucket: UInt32) -> Int { Int(bucket) < sketches.count ? sketches[Int(bucket)].count : 0 }
}

package struct DistinctSketch {
    /// Hashes kept one by one: 1 MiB of them at most.
    static let exactMax = 65_536
    private static let precision = 14
    private var exact = Set<UInt64>()
    private var registers: [UInt8] = []

    package init() {}

    /// - Returns: about how many bytes it grew by.
    package mutating func add(_ hash: UInt64) -> Int {
        if registers.isEmpty {
            if !exact.insert(hash).inserted { return 0 }
            if exact.count <= Self.exactMax { return 16 }
            registers = [UInt8](repeating: 0, count: 1 << Self.precision)
            for h in exact { register(h) }
            exact = []
            return 0
        }
        register(hash)
        return 0
    }

    private mutating func register(_ hash: UInt64) {
        let place = Int(hash >> UInt64(64 - Self.precision))
        let rank = UInt8(min((hash << UInt64(Self.precision)).leadingZeroBitCount, 64 - Self.precision) + 1)
        if registers[place] < rank { registers[place] = rank }
    }

    package var count: Int {
        if registers.isEmpty { return exact.count }
        let m = Double(registers.count), q = 64 - Self.precision
        var histogram = [Int](repeating: 0, count: q + 2)
        for r in registers { histogram[Int(r)] += 1 }
        var z = m * tau(1 - Double(histogram[q + 1]) / m)
        for k in stride(from: q, through: 1, by: -1) { z = 0.5 * (z + Double(histogram[k])) }
        z += m * sigma(Double(histogram[0]) / m)
        return Int((m * m / (2 * log(2) * z)).rounded())
    }

    private func sigma(_ x: Double) -> Double {
        if x == 1 { return .infinity }
        var x = x, y = 1.0, z = x
        while true {
            x *= x
            let before = z
            z += x * y
            y += y
            if z == before { return z }
        }
    }

    private func tau(_ x: Double) -> Double {
        if x == 0 || x == 1 { return 0 }
        var x = x, y = 1.0, z = 1 - x
        while true {
            x = x.squareRoot()
            let before = z
            y *= 0.5
            z -= (1 - x) * (1 - x) * y
            if z == before { return z / 3 }
        }
    }
}
