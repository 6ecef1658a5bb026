// What a search found, as values: ElasticAPI renders it, tests read it. Hits are in the order asked for.

package import JSON
package import QueryDSL
package import Segments
package import Storage

package struct SearchResponse: Sendable {
    package enum Relation: String, Sendable, Equatable { case equal = "eq", atLeast = "gte" }

    package var hits: [SearchHit] = []
    /// Nil when the request said `track_total_hits: false`.
    package var total: (value: Int, relation: Relation)?
    /// Nil when nothing matched or the order is not by score.
    package var maxScore: Float?
    /// In the order of the request; rendered by `json`, top_hits with `SearchExecutor.fetch`.
    package var aggregations: [AggregationResult] = []
    package var timedOut = false
    /// Nil unless the request said `terminate_after`.
    package var terminatedEarly: Bool?

    package init() {}
}

package struct SearchHit: Sendable {
    package var index: String
    package var id: String
    package var routing: String?
    /// Nil when the order is not by score and `track_scores` was not given.
    package var score: Float?
    /// The values sorted by; nil when sorted by score alone and no `sort` was given.
    package var sort: [JSONValue]?
    /// `_source` after filtering, as JSON text; nil when not asked for.
    package var source: [UInt8]?
    package var version: Int64?
    package var sequenceNumber: Int64?
    package var primaryTerm: Int64?
    package var matchedQueries: [String] = []
    package var highlight: [(field: String, fragments: [String])] = []
    /// `fields`, `docvalue_fields`, `stored_fields`: each an array of values.
    package var fields: JSONObject?
    package var explanation: Explanation?
    /// Where it lies: which of the searched indexes, which segment, which document.
    package var place: HitPlace

    package init(index: String, id: String, place: HitPlace) { (self.index, self.id, self.place) = (index, id, place) }
}

package struct HitPlace: Sendable, Equatable {
    package var target: Int, segment: Int, doc: DocID
    package init(target: Int, segment: Int, doc: DocID) { (self.target, self.segment, self.doc) = (target, segment, doc) }
}

/// One node of `_explanation`: `value` follows from the `details` as `description` says.
package struct Explanation: Sendable, Equatable {
    package var value: Float
    package var description: String
    package var details: [Explanation]
    /// False for a clause that the document does not match; its value is 0.
    package var matches: Bool

    package init(_ value: Float, _ description: String, _ details: [Explanation] = [], matches: Bool = true) {
        (self.value, self.description, self.details, self.matches) = (value, description, details, matches)
    }
}

/// Why a search gave no answer.
package enum SearchError: Error, Equatable {
    /// The caller erred.
    case request(QueryError)
    /// The world failed, or a file is damaged.
    case storage(StorageError)

    package init(_ type: String, _ reason: String) { self = .request(QueryError(type, reason)) }
}
