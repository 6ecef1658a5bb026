// What aggregations promise: the counts and numbers that a loop over the live, matching documents finds,
// whatever the segments.

import Bytes
import IsothermTesting
import JSON
import QueryDSL
import Search
import Segments
import Testing

@Suite("Aggregations")
struct AggregationTests {
    static let layouts: [[Int]] = [[400], [150, 1, 220], [60, 60, 60, 60, 60, 60, 60, 60], [4200, 300]]

    private func shop(_ seed: UInt64) throws -> Shop { try Shop(seed: seed, sizes: Self.layouts[Int(seed) % Self.layouts.count], deletes: seed % 3 != 0) }

    /// Buckets by count, then key.
    private func commonest(_ counts: [String: Int], _ size: Int) -> (rows: [(key: String, value: Int)], other: Int) {
        let sorted = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return (Array(sorted.prefix(size)), sorted.dropFirst(size).reduce(0) { $0 + $1.value })
    }

    private func tally<K: Hashable>(_ items: [Shop.Item], _ keys: (Shop.Item) -> [K]) -> [K: Int] {
        var counts: [K: Int] = [:]
        for item in items { for key in Set(keys(item)) { counts[key, default: 0] += 1 } }
        return counts
    }

    private func terms(_ rows: [(key: String, value: Int)], _ other: Int, extra: (String) -> [(String, JSONValue)] = { _ in [] }) -> JSONValue {
        .object(
            JSONObject([
                ("doc_count_error_upper_bound", 0), ("sum_other_doc_count", .integer(Int64(other))),
                ("buckets", .array(rows.map { .object(JSONObject([("key", .string($0.key)), ("doc_count", .integer(Int64($0.value)))] + extra($0.key))) })),
            ]))
    }

    @Test("terms counts each document once for each of its terms", arguments: UInt64(0)..<5)
    func keywordTerms(seed: UInt64) throws {
        let shop = try shop(seed)
        var brand = Aggregation.Terms(field: "brand"), tags = Aggregation.Terms(field: "tags")
        brand.size = 5
        tags.size = 100
        let got = try shop.aggregate([Aggregation(name: "b", kind: .terms(brand)), Aggregation(name: "t", kind: .terms(tags))])
        let (rows, other) = commonest(tally(shop.hits) { $0.brand.map { [$0] } ?? [] }, 5)
        #expect(got["b"] == terms(rows, other))
        #expect(got["t"] == terms(commonest(tally(shop.hits, \.tags), 100).rows, 0))
    }

    @Test("terms by key, with missing, include, exclude and min_doc_count", arguments: UInt64(0)..<6)
    func termsOptions(seed: UInt64) throws {
        let shop = try shop(seed)
        var brand = Aggregation.Terms(field: "brand")
        brand.order = [.key(ascending: false)]
        brand.missing = "none"
        brand.minDocCount = 2
        brand.exclude = .values(["brand 1", "brand 2"])
        brand.size = 7
        let counts = tally(shop.hits) { [$0.brand ?? "none"] }.filter { $0.value >= 2 && $0.key != "brand 1" && $0.key != "brand 2" }
        let rows = counts.sorted { $1.key < $0.key }
        #expect(try shop.aggregate([Aggregation(name: "b", kind: .terms(brand))])["b"] == terms(Array(rows.prefix(7)).map { ($0.key, $0.value) }, rows.dropFirst(7).reduce(0) { $0 + $1.value }))
        var pattern = Aggregation.Terms(field: "brand")
        pattern.include = .regexp("brand [0-3].*")
        pattern.minDocCount = 0
        pattern.size = 50
        pattern.order = [.key(ascending: true)]
        let all = Set(shop.items.compactMap(\.brand)).filter { "0123".contains($0.dropFirst(6).first ?? "x") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let seen = tally(shop.hits) { $0.brand.map { [$0] } ?? [] }
        #expect(try shop.aggregate([Aggregation(name: "b", kind: .terms(pattern))])["b"] == terms(all.map { ($0, seen[$0] ?? 0) }, 0))
    }

    @Test("number, boolean and date terms have typed keys", arguments: UInt64(0)..<4)
    func numberTerms(seed: UInt64) throws {
        let shop = try shop(seed)
        var stock = Aggregation.Terms(field: "stock")
        stock.size = 4
        let got = try shop.aggregate([Aggregation(name: "s", kind: .terms(stock)), Aggregation(name: "a", kind: .terms(Aggregation.Terms(field: "available")))])
        let sorted = tally(shop.hits, \.stock).sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        #expect(got["s"]?["buckets"]?.array?.map { $0["key"] } == sorted.prefix(4).map { .integer($0.key) })
        #expect(got["s"]?["sum_other_doc_count"] == .integer(Int64(sorted.dropFirst(4).reduce(0) { $0 + $1.value })))
        for bucket in got["a"]?["buckets"]?.array ?? [] {
            let yes = bucket["key"] == 1
            #expect(bucket["key_as_string"] == (yes ? "true" : "false"))
            #expect(bucket["doc_count"] == .integer(Int64(shop.hits.count { $0.available == yes })))
        }
    }

    @Test("sub-aggregations see their bucket's documents only, at any depth", arguments: UInt64(0)..<5)
    func nested(seed: UInt64) throws {
        let shop = try shop(seed)
        let average = Aggregation(name: "avg", kind: .avg(Aggregation.Metric(field: "price")))
        var tagTerms = Aggregation.Terms(field: "tags"), brandTerms = Aggregation.Terms(field: "brand")
        tagTerms.size = 3
        brandTerms.size = 4
        let inner = Aggregation(name: "t", kind: .terms(tagTerms), children: [average])
        let ranges = Aggregation(
            name: "r", kind: .range(Aggregation.Ranges(field: "price", ranges: [.init(key: nil, from: nil, to: 100), .init(key: nil, from: 50, to: nil)])), children: [average])
        let got = try shop.aggregate([Aggregation(name: "b", kind: .terms(brandTerms), children: [inner, ranges])])
        let (rows, other) = commonest(tally(shop.hits) { $0.brand.map { [$0] } ?? [] }, 4)
        func mean(_ items: [Shop.Item]) -> JSONValue { ["value": items.isEmpty ? .null : .number(sum(items.map(\.price)) / Double(items.count))] }
        let expected = terms(rows, other) { brand in
            let own = shop.hits.filter { $0.brand == brand }
            let (tags, rest) = commonest(tally(own, \.tags), 3)
            let low = own.filter { $0.price < 100 }, high = own.filter { $0.price >= 50 }
            return [
                ("t", terms(tags, rest) { tag in [("avg", mean(own.filter { $0.tags.contains(tag) }))] }),
                ("r", ["buckets": [
                    ["key": "*-100.0", "to": 100.0, "doc_count": .integer(Int64(low.count)), "avg": mean(low)],
                    ["key": "50.0-*", "from": 50.0, "doc_count": .integer(Int64(high.count)), "avg": mean(high)],
                ]]),
            ]
        }
        #expect(near(got["b"], expected))
    }

    @Test("terms ordered by a metric of a sub-aggregation", arguments: UInt64(0)..<4)
    func metricOrder(seed: UInt64) throws {
        let shop = try shop(seed)
        var brand = Aggregation.Terms(field: "brand")
        brand.order = [.metric(path: "s.max", ascending: false)]
        let got = try shop.aggregate([Aggregation(name: "b", kind: .terms(brand), children: [Aggregation(name: "s", kind: .stats(Aggregation.Metric(field: "price")))])])
        let best = Dictionary(grouping: shop.hits.filter { $0.brand != nil }) { $0.brand ?? "" }.mapValues { $0.map(\.price).max() ?? 0 }
        let keys = best.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.prefix(10).map(\.key)
        #expect(got["b"]?["buckets"]?.array?.compactMap { $0["key"]?.string } == Array(keys))
    }

    @Test("histograms fill gaps between the first and the last bucket", arguments: UInt64(0)..<6)
    func histogram(seed: UInt64) throws {
        let shop = try shop(seed)
        var price = Aggregation.Histogram(field: "price", interval: 50)
        price.offset = 10
        let stock = Aggregation.Histogram(field: "stock", interval: 4)
        let got = try shop.aggregate([Aggregation(name: "p", kind: .histogram(price)), Aggregation(name: "s", kind: .histogram(stock))])
        func expected(_ counts: [Int: Int], _ interval: Double, _ offset: Double) -> JSONValue {
            guard let low = counts.keys.min(), let high = counts.keys.max() else { return ["buckets": []] }
            return ["buckets": .array((low...high).map { ["key": .number(Double($0) * interval + offset), "doc_count": .integer(Int64(counts[$0] ?? 0))] })]
        }
        #expect(got["p"] == expected(tally(shop.hits) { [Int((($0.price - 10) / 50).rounded(.down))] }, 50, 10))
        #expect(got["s"] == expected(tally(shop.hits) { $0.stock.map { Int((Double($0) / 4).rounded(.down)) } }, 4, 0))
    }

    @Test("days of a zone with summer time have 23, 24 and 25 hours")
    func summerTime() throws {
        let shop = try Shop(seed: 3, sizes: [1500, 1500], deletes: true)
        var days = Aggregation.DateHistogram(field: "sold", interval: .calendar("day"))
        days.timeZone = "Europe/Berlin"
        let buckets = try shop.aggregate([Aggregation(name: "d", kind: .dateHistogram(days))])["d"]?["buckets"]?.array ?? []
        let starts = buckets.compactMap { $0["key"]?.integer }, hours = Set(zip(starts.dropFirst(), starts).map { ($0 - $1) / 3_600_000 })
        #expect(hours == [23, 24, 25])
        for (i, bucket) in buckets.enumerated() where i + 1 < buckets.count {
            #expect(bucket["doc_count"] == .integer(Int64(shop.hits.count { $0.sold >= starts[i] && $0.sold < starts[i + 1] })))
            #expect(bucket["key_as_string"]?.string?.hasSuffix("T00:00:00.000+01:00") == true || bucket["key_as_string"]?.string?.hasSuffix("T00:00:00.000+02:00") == true)
        }
        #expect(buckets.reduce(0) { $0 + ($1["doc_count"]?.integer ?? 0) } == Int64(shop.hits.count))
    }

    @Test("months and fixed intervals, with a format and extended bounds")
    func months() throws {
        let shop = try Shop(seed: 4, sizes: [500, 400])
        var months = Aggregation.DateHistogram(field: "sold", interval: .calendar("month"))
        months.format = "yyyy-MM-dd"
        months.extendedBounds = ("2017-01-15", "2020-12-31")
        var weeks = Aggregation.DateHistogram(field: "sold", interval: .fixed(milliseconds: 7 * 86_400_000))
        weeks.minDocCount = 1
        let got = try shop.aggregate([Aggregation(name: "m", kind: .dateHistogram(months)), Aggregation(name: "w", kind: .dateHistogram(weeks))])
        let rows = got["m"]?["buckets"]?.array ?? []
        #expect(rows.count == 48)
        #expect(rows.first?["key_as_string"] == "2017-01-01")
        #expect(rows.last?["key_as_string"] == "2020-12-01")
        #expect(rows.reduce(0) { $0 + ($1["doc_count"]?.integer ?? 0) } == Int64(shop.hits.count))
        let counts = tally(shop.hits) { [$0.sold / (7 * 86_400_000) * 7 * 86_400_000] }
        #expect(got["w"]?["buckets"]?.array?.map { $0["doc_count"]?.integer } == counts.sorted { $0.key < $1.key }.map { Int64($0.value) })
    }

    @Test("metrics are those of all values", arguments: UInt64(0)..<6)
    func metrics(seed: UInt64) throws {
        let shop = try shop(seed)
        func metric(_ field: String) -> Aggregation.Metric { Aggregation.Metric(field: field) }
        let got = try shop.aggregate([
            Aggregation(name: "s", kind: .stats(metric("stock"))), Aggregation(name: "c", kind: .valueCount(metric("tags"))),
            Aggregation(name: "d", kind: .cardinality(metric("tags"), precisionThreshold: 3000)), Aggregation(name: "e", kind: .cardinality(metric("stock"), precisionThreshold: 3000)),
            Aggregation(name: "m", kind: .max(metric("sold"))), Aggregation(name: "u", kind: .min(metric("unused"))),
            Aggregation(name: "p", kind: .percentiles(metric("price"), percents: [0, 50, 100], keyed: true)), Aggregation(name: "x", kind: .missing(field: "rating")),
            Aggregation(name: "g", kind: .global, children: [Aggregation(name: "n", kind: .valueCount(metric("price")))]),
            Aggregation(name: "f", kind: .filter(Query(.term(field: "brand", value: "brand 3", caseInsensitive: false))), children: [Aggregation(name: "n", kind: .sum(metric("price")))]),
        ])
        let stock = shop.hits.flatMap(\.stock)
        #expect(got["s"]?["count"] == .integer(Int64(stock.count)))
        #expect(got["s"]?["sum"] == .number(Double(stock.reduce(0, +))))
        #expect(got["s"]?["min"] == stock.min().map { .number(Double($0)) } ?? .null)
        #expect(got["c"]?["value"] == .integer(Int64(shop.hits.reduce(0) { $0 + Set($1.tags).count })))
        #expect(got["d"]?["value"] == .integer(Int64(Set(shop.hits.flatMap(\.tags)).count)))
        #expect(got["e"]?["value"] == .integer(Int64(Set(stock).count)))
        #expect(got["m"]?["value"]?.number == shop.hits.map { Double($0.sold) }.max())
        #expect(got["m"]?["value_as_string"]?.string?.hasSuffix("Z") == true)
        #expect(got["u"] == ["value": nil])
        let prices = shop.hits.map(\.price).sorted()
        #expect(got["p"]?["values"]?["0.0"]?.number == prices.first)
        #expect(got["p"]?["values"]?["100.0"]?.number == prices.last)
        let middle = prices.count % 2 == 1 ? prices[prices.count / 2] : (prices[prices.count / 2 - 1] + prices[prices.count / 2]) / 2
        #expect(abs((got["p"]?["values"]?["50.0"]?.number ?? 0) - middle) < 1e-9)
        #expect(got["x"]?["doc_count"] == .integer(Int64(shop.hits.count { $0.rating == nil })))
        #expect(got["g"]?["doc_count"] == .integer(Int64(shop.items.count(where: \.isLive))))
        let third = shop.hits.filter { $0.brand == "brand 3" }
        #expect(got["f"]?["doc_count"] == .integer(Int64(third.count)))
        #expect(abs((got["f"]?["n"]?["value"]?.number ?? 0) - third.reduce(0) { $0 + $1.price }) < 1e-6)
    }

    @Test("top_hits keeps the best of each bucket, ties in order of documents", arguments: UInt64(0)..<4)
    func topHits(seed: UInt64) throws {
        let shop = try shop(seed)
        var byPrice = Aggregation.TopHits()
        byPrice.size = 2
        byPrice.sort = [SortKey(.field("rating"), ascending: false), SortKey(.field("price"), ascending: true)]
        var byScore = Aggregation.TopHits()
        byScore.size = 3
        let got = try shop.aggregate([
            Aggregation(name: "b", kind: .terms(Aggregation.Terms(field: "brand")), children: [Aggregation(name: "p", kind: .topHits(byPrice)), Aggregation(name: "s", kind: .topHits(byScore))])
        ])
        for bucket in got["b"]?["buckets"]?.array ?? [] {
            let own = shop.hits.filter { $0.brand == bucket["key"]?.string }
            let scored = own.sorted { $0.score != $1.score ? $0.score > $1.score : ($0.segment, $0.doc) < ($1.segment, $1.doc) }.prefix(3)
            #expect(bucket["s"]?["hits"] == .array(scored.map { [.integer(Int64($0.segment)), .integer(Int64($0.doc))] }))
            let priced = own.sorted { a, b in
                let (x, y) = (a.rating ?? -1, b.rating ?? -1)
                return x != y ? x > y : a.price != b.price ? a.price < b.price : (a.segment, a.doc) < (b.segment, b.doc)
            }.prefix(2)
            #expect(bucket["p"]?["hits"] == .array(priced.map { [.integer(Int64($0.segment)), .integer(Int64($0.doc))] }))
        }
    }

    @Test("too many buckets are refused by name, not built")
    func bucketLimit() throws {
        let shop = try Shop(seed: 1, sizes: [50])
        let tiny = Aggregation(name: "h", kind: .histogram(Aggregation.Histogram(field: "price", interval: 1e-9)))
        #expect { try shop.aggregate([tiny]) } throws: { ($0 as? QueryError)?.type == "too_many_buckets_exception" }
        #expect { try shop.aggregate([Aggregation(name: "t", kind: .terms(Aggregation.Terms(field: "title")))]) } throws: { ($0 as? QueryError)?.type == "illegal_argument_exception" }
    }

    @Test("a sketch of 100,000 distinct values is within 3 %, a digest's median within 1 %")
    func sketches() {
        var sketch = DistinctSketch(), digest = QuantileDigest()
        for i in 0..<100_000 {
            _ = sketch.add(Hash64.of(UInt64(i)))
            digest.add(Double((i * 7919) % 100_000))
        }
        #expect(abs(sketch.count - 100_000) < 3000)
        #expect(abs((digest.quantile(0.5) ?? 0) - 50_000) < 1000)
        #expect(abs((digest.rank(25_000) ?? 0) - 0.25) < 0.01)
    }

    @Test("facet sets leave out one filter each", arguments: UInt64(0)..<20)
    func facetSets(seed: UInt64) {
        var random = Seeded(seed)
        let n = Int.random(in: 1...300, using: &random)
        func set() -> BitSet {
            var set = BitSet(count: n)
            for i in 0..<n where Bool.random(using: &random) { set.insert(i) }
            return set
        }
        let base = set(), filters = (0..<Int.random(in: 0...4, using: &random)).map { _ in set() }, facets = FacetSets(base: base, filters: filters)
        for i in 0..<n {
            #expect(facets.all[i] == (base[i] && filters.allSatisfy { $0[i] }))
            for f in filters.indices { #expect(facets.without[f][i] == (base[i] && filters.indices.allSatisfy { $0 == f || filters[$0][i] })) }
        }
    }

    private func sum(_ values: [Double]) -> Double { values.reduce(0, +) }

    /// Equal but for the last digits of doubles.
    private func near(_ a: JSONValue?, _ b: JSONValue?) -> Bool {
        switch (a, b) {
        case (.number(let x)?, .number(let y)?): return abs(x - y) <= 1e-9 * max(1, abs(x))
        case (.array(let x)?, .array(let y)?): return x.count == y.count && zip(x, y).allSatisfy { near($0, $1) }
        case (.object(let x)?, .object(let y)?): return x.count == y.count && x.members.allSatisfy { near($0.value, y[$0.key]) }
        default: return a == b
        }
    }
}
