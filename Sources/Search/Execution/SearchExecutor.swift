// Runs a whole search request over the snapshots of one or more indexes: plan, score or filter per segment,
// collect, sort, fetch. Pure but for reading segments: time comes in as a value, nothing is written.
//
//     query phase    PreparedSearch (checked, planned) ─ HitCollection (per segment) ─ rescore, collapse
//     fetch phase    FetchPhase: what the page's hits show

package import Bytes
package import QueryDSL
internal import Segments
internal import Storage

package struct SearchExecutor: Sendable {
    package struct Target: Sendable {
        package var index: String
        package var snapshot: IndexSnapshot
        /// An alias's filter; searched documents match it too.
        package var filter: Query?
        package init(index: String, snapshot: IndexSnapshot, filter: Query? = nil) {
            (self.index, self.snapshot, self.filter) = (index, snapshot, filter)
        }
    }

    /// Milliseconds since 1970: what `now` means in date math.
    package let now: Int64
    /// Shared by all searches of a node; nil runs every filter anew.
    package let filterCache: FilterCache?
    /// The monotonic clock, in nanoseconds, for `timeout`; nil never times out.
    package let monotonic: (@Sendable () -> UInt64)?
    /// Nil answers requests with `highlight` without fragments.
    package let highlighter: (any FieldHighlighter)?

    package init(
        now: Int64, filterCache: FilterCache? = nil, monotonic: (@Sendable () -> UInt64)? = nil, highlighter: (any FieldHighlighter)? = UnifiedHighlighter()
    ) {
        (self.now, self.filterCache, self.monotonic, self.highlighter) = (now, filterCache, monotonic, highlighter)
    }

    package func search(_ request: SearchRequest, in targets: [Target]) throws(SearchError) -> SearchResponse { try fetch(try query(request, in: targets)) }

    /// The query phase alone: totals, aggregations and the places of the hits.
    package func query(_ request: SearchRequest, in targets: [Target]) throws(SearchError) -> FoundHits {
        let search = try PreparedSearch(request, targets, self)
        return FoundHits(search: search, collected: try search.collect())
    }

    /// The fetch phase: the page of hits that the request asked for, as it wants to see them.
    package func fetch(_ found: FoundHits) throws(SearchError) -> SearchResponse {
        let request = found.search.request, collected = found.collected
        var response = SearchResponse()
        response.total = found.total
        response.maxScore = collected.maxScore
        response.aggregations = collected.aggregations
        response.timedOut = collected.timedOut
        response.terminatedEarly = request.terminateAfter > 0 ? collected.terminatedEarly : nil
        let page = collected.hits.dropFirst(request.from).prefix(request.size)
        response.hits = try FetchPhase(found.search).fetch(Array(page))
        return response
    }

    /// How many live documents match; nil matches all.
    package func count(_ query: Query?, in targets: [Target]) throws(SearchError) -> Int {
        var sum = 0
        for target in targets {
            guard let plan = try filter(query, target) else {
                sum += target.snapshot.docCount
                continue
            }
            do throws(StorageError) {
                for view in target.snapshot.segments { sum += try SegmentScorer.count(plan, in: view) }
            } catch { throw .storage(error) }
        }
        return sum
    }

    /// The live documents that match, per segment of the snapshot: for delete and update by query.
    package func matches(_ query: Query?, in target: Target) throws(SearchError) -> [BitSet] {
        let plan = try filter(query, target) ?? .all(score: 0)
        var sets: [BitSet] = []
        do throws(StorageError) {
            for view in target.snapshot.segments { sets.append(try SegmentScorer(plan: plan, view: view).matches()) }
        } catch { throw .storage(error) }
        return sets
    }

    /// How the document's score comes about. Nil when there is no live document of that id.
    package func explain(_ query: Query, id: String, in target: Target) throws(SearchError) -> Explanation? {
        let plan = try builder(target).plan(query)
        do throws(StorageError) {
            for view in target.snapshot.segments.reversed() {
                guard let doc = try view.segment.columns.doc(forID: id), view.live.map({ $0[Int(doc)] }) ?? true else { continue }
                return try Explainer(view: view, doc: doc, snapshot: target.snapshot).explain(plan)
            }
        } catch { throw .storage(error) }
        return nil
    }

    /// The hits of a top_hits aggregation, fetched as its request says.
    package func fetch(_ result: AggregationResult.TopHitsResult, of request: SearchRequest, in targets: [Target]) throws(SearchError) -> [SearchHit] {
        var inner = SearchRequest()
        let asked = result.request
        (inner.query, inner.sort, inner.source, inner.highlight) = (request.query, asked.sort, asked.source, asked.highlight)
        (inner.version, inner.seqNoPrimaryTerm, inner.explain, inner.trackScores) = (asked.version, asked.seqNoPrimaryTerm, asked.explain, asked.trackScores)
        inner.docvalueFields = asked.docvalueFields
        let search = try PreparedSearch(inner, targets, self)
        let sorter = try asked.sort.isEmpty ? nil : search.sorter(size: 0)
        return try FetchPhase(search).fetch(result.hits.map { hit in
            CollectedHit(place: HitPlace(target: hit.snapshot, segment: hit.segment, doc: hit.doc),
                score: hit.score.isNaN ? 0 : hit.score, sort: sorter?.json(hit))
        })
    }

    /// Finds what is wrong with a query without running it (`_validate/query`).
    package func validate(_ query: Query, in target: Target) throws(SearchError) -> Plan { try builder(target).plan(query) }

    // MARK: -

    func builder(_ target: Target) -> PlanBuilder {
        PlanBuilder(snapshot: target.snapshot, index: target.index, now: now, filterCache: filterCache)
    }

    /// Nil where everything matches.
    private func filter(_ query: Query?, _ target: Target) throws(SearchError) -> Plan? {
        var bool = Query.Bool()
        if let query { bool.filter.append(query) }
        if let filter = target.filter { bool.filter.append(filter) }
        guard !bool.filter.isEmpty else { return nil }
        return try builder(target).filter(Query(.bool(bool)))
    }
}
