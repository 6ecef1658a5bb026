// The write buffer, the dictionary and the posting lists against a dictionary of arrays.

import Analysis
import Bytes
import Indexing
import IsothermTesting
import Mappings
import Segments
import Storage
import Testing

/// A random collection, in the plainest form there is: per document and field the terms in order, nil a gap.
struct NaiveCollection {
    var docCount: Int
    /// [field][doc] = positions and terms.
    var texts: [[[(position: Int32, term: String)]]]

    init(seed: UInt64, docCount: Int, fields: Int, vocabulary: Int) {
        var random = Seeded(seed)
        self.docCount = docCount
        texts = (0..<fields).map { field in
            (0..<docCount).map { _ in
                if field > 0, Int.random(in: 0..<4, using: &random) > 0 { return [] }
                var position: Int32 = -1
                return (0..<Int.random(in: 0...12, using: &random)).map { _ in
                    position += Int32([1, 1, 1, 0, 2].randomElement(using: &random) ?? 1)
                    // Squared: few common terms, many rare ones.
                    let x = Double.random(in: 0..<1, using: &random)
                    return (max(0, position), "t\(Int(x * x * x * Double(vocabulary)))" + (x > 0.9 ? "äöü" : ""))
                }
            }
        }
    }

    func tokens(_ field: Int, _ doc: Int) -> TokenBuffer {
        var buffer = TokenBuffer()
        for (position, term) in texts[field][doc] {
            buffer.terms += Array(term.utf8)
            buffer.termEnds.append(Int32(buffer.terms.count))
            buffer.positions.append(position)
            buffer.positionLengths.append(1)
            buffer.startOffsets.append(0)
            buffer.endOffsets.append(0)
            buffer.types.append(.word)
            buffer.positionCount = position + 1
        }
        return buffer
    }

    /// [term: [doc: positions]]
    func postings(_ field: Int) -> [String: [DocID: [Int32]]] {
        var out: [String: [DocID: [Int32]]] = [:]
        for doc in 0..<docCount {
            for (position, term) in texts[field][doc] { out[term, default: [:]][DocID(doc), default: []].append(position) }
        }
        return out
    }
}

func writeSegment(_ collection: NaiveCollection, options: FieldType.IndexOptions = .positions, name: String = "s", in directory: MemoryDirectory = MemoryDirectory()) throws -> Segment {
    let buffer = InvertedBuffer()
    for doc in 0..<collection.docCount {
        for field in collection.texts.indices {
            buffer.add(tokens: collection.tokens(field, doc), field: UInt32(field), options: options, norms: field != 2, doc: DocID(doc))
        }
    }
    let file = try SegmentFileWriter(directory, name: name, id: SegmentID(high: 1, low: 2))
    var fields = collection.texts.indices.map { FieldInfo(ordinal: UInt32($0), path: "f\($0)", features: [], kind: "text") }
    try buffer.write(to: file, fields: &fields, order: collection.texts.indices.map { UInt32($0) }, docCount: collection.docCount)
    try file.section(.fields, FieldTable.encode(docCount: collection.docCount, fields: fields))
    _ = try file.finish()
    return try Segment(SegmentFile.open(directory, name: name))
}

func readPostings(_ segment: Segment, _ entry: TermEntry) throws -> [DocID: [Int32]] {
    let list = try segment.inverted.list(entry, positions: true)
    var out: [DocID: [Int32]] = [:]
    let memory = UnsafeMutablePointer<UInt32>.allocate(capacity: 384)
    let positions = UnsafeMutablePointer<UInt32>.allocate(capacity: 4096)
    defer { memory.deallocate(); positions.deallocate() }
    var reader = PositionReader(list, buffer: memory + 256)
    for block in 0..<list.blockCount {
        let count = list.decode(block, docs: memory, frequencies: memory + 128)
        list.decodeFrequencies(block, into: memory + 128)
        var place = block == 0 ? 0 : list.positionsBefore(block)
        for i in 0..<count {
            let f = Int(memory[128 + i])
            if list.options.positions {
                reader.read(from: place, count: f, into: positions)
                out[memory[i]] = (0..<f).map { Int32(positions[$0]) }
            } else {
                out[memory[i]] = [Int32](repeating: 0, count: f)
            }
            place += f
        }
    }
    return out
}

@Suite("Inverted side, written and read back")
struct InvertedRoundTripTests {
    @Test("every term of every field has the postings that were added", arguments: UInt64(0)..<12)
    func roundTrip(seed: UInt64) throws {
        let docCount = [1, 7, 128, 129, 700, 3000][Int(seed % 6)]
        let collection = NaiveCollection(seed: seed, docCount: docCount, fields: 3, vocabulary: [5, 40, 900][Int(seed % 3)])
        let segment = try writeSegment(collection)
        for field in 0..<3 {
            let expected = collection.postings(field)
            var seen: [String] = []
            try segment.inverted.walk(field: UInt32(field)) { term, entry in
                seen.append(String(decoding: term, as: UTF8.self))
                return .next
            }
            #expect(seen == expected.keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
            for (term, postings) in expected {
                let entry = try #require(try segment.inverted.term(Array(term.utf8), field: UInt32(field)))
                #expect(entry.docFreq == postings.count)
                #expect(entry.totalTermFreq == postings.values.reduce(0) { $0 + $1.count })
                #expect(try readPostings(segment, entry) == postings)
                #expect(try segment.inverted.documents(of: entry, field: UInt32(field)) == postings.keys.sorted())
            }
            #expect(try segment.inverted.term(Array("t".utf8), field: UInt32(field)) == nil)
            #expect(try segment.inverted.term(Array("zz".utf8), field: UInt32(field)) == nil)
            let info = segment.fields[ordinal: UInt32(field)]
            let having = collection.texts[field].filter { !$0.isEmpty }.count
            #expect(info.docCount == having)
            #expect(info.sumTotalTermFreq == collection.texts[field].reduce(0) { $0 + $1.count })
            #expect(info.termCount == expected.count)
            let lengths = collection.texts[field].map { SmallFloat.encode(Set($0.map(\.position)).count) }
            let norms = try segment.inverted.norms(field: UInt32(field), docs: (0..<docCount).map { DocID($0) })
            if field == 2 { #expect(norms.allSatisfy { $0 == 1 }) } else if !info.features.contains(.constantNorms), having > 0 { #expect(norms == lengths) }
            let set = try segment.inverted.documents(withField: UInt32(field))
            #expect((0..<docCount).filter { set[$0] } == (0..<docCount).filter { !collection.texts[field][$0].isEmpty })
        }
    }

    @Test("a walk starts at any place and seeks on", arguments: UInt64(0)..<6)
    func seek(seed: UInt64) throws {
        let collection = NaiveCollection(seed: seed, docCount: 800, fields: 2, vocabulary: 600)
        let segment = try writeSegment(collection)
        var random = Seeded(seed)
        let terms = collection.postings(1).keys.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        for _ in 0..<50 {
            let start = Array("t\(Int.random(in: 0..<700, using: &random))".utf8.prefix(Int.random(in: 0...4, using: &random)))
            var expected: [[UInt8]] = [], at = terms.firstIndex { !$0.lexicographicallyPrecedes(start) }
            var jumps: [[UInt8]?] = []
            while let i = at, expected.count < 30 {
                expected.append(terms[i])
                let jump: [UInt8]? = Bool.random(using: &random) ? terms[i] + Array("\(Int.random(in: 0..<99, using: &random))".utf8) : nil
                jumps.append(jump)
                at = jump.map { j in terms.firstIndex { !$0.lexicographicallyPrecedes(j) } } ?? (i + 1 < terms.count ? i + 1 : nil)
            }
            var seen: [[UInt8]] = []
            try segment.inverted.walk(field: 1, from: start) { term, _ in
                seen.append(term)
                if seen.count == 30 { return .stop }
                if let jump = jumps[seen.count - 1] { return .seek(jump) }
                return .next
            }
            #expect(seen == expected)
        }
    }

    @Test("norm bytes are Lucene's", arguments: [(0, 0), (1, 1), (39, 39), (40, 40), (41, 40), (42, 41), (100, 57), (1000, 87), (Int(Int32.max), 255)])
    func smallFloat(length: Int, byte: Int) {
        #expect(Int(SmallFloat.encode(length)) == byte)
        #expect(SmallFloat.decode(SmallFloat.encode(length)) <= length)
    }
}
