// One node of the aggregation tree while documents are collected. Documents come in batches, each with the
// bucket of the parent it fell into, so a node costs a call per batch and none per document, however deep
// it lies.
//
// Invariants
//     1  `buckets` is nil at every call of a node, or at none: nil means that all documents are in bucket 0.
//     2  Documents of a batch do not fall; one that is in several of the parent's buckets comes as often.
//     3  A bucket that a node never saw is empty: results of empty buckets are asked for too.

internal import Bytes
internal import JSON
internal import QueryDSL
internal import Segments

/// The segment being collected.
struct SegmentContext {
    let snapshot: Int
    let segment: Int
    let view: SegmentView
    let index: IndexSnapshot
    let scores: [Float]?
    /// Live documents matching a query.
    let evaluate: (Query) throws -> BitSet
}

/// What a whole tree shares.
final class AggregationBudget {
    let bucketsMax: Int
    private(set) var buckets = 0
    /// Buckets kept while collecting, over all nodes: bounds memory, answers may show far fewer.
    private(set) var kept = 0
    static let keptMax = 8_000_000

    init(bucketsMax: Int) { self.bucketsMax = bucketsMax }

    /// - Throws: too_many_buckets_exception.
    func show(_ n: Int) throws(QueryError) {
        buckets += n
        if buckets > bucketsMax { throw tooMany(buckets, bucketsMax) }
    }

    func keep(_ n: Int) throws(QueryError) {
        kept += n
        if kept > Self.keptMax { throw tooMany(kept, Self.keptMax) }
    }

    private func tooMany(_ n: Int, _ most: Int) -> QueryError {
        QueryError(
            "too_many_buckets_exception",
            "Trying to create too many buckets. Must be less than or equal to: [\(most)] but was [\(n)]. This limit can be set by changing the "
                + "[search.max_buckets] cluster level setting.")
    }
}

class Aggregator {
    let name: String
    let meta: JSONObject?
    let children: [Aggregator]
    let budget: AggregationBudget

    init(_ request: Aggregation, _ children: [Aggregator], _ budget: AggregationBudget) {
        (name, meta, self.children, self.budget) = (request.name, request.meta, children, budget)
    }

    /// Collected over all live documents, whatever the query matched.
    var isGlobal: Bool { false }

    func begin(_ segment: SegmentContext) throws { for c in children { try c.begin(segment) } }

    /// At most `ValueBatch.docsMax` documents.
    func collect(_ docs: UnsafeBufferPointer<DocID>, _ buckets: UnsafePointer<UInt32>?) throws {}

    func end() throws { for c in children { try c.end() } }

    /// The answer for one bucket of the parent (0 at the top).
    func result(_ bucket: UInt32) throws -> AggregationResult { AggregationResult(name: name, type: "", meta: meta, body: .metric(JSONObject())) }

    /// A number to sort the parent's buckets by: the path below this node, "" for its only value.
    func value(_ path: String, _ bucket: UInt32) throws(QueryError) -> Double {
        throw QueryError("aggregation_execution_exception", "Invalid aggregation order path [\(path)]: [\(name)] is no metric. Order by a metric, _count or _key.")
    }

    func childResults(_ bucket: UInt32) throws -> [AggregationResult] {
        var results: [AggregationResult] = []
        for c in children { results.append(try c.result(bucket)) }
        return results
    }

    /// The value of a sub-aggregation: "avg_price", "stats.max", "filtered>avg".
    func childValue(_ path: String, _ bucket: UInt32) throws(QueryError) -> Double {
        let end = path.firstIndex { $0 == ">" || $0 == "." } ?? path.endIndex
        let name = path[..<end], rest = end == path.endIndex ? "" : String(path[path.index(after: end)...])
        guard let child = children.first(where: { $0.name == name }) else {
            throw QueryError("aggregation_execution_exception", "Invalid aggregation order path [\(path)]. There is no sub-aggregation [\(name)] to order by.")
        }
        return try child.value(rest, bucket)
    }
}

/// Hands documents with new buckets on to sub-aggregations, a batch at a time.
final class BatchForwarder {
    private let docs = UnsafeMutableBufferPointer<DocID>.allocate(capacity: ValueBatch.docsMax)
    private let buckets = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: ValueBatch.docsMax)
    private var count = 0
    private let children: [Aggregator]

    init(_ children: [Aggregator]) { self.children = children }

    deinit {
        unsafe docs.deallocate()
        unsafe buckets.deallocate()
    }

    @inline(__always)
    func append(_ doc: DocID, _ bucket: UInt32) throws {
        if count == ValueBatch.docsMax { try flush(single: false) }
        // Safe: count < docsMax, which is the capacity.
        unsafe docs[count] = doc
        unsafe buckets[count] = bucket
        count &+= 1
    }

    /// All of `docs`, each once, document i in bucket `keys[i]`; none is negative.
    func forward(_ all: UnsafeBufferPointer<DocID>, _ keys: UnsafePointer<Int64>) throws {
        // Safe: a batch has at most docsMax documents, which is the capacity.
        precondition(all.count <= ValueBatch.docsMax && count == 0)
        for i in 0..<all.count { unsafe buckets[i] = UInt32(truncatingIfNeeded: keys[i]) }
        for c in children { unsafe try c.collect(all, UnsafePointer(buckets.baseAddress)) }
    }

    /// - Parameter single: all documents are in the one bucket 0.
    func flush(single: Bool) throws {
        if count == 0 { return }
        let part = unsafe UnsafeBufferPointer(rebasing: docs[0..<count])
        count = 0
        for c in children { unsafe try c.collect(part, single ? nil : UnsafePointer(buckets.baseAddress)) }
    }
}

/// From keys of 64 bits to dense numbers from 0, in order of first sight.
struct KeyTable {
    private var slots: [UInt32] = [UInt32](repeating: 0, count: 64)
    private(set) var keys: [UInt64] = []

    var count: Int { keys.count }

    @inline(__always)
    mutating func place(of key: UInt64) -> UInt32 {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: Hash64.of(key)) & mask
        while slots[slot] != 0 {
            if keys[Int(slots[slot] - 1)] == key { return slots[slot] - 1 }
            slot = (slot + 1) & mask
        }
        return insert(key, slot)
    }

    private mutating func insert(_ key: UInt64, _ slot: Int) -> UInt32 {
        keys.append(key)
        slots[slot] = UInt32(keys.count)
        if keys.count * 3 > slots.count * 2 {
            slots = [UInt32](repeating: 0, count: slots.count * 2)
            let mask = slots.count - 1
            for (i, k) in keys.enumerated() {
                var s = Int(truncatingIfNeeded: Hash64.of(k)) & mask
                while slots[s] != 0 { s = (s + 1) & mask }
                slots[s] = UInt32(i + 1)
            }
        }
        return UInt32(keys.count - 1)
    }
}
