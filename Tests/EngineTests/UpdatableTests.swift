// Updatable columns through one shard: what a patch changes and what it leaves, and that searches, sorts and aggregations see just what an array would say.

import Engine
import Foundation
import IsothermTesting
import JSON
import Mappings
import QueryDSL
import Search
import Storage
import Testing

private let mappingText = #"""
    {"properties": {
        "title": {"type": "text"}, "brand": {"type": "keyword"},
        "price": {"type": "scaled_float", "scaling_factor": 100, "updatable": true}, "stock": {"type": "long", "updatable": true},
        "on": {"type": "boolean", "updatable": true}, "rating": {"type": "double", "updatable": true}, "at": {"type": "date", "updatable": true},
        "offer": {"properties": {"n": {"type": "integer", "updatable": true}}}}}
    """#

private func mapping(_ text: String = mappingText) throws -> Mapping { try Mapping(try JSONValue.parse(text).object ?? JSONObject()) }

private func update(_ id: String, _ doc: String) -> WriteOperation { WriteOperation(.update, index: "i", id: id, source: Array("{\"doc\":\(doc)}".utf8)) }

private func bench(_ seed: UInt64 = 1) throws -> ShardBench {
    var bench = try ShardBench(seed: seed)
    bench.mapping = try mapping()
    // Ids of chance: what searches keep by segment id outlives a shard.
    bench.settings.seed = nil
    return bench
}

@Suite("Updatable columns")
struct UpdatableTests {
    @Test("a patch bumps version and sequence number, is read back at once, and seen by searches after a refresh; older snapshots stay as they were")
    func patches() throws {
        let bench = try bench()
        var shard = try bench.open()
        try shard.ok(put("1", #"{"title":"a",  "price": 10.00,"offer":{"n":1}}"#))
        try shard.flush()
        let before = shard.snapshot()
        let result = try shard.ok(update("1", #"{"price":12.49,"offer":{"n":2}}"#))
        #expect(result.outcome == .updated && result.version == 2 && result.seqNo == 1)
        #expect(shard.stats.patchTotal == 1)
        let text = #"{"title":"a",  "price": 12.49,"offer":{"n":2}}"#
        #expect(try shard.text("1") == text)
        #expect(try shard.text("1", realtime: false)?.contains("10.00") == true)
        let again = try shard.ok(update("1", #"{"price":12.49}"#))
        #expect(again.outcome == .noop && again.version == 2)
        #expect(try ids(shard, #"{"range":{"price":{"gte":12}}}"#) == [])
        try shard.refresh()
        #expect(try ids(shard, #"{"range":{"price":{"gte":12}}}"#) == ["1"])
        #expect(try ids(shard, #"{"term":{"offer.n":2}}"#) == ["1"])
        #expect(try shard.text("1", realtime: false) == text)
        let target = SearchExecutor.Target(index: "i", snapshot: before)
        #expect(try SearchExecutor(now: 0).count(try query(#"{"term":{"price":10}}"#), in: [target]) == 1)
        let hit = try #require(try search(shard, #"{"match_all":{}}"#).hits.first)
        #expect(hit.version == 2 && hit.sequenceNumber == 1 && hit.source.map { String(decoding: $0, as: UTF8.self) } == text)
        for close in [false, true] {
            if close { try shard.close() } else {
                try shard.translog.sync()
                shard.abandon()
            }
            shard = try bench.open()
            #expect(try shard.text("1") == text)
            #expect(try ids(shard, #"{"range":{"price":{"gte":12}}}"#) == ["1"])
            #expect(try shard.get("1", index: "i")?.version == 2)
        }
        #expect(try bench.directory.list().contains { $0.hasSuffix(".upd") })
        try shard.ok(put("2", "{}"))
        try shard.refresh()
        try shard.forceMerge(segmentsMax: 1)
        try shard.flush()
        #expect(try !bench.directory.list().contains { $0.hasSuffix(".upd") })
        #expect(try shard.text("1", realtime: false) == text)
        #expect(try shard.get("1", index: "i", realtime: false)?.version == 2)
    }

    @Test("what a patch cannot say is written as a new document", arguments: [
        (#"{"price":1}"#, #"{"price":2,"title":"x"}"#), (#"{"title":"x"}"#, #"{"price":2}"#), (#"{"price":[1,2]}"#, #"{"price":2}"#),
        (#"{"price":1}"#, #"{"price":[2,3]}"#), (#"{"price":1}"#, #"{"price":null}"#), (#"{"offer.n":1}"#, #"{"offer":{"n":2}}"#),
        (#"{"offer":[{"n":1}]}"#, #"{"offer":{"n":2}}"#), (#"{"pr\u0069ce":1}"#, #"{"price":2}"#), (#"{"price":1}"#, #"{"brand":"b"}"#),
    ])
    func ordinary(before: String, change: String) throws {
        let shard = try bench().open(), plain = try ShardBench().open()
        for s in [shard, plain] {
            try s.ok(put("1", before))
            try s.refresh()
            try s.ok(update("1", change))
            try s.refresh()
        }
        #expect(shard.stats.patchTotal == 0)
        #expect(try shard.text("1", realtime: false) == plain.text("1", realtime: false))
    }

    @Test("a malformed value is refused as everywhere, and nothing is changed")
    func malformed() throws {
        let shard = try bench().open()
        try shard.ok(put("1", #"{"price":1}"#))
        try shard.refresh()
        #expect(shard.write(update("1", #"{"price":"dear"}"#)).result.error?.status == 400)
        #expect(try shard.text("1") == #"{"price":1}"#)
    }

    @Test("only numbers, booleans and dates of their own can be updatable, and the flag does not change")
    func mappings() throws {
        for (field, word) in [
            (#"{"type":"text","updatable":true}"#, "numeric, boolean and date"), (#"{"type":"keyword","updatable":true}"#, "numeric, boolean and date"),
            (#"{"type":"long","updatable":true,"doc_values":false}"#, "doc_values"), (#"{"type":"long","updatable":true,"copy_to":"y"}"#, "copy_to"),
            (#"{"type":"long","updatable":true,"fields":{"z":{"type":"keyword"}}}"#, "fields"),
            (#"{"type":"text","fields":{"n":{"type":"long","updatable":true}}}"#, "multi-field"),
        ] {
            do {
                _ = try mapping("{\"properties\":{\"x\":\(field)}}")
                Issue.record("accepted \(field)")
            } catch { #expect("\(error)".contains(word), "\(error)") }
        }
        #expect(throws: MappingError.self) { try mapping(#"{"properties":{"x":{"type":"long","updatable":true},"y":{"type":"long","copy_to":"x"}}}"#) }
        #expect(throws: MappingError.self) { try mapping().merging(["properties": .object(["price": .object(["type": "scaled_float", "scaling_factor": 100])])]) }
        #expect(try mapping().field("price")?.definition["updatable"] == true)
    }

    @Test("filters that are kept between searches do not outlive a patch, and a column of thousands is patched in its blocks")
    func filters() throws {
        let shard = try bench().open(), cache = FilterCache(), n = 9000
        for i in 0..<n { try shard.ok(put("\(i)", "{\"stock\":\(i % 7 * 3),\"on\":true,\"brand\":\"\(i % 2)\"}")) }
        try shard.refresh()
        try shard.forceMerge(segmentsMax: 1)
        func count(_ text: String) throws -> Int {
            try SearchExecutor(now: 0, filterCache: cache).count(try query(text), in: [SearchExecutor.Target(index: "i", snapshot: shard.snapshot())])
        }
        var stock = (0..<n).map { $0 % 7 * 3 }, on = [Bool](repeating: true, count: n), random = Seeded(5)
        for _ in 0..<12 {
            for _ in 0..<3 {
                #expect(try count(#"{"bool":{"filter":[{"range":{"stock":{"gte":4,"lt":13}}},{"term":{"brand":"1"}}]}}"#)
                    == (0..<n).count { $0 % 2 == 1 && stock[$0] >= 4 && stock[$0] < 13 })
                #expect(try count(#"{"bool":{"filter":[{"terms":{"stock":[0,5,18,1000000]}}]}}"#) == (0..<n).count { [0, 5, 18, 1_000_000].contains(stock[$0]) })
                #expect(try count(#"{"bool":{"must_not":[{"term":{"on":true}}]}}"#) == on.count { !$0 })
            }
            for _ in 0..<20 {
                let i = Int.random(in: 0..<n, using: &random)
                stock[i] = [5, 18, 1_000_000, -4].randomElement(using: &random) ?? 5
                on[i].toggle()
                try shard.ok(update("\(i)", "{\"stock\":\(stock[i]),\"on\":\(on[i])}"))
            }
            try shard.refresh()
        }
        #expect(shard.stats.patchTotal == 240 && shard.stats.segments == 1)
        try shard.forceMerge(segmentsMax: 1)
        #expect(try count(#"{"range":{"stock":{"gt":17}}}"#) == stock.count { $0 > 17 })
    }

    // MARK: - Against an array

    struct Item: Equatable { var price: Int, stock: Int, on: Bool, rating: Double, at: Int, brand: String }

    private static func source(_ x: Item) -> String {
        "{\"brand\":\"\(x.brand)\",\"price\":\(Double(x.price) / 100),\"stock\":\(x.stock),\"on\":\(x.on),\"rating\":\(x.rating),\"at\":\(x.at)}"
    }

    @Test("ranges, terms, sorts, sums and buckets see what an array would, over segments with deletes, updates and merges", arguments: UInt64(0)..<24)
    func model(seed: UInt64) throws {
        var random = Seeded(seed), items: [String: Item] = [:]
        var bench = try bench(seed)
        bench.settings.mergePolicy.segmentsPerTier = 3
        bench.settings.bufferBytesMax = seed % 4 == 0 ? 1 << 12 : 64 << 20
        var shard = try bench.open()
        func item() -> Item {
            Item(price: Int.random(in: 0..<5000, using: &random), stock: Int.random(in: -3..<9, using: &random) * (seed % 5 == 0 ? 1000 : 1), on: seed % 3 == 0 ? true : Bool.random(using: &random),
                rating: Double(Int.random(in: 0..<50, using: &random)) / 10, at: 1_600_000_000_000 + Int.random(in: 0..<100, using: &random) * 86_400_000,
                brand: ["a", "b", "c"].randomElement(using: &random) ?? "a")
        }
        for i in 0..<60 {
            let x = item()
            items["\(i)"] = x
            try shard.ok(put("\(i)", Self.source(x)))
            if i % 17 == 0 { try shard.refresh() }
        }
        for step in 0..<160 {
            let id = "\(Int.random(in: 0..<70, using: &random))"
            switch Int.random(in: 0..<20, using: &random) {
            case 0: try shard.ok(WriteOperation(.delete, index: "i", id: id))
                items[id] = nil
            case 1, 2:
                items[id] = item()
                try shard.ok(put(id, Self.source(items[id] ?? item())))
            case 3..<14:
                guard var x = items[id] else { continue }
                let y = item()
                var doc: [String] = []
                if Bool.random(using: &random) { (x.price, doc) = (y.price, doc + ["\"price\":\(Double(y.price) / 100)"]) }
                if Bool.random(using: &random) { (x.stock, doc) = (y.stock, doc + ["\"stock\":\(y.stock)"]) }
                if Bool.random(using: &random) { (x.on, doc) = (!x.on, doc + ["\"on\":\(!x.on)"]) }
                if Bool.random(using: &random) {
                    x.rating = step % 40 == 0 ? y.rating / 3 : y.rating
                    doc.append("\"rating\":\(x.rating)")
                }
                if Bool.random(using: &random) { (x.at, doc) = (y.at, doc + ["\"at\":\(y.at)"]) }
                if doc.isEmpty { continue }
                items[id] = x
                try shard.ok(update(id, "{" + doc.joined(separator: ",") + "}"))
            case 14, 15, 16:
                try shard.refresh()
                try check(shard, items, &random)
            case 17: try shard.mergeOnce()
            case 18: try shard.flush()
            default:
                try shard.translog.sync()
                shard.abandon()
                shard = try bench.open()
                try check(shard, items, &random)
            }
        }
        try shard.refresh()
        try check(shard, items, &random)
        try shard.forceMerge(segmentsMax: 1)
        try check(shard, items, &random)
    }

    private func check(_ shard: IndexShard, _ items: [String: Item], _ random: inout Seeded) throws {
        let low = Int.random(in: 0..<5000, using: &random), high = low + Int.random(in: 0..<2000, using: &random)
        #expect(try ids(shard, "{\"range\":{\"price\":{\"gte\":\(Double(low) / 100),\"lt\":\(Double(high) / 100)}}}") == items.filter { $0.value.price >= low && $0.value.price < high }.keys.sorted())
        #expect(try ids(shard, #"{"range":{"stock":{"gt":0}}}"#) == items.filter { $0.value.stock > 0 }.keys.sorted())
        #expect(try ids(shard, #"{"term":{"on":true}}"#) == items.filter { $0.value.on }.keys.sorted())
        #expect(try ids(shard, #"{"bool":{"filter":[{"range":{"rating":{"gte":2.5}}},{"term":{"brand":"b"}}]}}"#) == items.filter { $0.value.rating >= 2.5 && $0.value.brand == "b" }.keys.sorted())
        #expect(try ids(shard, "{\"range\":{\"at\":{\"lte\":\(1_600_000_000_000 + 50 * 86_400_000)}}}") == items.filter { $0.value.at <= 1_600_000_000_000 + 50 * 86_400_000 }.keys.sorted())
        let response = try search(shard, #"{"match_all":{}}"#, more: #","sort":[{"price":"desc"},{"stock":"asc"}],"aggs":{"s":{"stats":{"field":"price"}},"n":{"terms":{"field":"stock","size":100}},"b":{"terms":{"field":"brand"},"aggs":{"r":{"max":{"field":"rating"}}}}}"#)
        let order = response.hits.map { items[$0.id].map { [-$0.price, $0.stock] } ?? [] }
        #expect(order == items.values.map { [-$0.price, $0.stock] }.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) })
        for hit in response.hits {
            let source = try #require(try JSONValue.parse(hit.source ?? []).object), x = try #require(items[hit.id])
            #expect(source == (try JSONValue.parse(Self.source(x)).object))
        }
        for aggregation in response.aggregations {
            switch (aggregation.name, aggregation.body) {
            case ("s", .metric(let s)):
                #expect(s["count"]?.integer == Int64(items.count))
                #expect(abs((s["sum"]?.number ?? -1) - Double(items.values.reduce(0) { $0 + $1.price }) / 100) < 1e-6)
            case ("n", .buckets(let found)):
                let counts = Dictionary(grouping: items.values, by: \.stock).mapValues(\.count)
                for bucket in found.buckets {
                    #expect(bucket.members["doc_count"]?.integer == counts[Int(bucket.members["key"]?.integer ?? 99_999_999)].map { Int64($0) })
                }
                #expect(found.buckets.count == counts.count)
            default: break
            }
        }
    }

    // MARK: -

    private func query(_ text: String) throws -> Query { try Query(json: try JSONValue.parse(text)) }

    private func search(_ shard: IndexShard, _ query: String, more: String = "") throws -> SearchResponse {
        let request = try SearchRequest(json: try JSONValue.parse("{\"query\":\(query),\"size\":1000,\"version\":true,\"seq_no_primary_term\":true\(more)}"))
        return try SearchExecutor(now: 0).search(request, in: [SearchExecutor.Target(index: "i", snapshot: shard.snapshot())])
    }

    private func ids(_ shard: IndexShard, _ query: String) throws -> [String] { try search(shard, query).hits.map(\.id).sorted() }
}
