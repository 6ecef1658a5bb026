// What BM25 needs to know of fields and terms over a whole snapshot: summed over segments, deleted documents
// included, as Lucene does, so that every segment scores alike and deleting changes no score until a merge.
//
//     idf            ln(1 + (docCount - docFreq + 0.5) / (docFreq + 0.5)), in double, cast to float32
//     inverse norm   1 / (k1 * (1 - b + b * length / averageLength)), in float32, for each of 256 norm bytes
//
// Source: Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework"; Lucene 9.9 BM25Similarity.

import Glibc
internal import Mappings
internal import Segments
internal import Storage

/// Of one plan's making: not shared between threads.
final class FieldStatistics {
    final class Field {
        let path: String
        /// Documents that have a posting in the field, and its tokens.
        fileprivate(set) var docCount = 0, sumTotalTermFreq = 0
        /// Those that have postings in the field.
        fileprivate var segments: [(segment: Segment, ordinal: UInt32)] = []
        fileprivate var similarity: Similarity?
        /// The first few looked up: a word stands twice in a query at times, and in phrases.
        fileprivate var terms: [(term: [UInt8], found: Term)] = []

        init(_ path: String, _ snapshot: IndexSnapshot) {
            self.path = path
            for view in snapshot.segments {
                guard let info = view.segment.fields[path] else { continue }
                docCount += info.docCount
                sumTotalTermFreq += info.sumTotalTermFreq
                if info.features.contains(.postings) { segments.append((view.segment, info.ordinal)) }
            }
        }
    }
    struct Term {
        var docFreq = 0, totalTermFreq = 0
        var places = TermPlaces([])
    }

    private let snapshot: IndexSnapshot
    private var fields: [String: Field] = [:]
    /// Most queries ask for one field again and again.
    private var last: Field?
    private static let termsMax = 16

    init(_ snapshot: IndexSnapshot) { self.snapshot = snapshot }

    /// Documents of the snapshot, deleted ones included.
    lazy var maxDoc = snapshot.segments.reduce(0) { $0 + $1.docCount }

    func field(_ path: String) -> Field {
        if let last, last.path == path { return last }
        let field = fields[path] ?? Field(path, snapshot)
        if let last { fields[last.path] = last }
        last = field
        return field
    }

    /// docFreq 0 where the term is nowhere.
    func term(_ term: [UInt8], of path: String) throws(StorageError) -> Term {
        let field = field(path)
        for known in field.terms where known.term == term { return known.found }
        var sum = Term(), places: [TermPlaces.Place] = []
        for (segment, ordinal) in field.segments {
            guard let entry = try segment.inverted.term(term, field: ordinal) else { continue }
            sum.docFreq += entry.docFreq
            sum.totalTermFreq += entry.totalTermFreq
            places.append((segment, ordinal, entry))
        }
        sum.places = TermPlaces(places)
        if field.terms.count < Self.termsMax { field.terms.append((term, sum)) }
        return sum
    }

    func idf(docFreq: Int, of path: String) -> Float { Self.idf(docFreq: docFreq, docCount: field(path).docCount) }

    static func idf(docFreq: Int, docCount: Int) -> Float {
        // Blended statistics may count more documents than the field has; a weight below 0 would break pruning.
        max(0, Float(log(1 + (Double(docCount) - Double(docFreq) + 0.5) / (Double(docFreq) + 0.5))))
    }

    func similarity(_ type: FieldType) -> Similarity {
        let field = field(type.path)
        if let known = field.similarity { return known }
        let average = field.docCount == 0 ? 1 : Float(Double(field.sumTotalTermFreq) / Double(field.docCount))
        let made = Similarity.bm25(k1: snapshot.settings.k1, b: snapshot.settings.b, averageLength: average, norms: type.norms)
        field.similarity = made
        return made
    }
}

extension Similarity {
    /// Without norms every document counts as one token long, as in Lucene.
    package static func bm25(k1: Float, b: Float, averageLength: Float, norms: Bool) -> Similarity {
        let inverse = unsafe [Float](unsafeUninitializedCapacity: 256) { memory, count in
            for i in 0..<256 { unsafe memory[i] = 1 / (k1 * ((1 - b) + b * lengths[norms ? i : 1] / averageLength)) }
            count = 256
        }
        return Similarity(k1: k1, b: b, averageLength: averageLength, inverseNorms: inverse)
    }

    private static let lengths = (0..<256).map { normLength(UInt8($0)) }

    /// Of filters, whose scores nobody reads.
    static let unscored = Similarity(k1: 0, b: 0, averageLength: 1, inverseNorms: [Float](repeating: 1, count: 256))

    /// The length that a norm byte stands for.
    package static func normLength(_ byte: UInt8) -> Float { Float(SmallFloat.decode(byte)) }
}
