// What aggregations answer: a tree of values with Elasticsearch's names, rendered by `json`.

package import JSON
package import QueryDSL
package import Segments

package struct AggregationResult: Sendable {
    package var name: String
    /// For `typed_keys`: "sterms", "lterms", "dterms", "range", "date_range", "histogram", "date_histogram", "avg", ...
    package var type: String
    package var meta: JSONObject?
    package var body: Body

    package indirect enum Body: Sendable {
        /// Everything but hits, in Elasticsearch's shape but for the sub-aggregations.
        case buckets(Buckets)
        /// filter, global, missing.
        case bucket(docCount: Int, children: [AggregationResult])
        /// A metric, in its final shape: {"value": 3.0}.
        case metric(JSONObject)
        case topHits(TopHitsResult)
    }

    package struct Buckets: Sendable {
        /// Members before "buckets": doc_count_error_upper_bound, sum_other_doc_count.
        package var head = JSONObject()
        /// Rendered as an object by `key` rather than an array.
        package var keyed = false
        package var buckets: [Bucket] = []
    }

    package struct Bucket: Sendable {
        /// The name when keyed.
        package var name: String
        /// key, key_as_string, from, to, doc_count, ...: in order.
        package var members: JSONObject
        package var children: [AggregationResult]
    }

    package struct TopHitsResult: Sendable {
        package var request: Aggregation.TopHits
        package var total: Int
        package var maxScore: Float?
        package var hits: [SortedHit]
        /// The "sort" of each hit; empty when sorted by score alone.
        package var sortValues: [[JSONValue]]
    }

    /// Elasticsearch's JSON for this result. `hits` renders a top_hits (the value of "hits").
    package func json(typedKeys: Bool = false, hits: (TopHitsResult) throws -> JSONValue) rethrows -> JSONValue {
        var object = JSONObject()
        if let meta { object["meta"] = .object(meta) }
        switch body {
        case .metric(let members): for (key, value) in members { object[key] = value }
        case .topHits(let result): object["hits"] = try hits(result)
        case .bucket(let docCount, let children):
            object["doc_count"] = .integer(Int64(docCount))
            try children.add(to: &object, typedKeys: typedKeys, hits)
        case .buckets(let result):
            for (key, value) in result.head { object[key] = value }
            var rendered: [(String, JSONValue)] = []
            for bucket in result.buckets {
                var members = bucket.members
                try bucket.children.add(to: &members, typedKeys: typedKeys, hits)
                rendered.append((bucket.name, .object(members)))
            }
            object["buckets"] = result.keyed ? .object(JSONObject(rendered)) : .array(rendered.map(\.1))
        }
        return .object(object)
    }
}

extension [AggregationResult] {
    /// The value of "aggregations".
    package func json(typedKeys: Bool = false, hits: (AggregationResult.TopHitsResult) throws -> JSONValue) rethrows -> JSONValue {
        var object = JSONObject()
        try add(to: &object, typedKeys: typedKeys, hits)
        return .object(object)
    }

    fileprivate func add(to object: inout JSONObject, typedKeys: Bool, _ hits: (AggregationResult.TopHitsResult) throws -> JSONValue) rethrows {
        for result in self {
            object[typedKeys ? result.type + "#" + result.name : result.name] = try result.json(typedKeys: typedKeys, hits: hits)
        }
    }
}
