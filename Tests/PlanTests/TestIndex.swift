// A small index in memory, made through the write buffers, and the same documents as plain arrays.

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

struct TestDocument {
    var id: String
    var title: String?
    var description: String?
    var brand: [String] = []
    var price: Double?
    var stock: [Int] = []
    var created: Int64?
    var isDeleted = false

    var source: JSONValue {
        var object = JSONObject()
        if let title { object["title"] = .string(title) }
        if let description { object["description"] = .string(description) }
        if !brand.isEmpty { object["brand"] = .array(brand.map { .string($0) }) }
        if let price { object["price"] = .number(price) }
        if !stock.isEmpty { object["stock"] = .array(stock.map { .integer(Int64($0)) }) }
        if let created { object["created"] = .integer(created) }
        return .object(object)
    }
}

struct TestIndex {
    let documents: [[TestDocument]]
    let snapshot: IndexSnapshot
    let directory = MemoryDirectory()

    static func mapping() throws -> Mapping {
        let text = """
            {"properties": {"title": {"type": "text"}, "description": {"type": "text"}, "brand": {"type": "keyword"},
             "price": {"type": "double"}, "stock": {"type": "integer"}, "created": {"type": "date"}, "gone": {"type": "keyword"}}}
            """
        return try Mapping(try JSONValue.parse(text).object ?? JSONObject())
    }

    init(_ segments: [[TestDocument]], settings: SearchSettings = SearchSettings()) throws {
        documents = segments
        let mapping = try Self.mapping()
        var views: [SegmentView] = []
        for (n, docs) in segments.enumerated() {
            let writer = DocumentWriter()
            var live = BitSet(count: docs.count, all: true)
            for (i, doc) in docs.enumerated() {
                let parsed = Self.parsed(doc, mapping)
                let number = try writer.addFields(parsed)
                writer.finish(number, id: doc.id, source: doc.source.serialized(), routing: nil, version: 1, seqNo: Int64(i), primaryTerm: 1)
                if doc.isDeleted { live.remove(i) }
            }
            _ = try writer.seal(into: directory, name: "s\(n)", id: SegmentID(high: 1, low: UInt64(n)))
            let segment = try Segment(try SegmentFile.open(directory, name: "s\(n)"))
            views.append(SegmentView(segment: segment, live: docs.contains { $0.isDeleted } ? live : nil))
        }
        snapshot = IndexSnapshot(segments: views, mapping: mapping, settings: settings)
    }

    private static func parsed(_ doc: TestDocument, _ mapping: Mapping) -> ParsedDocument {
        var parsed = ParsedDocument()
        parsed.id = doc.id
        func add(_ path: String, _ text: String, keyword: Bool) {
            guard let type = mapping.field(path) else { return }
            let from = parsed.bytes.count
            parsed.bytes += Array(text.utf8)
            let range = from..<parsed.bytes.count
            parsed.fields.append(.init(type: type, value: keyword ? .keyword(range) : .text(range)))
        }
        func add(_ path: String, _ number: Int64) {
            if let type = mapping.field(path) { parsed.fields.append(.init(type: type, value: .number(number))) }
        }
        if let title = doc.title { add("title", title, keyword: false) }
        if let description = doc.description { add("description", description, keyword: false) }
        for brand in doc.brand { add("brand", brand, keyword: true) }
        if let price = doc.price { add("price", SortableDouble.encode(price)) }
        for stock in doc.stock { add("stock", Int64(stock)) }
        if let created = doc.created { add("created", created) }
        return parsed
    }

    /// Random products of a small vocabulary, spread over segments; some deleted.
    static func random(_ seed: UInt64, segments: Int = 3, perSegment: Int = 60) throws -> TestIndex {
        var random = Seeded(seed), n = 0
        let words = ["phone", "case", "red", "blue", "usb", "cable", "phones", "cases", "leather", "the", "of", "charger", "ps5", "console", "pro"]
        func text(_ most: Int) -> String {
            (0..<Int.random(in: 1...most, using: &random)).map { _ in
                let x = Double.random(in: 0..<1, using: &random)
                return words[Int(x * x * Double(words.count))]
            }.joined(separator: " ")
        }
        return try TestIndex((0..<segments).map { _ in
            (0..<perSegment).map { _ in
                n += 1
                var doc = TestDocument(id: "d\(n)")
                if Int.random(in: 0..<10, using: &random) > 0 { doc.title = text(6) }
                if Int.random(in: 0..<3, using: &random) > 0 { doc.description = text(25) }
                doc.brand = (0..<Int.random(in: 0...2, using: &random)).map { _ in ["acme", "sony", "apple", "anker"].randomElement(using: &random) ?? "acme" }
                if Int.random(in: 0..<5, using: &random) > 0 { doc.price = Double(Int.random(in: 0...40, using: &random)) / 2 }
                doc.stock = (0..<Int.random(in: 0...2, using: &random)).map { _ in Int.random(in: 0...9, using: &random) }
                if Bool.random(using: &random) { doc.created = 1_700_000_000_000 + 86_400_000 * Int64.random(in: 0...30, using: &random) }
                doc.isDeleted = Int.random(in: 0..<8, using: &random) == 0
                return doc
            }
        })
    }

    var targets: [SearchExecutor.Target] { [SearchExecutor.Target(index: "shop", snapshot: snapshot)] }

    func search(_ request: SearchRequest, cache: FilterCache? = nil) throws -> SearchResponse {
        try SearchExecutor(now: 1_700_500_000_000, filterCache: cache).search(request, in: targets)
    }
}
