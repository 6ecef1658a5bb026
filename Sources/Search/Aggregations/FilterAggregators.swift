// filter, filters, global and missing: buckets by what documents are, not by their values.

internal import Bytes
internal import JSON
internal import QueryDSL
internal import Segments

/// One bucket for each of some sets of documents, for every bucket of the parent.
class SetsAggregator: Aggregator {
    /// Of the current segment.
    var sets: [BitSet?] = []
    let setCount: Int
    /// By parent bucket * sets + set.
    private(set) var counts: [Int] = []
    private var forwarder: BatchForwarder?

    init(_ aggregation: Aggregation, setCount: Int, _ children: [Aggregator], _ budget: AggregationBudget) throws {
        self.setCount = setCount
        super.init(aggregation, children, budget)
        if !children.isEmpty { forwarder = BatchForwarder(children) }
        try reserve(parents: 1)
    }

    private func reserve(parents: Int) throws {
        let wanted = parents * setCount
        if counts.count >= wanted { return }
        try budget.keep(wanted - counts.count)
        counts.append(contentsOf: repeatElement(0, count: wanted - counts.count))
    }

    override func collect(_ docs: UnsafeBufferPointer<DocID>, _ buckets: UnsafePointer<UInt32>?) throws {
        // One set and one parent: children stay in bucket 0.
        let single = unsafe buckets == nil && setCount == 1
        for (s, set) in sets.enumerated() {
            for i in 0..<docs.count {
                let doc = unsafe docs[i]
                if let set, !set[Int(doc)] { continue }
                let parent = unsafe buckets.map { unsafe Int($0[i]) } ?? 0
                let bucket = parent * setCount + s
                if bucket >= counts.count { try reserve(parents: parent + 1) }
                counts[bucket] += 1
                try forwarder?.append(doc, UInt32(truncatingIfNeeded: bucket))
            }
            try forwarder?.flush(single: single)
        }
    }

    func bucket(_ parent: UInt32, _ set: Int) -> UInt32 {
        parent == KeyedAggregator.nowhere ? parent : UInt32(clamping: Int(parent) * setCount + set)
    }

    func count(_ bucket: UInt32) -> Int { Int(bucket) < counts.count ? counts[Int(bucket)] : 0 }
}

/// filter, global, missing: one bucket.
final class SingleBucketAggregator: SetsAggregator {
    enum Membership {
        case query(Query)
        /// Every live document.
        case global
        case missing(FieldBinding)
    }
    private let membership: Membership
    private let type: String

    init(_ aggregation: Aggregation, _ membership: Membership, type: String, _ children: [Aggregator], _ budget: AggregationBudget) throws {
        (self.membership, self.type) = (membership, type)
        try super.init(aggregation, setCount: 1, children, budget)
    }

    override var isGlobal: Bool { if case .global = membership { true } else { false } }

    override func begin(_ segment: SegmentContext) throws {
        try super.begin(segment)
        switch membership {
        case .query(let query): sets = [try segment.evaluate(query)]
        case .global: sets = [nil]
        case .missing(let binding):
            var without = try binding.columns(in: segment.view, mapping: segment.index.mapping).presence?.bitSet() ?? BitSet(count: segment.view.docCount)
            without.invert()
            sets = [without]
        }
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        let own = self.bucket(bucket, 0)
        return AggregationResult(name: name, type: type, meta: meta, body: .bucket(docCount: count(own), children: try childResults(own)))
    }

    override func value(_ path: String, _ bucket: UInt32) throws(QueryError) -> Double {
        let own = self.bucket(bucket, 0)
        return path.isEmpty || path == "_count" || path == "doc_count" ? Double(count(own)) : try childValue(path, own)
    }
}

/// filters: one bucket for each query, and for the documents that none of them matches.
final class FiltersAggregator: SetsAggregator {
    private let filters: [(key: String?, query: Query)]
    private let otherKey: String?

    init(_ aggregation: Aggregation, _ filters: [(key: String?, query: Query)], otherKey: String?, _ children: [Aggregator], _ budget: AggregationBudget) throws {
        (self.filters, self.otherKey) = (filters, otherKey)
        try super.init(aggregation, setCount: filters.count + (otherKey == nil ? 0 : 1), children, budget)
    }

    override func begin(_ segment: SegmentContext) throws {
        try super.begin(segment)
        sets = try filters.map { try segment.evaluate($0.query) }
        if otherKey != nil {
            var rest = BitSet(count: segment.view.docCount)
            for case let set? in sets { rest.formUnion(set) }
            rest.invert()
            sets.append(rest)
        }
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        try budget.show(setCount)
        var result = AggregationResult.Buckets()
        result.keyed = filters.first?.key != nil
        for s in 0..<setCount {
            let own = self.bucket(bucket, s), key = s < filters.count ? filters[s].key : otherKey
            result.buckets.append(
                AggregationResult.Bucket(name: key ?? "", members: JSONObject([("doc_count", .integer(Int64(count(own))))]), children: try childResults(own)))
        }
        return AggregationResult(name: name, type: "filters", meta: meta, body: .buckets(result))
    }
}
