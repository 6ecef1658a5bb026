// terms: a bucket for each value of a field, the commonest first. Counts are exact over segments: whole
// dictionaries are merged, so nothing is estimated and `doc_count_error_upper_bound` is always 0.

internal import Bytes
internal import JSON
internal import QueryDSL
internal import Segments
internal import Storage

/// For keyword fields.
final class KeywordTermsAggregator: KeyedAggregator {
    private let request: Aggregation.Terms
    private let filter: TermFilter
    private let columns: [[KeywordColumn?]]
    private var keys: TermKeys
    private let missingKey: UInt32?
    private var column: KeywordColumn?
    /// Of the segment: what is counted at the top of a tree without sub-aggregations.
    private var ordinals: OrdinalCounters?
    /// By key number, what `filter` says: 0 not asked yet, 1 yes, 2 no.
    private var passes: [UInt8] = []

    init(
        _ aggregation: Aggregation, _ request: Aggregation.Terms, _ binding: FieldBinding, snapshots: [IndexSnapshot], _ children: [Aggregator],
        _ budget: AggregationBudget
    ) throws {
        self.request = request
        filter = try TermFilter(request, binding)
        columns = try snapshots.map { snapshot in try snapshot.segments.map { try binding.columns(in: $0, mapping: snapshot.mapping).keywords } }
        var keys = try TermKeys(columns.flatMap { $0 }, segments: snapshots.flatMap { $0.segments.map(\.segment.file.id) }, field: binding.name)
        if let missing = request.missing { missingKey = try keys.key(ofTerm: Array(plainText(missing).utf8)) } else { missingKey = nil }
        self.keys = keys
        super.init(aggregation, children, budget)
    }

    override var keyCount: Int { keys.count }

    override func begin(_ segment: SegmentContext) throws {
        try super.begin(segment)
        column = columns[segment.snapshot][segment.segment]
        keys.begin(column, place: columns[..<segment.snapshot].reduce(0) { $0 + $1.count } + segment.segment)
        if request.minDocCount == 0, let column { for o in 0..<column.termCount { _ = try keys.key(o) } }
    }

    override func collect(_ docs: UnsafeBufferPointer<DocID>, _ buckets: UnsafePointer<UInt32>?) throws {
        guard children.isEmpty, unsafe buckets == nil, missingKey == nil else { return unsafe try super.collect(docs, buckets) }
        guard let column else { return }
        if ordinals == nil { ordinals = OrdinalCounters(for: column) }
        unsafe ordinals?.count(docs, of: column, batch)
    }

    override func end() throws {
        try super.end()
        guard let column, let counted = ordinals.take() else { return }
        defer { counted.giveBack() }
        if let touched = counted.touched {
            var few: [(key: Int, count: Int)] = []
            few.reserveCapacity(touched.count)
            for ordinal in touched {
                let key = Int(try keys.key(Int(ordinal)))
                if try pass(key) { few.append((key, Int(counted.counters[Int(ordinal)]))) }
            }
            return try add(few: few)
        }
        if keys.areOrdinals, filter.passesAll { return try add(counted.counters[..<column.termCount]) }
        try add(counted.counters[..<column.termCount]) {
            let key = Int(try keys.key($0))
            return try pass(key) ? key : nil
        }
    }

    override func fillKeys(_ docs: UnsafeBufferPointer<DocID>) throws {
        if let column { unsafe column.gather(docs, into: batch) } else { batch.clear() }
        let values = unsafe batch.values
        for i in 0..<batch.count { unsafe values[i] = Int64(try keys.key(Int(values[i]))) }
        if let missingKey { batch.fill(docs: docs.count, value: Int64(missingKey)) }
        if filter.passesAll { return }
        let filled = unsafe batch.values
        for i in 0..<batch.count where unsafe !(try pass(Int(filled[i]))) { unsafe filled[i] = -1 }
    }

    private func pass(_ key: Int) throws -> Bool {
        if filter.passesAll { return true }
        if passes.count <= key { passes.append(contentsOf: repeatElement(0, count: max(keys.count, key + 1) - passes.count)) }
        if passes[key] == 0 { passes[key] = filter.passes(try keys.term(key)) ? 1 : 2 }
        return passes[key] == 1
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        let sorted = keys.isSorted
        return try termsResult(
            request, bucket, type: "sterms", passes: pass,
            precedes: { a, b in try sorted ? a < b : self.keys.term(a).lexicographicallyPrecedes(self.keys.term(b)) },
            members: { JSONObject([("key", .string(String(decoding: try self.keys.term($0), as: UTF8.self)))]) })
    }
}

/// For numbers, booleans and dates.
final class NumberTermsAggregator: KeyedAggregator {
    private let request: Aggregation.Terms
    private let binding: FieldBinding
    private let format: ValueFormat
    private let filter: TermFilter
    private let missing: Int64?
    private var table = KeyTable()
    private var column: BoundNumbers?

    init(_ aggregation: Aggregation, _ request: Aggregation.Terms, _ binding: FieldBinding, now: Int64, _ children: [Aggregator], _ budget: AggregationBudget) throws {
        self.request = request
        self.binding = binding
        format = try ValueFormat(binding, format: request.format, timeZone: nil)
        filter = try TermFilter(request, binding)
        missing = try request.missing.map { try binding.encode($0, format: nil, now: now) }
        super.init(aggregation, children, budget)
    }

    override var keyCount: Int { table.count }

    override func begin(_ segment: SegmentContext) throws {
        try super.begin(segment)
        column = try binding.columns(in: segment.view, mapping: segment.index.mapping).numbers
        if request.minDocCount == 0 { column?.forEach { _, value in _ = table.place(of: UInt64(bitPattern: value)) } }
    }

    override func fillKeys(_ docs: UnsafeBufferPointer<DocID>) throws {
        if let column { unsafe column.gather(docs, into: batch) } else { batch.clear() }
        if let missing { batch.fill(docs: docs.count, value: missing) }
        let values = unsafe batch.values
        for i in 0..<batch.count {
            let value = unsafe values[i]
            unsafe values[i] = filter.passesAll || filter.passes(value) ? Int64(table.place(of: UInt64(bitPattern: value))) : -1
        }
    }

    override func result(_ bucket: UInt32) throws -> AggregationResult {
        try termsResult(
            request, bucket, type: binding.isWhole ? "lterms" : "dterms", passes: { self.filter.passes(self.value($0)) },
            precedes: { self.value($0) < self.value($1) },
            members: {
                let value = self.value($0)
                var members = JSONObject([("key", self.binding.json(value))])
                if let text = self.format.string(self.binding.meaning.double(value)) { members["key_as_string"] = .string(text) }
                return members
            })
    }

    private func value(_ key: Int) -> Int64 { Int64(bitPattern: table.keys[key]) }
}

extension KeyedAggregator {
    /// - Parameters:
    ///   - passes: of keys nobody counted, when `min_doc_count` is 0.
    ///   - members: "key" and "key_as_string".
    func termsResult(
        _ request: Aggregation.Terms, _ parent: UInt32, type: String, passes: (Int) throws -> Bool, precedes: (Int, Int) throws -> Bool,
        members: (Int) throws -> JSONObject
    ) throws -> AggregationResult {
        let orders = request.order.isEmpty ? [.count(ascending: false)] : request.order
        let byCount = orders == [.count(ascending: false)] && request.size <= 128
        var entries: [Entry], total: Int
        if byCount, request.minDocCount > 0, parent == 0, let top = try commonestAtTop(max(0, request.size), minimum: request.minDocCount, precedes) {
            (entries, total) = top
        } else {
            entries = try self.entries(parent)
            if request.minDocCount == 0 {
                let seen = Set(entries.map(\.key))
                for key in 0..<keyCount where try !seen.contains(key) && passes(key) { entries.append((key, 0, Self.nowhere)) }
            } else if request.minDocCount > 1 { entries.removeAll { $0.count < request.minDocCount } }
            total = entries.reduce(0) { $0 + $1.count }
            if byCount { entries = try commonest(entries, request.size, precedes) } else {
                try sort(&entries, orders, precedes)
                entries.removeLast(max(0, entries.count - max(0, request.size)))
            }
        }
        try budget.show(entries.count)
        var result = AggregationResult.Buckets()
        result.head["doc_count_error_upper_bound"] = 0
        result.head["sum_other_doc_count"] = .integer(Int64(total - entries.reduce(0) { $0 + $1.count }))
        result.buckets.reserveCapacity(entries.count)
        for e in entries {
            var object = try members(e.key)
            object["doc_count"] = .integer(Int64(e.count))
            if request.showTermDocCountError { object["doc_count_error_upper_bound"] = 0 }
            result.buckets.append(AggregationResult.Bucket(name: "", members: object, children: try childResults(e.bucket)))
        }
        return AggregationResult(name: name, type: type, meta: meta, body: .buckets(result))
    }

    /// The `size` largest counts, ties by key, without sorting the rest.
    private func commonest(_ entries: [Entry], _ size: Int, _ precedes: (Int, Int) throws -> Bool) throws -> [Entry] {
        var best = CommonestKeys(size: size, minimum: 0)
        for e in entries { try best.insert(e, precedes) }
        return best.entries
    }
}

/// `include` and `exclude`.
struct TermFilter {
    private var includesNumbers: Set<Int64>?, excludesNumbers: Set<Int64> = []
    private var includesTerms: Set<[UInt8]>?, excludesTerms: Set<[UInt8]> = []
    private var includePattern: ByteAutomaton?, excludePattern: ByteAutomaton?
    private var partition: (Int, of: Int)?
    let passesAll: Bool

    init(_ request: Aggregation.Terms, _ binding: FieldBinding) throws(QueryError) {
        passesAll = request.include == nil && request.exclude == nil
        switch request.include {
        case .values(let values): if binding.isNumeric { includesNumbers = try Self.numbers(values, binding) } else { includesTerms = Self.terms(values) }
        case .regexp(let pattern): includePattern = try Self.automaton(pattern, binding)
        case .partition(let number, let count): partition = (number, max(1, count))
        case nil: break
        }
        switch request.exclude {
        case .values(let values): if binding.isNumeric { excludesNumbers = try Self.numbers(values, binding) } else { excludesTerms = Self.terms(values) }
        case .regexp(let pattern): excludePattern = try Self.automaton(pattern, binding)
        case .partition, nil: break
        }
    }

    func passes(_ term: [UInt8]) -> Bool {
        if let includesTerms, !includesTerms.contains(term) { return false }
        if excludesTerms.contains(term) { return false }
        if let includePattern, !includePattern.matches(term) { return false }
        if let excludePattern, excludePattern.matches(term) { return false }
        if let partition, Int(Hash64.of(term) % UInt64(partition.of)) != partition.0 { return false }
        return true
    }

    func passes(_ number: Int64) -> Bool {
        if let includesNumbers, !includesNumbers.contains(number) { return false }
        if let partition, Int(Hash64.of(UInt64(bitPattern: number)) % UInt64(partition.of)) != partition.0 { return false }
        return !excludesNumbers.contains(number)
    }

    private static func numbers(_ values: [JSONValue], _ binding: FieldBinding) throws(QueryError) -> Set<Int64> {
        var set = Set<Int64>()
        for v in values { set.insert(try binding.encode(v, format: nil, now: 0)) }
        return set
    }

    private static func terms(_ values: [JSONValue]) -> Set<[UInt8]> { Set(values.map { Array(plainText($0).utf8) }) }

    private static func automaton(_ pattern: String, _ binding: FieldBinding) throws(QueryError) -> ByteAutomaton {
        if binding.isNumeric || binding.type?.kind == .ip {
            throw QueryError(
                "illegal_argument_exception",
                "Aggregation [\(binding.name)] cannot support regular expression style include/exclude settings as they can only be applied to string "
                    + "fields. Use an array of values for include/exclude clauses")
        }
        return try TermPattern.regexp(pattern)
    }
}

/// A scalar as text, as a keyword field would index it.
func plainText(_ value: JSONValue) -> String {
    switch value {
    case .string(let s): s
    case .integer(let i): String(i)
    case .number(let d): "\(d)"
    case .bool(let b): b ? "true" : "false"
    default: ""
    }
}
