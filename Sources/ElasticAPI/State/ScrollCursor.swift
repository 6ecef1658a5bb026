// Where a scroll stands. Each page is a search after the last hit of the page before, over the same snapshots: the
// order is made total by the document's place, so no page is deeper or dearer than another.

internal import JSON
internal import QueryDSL
internal import Search

struct ScrollCursor: Sendable {
    /// The search of the next page.
    private(set) var request: SearchRequest
    /// How many of the hits' sort values the caller asked for; the rest are ours.
    private let sortShown: Int
    /// A format may round a sort value, which then names no exact place: such scrolls count hits instead.
    private let countsHits: Bool

    init(_ original: SearchRequest) {
        var request = original
        request.trackTotalHits = .exact
        sortShown = original.sort.count
        countsHits = original.sort.contains { $0.format != nil }
        if !countsHits {
            if request.sort.isEmpty {
                request.sort = [SortKey(.score, ascending: false)]
                request.trackScores = true
            }
            if !request.sort.contains(where: { $0.target == .doc }) { request.sort.append(SortKey(.doc, ascending: true)) }
        }
        self.request = request
    }

    mutating func advance(past hits: [SearchHit]) {
        request.aggregations = []
        if countsHits {
            request.from += hits.count
        } else if let last = hits.last?.sort { request.searchAfter = last }
    }

    /// The page as the caller asked for it.
    func shown(_ response: SearchResponse) -> SearchResponse {
        guard !countsHits else { return response }
        var shown = response
        for i in shown.hits.indices { shown.hits[i].sort = sortShown == 0 ? nil : shown.hits[i].sort.map { Array($0.prefix(sortShown)) } }
        return shown
    }
}
