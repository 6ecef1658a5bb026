// What sorting promises: the order of a plain sort over the values, over segments, and that search_after goes
// on exactly where a page ended.

import IsothermTesting
import JSON
import QueryDSL
import Search
import Segments
import Testing

@Suite("Sorting")
struct SortTests {
    private func shop(_ seed: UInt64) throws -> Shop { try Shop(seed: seed, sizes: AggregationTests.layouts[Int(seed) % 3]) }

    /// Keys of random fields, orders, modes and missing rules.
    private func keys(_ random: inout Seeded) -> [SortKey] {
        var keys: [SortKey] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let ascending = Bool.random(using: &random)
            var key: SortKey
            switch Int.random(in: 0..<8, using: &random) {
            case 0: key = SortKey(.score, ascending: ascending)
            case 1: key = SortKey(.field("price"), ascending: ascending)
            case 2: key = SortKey(.field("rating"), ascending: ascending)
            case 3: key = SortKey(.field("stock"), ascending: ascending)
            case 4: key = SortKey(.field("brand"), ascending: ascending)
            case 5: key = SortKey(.field("tags"), ascending: ascending)
            case 6: key = SortKey(.field("sold"), ascending: ascending)
            default: key = SortKey(.field("available"), ascending: ascending)
            }
            if key.target == .field("stock") { key.mode = [nil, .min, .max, .sum].randomElement(using: &random) ?? nil }
            if Bool.random(using: &random) { key.missing = .first }
            if Int.random(in: 0..<3, using: &random) == 0 {
                if key.target == .field("brand") { key.missing = .value("brand 5x") }
                if key.target == .field("stock") { key.missing = .value(7) }
            }
            keys.append(key)
        }
        return keys
    }

    private enum Value { case number(Double), text(String), missing }

    private func value(_ item: Shop.Item, _ key: SortKey) -> Value {
        let least = key.mode.map { $0 == .min } ?? key.ascending
        func missing() -> Value {
            guard case .value(let v) = key.missing else { return .missing }
            return v.string.map { .text($0) } ?? .number(v.number ?? 0)
        }
        switch key.target {
        case .score: return .number(Double(item.score))
        case .field("price"): return .number(item.price)
        case .field("rating"): return item.rating.map { .number(Double($0)) } ?? missing()
        case .field("stock"):
            if item.stock.isEmpty { return missing() }
            if key.mode == .sum { return .number(Double(item.stock.reduce(0, +))) }
            return .number(Double((least ? item.stock.min() : item.stock.max()) ?? 0))
        case .field("brand"): return item.brand.map { .text($0) } ?? missing()
        case .field("tags"): return ((least ? item.tags.min() : item.tags.max()).map { .text($0) }) ?? missing()
        case .field("sold"): return .number(Double(item.sold))
        default: return .number(item.available ? 1 : 0)
        }
    }

    private func precedes(_ a: Shop.Item, _ b: Shop.Item, _ keys: [SortKey]) -> Bool {
        for key in keys {
            switch (value(a, key), value(b, key)) {
            case (.missing, .missing): continue
            case (.missing, _): return key.missing == .first
            case (_, .missing): return key.missing != .first
            case (.number(let x), .number(let y)): if x != y { return (x < y) == key.ascending }
            case (.text(let x), .text(let y)): if x != y { return x.utf8.lexicographicallyPrecedes(y.utf8) == key.ascending }
            default: continue
            }
        }
        return (a.segment, a.doc) < (b.segment, b.doc)
    }

    private func search(_ shop: Shop, _ keys: [SortKey], size: Int, after: [JSONValue]? = nil) throws -> (hits: [SortedHit], sort: [[JSONValue]]) {
        let collector = try FieldSortCollector(keys, snapshots: [shop.snapshot], size: size, after: after)
        for s in shop.snapshot.segments.indices { try collector.collect(snapshot: 0, segment: s, matches: shop.matches(s), scores: shop.scores(s)) }
        let hits = collector.finish()
        return (hits, hits.map { collector.json($0) })
    }

    @Test("hits come in the order of their values, ties in order of documents", arguments: UInt64(0)..<40)
    func order(seed: UInt64) throws {
        var random = Seeded(seed)
        let shop = try shop(seed), keys = keys(&random)
        let size = [1, 10, 1000].randomElement(using: &random) ?? 1
        let got = try search(shop, keys, size: size).hits.map { [$0.segment, Int($0.doc)] }
        #expect(got == shop.hits.sorted { precedes($0, $1, keys) }.prefix(size).map { [$0.segment, $0.doc] }, "\(keys)")
    }

    @Test("pages by search_after are the whole list, when the last key breaks ties", arguments: UInt64(0)..<20)
    func pages(seed: UInt64) throws {
        var random = Seeded(seed)
        let shop = try shop(seed), keys = keys(&random) + [SortKey(.doc, ascending: Bool.random(using: &random))]
        let all = try search(shop, keys, size: 10_000).hits
        var got: [SortedHit] = [], after: [JSONValue]?
        for _ in 0..<200 {
            let page = try search(shop, keys, size: 17, after: after)
            if page.hits.isEmpty { break }
            got += page.hits
            after = page.sort.last
        }
        #expect(got == all, "\(keys)")
        #expect(all.count == shop.hits.count)
    }

    @Test("sort values are written as Elasticsearch writes them")
    func rendering() throws {
        let shop = try Shop(seed: 1, sizes: [300])
        var date = SortKey(.field("sold"), ascending: true)
        let plain = try search(shop, [date, SortKey(.field("rating"), ascending: false), SortKey(.field("brand"), ascending: true), SortKey(.field("stock"), ascending: true)], size: 300)
        for (hit, sort) in zip(plain.hits, plain.sort) {
            let item = shop.items[Int(hit.doc)]
            #expect(sort[0] == .integer(item.sold))
            #expect(sort[1] == item.rating.map { .number(Double("\($0)") ?? 0) } ?? "-Infinity")
            #expect(sort[2] == item.brand.map { .string($0) } ?? .null)
            #expect(sort[3] == .integer(item.stock.min() ?? .max))
        }
        date.format = "yyyy-MM"
        #expect(try search(shop, [date], size: 1).sort[0][0].string?.count == 7)
        #expect { try search(shop, [SortKey(.field("title"), ascending: true)], size: 1) } throws: { ($0 as? QueryError)?.type == "illegal_argument_exception" }
        #expect { try search(shop, [SortKey(.field("nowhere"), ascending: true)], size: 1) } throws: { ($0 as? QueryError)?.type == "query_shard_exception" }
    }
}
