// The common part of terms, histogram and date_histogram: values become key numbers, key numbers with the
// parent's bucket become buckets, buckets are counted and handed on.
//
// At the top of a tree, where all documents are in one bucket, a key's number is its bucket: counting is an
// array increment.

internal import Bytes
internal import JSON
internal import QueryDSL
internal import Segments

class KeyedAggregator: Aggregator {
    typealias Entry = (key: Int, count: Int, bucket: UInt32)

    let batch = ValueBatch()
    /// Documents by bucket; those in `few` are still to be added.
    private(set) var counts: [Int] = []
    /// At the top of a tree, counts of the few keys that some segments had: a key has one entry for each of them. While all
    /// segments had few, no array as long as the dictionary is made.
    private var few: [(key: Int, count: Int)] = []
    private var fewSegments = 0
    private var pairs = KeyTable()
    private var isNested = false
    private var forwarder: BatchForwarder?
    private var byParent: [UInt32: [UInt32]]?

    override init(_ request: Aggregation, _ children: [Aggregator], _ budget: AggregationBudget) {
        super.init(request, children, budget)
        if !children.isEmpty { forwarder = BatchForwarder(children) }
    }

    /// Fills `batch` with (position, key number) of `docs`; a negative key number is left out. Equal keys of
    /// one document are neighbours.
    func fillKeys(_ docs: UnsafeBufferPointer<DocID>) throws {}
    /// How many key numbers there are.
    var keyCount: Int { 0 }

    override func collect(_ docs: UnsafeBufferPointer<DocID>, _ buckets: UnsafePointer<UInt32>?) throws {
        unsafe try fillKeys(docs)
        if let buckets = unsafe buckets { return unsafe try collectNested(docs, buckets) }
        try settle()
        try reserve(keyCount)
        let n = batch.count, keys = unsafe batch.values, positions = unsafe batch.positions, identity = batch.isIdentity
        unsafe counts.withUnsafeMutableBufferPointer { counts in
            if identity {
                // Safe: key numbers are below keyCount, which `counts` holds; negative ones are left out.
                for i in 0..<n { if unsafe keys[i] >= 0 { unsafe counts[Int(keys[i])] &+= 1 } }
            } else {
                for i in 0..<n where unsafe keys[i] >= 0 {
                    if i > 0, unsafe keys[i - 1] == keys[i], unsafe positions[i - 1] == positions[i] { continue }
                    unsafe counts[Int(keys[i])] &+= 1
                }
            }
        }
        guard let forwarder else { return }
        if identity, unsafe (0..<n).allSatisfy({ unsafe keys[$0] >= 0 }) { return unsafe try forwarder.forward(docs, keys) }
        for i in 0..<n where unsafe keys[i] >= 0 {
            if !identity, i > 0, unsafe keys[i - 1] == keys[i], unsafe positions[i - 1] == positions[i] { continue }
            unsafe try forwarder.append(docs[Int(positions[i])], UInt32(truncatingIfNeeded: keys[i]))
        }
        try forwarder.flush(single: false)
    }

    private func collectNested(_ docs: UnsafeBufferPointer<DocID>, _ buckets: UnsafePointer<UInt32>) throws {
        isNested = true
        let n = batch.count, keys = unsafe batch.values, positions = unsafe batch.positions
        for i in 0..<n where unsafe keys[i] >= 0 {
            if i > 0, unsafe keys[i - 1] == keys[i], unsafe positions[i - 1] == positions[i] { continue }
            let position = unsafe Int(positions[i])
            let bucket = pairs.place(of: UInt64(unsafe buckets[position]) << 32 | UInt64(truncatingIfNeeded: unsafe keys[i]))
            if Int(bucket) >= counts.count { try reserve(Int(bucket) + 1) }
            counts[Int(bucket)] &+= 1
            if let forwarder { unsafe try forwarder.append(docs[position], bucket) }
        }
        try forwarder?.flush(single: false)
    }

    func reserve(_ n: Int) throws(QueryError) {
        if counts.count >= n { return }
        try budget.keep(n - counts.count)
        counts.append(contentsOf: repeatElement(0, count: n - counts.count))
    }

    /// Adds counters kept elsewhere to the counts of a tree's top: counter i belongs to key number `key(i)`, nil
    /// leaves it out.
    func add(_ counters: ArraySlice<UInt32>, key: (Int) throws -> Int?) throws {
        try reserve(keyCount)
        for (i, n) in counters.enumerated() where n != 0 {
            guard let key = try key(i) else { continue }
            if key >= counts.count { try reserve(key + 1) }
            counts[key] += Int(n)
        }
    }

    /// The same where counter i belongs to key number i.
    func add(_ counters: ArraySlice<UInt32>) throws {
        try reserve(max(keyCount, counters.count))
        unsafe counts.withUnsafeMutableBufferPointer { counts in
            unsafe counters.withUnsafeBufferPointer { counters in
                // Safe: `counts` was just grown past the counters.
                for i in 0..<counters.count { unsafe counts[i] &+= Int(counters[i]) }
            }
        }
    }

    /// Adds a segment's counts of few keys, each once.
    func add(few counted: [(key: Int, count: Int)]) throws {
        if counted.isEmpty { return }
        try budget.keep(counted.count)
        few += counted
        fewSegments += 1
        if !counts.isEmpty { try settle() }
    }

    /// Puts `few` where the other counts are.
    private func settle() throws {
        if few.isEmpty { return }
        let most = few.reduce(0) { max($0, $1.key) }
        try reserve(max(keyCount, most + 1))
        for (key, count) in few { counts[key] += count }
        (few, fewSegments) = ([], 0)
    }

    /// `few` with one entry for each key.
    private func combined() -> [(key: Int, count: Int)] {
        if fewSegments <= 1 { return few }
        var all: [(key: Int, count: Int)] = []
        for entry in few.sorted(by: { $0.key < $1.key }) {
            if let last = all.last, last.key == entry.key { all[all.count - 1].count += entry.count } else { all.append(entry) }
        }
        return all
    }

    /// At the top of a tree: the `size` largest counts, ties by key, and the sum of all counts from `minimum` on.
    /// Nil below the top. Nothing is listed or sorted but the few.
    func commonestAtTop(_ size: Int, minimum: Int, _ precedes: (Int, Int) throws -> Bool) throws -> (best: [Entry], total: Int)? {
        if isNested { return nil }
        var best = CommonestKeys(size: size, minimum: minimum)
        if counts.isEmpty {
            for (key, count) in combined() { try best.add(key, count, precedes) }
        } else {
            try settle()
            for key in counts.indices { try best.add(key, counts[key], precedes) }
        }
        return (best.entries, best.total)
    }

    /// Keys counted in a bucket of the parent, in no order.
    func entries(_ parent: UInt32) throws -> [Entry] {
        try settle()
        if !isNested { return parent == 0 ? counts.indices.lazy.filter { self.counts[$0] > 0 }.map { ($0, self.counts[$0], UInt32($0)) } : [] }
        if byParent == nil {
            var lists: [UInt32: [UInt32]] = [:]
            for (i, pair) in pairs.keys.enumerated() { lists[UInt32(pair >> 32), default: []].append(UInt32(i)) }
            byParent = lists
        }
        return (byParent?[parent] ?? []).map { (Int(pairs.keys[Int($0)] & 0xFFFF_FFFF), counts[Int($0)], $0) }
    }

    /// The bucket of a sub-aggregation that was never collected.
    static let nowhere = UInt32.max

    /// Sorts by the request's orders; ties by key.
    func sort(
        _ entries: inout [Entry], _ orders: [Aggregation.Terms.Order], _ keyPrecedes: (Int, Int) throws -> Bool
    ) throws {
        var metrics: [[UInt32: Double]] = []
        for order in orders {
            var values: [UInt32: Double] = [:]
            if case .metric(let path, _) = order { for e in entries { values[e.bucket] = try childValue(path, e.bucket) } }
            metrics.append(values)
        }
        try entries.sort { a, b in
            for (i, order) in orders.enumerated() {
                switch order {
                case .count(let ascending): if a.count != b.count { return (a.count < b.count) == ascending }
                case .key(let ascending): if a.key != b.key { return ascending ? try keyPrecedes(a.key, b.key) : try keyPrecedes(b.key, a.key) }
                case .metric(_, let ascending):
                    let x = metrics[i][a.bucket] ?? .nan, y = metrics[i][b.bucket] ?? .nan
                    // NaN (no value) goes last either way.
                    if x.isNaN != y.isNaN { return y.isNaN }
                    if x != y, !x.isNaN { return (x < y) == ascending }
                }
            }
            return a.key != b.key ? try keyPrecedes(a.key, b.key) : false
        }
    }
}

/// The `size` largest counts of those offered, ties by key, and the sum of all from `minimum` on.
struct CommonestKeys {
    private let size: Int
    private let minimum: Int
    private var bar: Int
    private(set) var entries: [KeyedAggregator.Entry] = []
    private(set) var total = 0

    init(size: Int, minimum: Int) {
        (self.size, self.minimum) = (size, max(1, minimum))
        bar = self.minimum
    }

    @inline(__always)
    mutating func add(_ key: Int, _ count: Int, _ precedes: (Int, Int) throws -> Bool) rethrows {
        if count < minimum { return }
        total += count
        if count >= bar { try insert((key, count, UInt32(truncatingIfNeeded: key)), precedes) }
    }

    /// Whatever its count, and without adding it to the sum.
    mutating func insert(_ entry: KeyedAggregator.Entry, _ precedes: (Int, Int) throws -> Bool) rethrows {
        if size <= 0 { return }
        if entries.count == size {
            let last = entries[size - 1]
            if entry.count < last.count { return }
            if entry.count == last.count, try !precedes(entry.key, last.key) { return }
            entries.removeLast()
        }
        var i = entries.count
        while i > 0, try entries[i - 1].count < entry.count || (entries[i - 1].count == entry.count && precedes(entry.key, entries[i - 1].key)) { i -= 1 }
        entries.insert(entry, at: i)
        if entries.count == size { bar = entries[size - 1].count }
    }
}
