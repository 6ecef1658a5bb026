// A search request checked and bound to its indexes, before any posting is read.

internal import Bytes
internal import JSON
internal import QueryDSL
internal import Segments
internal import Storage

final class PreparedSearch {
    struct Bound {
        var target: SearchExecutor.Target
        var builder: PlanBuilder
        /// The query with the alias's filter; with post_filter and facet filters too when nothing else needs them apart.
        var plan: Plan
        var postFilter: Plan?
        var facets: [Plan]
    }

    let request: SearchRequest
    let executor: SearchExecutor
    let bounds: [Bound]
    /// Nanoseconds of the monotonic clock.
    let deadline: UInt64?

    init(_ request: SearchRequest, _ targets: [SearchExecutor.Target], _ executor: SearchExecutor) throws(SearchError) {
        (self.request, self.executor) = (request, executor)
        try Self.check(request, targets)
        var bounds: [Bound] = []
        for target in targets { bounds.append(try Self.bind(request, target, executor)) }
        self.bounds = bounds
        deadline = request.timeoutMilliseconds.flatMap { ms in executor.monotonic.map { $0() &+ UInt64(clamping: ms) &* 1_000_000 } }
    }

    var snapshots: [IndexSnapshot] { bounds.map(\.target.snapshot) }

    var isOverdue: Bool { deadline.map { (executor.monotonic?() ?? 0) >= $0 } ?? false }

    /// Hits come by score, best first; the `sort` may say so.
    var ordersByScore: Bool {
        if request.searchAfter != nil { return false }
        return request.sort.isEmpty || (request.sort.count == 1 && request.sort[0].target == .score && !request.sort[0].ascending)
    }

    /// Somebody reads scores when `k` hits are wanted.
    func needsScores(_ k: Int) -> Bool {
        (ordersByScore && k > 0) || request.trackScores || request.minScore != nil || request.sort.contains { $0.target == .score }
            || request.aggregations.contains(where: Self.hasTopHits)
    }

    /// Nothing but the best hits and a count are wanted: the scorer may skip what cannot compete.
    var isPrunable: Bool {
        ordersByScore && request.aggregations.isEmpty && request.minScore == nil && request.terminateAfter == 0
    }

    func sorter(size: Int, after: [JSONValue]? = nil) throws(SearchError) -> FieldSortCollector {
        do { return try FieldSortCollector(request.sort, snapshots: snapshots, size: size, after: after, now: executor.now) } catch { throw .request(error) }
    }

    // MARK: -

    private static func bind(_ request: SearchRequest, _ target: SearchExecutor.Target, _ executor: SearchExecutor) throws(SearchError) -> Bound {
        let builder = executor.builder(target)
        var plan = try builder.plan(request.query ?? Query(.matchAll), boost: boost(of: target.index, request))
        var filters: [Plan] = []
        if let filter = target.filter { filters.append(try builder.filter(filter)) }
        if let slice = request.slice { filters.append(try Self.slice(slice)) }
        let post = try request.postFilter.map { q throws(SearchError) in try builder.filter(q) }
        var facets: [Plan] = []
        for facet in request.facetFilters { facets.append(try builder.filter(facet.query)) }
        // Counted apart only for aggregations; otherwise they narrow the query itself, which then can skip.
        let areApart = !request.aggregations.isEmpty
        if !areApart { filters += facets + (post.map { [$0] } ?? []) }
        if !filters.isEmpty { plan = BoolPlan(must: [plan], filter: filters).simplified(scored: true) }
        return Bound(target: target, builder: builder, plan: plan, postFilter: areApart ? post : nil, facets: areApart ? facets : [])
    }

    private static func boost(of index: String, _ request: SearchRequest) -> Float {
        request.indicesBoost.first { $0.index == index || Wildcard($0.index).matches(index) }?.boost ?? 1
    }

    /// One of `max` parts of the documents: by number, spread evenly, the same for the life of the snapshot.
    private static func slice(_ slice: Slice) throws(SearchError) -> Plan {
        guard slice.max > 0, slice.id >= 0, slice.id < slice.max else {
            throw SearchError("illegal_argument_exception", "max must be greater than id")
        }
        return .set(SetPlan(description: "slice \(slice.id) of \(slice.max)", estimate: { $0.docCount / slice.max }) { view in
            var set = BitSet(count: view.docCount)
            for doc in stride(from: slice.id, to: view.docCount, by: slice.max) { set.insert(doc) }
            return set
        }, score: 0)
    }

    static func hasTopHits(_ a: Aggregation) -> Bool {
        if case .topHits = a.kind { return true }
        return a.children.contains(where: hasTopHits)
    }

    private static func check(_ r: SearchRequest, _ targets: [SearchExecutor.Target]) throws(SearchError) {
        func refuse(_ reason: String) -> SearchError { SearchError("illegal_argument_exception", reason) }
        guard r.from >= 0 else { throw refuse("[from] parameter cannot be negative but was [\(r.from)]") }
        guard r.size >= 0 else { throw refuse("[size] parameter cannot be negative, found [\(r.size)]") }
        let window = r.from.addingReportingOverflow(r.size)
        for target in targets {
            let most = target.snapshot.settings.resultWindowMax
            guard !window.overflow, window.partialValue <= most else {
                throw refuse("Result window is too large, from + size must be less than or equal to: [\(most)] but was [\(window.overflow ? Int.max : window.partialValue)]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.")
            }
            for rescore in r.rescore where rescore.windowSize > most {
                throw refuse("Rescore window [\(rescore.windowSize)] is too large. It must be less than [\(most)]. This prevents allocating massive heaps for storing the results to be rescored. This limit can be set by changing the [index.max_rescore_window] index level setting.")
            }
        }
        if let after = r.searchAfter {
            guard r.from == 0 else { throw refuse("`from` parameter must be set to 0 when `search_after` is used") }
            guard !r.sort.isEmpty else { throw refuse("Sort must contain at least one field.") }
            guard after.count == r.sort.count else {
                throw refuse("search_after has \(after.count) value(s) but sort has \(r.sort.count).")
            }
        }
        if !r.rescore.isEmpty, !r.sort.isEmpty, !(r.sort.count == 1 && r.sort[0].target == .score) {
            throw refuse("Cannot use [sort] option in conjunction with [rescore].")
        }
        if r.collapse != nil, !r.rescore.isEmpty { throw refuse("cannot use `collapse` in conjunction with `rescore`") }
    }
}

/// A name pattern with `*`.
struct Wildcard {
    private let parts: [Substring]
    private let isPlain: Bool

    init(_ pattern: String) {
        parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        isPlain = parts.count == 1
    }

    func matches(_ name: String) -> Bool {
        guard !isPlain, let first = parts.first, let last = parts.last else { return parts.first.map { $0 == name } ?? name.isEmpty }
        guard name.hasPrefix(first), name.hasSuffix(last), name.utf8.count >= first.utf8.count + last.utf8.count else { return false }
        var rest = Array(name.utf8).dropFirst(first.utf8.count).dropLast(last.utf8.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            let wanted = Array(part.utf8)
            guard let at = Self.find(wanted, in: rest) else { return false }
            rest = rest[(at + wanted.count)...]
        }
        return true
    }

    private static func find(_ wanted: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard text.count >= wanted.count else { return nil }
        return (text.startIndex...(text.endIndex - wanted.count)).first { text[$0..<($0 + wanted.count)].elementsEqual(wanted) }
    }
}
