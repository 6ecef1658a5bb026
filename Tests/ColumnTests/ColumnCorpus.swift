// Random columns and the plain arrays they are compared with.

import Bytes
import Indexing
import IsothermTesting
import Segments
import Storage

/// Values by document, as a test remembers them: the model.
struct ColumnCorpus {
    struct Document: Equatable {
        var id: String
        var source: [UInt8]
        var version: Int64, sequenceNumber: Int64, primaryTerm: Int64
        var routing: String?
        /// By field.
        var numbers: [[Int64]], keywords: [[[UInt8]]]
    }

    enum NumberField: Int, CaseIterable { case dense, sparse, prices, floats, many, wild, constant, rare }
    enum KeywordField: Int, CaseIterable { case dense, sparse, many, unique, rare }
    static var fieldCount: Int { NumberField.allCases.count + KeywordField.allCases.count }

    var documents: [Document]

    init(seed: UInt64, count: Int) {
        var random = Seeded(seed)
        func chance(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }
        documents = []
        for i in 0..<count {
            var numbers = [[Int64]](repeating: [], count: NumberField.allCases.count)
            numbers[0] = [Int64(i) * 1000 + Int64.random(in: 0..<500, using: &random) * 7]
            if chance(3) { numbers[1] = [Int64.random(in: -50...50, using: &random)] }
            numbers[2] = [OrderedDouble.encode(Double(Int.random(in: 0..<100_000, using: &random)) / 100)]
            numbers[3] = [OrderedDouble.encode(Double(Float(Int.random(in: 0...50, using: &random)) / 10))]
            numbers[4] = (0..<Int.random(in: 0...4, using: &random)).map { _ in Int64.random(in: 0..<20, using: &random) }
            if !chance(5) { numbers[5] = [Int64(bitPattern: random.next())] }
            numbers[6] = [42]
            if chance(200) { numbers[7] = [Int64(i)] }
            func word(_ n: Int) -> [UInt8] { Array("w\(Int.random(in: 0..<n, using: &random))".utf8) }
            var keywords = [[[UInt8]]](repeating: [], count: KeywordField.allCases.count)
            keywords[0] = [word(30)]
            if chance(4) { keywords[1] = [word(300)] }
            keywords[2] = (0..<Int.random(in: 0...3, using: &random)).map { _ in word(8) }
            keywords[3] = [Array("sku-\(i)-é".utf8)]
            if chance(300) { keywords[4] = [[]] }
            documents.append(
                Document(
                    id: chance(10) ? "id \(i)" : "\(i)", source: Array("{\"n\":\(i),\"text\":\"\(String(repeating: "abc ", count: Int.random(in: 0..<60, using: &random)))\"}".utf8),
                    version: chance(4) ? Int64.random(in: 1...9, using: &random) : 1, sequenceNumber: Int64(i) + 5, primaryTerm: 1,
                    routing: chance(50) ? "r\(i % 3)" : nil, numbers: numbers, keywords: keywords))
        }
    }

    static func options(_ f: NumberField) -> ColumnOptions {
        switch f {
        case .prices, .floats: [.column, .points, .doubles]
        case .sparse: [.column, .points]
        case .wild: [.points]
        default: [.column]
        }
    }

    func buffer() -> ColumnBuffer {
        let buffer = ColumnBuffer()
        for (i, d) in documents.enumerated() {
            for f in NumberField.allCases { for v in d.numbers[f.rawValue] { buffer.addNumber(field: UInt32(f.rawValue), doc: DocID(i), value: v, options: Self.options(f)) } }
            for f in KeywordField.allCases { for v in d.keywords[f.rawValue] { buffer.addKeyword(field: UInt32(8 + f.rawValue), doc: DocID(i), bytes: v[...]) } }
            buffer.addDocument(
                doc: DocID(i), id: d.id, source: d.source, version: d.version, sequenceNumber: d.sequenceNumber, primaryTerm: d.primaryTerm, routing: d.routing)
        }
        return buffer
    }

    static func infos() -> [FieldInfo] {
        (0..<fieldCount).map { FieldInfo(ordinal: UInt32($0), path: "f" + String($0 + 10), features: [], kind: "long") }
    }

    /// Seals into `directory` and opens what was written.
    func segment(_ directory: MemoryDirectory, name: String) throws -> Segment {
        let writer = try SegmentFileWriter(directory, name: name, id: SegmentID(high: 1, low: 2))
        var infos = Self.infos()
        try buffer().write(to: writer, fields: &infos, order: (0..<UInt32(Self.fieldCount)).map { $0 }, docCount: documents.count)
        try writer.section(.fields, FieldTable.encode(docCount: documents.count, fields: infos))
        _ = try writer.finish()
        return try Segment(SegmentFile.open(directory, name: name))
    }

    /// What a column gives back for a document: numbers in order, terms once each in order.
    static func expected(_ d: Document) -> Document {
        var d = d
        d.numbers = d.numbers.map { $0.sorted() }
        d.keywords = d.keywords.map { terms in
            var seen: [[UInt8]] = []
            for t in terms.sorted(by: { $0.lexicographicallyPrecedes($1) }) where seen.last != t { seen.append(t) }
            return seen
        }
        return d
    }

    /// Reads a document of a segment through every reader.
    static func read(_ segment: Segment, _ doc: DocID) throws -> Document {
        let columns = segment.columns
        var numbers: [[Int64]] = [], keywords: [[[UInt8]]] = []
        for f in NumberField.allCases {
            if let column = try columns.numbers(UInt32(f.rawValue)) {
                numbers.append(column.values(of: doc))
                if column.value(of: doc) != column.values(of: doc).first { numbers[numbers.count - 1].append(.min) }
            } else {
                var values: [Int64] = []
                if let points = try columns.points(UInt32(f.rawValue)) {
                    points.forEach { if $1 == doc { values.append($0) } }
                }
                numbers.append(values)
            }
        }
        for f in KeywordField.allCases {
            guard let column = try columns.keywords(UInt32(8 + f.rawValue)) else { keywords.append([]); continue }
            keywords.append(try column.ordinals(of: doc).map { try column.term($0) })
        }
        return Document(
            id: try columns.id(of: doc), source: try columns.source(of: doc), version: try columns.version(of: doc),
            sequenceNumber: try columns.sequenceNumber(of: doc), primaryTerm: try columns.primaryTerm(of: doc), routing: try columns.routing(of: doc),
            numbers: numbers, keywords: keywords)
    }
}
