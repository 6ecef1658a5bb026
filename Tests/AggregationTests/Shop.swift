// A random shop in several segments with deletions, and the plain arrays that aggregations and sorts over it
// are compared with.

import Analysis
import Bytes
import Indexing
import IsothermTesting
import JSON
import Mappings
import QueryDSL
import Search
import Segments
import Storage

struct Shop {
    struct Item {
        var brand: String?
        var tags: [String]
        var price: Double
        var rating: Float?
        var stock: [Int64]
        var sold: Int64
        var available: Bool
        var isLive = true
        var matches = true
        var score: Float
        var segment: Int, doc: Int
    }

    var items: [Item] = []
    let snapshot: IndexSnapshot
    static let fields = ["available", "brand", "price", "rating", "sold", "stock", "tags"]

    static func mapping() throws -> Mapping {
        let properties: JSONValue = [
            "available": ["type": "boolean"], "brand": ["type": "keyword"], "price": ["type": "double"], "rating": ["type": "float"], "sold": ["type": "date"],
            "stock": ["type": "long"], "tags": ["type": "keyword"], "title": ["type": "text"], "unused": ["type": "long"],
        ]
        return try Mapping(JSONObject([("properties", properties)]), analysis: AnalysisRegistry(settings: nil))
    }

    init(seed: UInt64, sizes: [Int], deletes: Bool = true) throws {
        var random = Seeded(seed)
        func below(_ n: Int) -> Int { Int.random(in: 0..<n, using: &random) }
        let directory = MemoryDirectory()
        var views: [SegmentView] = []
        for (s, size) in sizes.enumerated() {
            let buffer = ColumnBuffer()
            var live = BitSet(count: size, all: true)
            for d in 0..<size {
                var item = Item(
                    brand: below(5) == 0 ? nil : "brand \(below(12) + s * 3)", tags: (0..<below(4)).map { _ in "t\(below(6))" }, price: Double(below(40_000)) / 100,
                    rating: below(4) == 0 ? nil : Float(below(51)) / 10, stock: (0..<below(3)).map { _ in Int64(below(30)) - 5 },
                    sold: 1_500_000_000_000 + Int64(below(1000)) * 86_400_000 + Int64(below(86_400_000)), available: below(2) == 0,
                    score: Float(below(1000)) / 100, segment: s, doc: d)
                item.isLive = !deletes || below(6) != 0
                item.matches = item.isLive && below(3) != 0
                if !item.isLive { live.remove(d) }
                let doc = DocID(d)
                buffer.addNumber(field: 0, doc: doc, value: item.available ? 1 : 0, options: [.column, .points])
                if let brand = item.brand { buffer.addKeyword(field: 1, doc: doc, bytes: Array(brand.utf8)[...]) }
                buffer.addNumber(field: 2, doc: doc, value: OrderedDouble.encode(item.price), options: [.column, .doubles, .points])
                if let r = item.rating { buffer.addNumber(field: 3, doc: doc, value: OrderedDouble.encode(Double(r)), options: [.column, .doubles]) }
                buffer.addNumber(field: 4, doc: doc, value: item.sold, options: [.column])
                for v in item.stock { buffer.addNumber(field: 5, doc: doc, value: v, options: [.column]) }
                for t in item.tags { buffer.addKeyword(field: 6, doc: doc, bytes: Array(t.utf8)[...]) }
                buffer.addDocument(doc: doc, id: "\(s)-\(d)", source: Array("{}".utf8), version: 1, sequenceNumber: Int64(d))
                items.append(item)
            }
            let writer = try SegmentFileWriter(directory, name: "\(s)", id: SegmentID(high: seed, low: UInt64(s)))
            var infos = Self.fields.enumerated().map { FieldInfo(ordinal: UInt32($0), path: $1, features: [], kind: "") }
            try buffer.write(to: writer, fields: &infos, order: (0..<7).map { $0 }, docCount: size)
            try writer.section(.fields, FieldTable.encode(docCount: size, fields: infos))
            _ = try writer.finish()
            views.append(SegmentView(segment: try Segment(SegmentFile.open(directory, name: "\(s)")), live: deletes ? live : nil))
        }
        snapshot = IndexSnapshot(segments: views, mapping: try Self.mapping())
    }

    var hits: [Item] { items.filter(\.matches) }

    func matches(_ segment: Int) -> BitSet { set(segment) { $0.matches } }

    func set(_ segment: Int, _ holds: (Item) -> Bool) -> BitSet {
        var set = BitSet(count: snapshot.segments[segment].docCount)
        for item in items where item.segment == segment && holds(item) { set.insert(item.doc) }
        return set
    }

    func scores(_ segment: Int) -> [Float] { items.filter { $0.segment == segment }.map(\.score) }

    /// The answer to `{"name": {...}}`.
    func aggregate(_ aggregations: [Aggregation]) throws -> JSONValue {
        let collector = try AggregationCollector(aggregations, snapshots: [snapshot]) { query, _, segment in
            guard case .term(let field, let value, _) = query.kind else { throw QueryError("test", "only term") }
            return self.set(segment) { $0.isLive && (field == "brand" ? $0.brand == value.string : $0.available == (value == .bool(true))) }
        }
        for s in snapshot.segments.indices { try collector.collect(snapshot: 0, segment: s, matches: matches(s), scores: scores(s)) }
        return try collector.finish().json { hits in
            .array(hits.hits.map { .array([.integer(Int64($0.segment)), .integer(Int64($0.doc))]) })
        }
    }
}
